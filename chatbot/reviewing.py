"""A person judges what the guards would not decide: approve, edit or reject it before a deadline, else the clock does.

Every decision is made while the conversation's row is locked, by whoever comes first, and only as long as the bot
speaks for the shop. Knows nothing of who may decide: the console's rules say so.
"""

import contextlib
import dataclasses
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Literal

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from chatbot import handoff, services, wording
from chatbot.events import EventLog, LogUnavailable
from chatbot.models import Conversation, Handoff, Message, Review
from chatbot.services import Enqueue, FindPersonalData
from chatbot.turn import Conclusion
from guardrails import vault
from guardrails.personal_data.finding import Finding
from guardrails.placeholders import PLACEHOLDER, escape_lookalikes
from guardrails.screening import Screened
from guardrails.sealing import MasterKey
from guardrails.verdict import Verdict

SECONDS = 180.0
BATCH = 100
_REASONS = ("message_review", "reply_review")
_FINALS = uuid.UUID("0c9f7a44-55a2-4c1b-9a83-6a1de0c6e6d2")

Choice = Literal["approve", "edit", "reject"]
Also = Callable[[Conversation], None]
"""Called in the transaction of a decision, after it; what it raises undoes the decision. For the audit log."""

_OUTCOMES: dict[Choice, Review.Decision] = {
    "approve": Review.Decision.APPROVED,
    "edit": Review.Decision.EDITED,
    "reject": Review.Decision.REJECTED,
}
_JUDGED = tuple(_OUTCOMES.values())
_TAKEN_BACK = (Review.Decision.REJECTED, Review.Decision.EXPIRED)

_LABELS = {"injection": ("safe", "injection"), "grounding": ("supported", "unsupported")}
"""By tier, as its classifier is trained; else those of toxicity."""


class Conflict(Exception):
    """It was decided before, or there is nothing to decide any more; `decision` says which."""

    def __init__(self, decision: str) -> None:
        super().__init__(decision)
        self.decision = decision


class NotEditable(Exception):
    """What a customer has written is approved or rejected as it is."""


class Blocked(Exception):
    """The guards do not let the text pass, whoever approves it; `screened` says why."""

    def __init__(self, screened: Screened) -> None:
        super().__init__("blocked")
        self.screened = screened


def begin(reply: Message, asked: Sequence[Message], conclusion: Conclusion, *, seconds: float, log: EventLog) -> Review:
    """Have a person judge what stopped a turn, within `seconds`. The caller's transaction has recorded `reply`."""
    verdicts = conclusion.record.verdicts
    verdict = verdicts[-1] if verdicts else Verdict("review")
    review = Review.objects.create(
        conversation=reply.conversation,
        reply=reply,
        direction=Review.Direction.OUT if conclusion.held else Review.Direction.IN,
        held=conclusion.held,
        sources=[dataclasses.asdict(source) for source in conclusion.sources],
        tier=verdict.tier or "",
        categories=list(verdict.categories),
        score=verdict.score,
        deadline=timezone.now() + timedelta(seconds=seconds),
    )
    review.messages.set(asked)
    _tell(reply.conversation_id, log)
    return review


def decide(
    *,
    review_id: uuid.UUID,
    choice: Choice,
    reviewer: User,
    screen: Callable[[str], Screened],
    find: FindPersonalData,
    master_key: MasterKey,
    log: EventLog,
    enqueue: Enqueue,
    text: str = "",
    also: Also = lambda conversation: None,
) -> Review:
    """Carry out what a reviewer chose, once. `text` is what an edit says instead of what was held.

    An approved message of a customer is answered; of a reply, what was held or `text` is said, unless the guards block
    it. Raises Review.DoesNotExist, Conflict, NotEditable, Blocked, LogUnavailable, and guardrails' MaskingUnavailable
    and VaultError: then nothing has changed.
    """
    review = Review.objects.select_related("conversation__site").get(pk=review_id)
    outbound = review.direction == Review.Direction.OUT
    if choice == "edit" and not outbound:
        raise NotEditable
    if choice != "reject" and outbound:
        screened = screen(text if choice == "edit" else review.held)
        if screened.verdict == "block":
            raise Blocked(screened)
    pieces = _pieces(review, text, find=find) if choice == "edit" else []

    def act(conversation: Conversation, review: Review) -> None:
        match choice:
            case "edit":
                _say(review, _mask(review, pieces, master_key), "answered")
            case "approve" if outbound:
                _say(review, review.held, "answered")
            case "approve":
                review.messages.filter(outcome="review").update(outcome="", attempts=0)
            case "reject":
                _say(review, _sentence(review, "rejected"), "refused")
                handoff.request(conversation, review.reply.reason, log=log)
        if choice != "reject":
            _end_handoff(conversation, log=log)
        also(conversation)

    review = _settle(review, _OUTCOMES[choice], act, by=reviewer, log=log)
    if choice == "approve" and not outbound:
        for message_id in review.messages.values_list("id", flat=True)[:1]:
            enqueue(message_id)  # one stands for all that is open
    return review


def reconsider(
    *,
    review_id: uuid.UUID,
    reviewer: User,
    screen: Callable[[str], Screened],
    log: EventLog,
    enqueue: Enqueue,
    also: Also = lambda conversation: None,
) -> Review:
    """Let through after all what was rejected or ran out of time, while neither customer nor agent has written since.

    It comes as a message of its own: what the customer was told stays, and so does the call for a person. Raises
    Review.DoesNotExist, Conflict, Blocked and LogUnavailable, and what `screen` does: then nothing has changed.
    """
    review = Review.objects.get(pk=review_id)
    if review.decision not in _TAKEN_BACK:
        raise Conflict(review.decision)
    outbound = review.direction == Review.Direction.OUT
    if outbound and (screened := screen(review.held)).verdict == "block":
        raise Blocked(screened)

    def act(conversation: Conversation, found: Review) -> None:
        others = (Message.Role.CUSTOMER, Message.Role.AGENT)
        since = Message.objects.filter(conversation=conversation, role__in=others, created__gt=review.decided)
        if found.overtaken or (outbound and not found.held) or since.exists():
            raise Conflict(review.decision)
        if outbound:
            _say(found, found.held, "answered", again=True)
        else:
            found.messages.filter(outcome="review").update(outcome="", attempts=0)
        also(conversation)

    review = _settle(review, Review.Decision.APPROVED, act, by=reviewer, log=log, over=_TAKEN_BACK)
    if not outbound:
        for message_id in review.messages.values_list("id", flat=True)[:1]:
            enqueue(message_id)
    return review


def expire_due(*, log: EventLog) -> int:
    """Say something safe where nobody has decided in time, and call for a person; return how many, `BATCH` at most.

    Harmless when run twice at once, and beside a decision. Raises LogUnavailable; then the next sweep does it.
    """

    def act(conversation: Conversation, review: Review) -> None:
        _say(review, _sentence(review, "expired"), "handed_off", "review_timeout")
        handoff.request(conversation, "review_timeout", log=log)

    due = Review.objects.filter(
        decision=Review.Decision.PENDING, deadline__lte=timezone.now(), conversation__owner=Conversation.Owner.BOT
    )
    count = 0
    for review in due.order_by("deadline")[:BATCH]:
        with contextlib.suppress(Conflict, Review.DoesNotExist):  # somebody decided, or it was erased meanwhile
            _settle(review, Review.Decision.EXPIRED, act, log=log)
            count += 1
    return count


def end_pending(conversation: Conversation) -> None:
    """Nothing is left to decide: an agent speaks now, or the conversation rests. The caller holds its row."""
    pending = Review.objects.filter(conversation=conversation, decision=Review.Decision.PENDING)
    pending.update(decision=Review.Decision.MOOT, decided=timezone.now())


def overtake(message: Message) -> None:
    """The customer has changed what was judged: what is pending is moot, and an approval does not hold any more.

    What was held is forgotten: it may quote the message. The caller holds the conversation's row.
    """
    touched = Review.objects.filter(pk__in=message.reviews.values("pk"))
    touched.filter(decision=Review.Decision.PENDING).update(decision=Review.Decision.MOOT, decided=timezone.now())
    touched.update(overtaken=True, held="")


def approved_among(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Return those that a person has approved as they are now."""
    approved = set(_approvals().filter(messages__in=messages, overtaken=False).values_list("messages__id", flat=True))
    return tuple(message for message in messages if message.pk in approved)


def _approvals() -> QuerySet[Review]:
    return Review.objects.filter(direction=Review.Direction.IN, decision=Review.Decision.APPROVED)


def approvals_of(message: Message) -> int:
    """Return how often the message was approved: so often it was answered before, by calling for a reviewer."""
    return _approvals().filter(messages=message).count()


def training_rows(tier: str = "") -> Iterator[dict[str, str]]:
    """Yield {"text", "label"} of what people have decided, oldest first; with `tier` only what that tier had stopped.

    What was approved, or written by the reviewer, has the tier's good label, what was rejected or edited its bad one.
    Placeholders are taken out.
    """
    found = Review.objects.filter(decision__in=_JUDGED, overtaken=False).order_by("decided", "id")
    if tier:
        found = found.filter(tier=tier)
    for review in found.prefetch_related("messages").iterator(BATCH):
        asked = "\n".join(message.text for message in review.messages.all() if message.text)
        approved = review.decision == Review.Decision.APPROVED
        texts = {asked if review.direction == Review.Direction.IN else review.held: approved}
        if review.decision == Review.Decision.EDITED:
            texts[review.final] = True
        good, bad = _LABELS.get(review.tier, ("safe", "offensive"))
        for text, is_good in texts.items():
            if clean := PLACEHOLDER.sub("…", text).strip():
                yield {"text": clean, "label": good if is_good else bad}


def decided_scores(tier: str, since: datetime | None = None) -> Iterator[tuple[float, bool]]:
    """Yield the score of each text that this tier had stopped, and whether it was rejected or edited, oldest first.

    since: decided then or later. What was overtaken does not count: the text is another one now.
    """
    found = Review.objects.filter(decision__in=_JUDGED, overtaken=False, tier=tier).order_by("decided", "id")
    if since:
        found = found.filter(decided__gte=since)
    for score, decision in found.values_list("score", "decision").iterator():
        yield score, decision != Review.Decision.APPROVED


def _settle(
    review: Review,
    decision: Review.Decision,
    act: Callable[[Conversation, Review], None],
    *,
    log: EventLog,
    by: User | None = None,
    over: Sequence[str] = (Review.Decision.PENDING,),
) -> Review:
    """Decide a review by `act`, if it is still to be decided; or was decided as one of `over`."""
    with transaction.atomic():
        locked = Conversation.objects.select_for_update(of=("self",)).select_related("site")
        conversation = locked.filter(pk=review.conversation_id).first()
        found = Review.objects.select_related("reply").filter(pk=review.pk).first()
        if conversation is None or found is None:
            raise Review.DoesNotExist
        if found.decision not in over:
            raise Conflict(found.decision)
        if conversation.owner != Conversation.Owner.BOT:  # whoever took over has ended what was pending
            raise Conflict(Review.Decision.MOOT)
        found.decision, found.decided, found.decided_by = decision, timezone.now(), by
        found.save(update_fields=["decision", "decided", "decided_by"])
        act(conversation, found)
        found.save(update_fields=["final"])
        Conversation.objects.filter(pk=conversation.pk).update(updated=timezone.now(), closed=None)
        services.make_stale(conversation, log=log)  # no number has changed: it asks whether redis is there
        _tell(conversation.pk, log)
    with contextlib.suppress(LogUnavailable):  # the sweeper announces it
        services.announce_rest(conversation.pk, log=log)
    return found


def _say(review: Review, text: str, outcome: str, reason: str = "", *, again: bool = False) -> None:
    """Record the final part of the reply; `again` after another one."""
    review.final = text
    answered = outcome == "answered"
    Message.objects.create(
        id=uuid.uuid5(_FINALS, f"{review.pk}{':again' if again else ''}"),  # so that it cannot be said twice
        conversation_id=review.conversation_id,
        role=Message.Role.BOT,
        text=text,
        language=review.reply.language,
        sources=review.sources if answered else [],
        outcome=outcome,
        reason=reason or review.decision,
        reply_to_id=review.reply.reply_to_id,
    )


def _pieces(review: Review, text: str, *, find: FindPersonalData) -> list[tuple[str, list[Finding]]]:
    """Return an edited text in pieces, with the personal data in each; a placeholder of what was held is a piece."""
    held = _placeholders(review)
    parts = [p if p in held else escape_lookalikes(p) for p in re.split(f"({PLACEHOLDER.pattern})", text)]
    whole = "".join(parts)
    findings = services.without_contacts(whole, find(whole), services.contacts_of(review.conversation.site))
    pieces, begin = [], 0
    for part in parts:
        end = begin + len(part)
        inside = [
            dataclasses.replace(f, start=max(f.start, begin) - begin, end=min(f.end, end) - begin)
            for f in findings
            if f.start < end and begin < f.end
        ]
        pieces.append((part, inside))
        begin = end
    return pieces


def _mask(review: Review, pieces: Sequence[tuple[str, list[Finding]]], master_key: MasterKey) -> str:
    held, id_ = _placeholders(review), review.conversation_id
    return "".join(
        part if part in held else vault.mask(id_, part, findings, master_key=master_key).text
        for part, findings in pieces
    )


def _placeholders(review: Review) -> set[str]:
    return set(PLACEHOLDER.findall(review.held))


def _sentence(review: Review, what: str) -> str:
    return wording.say(f"review.{what}", "zh" if review.reply.language == "zh" else "en")


def _end_handoff(conversation: Conversation, *, log: EventLog) -> None:
    """The reviewer was the person that was needed, unless there is another reason for one, or one is there."""
    found = handoff.of(conversation)
    if found is None or found.state == Handoff.State.TAKEN or found.reason not in _REASONS:
        return
    promised = Message.objects.filter(conversation=conversation, role=Message.Role.BOT, created__gte=found.created)
    if promised.filter(Q(outcome="handed_off") | Q(reason=Review.Decision.REJECTED)).exists():
        return
    others = Review.objects.filter(conversation=conversation, decision=Review.Decision.PENDING)
    if not others.exists():
        handoff.end(conversation, "approved", log=log)


def _tell(conversation_id: uuid.UUID, log: EventLog) -> None:
    def tell() -> None:
        with contextlib.suppress(LogUnavailable):  # consoles load their lists again when redis is back
            log.nudge(conversation_id, "review")

    transaction.on_commit(tell)
