"""The radar's findings: listed, dismissed, taken up again. Finds nothing itself, so web may use it."""

from django.db.models import QuerySet

from knowledge.models import RadarFinding


def findings(base_slug: str, *, kind: str = "", dismissed: bool = False) -> QuerySet[RadarFinding]:
    """The findings of a base, those that most conversations met first; the dismissed ones where asked for."""
    rows = RadarFinding.objects.filter(base__slug=base_slug).exclude(chunks=[], detail={})
    rows = rows.exclude(dismissed="") if dismissed else rows.filter(dismissed="")
    return (rows.filter(kind=kind) if kind else rows).order_by("-touched", "kind", "-detail__probability", "pk")


def dismiss(finding: int, who: str) -> bool:
    """Note who said that a finding is nothing; false when there is none of that id, or it is dismissed already."""
    if not who:
        raise ValueError("who dismisses it?")
    return RadarFinding.objects.filter(pk=finding, dismissed="").update(dismissed=who) == 1


def restore(finding: int) -> bool:
    """Take a dismissal back."""
    return RadarFinding.objects.filter(pk=finding).exclude(dismissed="").update(dismissed="") == 1
