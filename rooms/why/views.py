"""The ledger's pages: recent answers, why one of them says what it says, and what would be said today."""

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_GET, require_POST

from chatbot.models import Message, Review
from console.rules import may, sites_of
from console.wording import language_of
from desk import asking
from desk.asking import Unanswered
from knowledge.differences import text_difference
from rooms import verdicts
from rooms.asked import page_number, text
from rooms.inbox.topics import topics
from rooms.pages import check, needs, page, person
from rooms.why import selectors
from rooms.why.selectors import Used, Why
from rooms.why.wording import WORDS

TOP, MOST = 5, 20
"""Passages that are asked for: as many as there were then."""

OUTCOMES = ("answered", "faq", "handed_off", "refused", "review", "chitchat", "clarify")


@needs("see_ledger")
@require_GET
def answers(request: HttpRequest) -> HttpResponse:
    """Recent answers, filtered."""
    user, words = person(request), WORDS.here()
    chosen = {key: text(request.GET, key) for key in ("site", "outcome", "band")}
    down, degraded = request.GET.get("down") == "1", request.GET.get("degraded") == "1"
    number = page_number(request)
    rows, more = selectors.answers(user, **chosen, down=down, degraded=degraded, page=number)
    rest = request.GET.copy()
    rest.pop("page", None)
    return page(
        request,
        "why/list.html",
        "",
        WORDS,
        rows=[
            {
                "entry": row,
                "outcome": words.get(f"outcome_{row.message.outcome}", row.message.outcome),
                "percent": round(100 * row.confidence) if row.passages else None,
                "down": _down(row.message),
            }
            for row in rows
        ],
        sites=sites_of(user).order_by("name"),
        outcomes=[(value, words[f"outcome_{value}"]) for value in OUTCOMES],
        bands=[(value, words[f"sure_{value}"]) for value in ("low", "middle", "high")],
        chosen=chosen,
        down=down,
        degraded=degraded,
        filtered=any(chosen.values()) or down or degraded,
        number=number,
        more=more,
        rest=rest.urlencode(),
    )


@needs("see_ledger")
@require_GET
def one(request: HttpRequest, message: uuid.UUID) -> HttpResponse:
    """All that is on record about one answer."""
    return page(request, "why/one.html", "", WORDS, **_shown(request, selectors.why(_found(request, message))))


@needs("see_ledger")
@require_POST
def again(request: HttpRequest, message: uuid.UUID) -> HttpResponse:
    """The same question, asked of today's documents; beside the answer of then."""
    words, shown = WORDS.here(), selectors.why(_found(request, message))
    question = selectors.question_of(shown)
    base = shown.message.conversation.site.knowledge_base
    found: dict[str, Any] = {}
    problem = "" if question else words["again_question"]
    if question:
        try:
            found = asking.why(base, question, [], max(TOP, min(len(shown.used), MOST)))
        except Unanswered as error:
            problem = words["again_failed" if error.why == "failed" else "again_late"]
    today = found.get("passages", [])
    then = [used for used in shown.used if used.chunk is not None]
    known = {_key(used) for used in then}
    now = {(one["document"], one["text"]) for one in today}
    return page(
        request,
        "why/_again.html",
        "",
        WORDS,
        message=shown.message,
        entry=shown.entry,
        problem=problem,
        found=found,
        percent=round(100 * found["confidence"]) if found else 0,
        then_percent=round(100 * shown.entry.confidence) if shown.entry and shown.used else None,
        passages=[{"passage": one, "new": (one["document"], one["text"]) not in known} for one in today],
        lost=[used for used in then if _key(used) not in now],
        difference=_difference(shown.message.text, found.get("answer", "")),
        outcome=words.get(f"outcome_{shown.message.outcome}", shown.message.outcome),
    )


def _shown(request: HttpRequest, why: Why) -> dict[str, Any]:
    words, entry, message = WORDS.here(), why.entry, why.message
    context: dict[str, Any] = {
        "why": why,
        "message": message,
        "entry": entry,
        "outcome": words.get(f"outcome_{message.outcome}", message.outcome),
        "reason": words.get(f"reason_{message.reason}", "") if message.reason else "",
        "feedback": _feedback(message, words),
        "review": _review(why.review, words),
        "conversation": _conversation(request, message),
    }
    if entry is None:
        return context
    times = selectors.times(entry)
    prompt = selectors.prompt(why) if selectors.had_prompt(entry) else None
    return context | {
        "searched": bool(why.used),
        "percent": round(100 * entry.confidence),
        "intent": topics(language_of(get_language())).get(entry.intent, entry.intent),
        "mood": words.get(f"mood_{entry.sentiment}", entry.sentiment),
        "understanding": words["by_model"].format(version=entry.understanding) if entry.understanding else "",
        "release_name": words["release_of"].format(n=entry.knowledge_version),
        "release_now": _release_now(why, words),
        "passages": [_passage(used, words) for used in why.used],
        "verdicts": _verdicts(entry.verdicts, words),
        "engine": _engine(entry.engine, words),
        "tokens": words["tokens_of"].format(prompt=entry.prompt_tokens, reply=entry.reply_tokens)
        if entry.prompt_tokens or entry.reply_tokens
        else "",
        "times": [(words.get(f"stage_{name}", name), ms, words["ms"].format(n=round(ms))) for name, ms in times],
        "longest": max((ms for _, ms in times), default=0),
        "first_text": words["ms"].format(n=round(entry.milliseconds["first_text"]))
        if "first_text" in entry.milliseconds
        else "",
        "prompt": [(words.get(f"role_{one['role']}", one["role"]), one["content"]) for one in prompt or ()],
        "prompt_note": _prompt_note(why, prompt, words),
        "prompt_lacks": prompt is not None and any(used.chunk is None for used in why.used),
        "question": selectors.question_of(why),
        "own_words": bool(why.asked) and entry.question == "\n".join(one.text for one in why.asked),
    }


def _passage(used: Used, words: dict[str, str]) -> dict[str, Any]:
    version = used.chunk.version.number if used.chunk else 0
    tone = {"same": "good", "changed": "warn", "gone": "bad"}.get(used.state, "warn")
    return {
        "used": used,
        "state": words[f"state_{used.state}"],
        "tone": tone,
        "version": words["document_version"].format(n=version) if version else "",
    }


def _verdicts(rows: list[dict[str, Any]], words: dict[str, str]) -> list[tuple[str, verdicts.Told]]:
    """The first is on the customer's message, what follows on the reply."""
    return [(words["check_reply" if place else "check_first"], verdicts.told(row)) for place, row in enumerate(rows)]


def _engine(name: str, words: dict[str, str]) -> str:
    kept, _, writer = name.partition(":")
    return (
        words["from_cache"].format(engine=writer.rstrip(":") or "–") if kept.startswith("cache-") else name.rstrip(":")
    )


def _prompt_note(why: Why, prompt: list[dict[str, str]] | None, words: dict[str, str]) -> str:
    entry = why.entry
    if entry is None or not entry.engine:
        return words["prompt_none"]
    if not selectors.had_prompt(entry):
        return words["prompt_extractive"]
    return words["prompt_rebuilt"] if prompt else words["prompt_other"].format(version=entry.prompt_version)


def _release_now(why: Why, words: dict[str, str]) -> str:
    if why.release is None:
        return words["release_gone"]
    if why.published is None or why.published.pk == why.release.pk:
        return words["release_live"] if why.published else ""
    return words["release_was"].format(n=why.published.number)


def _feedback(message: Message, words: dict[str, str]) -> list[dict[str, Any]]:
    found = []
    thumb = getattr(message, "feedback", None)
    if thumb is not None:
        found.append(
            {
                "title": words["thumb_up" if thumb.helpful else "thumb_down"],
                "tone": "good" if thumb.helpful else "bad",
                "reason": words.get(f"why_{thumb.reason}", thumb.reason),
                "comment": thumb.comment,
                "at": thumb.created,
            }
        )
    wrong = getattr(message, "wrong", None)
    if wrong is not None:
        name = (wrong.reporter.get_full_name() or wrong.reporter.get_username()) if wrong.reporter else "–"
        found.append(
            {
                "title": words["wrong"].format(name=name),
                "tone": "bad",
                "reason": words.get(f"why_{wrong.reason}", wrong.reason),
                "comment": wrong.comment,
                "at": wrong.created,
                "golden": wrong.golden_id is not None,
            }
        )
    return found


def _review(review: Review | None, words: dict[str, str]) -> dict[str, Any] | None:
    if review is None:
        return None
    by = review.decided_by
    name = (by.get_full_name() or by.get_username()) if by else words["somebody"]
    return {"review": review, "told": words[f"review_{review.decision or 'pending'}"].format(name=name)}


def _conversation(request: HttpRequest, message: Message) -> str:
    """The address of the conversation, for whoever may read all of it."""
    if not may(request.user, "see_queue") or not may(request.user, "see_conversation", message.conversation):
        return ""
    return f"{reverse('rooms:inbox')}#{message.conversation_id}"


def _difference(then: str, now: str) -> tuple[tuple[str, str], ...]:
    return text_difference(then, now) if now and now != then else ()


def _key(used: Used) -> tuple[str, str]:
    assert used.chunk is not None
    return used.chunk.version.document.name, used.chunk.text


def _down(message: Message) -> bool:
    feedback = getattr(message, "feedback", None)
    return feedback is not None and not feedback.helpful


def _found(request: HttpRequest, key: uuid.UUID) -> Message:
    """Return a message of one's own sites; another site's is not there."""
    joined = Message.objects.select_related(
        "conversation__site", "ledger", "reply_to", "feedback", "wrong__reporter", "review__decided_by"
    )
    found = joined.filter(pk=key).first()
    if found is None:
        raise Http404
    try:
        check(request, "see_ledger", found.conversation)
    except PermissionDenied:
        raise Http404 from None
    return found
