"""The agents' page. What is live on it comes over the console's socket; here is what a request is enough for."""

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from attachments.models import Attachment
from chatbot import files
from chatbot import wiring as chat
from chatbot.models import Conversation
from console import audit, rules
from console.models import Tag, WrongAnswer
from console.services import NotAllowed, NotFound, conversation_for
from desk.asking import Unanswered
from desk.services import PersonalData
from guardrails.personal_data.pool import MaskingUnavailable
from knowledge.examining import TooMany
from rooms import verdicts
from rooms.inbox import services
from rooms.inbox.topics import topics
from rooms.inbox.wording import WORDS
from rooms.pages import actor, check, needs, page, person

MOST_TAGS = 500
MOST_FACTS, MOST_CHARACTERS = 10, 1000


@require_GET
@needs("see_queue")
def first(request: HttpRequest) -> HttpResponse:
    """The page; everything in it is drawn in the browser."""
    user, words = person(request), WORDS.here()
    tags = Tag.objects.filter(conversations__site__in=rules.sites_of(user)).distinct().values_list("name", flat=True)
    boot = {
        "language": words["language_code"],
        "topics": topics(words["language_code"]),
        "tags": list(tags[:MOST_TAGS]),
        "canned": reverse("rooms:inbox_canned_told"),
        "root": reverse("rooms:inbox"),
        "staff": reverse("staff:home"),
        "socket": "/ws/staff/",
        "signin": reverse("staff:login"),
    }
    reasons = [(reason, words[f"reason_{reason}"]) for reason in WrongAnswer.Reason.values]
    shown: dict[str, Any] = {"t": verdicts.WORDS.here() | words, "boot": boot, "reasons": reasons}
    return page(request, "inbox/first.html", "inbox", WORDS, **shown)


@needs("see_queue")
@require_POST
def suggest(request: HttpRequest, conversation_id: uuid.UUID) -> HttpResponse:
    """Replies that the documents offer for what the customer asked last, or for `question`."""
    conversation = _conversation(request, conversation_id)
    question = request.POST.get("question", "").replace("\0", "").strip()[:MOST_CHARACTERS]
    try:
        return JsonResponse(services.suggestions(conversation, question))
    except Unanswered:
        return _refused("suggest_unanswered", 503)


@needs("rate")
@require_http_methods(["GET", "POST"])
def report(request: HttpRequest, message_id: uuid.UUID) -> HttpResponse:
    """What the report of an answer begins with; and the report itself."""
    try:
        answer = services.answer_for(actor(request), message_id)
    except NotFound:
        raise Http404 from None
    except NotAllowed:
        return _refused("report_not_allowed", 403)
    if request.method == "GET":
        before = getattr(answer, "wrong", None)
        report_ = _told(before) if before else None
        return JsonResponse({"question": services.asked(answer), "answer": answer.text, "report": report_})
    given = request.POST
    reason, question = given.get("reason", ""), _clean(given.get("question", ""))
    facts = tuple(filter(None, map(_clean, given.get("facts", "").splitlines())))
    if reason not in WrongAnswer.Reason.values:
        return _refused("report_no_reason", 400)
    if not question:
        return _refused("report_no_question", 400)
    if len(facts) > MOST_FACTS:
        return _refused("report_many_facts", 400)
    right = services.Right(
        question, reason != WrongAnswer.Reason.SHOULD_REFUSE, facts, _clean(given.get("document", ""))
    )
    try:
        made = services.report(
            actor(request),
            message_id,
            reason=reason,
            comment=_clean(given.get("comment", "")),
            right=right,
            find=chat.masking().find,
        )
    except services.Reported as reported:
        return JsonResponse({"report": _told(reported.report)}, status=409)
    except PersonalData:
        return _refused("report_personal_data", 400)
    except TooMany:
        return _refused("report_too_many", 400)
    except MaskingUnavailable:
        return _refused("masking_unavailable", 503)
    return JsonResponse({"report": _told(made)}, status=201)


@require_GET
@needs("see_queue")
def file(request: HttpRequest, conversation_id: uuid.UUID, file_id: uuid.UUID) -> HttpResponse:
    """On to a customer's file, by a link that lasts minutes and serves nobody else; that it was opened is recorded."""
    conversation = _conversation(request, conversation_id)
    check(request, "see_queue", conversation)
    if not Attachment.objects.filter(pk=file_id, conversation_id=conversation.pk).exists():
        raise Http404
    audit.record(
        person(request),
        "file_opened",
        site=conversation.site,
        target=("conversation", conversation.pk),
        details={"file": str(file_id)},
    )
    viewer = files.Viewer("staff", str(person(request).pk))
    return redirect(files.link(file_id, conversation=conversation.pk, viewer=viewer))


def _conversation(request: HttpRequest, conversation_id: uuid.UUID) -> Conversation:
    try:
        return conversation_for(actor(request), "see_conversation", conversation_id)
    except (NotFound, NotAllowed):
        raise Http404 from None


def _told(report: WrongAnswer) -> dict[str, Any]:
    by = report.reporter.get_username() if report.reporter else ""
    return {"reason": report.reason, "by": by, "comment": report.comment, "golden": report.golden_id is not None}


def _clean(text: str) -> str:
    return text.replace("\0", "").strip()[:MOST_CHARACTERS]


def _refused(code: str, status: int) -> HttpResponse:
    return HttpResponse(WORDS.here()[code], status=status, content_type="text/plain; charset=utf-8")
