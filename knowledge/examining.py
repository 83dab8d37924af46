"""Puts a base's golden questions to a release, and keeps how it did."""

from collections.abc import Callable

from django.db import transaction

from knowledge.golden import Answer, Golden, Report, Search, examine
from knowledge.models import Examination, GoldenQuestion, KnowledgeBase, Release

MOST_QUESTIONS = 5_000
TYPED = "typed"

Searcher = Callable[[Release], Search]


class TooMany(Exception):
    """A base has as many golden questions as it may have."""


def examine_draft(base_slug: str, *, searcher: Searcher, answer: Answer) -> Examination | None:
    """Examine the draft of a base beside what is published; None when there is none. It may change meanwhile: the gate
    asks for the examination of the revision that is published."""
    draft = Release.objects.filter(base__slug=base_slug, state=Release.State.DRAFT).first()
    return None if draft is None else examine_release(draft, draft.base.published, searcher=searcher, answer=answer)


def examine_release(release: Release, against: Release | None, *, searcher: Searcher, answer: Answer) -> Examination:
    """Examine a release beside another one, whose last results are used where the golden questions are still those."""
    revision = release.revision
    questions = golden_questions(release.base)
    results = examine(questions, searcher(release), answer)
    report = Report(results, _before(questions, against, searcher, answer))
    return Examination.objects.create(
        release=release,
        revision=revision,
        results=report.rows(),
        right=sum(one.right for one in results),
        lost=len(report.lost),
        gained=len(report.gained),
    )


def golden_questions(base: KnowledgeBase) -> list[Golden]:
    """The active golden questions of a base, oldest first."""
    return [
        Golden(one.question, one.expects == GoldenQuestion.Expects.ANSWER, one.document, tuple(one.facts))
        for one in base.golden.filter(active=True).order_by("pk")[:MOST_QUESTIONS]
    ]


def keep_question(base_slug: str, golden: Golden, *, origin: str = TYPED, author: str = "") -> bool:
    """Keep a golden question, in place of what was kept for the same words; False when nothing changed.

    Only who types may change or take up again what is there: of another `origin`, a question is added or left as it is.
    Raises KnowledgeBase.DoesNotExist, TooMany. The caller sees to it that no personal data is in the question.
    """
    expects = GoldenQuestion.Expects.ANSWER if golden.answered else GoldenQuestion.Expects.REFUSAL
    wanted = {"expects": expects, "document": golden.document, "facts": list(golden.facts), "active": True}
    with transaction.atomic():
        base = KnowledgeBase.objects.select_for_update().get(slug=base_slug)
        found = base.golden.filter(question=golden.question).first()
        if found is None:
            if base.golden.count() >= MOST_QUESTIONS:
                raise TooMany(f"a base has {MOST_QUESTIONS} golden questions at most")
            GoldenQuestion.objects.create(base=base, question=golden.question, origin=origin, author=author, **wanted)
            return True
        if origin != TYPED or all(getattr(found, name) == value for name, value in wanted.items()):
            return False
        GoldenQuestion.objects.filter(pk=found.pk).update(**wanted)
        return True


def drop_question(base_slug: str, question: str) -> bool:
    """Stop asking a golden question; False when it was not asked."""
    return bool(
        GoldenQuestion.objects.filter(base__slug=base_slug, question=question, active=True).update(active=False)
    )


def _before(questions: list[Golden], against: Release | None, searcher: Searcher, answer: Answer) -> dict[str, bool]:
    if against is None:
        return {}
    last = against.examinations.order_by("pk").last()
    known = {row["key"]: bool(row["right"]) for row in last.results} if last is not None else {}
    left = [one for one in questions if one.key not in known]
    fresh = examine(left, searcher(against), answer) if left else ()
    return {one.key: known[one.key] for one in questions if one.key in known} | {one.key: one.right for one in fresh}
