"""What an agent sees beside a conversation: who writes, what was before, how it feels. All texts are masked."""

from typing import Any

from chatbot import profiles
from chatbot.models import Conversation, Feedback, LedgerEntry, Rating
from console import selectors
from console.models import Tag, WrongAnswer

MOST_EARLIER = 20
MOST_MOODS = 100


def customer(conversation: Conversation) -> dict[str, Any]:
    """Return protocol.py's `customer`: eight queries, whatever there is."""
    same = Conversation.objects.filter(site=conversation.site_id, visitor=conversation.visitor)
    earlier = same.exclude(pk=conversation.pk).order_by("-created")[:MOST_EARLIER]
    told = LedgerEntry.objects.filter(message__conversation=conversation).exclude(sentiment="")
    moods = list(told.order_by("-created").values_list("created", "sentiment")[:MOST_MOODS])[::-1]
    rating = Rating.objects.filter(conversation=conversation).first()
    return {
        "profile": conversation.profile,
        "vouched": profiles.is_vouched(conversation),
        "since": conversation.created.isoformat(),
        "tags": list(Tag.objects.filter(conversations=conversation).values_list("name", flat=True)),
        "earlier": [row for _, row in selectors.rows_of(earlier)],
        "moods": [{"at": at.isoformat(), "sentiment": sentiment} for at, sentiment in moods],
        "messages": _marks(conversation),
        "rating": {"score": rating.score, "comment": rating.comment} if rating else None,
    }


def _marks(conversation: Conversation) -> dict[str, dict[str, Any]]:
    """Return what was said of single messages: customers' thumbs and staff's reports."""
    marks: dict[str, dict[str, Any]] = {}
    for thumb in Feedback.objects.filter(message__conversation=conversation):
        marks[str(thumb.pk)] = {"helpful": thumb.helpful, "why": thumb.reason, "comment": thumb.comment}
    reports = WrongAnswer.objects.filter(message__conversation=conversation).select_related("reporter")
    for report in reports:
        by = report.reporter.get_username() if report.reporter else ""
        marks.setdefault(str(report.pk), {}).update(wrong=report.reason, by=by)
    return marks
