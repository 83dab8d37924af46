"""What a person decides for the guards, and what the clock decides; real redis and database."""

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.db.models import F
from django.utils import timezone

from chatbot import answering, editing, expiry, handoff, ownership, reviewing, services, sweeping
from chatbot.events import FEED, EventLog, LogUnavailable, feed_entries
from chatbot.models import Conversation, Handoff, Message, Review
from chatbot.pulse import Pulse
from chatbot.reviewing import Blocked, Conflict, NotEditable
from chatbot.turn import Conclusion, Record
from guardrails.screening import screen
from guardrails.verdict import Verdict
from tests.chatbot.conftest import MASTER_KEY, Say
from tests.fakes import DOWN, FakeAnswer, FakeFind, FakeQueue, conclusion, lexicon
from tests.patience import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)

RISKY = Verdict("review", "classifier", ("abuse",), 0.7)
INBOUND = replace(
    conclusion("A person looks at it.", outcome="review", reason="message_review"), record=Record(verdicts=(RISKY,))
)
OUTBOUND = replace(INBOUND, reason="reply_review", held="Held <CN_MOBILE_1>.")
Decide = Callable[..., Review]


@pytest.fixture
def rui(db: None) -> User:
    return User.objects.create_user("rui")


@pytest.fixture
def mei(db: None) -> User:
    return User.objects.create_user("mei")


@pytest.fixture
def decide(log: EventLog, queue: FakeQueue, rui: User) -> Decide:
    """Decide the newest review."""

    def call(choice: Any, **options: Any) -> Review:
        arguments: dict[str, Any] = {
            "review_id": Review.objects.latest("created").pk,
            "reviewer": rui,
            "screen": partial(screen, direction="in", lexicon=lexicon()),
            "find": FakeFind(),
            "master_key": MASTER_KEY,
            "log": log,
            "enqueue": queue,
        }
        return reviewing.decide(choice=choice, **{**arguments, **options})

    return call


def answer(message: Message, log: EventLog, *script: Any) -> FakeAnswer:
    played = FakeAnswer(script)
    answering.answer_turn(message.id, answer=played, log=log, pulse=Pulse(log), enqueue=FakeQueue(), seconds=9)
    return played


def sweep(log: EventLog, queue: FakeQueue) -> sweeping.Swept:
    def apologise(_: str) -> Conclusion:
        return conclusion("Sorry.", outcome="handed_off", reason="failed")

    return sweeping.sweep(log=log, enqueue=queue, apologise=apologise, seconds=25)


def said() -> list[tuple[str, str]]:
    return [(m.outcome, m.reason) for m in Message.objects.filter(role="bot")]


def needs() -> tuple[str, str, str]:
    found = Handoff.objects.get()
    return found.state, found.reason, found.result


def run_out() -> None:
    Review.objects.update(deadline=timezone.now() - timedelta(seconds=1))


# --- how it begins


@pytest.mark.parametrize(("end", "direction", "held"), [(INBOUND, "in", ""), (OUTBOUND, "out", OUTBOUND.held)])
def test_a_verdict_of_review_waits_for_a_person_with_all_that_they_must_know(
    end: Conclusion, direction: str, held: str, say: Say, log: EventLog
) -> None:
    message, began = say(), timezone.now()
    answer(message, log, end)
    review = Review.objects.get()
    assert (review.direction, review.held, review.decision) == (direction, held, "")
    assert (review.tier, review.categories, review.score) == ("classifier", ["abuse"], 0.7)
    assert list(review.messages.all()) == [message]
    assert began <= review.deadline - timedelta(minutes=3) <= timezone.now()
    assert needs() == ("waiting", end.reason, "")


@pytest.mark.parametrize("outcome", ["answered", "refused", "handed_off"])
def test_every_other_outcome_waits_for_no_reviewer(outcome: Any, say: Say, log: EventLog) -> None:
    answer(say(), log, conclusion("Well.", outcome=outcome, reason="because"))
    assert not Review.objects.exists()


def test_what_is_held_reaches_neither_the_customer_nor_a_log(
    say: Say, log: EventLog, chat: Conversation, caplog: pytest.LogCaptureFixture, redis_client: Any
) -> None:
    answer(say(), log, OUTBOUND)
    entries = [entry.event for entry in feed_entries(redis_client.xrange(FEED))]
    assert "review" in [event.type for event in entries]
    assert not any(b"Held" in event.payload for event in entries)
    assert "Held" not in repr(OUTBOUND) + caplog.text


# --- inbound


def test_an_approved_message_is_answered_and_not_stopped_again(
    say: Say, log: EventLog, queue: FakeQueue, decide: Decide, rui: User
) -> None:
    message = say()
    answer(message, log, INBOUND)
    queue.ids.clear()
    review = decide("approve")
    assert (review.decision, review.decided_by, review.final) == ("approved", rui, "")
    assert (Message.objects.get(pk=message.pk).outcome, queue.ids) == ("", [message.id])
    played = answer(message, log, conclusion("Seven days."))
    assert [turn.approved for turn in played.turns] == [True]
    assert said() == [("review", "message_review"), ("answered", "")]
    assert needs() == ("ended", "message_review", "approved")
    assert answer(message, log, conclusion("Twice.")).turns == []


def test_an_approval_holds_for_what_was_read_alone(say: Say, log: EventLog, decide: Decide) -> None:
    first = say("Risky?")
    answer(first, log, INBOUND)
    decide("approve")
    second = say("And this?")
    played = answer(second, log, conclusion("Seven days."))
    assert [(turn.text, turn.approved) for turn in played.turns] == [("Risky?", True)]
    played = answer(second, log, conclusion("Yes."))
    assert [(turn.text, turn.approved) for turn in played.turns] == [("And this?", False)]


def test_an_approved_message_that_is_edited_is_judged_anew_and_can_be_approved_again(
    say: Say, log: EventLog, queue: FakeQueue, decide: Decide, chat: Conversation
) -> None:
    message = say(client_id="one")
    answer(message, log, INBOUND)
    decide("approve")
    editing.edit_message(
        conversation=chat, client_id="one", text="Worse?", language="en", find=FakeFind(),
        master_key=MASTER_KEY, log=log, enqueue=queue,
    )  # fmt: skip
    assert [turn.approved for turn in answer(message, log, INBOUND).turns] == [False]
    decide("approve")
    assert [turn.approved for turn in answer(message, log, conclusion("Yes.")).turns] == [True]
    assert said() == [("review", "message_review"), ("review", "message_review"), ("answered", "")]


def test_the_time_of_an_approved_message_begins_anew(say: Say, log: EventLog, queue: FakeQueue, decide: Decide) -> None:
    message = say()
    answer(message, log, INBOUND)
    Message.objects.update(created=F("created") - timedelta(seconds=170))
    decide("approve")
    swept = sweep(log, queue)
    assert (swept.enqueued, swept.apologised) == (1, 0)
    Review.objects.update(decided=F("decided") - timedelta(seconds=26))
    assert sweep(log, queue).apologised == 1


def test_a_customers_message_cannot_be_edited_by_a_reviewer(say: Say, log: EventLog, decide: Decide) -> None:
    answer(say(), log, INBOUND)
    with pytest.raises(NotEditable):
        decide("edit", text="Better.")
    assert Review.objects.get().decision == ""


# --- outbound


@pytest.mark.parametrize(
    ("choice", "text", "final", "reason"),
    [
        ("approve", "", "Held <CN_MOBILE_1>.", "approved"),
        ("edit", "Better.", "Better.", "edited"),
        ("edit", "Better <CN_MOBILE_1>.", "Better <CN_MOBILE_1>.", "edited"),
        ("edit", "Better <CN_MOBILE_2>.", "Better ‹CN-MOBILE-2›.", "edited"),
        ("edit", "Call 13900139000.", "Call <CN_MOBILE_2>.", "edited"),
        ("edit", "A riskword.", "A riskword.", "edited"),
    ],
)
def test_what_a_reviewer_lets_pass_is_said_as_the_last_part_and_nobody_else_is_needed(
    choice: str, text: str, final: str, reason: str, say: Say, log: EventLog, decide: Decide
) -> None:
    message = say("My number is 13800138000.")
    answer(message, log, OUTBOUND)
    decide(choice, text=text)
    last = Message.objects.filter(role="bot").latest("created")
    assert (last.text, last.outcome, last.reason, last.reply_to) == (final, "answered", reason, message)
    assert last.sequence is not None
    assert Review.objects.get().final == final
    assert needs() == ("ended", "reply_review", "approved")


@pytest.mark.parametrize(
    ("choice", "text", "held"),
    [("edit", "A badword.", "Held."), ("edit", "A riskword. A badword.", "Held."), ("approve", "", "A badword.")],
)
def test_what_the_guards_block_nobody_can_approve(
    choice: str, text: str, held: str, say: Say, log: EventLog, decide: Decide
) -> None:
    answer(say(), log, replace(OUTBOUND, held=held))
    with pytest.raises(Blocked) as blocked:
        decide(choice, text=text)
    assert "abuse" in blocked.value.screened.categories
    assert Review.objects.get().decision == ""
    assert len(said()) == 1


# --- reject, deadline


@pytest.mark.parametrize("end", [INBOUND, OUTBOUND])
def test_a_rejection_is_said_and_a_person_still_comes(
    end: Conclusion, say: Say, log: EventLog, decide: Decide, chat: Conversation
) -> None:
    message = say()
    answer(message, log, end)
    decide("reject")
    assert said()[1:] == [("refused", "rejected")]
    assert needs() == ("waiting", end.reason, "")
    assert Message.objects.get(pk=message.pk).outcome == "review"


@pytest.mark.parametrize("end", [INBOUND, OUTBOUND])
def test_at_the_deadline_something_safe_is_said_once_and_a_person_comes(
    end: Conclusion, say: Say, log: EventLog, queue: FakeQueue, decide: Decide
) -> None:
    answer(say(), log, end)
    assert sweep(log, queue).expired_reviews == 0
    run_out()
    assert [sweep(log, queue).expired_reviews for _ in range(2)] == [1, 0]
    assert said()[1:] == [("handed_off", "review_timeout")]
    assert needs() == ("waiting", end.reason, "")
    with pytest.raises(Conflict) as late:
        decide("approve")
    assert late.value.decision == "expired"


def test_at_the_deadline_a_person_is_called_when_none_is(
    say: Say, log: EventLog, queue: FakeQueue, chat: Conversation
) -> None:
    answer(say(), log, INBOUND)
    handoff.end(chat, "closed", log=log)
    run_out()
    sweep(log, queue)
    assert Handoff.objects.latest("created").reason == "review_timeout"


def test_a_sweep_handles_so_many_at_most(
    say: Say, log: EventLog, chat: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviewing, "BATCH", 2)
    for _ in range(3):
        answer(say(), log, OUTBOUND)
    run_out()
    assert [reviewing.expire_due(log=log) for _ in range(3)] == [2, 1, 0]


def test_a_decision_as_the_deadline_passes_counts_if_the_clock_was_not_first(
    say: Say, log: EventLog, queue: FakeQueue, decide: Decide
) -> None:
    answer(say(), log, OUTBOUND)
    run_out()
    decide("approve")
    assert sweep(log, queue).expired_reviews == 0


# --- what makes it moot


def take_over(chat: Conversation, agent: User, log: EventLog, queue: FakeQueue) -> None:
    ownership.take_over(conversation_id=chat.id, agent=agent, log=log)


def take_and_hand_back(chat: Conversation, agent: User, log: EventLog, queue: FakeQueue) -> None:
    take_over(chat, agent, log, queue)
    ownership.hand_back(conversation_id=chat.id, agent=agent, log=log, enqueue=queue)


def withdraw(chat: Conversation, agent: User, log: EventLog, queue: FakeQueue) -> None:
    editing.withdraw_message(conversation=chat, client_id="one", log=log, enqueue=queue)


def rest(chat: Conversation, agent: User, log: EventLog, queue: FakeQueue) -> None:
    Conversation.objects.update(updated=timezone.now() - timedelta(hours=2))
    assert expiry.expire_idle(idle_seconds=3600, log=log) == 1


@pytest.mark.parametrize("end", [INBOUND, OUTBOUND])
@pytest.mark.parametrize("act", [take_over, take_and_hand_back, withdraw, rest])
def test_nothing_is_left_to_decide_when_somebody_else_has_changed_it(
    act: Any, end: Conclusion, say: Say, log: EventLog, queue: FakeQueue, decide: Decide, chat: Conversation, mei: User
) -> None:
    answer(say(client_id="one"), log, end)
    act(chat, mei, log, queue)
    with pytest.raises(Conflict) as conflict:
        decide("approve")
    assert conflict.value.decision == "moot"
    run_out()
    assert reviewing.expire_due(log=log) == 0
    assert len(said()) == 1


def test_what_was_held_is_forgotten_with_the_question(
    say: Say, log: EventLog, queue: FakeQueue, decide: Decide, chat: Conversation, mei: User
) -> None:
    answer(say(client_id="one"), log, OUTBOUND)
    decide("reject")
    withdraw(chat, mei, log, queue)
    assert Review.objects.get().held == ""
    assert list(reviewing.training_rows()) == []


def test_an_erased_conversation_has_no_review(say: Say, log: EventLog, decide: Decide, chat: Conversation) -> None:
    answer(say(), log, OUTBOUND)
    review_id = Review.objects.get().pk
    services.erase_conversation(chat.id, log=log)
    assert not Review.objects.exists()
    with pytest.raises(Review.DoesNotExist):
        decide("approve", review_id=review_id)


# --- the hand-off of what was approved


def requested(chat: Conversation, say: Say, log: EventLog) -> None:
    answer(say(), log, conclusion("Yes.", outcome="handed_off", reason="requested"))


def another_review(chat: Conversation, say: Say, log: EventLog) -> None:
    answer(say(), log, OUTBOUND)


@pytest.mark.parametrize("also", [requested, another_review])
def test_a_person_who_is_needed_for_more_still_comes(
    also: Any, say: Say, log: EventLog, decide: Decide, chat: Conversation
) -> None:
    answer(say(), log, INBOUND)
    first = Review.objects.get().pk
    also(chat, say, log)
    decide("approve", review_id=first)
    assert needs() == ("waiting", "message_review", "")


def test_the_last_of_several_approvals_ends_the_handoff(say: Say, log: EventLog, decide: Decide) -> None:
    answer(say(), log, INBOUND)
    answer(say(), log, OUTBOUND)
    for review in Review.objects.order_by("created"):
        decide("approve", review_id=review.pk)
    assert needs() == ("ended", "message_review", "approved")


# --- at once, and without redis


@pytest.mark.parametrize("rivals", [("approve", "approve"), ("approve", "reject"), ("edit", "deadline")])
def test_of_two_at_once_one_wins_and_the_other_is_told(
    rivals: tuple[str, str], say: Say, log: EventLog, decide: Decide
) -> None:
    answer(say(), log, OUTBOUND)
    run_out()
    meet = threading.Barrier(2)

    def act(choice: str) -> str:
        meet.wait(PATIENCE)
        try:
            if choice == "deadline":
                return "won" if reviewing.expire_due(log=log) else "lost"
            decide(choice, text="Better.")
            return "won"
        except Conflict:
            return "lost"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        ends = sorted(pool.map(act, rivals))
    assert ends == ["lost", "won"]
    assert len(said()) == 2


def test_a_reviewer_and_an_agent_at_once_never_make_the_bot_talk_over_the_agent(
    say: Say, log: EventLog, queue: FakeQueue, decide: Decide, chat: Conversation, mei: User
) -> None:
    answer(say(), log, OUTBOUND)
    meet = threading.Barrier(2)

    def act(call: Callable[[], Any]) -> bool:
        meet.wait(PATIENCE)
        try:
            call()
            return True
        except Conflict:
            return False
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        decided, _ = pool.map(act, [partial(decide, "approve"), partial(take_over, chat, mei, log, queue)])
    order = list(Message.objects.order_by("sequence").values_list("role", flat=True))
    assert order == ["customer", "bot", *(["bot"] if decided else []), "system"]


@pytest.mark.parametrize(("end", "choice"), [(INBOUND, "approve"), (OUTBOUND, "approve"), (OUTBOUND, "reject")])
def test_without_redis_nothing_is_decided(
    end: Conclusion, choice: str, say: Say, log: EventLog, queue: FakeQueue, decide: Decide,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    message = say()
    answer(message, log, end)
    queue.ids.clear()
    with monkeypatch.context() as patch:
        patch.setattr(log, "restore", lambda *a, **k: (_ for _ in ()).throw(DOWN))
        with pytest.raises(LogUnavailable):
            decide(choice)
    assert (Review.objects.get().decision, len(said()), queue.ids) == ("", 1, [])
    assert Message.objects.get(pk=message.pk).outcome == "review"
    decide(choice)


def test_what_the_callers_hook_raises_undoes_the_decision(say: Say, log: EventLog, decide: Decide) -> None:
    answer(say(), log, OUTBOUND)

    def refuse(_: Conversation) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        decide("approve", also=refuse)
    assert (Review.objects.get().decision, len(said())) == ("", 1)


# --- training rows


def test_decisions_are_kept_as_training_rows_without_placeholders(say: Say, log: EventLog, decide: Decide) -> None:
    for end, choice, text in [
        (INBOUND, "approve", ""),
        (INBOUND, "reject", ""),
        (OUTBOUND, "approve", ""),
        (OUTBOUND, "edit", "Better."),
    ]:
        message = say(f"Message {choice} {end.reason}?")
        answer(message, log, end)
        decide(choice, text=text)
        answer(message, log, conclusion("Yes."))
    answer(say("Nobody decides this."), log, INBOUND)
    rows = [(row["text"], row["label"]) for row in reviewing.training_rows()]
    assert rows == [
        ("Message approve message_review?", "safe"),
        ("Message reject message_review?", "offensive"),
        ("Held ….", "safe"),
        ("Held ….", "offensive"),
        ("Better.", "safe"),
    ]
    assert list(reviewing.training_rows("injection")) == []


def test_scores_are_told_with_what_people_decided(say: Say, log: EventLog, decide: Decide) -> None:
    for number, choice in enumerate(("approve", "reject", "edit")):
        verdict = replace(RISKY, score=0.6 + number / 10)
        answer(say(), log, replace(OUTBOUND, record=Record(verdicts=(verdict,))))
        decide(choice, text="Better.")
    answer(say("Nobody decides this."), log, INBOUND)
    assert list(reviewing.decided_scores("classifier")) == [(0.6, False), (0.7, True), (0.8, True)]
    assert list(reviewing.decided_scores("injection")) == []
    assert list(reviewing.decided_scores("classifier", since=timezone.now())) == []
    Review.objects.update(overtaken=True)
    assert list(reviewing.decided_scores("classifier")) == []


def test_a_review_is_unknown_by_any_other_number(decide: Decide) -> None:
    with pytest.raises(Review.DoesNotExist):
        decide("approve", review_id=uuid.uuid4())
