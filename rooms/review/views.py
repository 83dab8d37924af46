"""The reviewers' room: the queue, one case after the other, and what became of them. Who is first decides."""

import json
import uuid
from typing import Any, cast

import redis
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from chatbot import reviewing
from chatbot import wiring as chat
from chatbot.events import LogUnavailable
from chatbot.judging import GuardsUnavailable
from chatbot.models import Review
from chatbot.once import Once
from chatbot.ownership import NotOwner
from console import services, wiring
from console.rules import sites_of
from console.services import NotAllowed, NotFound
from guardrails.personal_data.pool import MaskingUnavailable
from rooms import asked, verdicts
from rooms.pages import actor, check, needs, page, person
from rooms.review import selectors
from rooms.review.claims import Claims
from rooms.review.services import reconsider
from rooms.review.wording import WORDS

LONGEST = 4000
"""Characters of an edited reply, as the console's protocol has them."""


@Once
def claims() -> Claims:
    """The claims of all reviewers."""
    return Claims(
        redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5, max_connections=20, retry=None
        )
    )


@needs("review")
@require_GET
def first(request: HttpRequest) -> HttpResponse:
    """The queue beside the most urgent case that is free."""
    return _room(request, selectors.deal(person(request), claims()))


@needs("review")
@require_GET
def case(request: HttpRequest, review: uuid.UUID) -> HttpResponse:
    """One case beside the queue; as a part for htmx. What was decided meanwhile leads to the next."""
    found = _found(request, review)
    if found.decision:
        return _part(request, None, _first(found)) if _is_part(request) else redirect("rooms:review")
    claims().take(found.pk, person(request).pk)
    return _part(request, found) if _is_part(request) else _room(request, found)


@needs("review")
@require_GET
def next_case(request: HttpRequest) -> HttpResponse:
    """The most urgent free case, as a part."""
    return _part(request, selectors.deal(person(request), claims(), but=_key(request.GET.get("but"))))


@needs("review")
@require_GET
def waiting(request: HttpRequest) -> HttpResponse:
    """The queue, asked for every other second; says when the case that is looked at was decided elsewhere."""
    user, at = person(request), _key(request.GET.get("case"))
    answer = page(request, "review/_queue.html", "review", WORDS, **_queue(request), at=at)
    if at is not None:
        claims().keep(at, user.pk)
        own = Review.objects.select_related("decided_by").filter(conversation__site__in=sites_of(user))
        found = own.filter(pk=at).first()
        if found is None or found.decision:
            text = _first(found) if found is not None else WORDS.here()["first_moot"]
            answer["HX-Trigger"] = json.dumps({"decided": {"case": str(at), "text": text}})
    return answer


@needs("review")
@require_POST
def decide(request: HttpRequest, review: uuid.UUID) -> HttpResponse:
    """Carry out a choice and open the next case; what is refused is said beside the text, which stays."""
    words, user = WORDS.here(), person(request)
    choice, text = request.POST.get("choice", ""), request.POST.get("text", "").replace("\0", "").strip()
    if choice not in ("approve", "edit", "reject"):
        return HttpResponse(status=400)
    if choice == "edit" and not text:
        return _refused(words["empty_text"])
    if len(text) > LONGEST:
        return _refused(words["long_text"])
    try:
        decided = services.decide(
            actor(request), review, choice=cast(reviewing.Choice, choice), text=text, tools=wiring.tools()
        )
    except (NotFound, NotAllowed):
        raise Http404 from None
    except (reviewing.Conflict, NotOwner):
        late = _first(Review.objects.select_related("decided_by").get(pk=review))
        if choice == "edit":
            return _refused(f"{late} {words['not_sent']}", over=True)
        return _part(request, selectors.deal(user, claims(), but=review), f"{late} {words['not_sent']}", wrong=True)
    except reviewing.NotEditable:
        return _refused(words["not_editable"])
    except reviewing.Blocked as error:
        names = "、".join(verdicts.categories(error.screened.categories))
        return _refused(words["blocked" if choice == "edit" else "blocked_held"].format(categories=names))
    except (GuardsUnavailable, MaskingUnavailable):
        return _refused(words["guards_away"])
    except LogUnavailable:
        return _refused(words["service_away"])
    claims().drop(review, user.pk)
    return _part(request, selectors.deal(user, claims(), but=review), words[f"done_{decided.decision}"])


@needs("review")
@require_GET
def history(request: HttpRequest) -> HttpResponse:
    """What was decided, by whom, and how much in the last day."""
    user = person(request)
    decision, reviewer = asked.text(request.GET, "decision"), asked.text(request.GET, "reviewer")
    number = asked.page_number(request)
    rows, more = selectors.history(user, decision=decision, reviewer=reviewer, page=number)
    words = WORDS.here()
    shown = [
        {
            "review": row,
            "text": selectors.judged_text(row),
            "verdict": verdicts.told(_verdict(row)),
            "by": selectors.shown(row.decided_by) if row.decided_by else "",
            "name": words[row.decision],
            "undo": _undo(row),
        }
        for row in rows
    ]
    return page(
        request,
        "review/history.html",
        "review",
        WORDS,
        rows=shown,
        numbers=[
            row | {"time": words["seconds"].format(n=row["seconds"]) if row["seconds"] is not None else "–"}
            for row in selectors.numbers(user)
        ],
        decisions=[(value, words[value]) for value in Review.Decision.values if value],
        reviewers=selectors.reviewers(user),
        decision=decision,
        reviewer=reviewer,
        number=number,
        more=more,
    )


@needs("review")
@require_POST
def undo(request: HttpRequest, review: uuid.UUID) -> HttpResponse:
    """Let through what was rejected or ran out of time."""
    words = WORDS.here()
    try:
        reconsider(actor(request), review, tools=wiring.tools())
    except (NotFound, NotAllowed):
        raise Http404 from None
    except reviewing.Conflict:
        return _plain(words["undo_late"])
    except reviewing.Blocked:
        return _plain(words["undo_blocked"])
    except (GuardsUnavailable, MaskingUnavailable):
        return _plain(words["guards_away"])
    except LogUnavailable:
        return _plain(words["service_away"])
    answer = HttpResponse(words["undone"])
    answer["HX-Trigger"] = json.dumps({"toast": {"text": words["undone"]}})
    return answer


def _is_part(request: HttpRequest) -> bool:
    return "HX-Request" in request.headers


def _room(request: HttpRequest, found: Review | None) -> HttpResponse:
    return page(request, "review/first.html", "review", WORDS, **_queue(request), **_case(request, found))


def _part(request: HttpRequest, found: Review | None, told: str = "", *, wrong: bool = False) -> HttpResponse:
    """The case, and what to say of the one before."""
    answer = page(request, "review/_case.html", "review", WORDS, **_queue(request), **_case(request, found))
    answer["HX-Trigger-After-Swap"] = json.dumps(
        {"queue": {}, **({"toast": {"text": told, "wrong": wrong}} if told else {})}
    )
    address = reverse("rooms:review_case", args=[found.pk]) if found else reverse("rooms:review")
    answer["HX-Replace-Url"] = address
    return answer


def _refused(text: str, *, over: bool = False) -> HttpResponse:
    """Say why nothing was sent, beside the text; `over`: somebody else has decided."""
    answer = HttpResponse(text, content_type="text/plain; charset=utf-8")
    answer["HX-Retarget"], answer["HX-Reswap"] = "#refusal", "textContent"
    answer["HX-Trigger-After-Swap"] = json.dumps({"over" if over else "refused": {}})
    return answer


def _plain(text: str) -> HttpResponse:
    return HttpResponse(text, status=409, content_type="text/plain; charset=utf-8")


def _queue(request: HttpRequest) -> dict[str, Any]:
    found = selectors.queue(person(request), claims())
    words = WORDS.here()
    return {
        "cases": [
            {
                "case": one,
                "verdict": verdicts.told(_verdict(one.review)),
                "held": words["held_by"].format(name=one.holder) if one.holder else "",
            }
            for one in found.cases
        ],
        "count": found.count,
    }


def _case(request: HttpRequest, found: Review | None) -> dict[str, Any]:
    if found is None:
        return {"review": None, "at": None}
    words = WORDS.here()
    holder = claims().holders([found.pk]).get(found.pk)
    other = selectors.names_of([holder]).get(holder, "") if holder and holder != person(request).pk else ""
    return {
        "review": found,
        "at": found.pk,
        "verdict": verdicts.told(_verdict(found)),
        "held_note": words["held_note"].format(name=other) if other else "",
        "found_words": selectors.words_found(found, chat.lexicon()) if found.tier == "lexicon" else [],
        "context": selectors.context(found),
        "outbound": found.direction == Review.Direction.OUT,
        "text": selectors.judged_text(found),
        "longest": LONGEST,
        "deadline": words["deadline"].partition("{time}"),
    }


def _verdict(review: Review) -> dict[str, Any]:
    return {"tier": review.tier, "categories": review.categories, "score": review.score}


def _undo(row: Any) -> str:
    """What can be done about a decision: "undo", or why nothing can."""
    if row.decision in (Review.Decision.APPROVED, Review.Decision.EDITED):
        return "never"
    if row.decision == Review.Decision.MOOT:
        return ""
    gone = row.overtaken or (row.direction == Review.Direction.OUT and not row.held)
    taken = row.conversation.owner != row.conversation.Owner.BOT
    return "late" if row.later or gone or taken else "undo"


def _first(review: Review) -> str:
    """Who decided, and what."""
    words = WORDS.here()
    by = selectors.shown(review.decided_by) if review.decided_by else words["somebody"]
    return words.get(f"first_{review.decision}", words["first_moot"]).format(name=by)


def _found(request: HttpRequest, review: uuid.UUID) -> Review:
    """Return a case of one's own sites; another site's is not there."""
    found = Review.objects.select_related("conversation__site", "reply", "decided_by").filter(pk=review).first()
    if found is None:
        raise Http404
    try:
        check(request, "review", found.conversation)
    except PermissionDenied:
        raise Http404 from None
    return found


def _key(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None
