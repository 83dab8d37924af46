"""What agents do in the inbox that takes more than the console: reports of wrong answers, and suggested replies."""

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from chatbot.models import Conversation, Message, Site
from chatbot.summary import summary
from console import audit, rules
from console.models import WrongAnswer
from console.services import Actor, NotAllowed, NotFound
from desk import asking
from desk import services as desk
from guardrails.personal_data.finding import Finding
from guardrails.personal_data.masking import replaced
from guardrails.placeholders import PLACEHOLDER
from knowledge.golden import Golden
from knowledge.models import GoldenQuestion, KnowledgeBase

MOST_SUGGESTED = 4
HISTORY = 4
"""Earlier questions of the customer, by which a follow-up is understood."""

_MARK = re.compile(r"\s?\[\d{1,2}\]")

Find = Callable[[str], Sequence[Finding]]


class Reported(Exception):
    """Somebody has reported this answer already: `report` says who and why."""

    def __init__(self, report: WrongAnswer) -> None:
        super().__init__()
        self.report = report


@dataclass(frozen=True)
class Right:
    """What would have been right: answered, with `facts` in the answer, from `document` if named; or refused."""

    question: str
    answered: bool
    facts: tuple[str, ...] = ()
    document: str = ""


def answer_for(actor: Actor, message_id: uuid.UUID) -> Message:
    """Return an answer of the bot that the actor may report. Raises NotFound, NotAllowed."""
    joined = Message.objects.select_related("conversation__site", "reply_to", "ledger", "wrong__reporter")
    found = joined.filter(pk=message_id, role=Message.Role.BOT).first()
    if found is None or not rules.may(actor.user, "see_ledger", found.conversation):
        raise NotFound
    if not rules.may(actor.user, "rate", found.conversation):
        raise NotAllowed
    return found


def asked(answer: Message) -> str:
    """Return what was asked, standing alone, without placeholders: it leaves the conversation."""
    ledger = getattr(answer, "ledger", None)
    text = (ledger.question if ledger else "") or (answer.reply_to.text if answer.reply_to else "")
    return _plain(text)


def report(actor: Actor, message_id: uuid.UUID, *, reason: str, comment: str, right: Right, find: Find) -> WrongAnswer:
    """Report an answer as wrong: every later release of the site's base is examined with its question.

    Raises NotFound, NotAllowed, Reported, desk's PersonalData, knowledge's TooMany and guardrails'
    MaskingUnavailable; then nothing was kept.
    """
    answer = answer_for(actor, message_id)
    site = answer.conversation.site
    personal = find(right.question)  # before the transaction: looking takes its time
    masked, _ = replaced(comment, find(comment), lambda entity, _: f"<{entity}>") if comment else ("", ())
    golden = Golden(right.question, right.answered, right.document, right.facts)
    base = KnowledgeBase.objects.filter(slug=site.knowledge_base).first()
    with transaction.atomic():
        Conversation.objects.select_for_update().filter(pk=answer.conversation_id).first()
        before = WrongAnswer.objects.select_related("reporter").filter(pk=answer.pk).first()
        if before is not None:
            raise Reported(before)
        kept = None
        if base is not None:
            author = actor.user.get_username()
            desk.keep_golden(base.slug, golden, find=lambda _: personal, origin="correction", author=author)
            kept = GoldenQuestion.objects.filter(base=base, question=golden.question).first()
        made = WrongAnswer.objects.create(
            message=answer, reason=reason, comment=masked, golden=kept, reporter=actor.user
        )
        audit.record(
            actor.user,
            "report_wrong",
            site=site,
            target=("message", answer.pk),
            details={"reason": reason, "golden": kept.pk if kept else None},
            address=actor.address,
        )
    return made


def suggestions(conversation: Conversation, question: str = "") -> dict[str, Any]:
    """Return replies that the site's documents offer, best first, each with its source. Asks a worker.

    `question` is what staff typed; without it, what nobody answered yet, else what the customer said last. Raises
    desk.asking's Unanswered.
    """
    said = Message.objects.filter(conversation=conversation, role=Message.Role.CUSTOMER, deleted=None).exclude(text="")
    texts = [_plain(text) for text in said.order_by("-created", "-id").values_list("text", flat=True)[: HISTORY + 1]]
    history = texts[::-1]
    if not question:
        unanswered = _plain(summary(conversation).unanswered)
        question = unanswered or (history.pop() if history else "")
        history = [] if unanswered else history  # what was searched for stands alone
    if not question:
        return {"question": "", "suggestions": []}
    site: Site = conversation.site
    found = asking.why(site.knowledge_base, question, history[-HISTORY:], MOST_SUGGESTED)
    passages = found["passages"]
    answer = _MARK.sub("", found["answer"]).strip()
    offered = [_suggestion(answer, passages[:1], sure=True)] if answer and passages else []
    offered += [_suggestion(one["text"], [one], sure=False) for one in passages if one["text"].strip() != answer]
    return {"question": found["question"], "suggestions": offered[:MOST_SUGGESTED]}


def _plain(text: str) -> str:
    return " ".join(PLACEHOLDER.sub(" ", text).split())


def _suggestion(text: str, passages: list[dict[str, Any]], *, sure: bool) -> dict[str, Any]:
    names = ("document", "ref", "heading", "question", "text")
    return {"text": text, "sure": sure, "sources": [{name: one[name] for name in names} for one in passages]}
