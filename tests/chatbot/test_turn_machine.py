"""Any interleaving of a customer in several tabs, the bot, two agents, a reviewer, dying workers, the clock and a
failing redis, against a model of what must hold. The customer also edits and withdraws; idle conversations expire.

KEFU_MACHINE_EXAMPLES sets how many interleavings are tried.
"""

import contextlib
import os
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import redis
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chatbot import answering, editing, expiry, ownership, publishing, reviewing, services, sweeping
from chatbot.answering import Claim
from chatbot.events import FEED, Event, EventLog, LogUnavailable, feed_entries
from chatbot.models import Conversation, Handoff, LedgerEntry, Message, Review, Site
from chatbot.ownership import NotOwner
from chatbot.publishing import ReplyPublisher
from chatbot.selectors import events_after
from guardrails.screening import screen
from tests.chatbot.conftest import MASTER_KEY
from tests.fakes import FakeFind, FakeQueue, Reader, conclusion, lexicon, released

EXAMPLES = int(os.environ.get("KEFU_MACHINE_EXAMPLES", "30"))
STEPS = 50
SECONDS = 25
IDLE_SECONDS = 3600
WHICH = st.integers(0, 30)
MOSTLY = st.sampled_from([True, True, True, False])
NO_FAULT = (99, False)
FAULTS = st.one_of(st.just(NO_FAULT), st.just(NO_FAULT), st.tuples(st.integers(0, 6), st.booleans()))
"""(calls that redis still answers, whether the call after them is carried out and only its answer is lost)"""


@dataclass
class FrailLog:
    """The event log, whose redis goes away after some calls."""

    log: EventLog
    calls: int = NO_FAULT[0]
    lands: bool = False

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return partial(self._call, getattr(self.log, name))

    def _call(self, method: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        if self.calls > 0:
            self.calls -= 1
            return method(*arguments, **options)
        if self.lands:
            self.lands = False
            method(*arguments, **options)
        raise LogUnavailable("TimeoutError")


@dataclass
class Worker:
    """A worker in the middle of a turn, step by step what answering.answer_turn does."""

    claimed: Claim
    publisher: ReplyPublisher
    shown: list[str] = field(default_factory=list)
    stale: bool = False  # what it answers was changed, taken over, or has an outcome


@dataclass
class Screen(Reader):
    """A customer's or agent's screen."""

    live: str = ""  # the id of the feed's last entry that was seen, "" while not connected

    def __post_init__(self) -> None:
        super().__init__()
        self.agent = False

    def apply(self, event: Event) -> None:
        if event.type == "message":  # told again after redis forgot it
            self.seen.pop(event.data()["message"]["id"], None)
        super().apply(event)
        if event.type != "message":
            assert not self.agent, f"the bot talks over an agent: {event}"
            return
        message = event.data()["message"]
        if message["role"] == "system" and message["reason"] != "closed":
            self.agent = message["reason"] in ("joined", "transferred")
        assert not (message["role"] == "bot" and self.agent), f"the bot talks over an agent: {event}"


@dataclass
class Time:
    """The clock of Django, put forward at will."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Conversations(RuleBasedStateMachine):
    """One conversation and everybody who has to do with it."""

    def __init__(self, site: Site, agents: list[User], reviewer: User, client: redis.Redis, time: Time) -> None:
        super().__init__()
        client.flushall()
        time.ahead = timedelta()
        self.time = time
        Review.objects.all().delete()
        LedgerEntry.objects.all().delete()
        Message.objects.all().delete()
        Conversation.objects.all().delete()
        self.agents, self.reviewer, self.client = agents, reviewer, client
        self.log: Any = FrailLog(EventLog(client))
        self.chat = services.start_conversation(site=site, visitor=uuid.uuid4(), language="en", log=self.log)
        self.queue = FakeQueue()
        self.workers: list[Worker] = []
        self.late: list[Message] = []
        self.readers = [Screen()]
        self.told: dict[tuple[str, str, bool], int] = {}  # what was announced: how many times redis had been flushed
        self.flushes = 0
        self.outcomes: dict[uuid.UUID, str] = {}
        self.newest = self.fence = 0
        self.feed = "0-0"
        self.owner = "bot"
        self.said: list[str] = []
        self.sent: list[tuple[int, str]] = []

    # --- the customer

    @rule(again=st.booleans(), which=WHICH, fault=FAULTS)
    def a_message_arrives_maybe_once_more(self, again: bool, which: int, fault: tuple[int, bool]) -> None:
        again = again and bool(self.said)
        if not again:
            self.said.append(uuid.uuid4().hex)
        before = Message.objects.count()
        with self.redis(fault):
            services.receive_message(
                conversation=self.chat, client_id=self.said[which % len(self.said) if again else -1],
                text="How long?", language="en", find=FakeFind(), master_key=MASTER_KEY, log=self.log,
                enqueue=self.queue,
            )  # fmt: skip
        assert Message.objects.count() == before + (not again)

    @rule(which=WHICH, fault=FAULTS)
    def a_message_is_edited(self, which: int, fault: tuple[int, bool]) -> None:
        text = f"How long? And {uuid.uuid4().hex[:8]}?"
        edit = partial(editing.edit_message, text=text, language="en", find=FakeFind(), master_key=MASTER_KEY)
        self._alter(which, edit, lambda before: before.outcome == "", fault)

    @rule(which=WHICH, fault=FAULTS)
    def a_message_is_withdrawn(self, which: int, fault: tuple[int, bool]) -> None:
        def allowed(before: Message) -> bool:
            return before.deleted is not None or before.created > self.time() - timedelta(minutes=15)

        self._alter(which, editing.withdraw_message, allowed, fault)

    def _alter(
        self, which: int, act: Callable[..., Message], allowed: Callable[[Message], bool], fault: tuple[int, bool]
    ) -> None:
        client_id = self.said[which % len(self.said)]
        before = Message.objects.get(client_id=client_id)
        may, end = allowed(before), ""
        with self.redis(fault):
            try:
                act(conversation=self.chat, client_id=client_id, log=self.log, enqueue=self.queue)
                end = "done"
            except editing.TooLate:
                end = "too late"
        after = Message.objects.get(client_id=client_id)
        if after.version > before.version:
            self._outdate()
            assert not after.reviews.filter(overtaken=False).exists()
            assert not reviewing.approved_among([after])
        assert end in ("", "done" if may else "too late")
        if end != "done":
            assert (after.text, after.version, after.outcome) == (before.text, before.version, before.outcome)

    @rule(fault=FAULTS)
    def the_answer_is_stopped(self, fault: tuple[int, bool]) -> None:
        with self.redis(fault):
            services.request_stop(conversation_id=self.chat.id, log=self.log)

    # --- the bot

    @initialize()
    def the_bot_is_asked(self) -> None:
        self.a_message_arrives_maybe_once_more(False, 0, NO_FAULT)
        self.a_task_is_delivered_maybe_once_more(0, NO_FAULT)

    @rule(which=WHICH, fault=FAULTS)
    def a_task_is_delivered_maybe_once_more(self, which: int, fault: tuple[int, bool]) -> None:
        message_id = self.queue.ids[-1 - which % len(self.queue.ids)]
        with self.redis(fault):
            if claimed := answering.claim(message_id, log=self.log):
                publisher = ReplyPublisher(
                    log=self.log,
                    writer=claimed.writer,
                    reply=claimed.reply_id,
                    restore=lambda: services.restore_state(self.chat.id, log=self.log),
                )
                self.workers.append(Worker(claimed, publisher))

    @rule(which=WHICH, stage=st.booleans(), fault=FAULTS)
    def a_worker_shows_something(self, which: int, stage: bool, fault: tuple[int, bool]) -> None:
        worker = self._worker(which)
        if worker is None:
            return
        if self.log.stops([self.chat.id]) == [worker.claimed.attempt]:
            self._conclude(worker, "answered", fault)
            return
        told = self.client.xlen(FEED)
        with self.redis(fault):
            if stage:
                worker.publisher.stage("writing")
            else:
                worker.shown.append(f"Attempt {worker.claimed.attempt}, part {len(worker.shown)}. ")
                worker.publisher.add(*released(worker.shown[-1]))
        assert not worker.stale or self.client.xlen(FEED) == told, "a stale worker shows something"
        if worker.publisher.lost:
            self._leave(worker, fault)

    @rule(which=WHICH, outcome=st.sampled_from(["answered", "refused", "handed_off"]), fault=FAULTS)
    def a_worker_concludes(self, which: int, outcome: str, fault: tuple[int, bool]) -> None:
        if worker := self._worker(which):
            self._conclude(worker, outcome, fault)

    @rule(which=WHICH, held=st.sampled_from(["", "This is held."]), fault=FAULTS)
    def a_worker_calls_for_a_reviewer(self, which: int, held: str, fault: tuple[int, bool]) -> None:
        worker = self._worker(which)
        if worker is None:
            return
        if worker.claimed.approved and not held:  # a person lets the message pass: it is not stopped again
            self._conclude(worker, "answered", fault)
            return
        self._conclude(worker, "review", fault, held)

    def _worker(self, which: int) -> Worker | None:
        if not self.workers:
            self.a_task_is_delivered_maybe_once_more(which, NO_FAULT)
        return self.workers[which % len(self.workers)] if self.workers else None

    def _conclude(self, worker: Worker, outcome: Any, fault: tuple[int, bool], held: str = "") -> None:
        worker.publisher.close()
        reason = ("reply_review" if held else "message_review") if outcome == "review" else "because"
        end = replace(conclusion(*worker.shown, outcome=outcome, reason=reason), held=held)
        with self.redis(fault):
            if not worker.publisher.lost:
                concluded = answering.conclude(worker.claimed, end, log=self.log)
                if concluded is not None:
                    assert not worker.stale, "a stale worker's reply is recorded"
                    self.late.append(Message.objects.get(pk=concluded[0].pk))
                    self.late[-1].sequence = None
        self._leave(worker, fault)

    def _outdate(self) -> None:
        for worker in self.workers:
            worker.stale = True

    def _leave(self, worker: Worker, fault: tuple[int, bool]) -> None:
        self.workers.remove(worker)
        with self.redis(fault):
            self.log.drop_lease(self.chat.id, worker.claimed.holder)
            answering.enqueue_open(self.chat.id, self.queue, attempts=answering.MOST_ATTEMPTS)

    @precondition(lambda self: self.workers)
    @rule(which=WHICH, what=st.sampled_from(["killed", "hangs", "renews"]))
    def a_worker_is_killed_or_hangs_or_renews_its_lease(self, which: int, what: str) -> None:
        worker = self.workers[which % len(self.workers)]
        match what:
            case "killed":
                self.workers.remove(worker)
            case "hangs":  # and its lease runs out
                self.client.delete(f"kefu:lease:{self.chat.id}")
            case _:
                self.log.renew_leases({self.chat.id: worker.claimed.holder})

    @precondition(lambda self: self.late)
    @rule(which=WHICH, fault=FAULTS)
    def a_worker_that_hung_announces_what_it_recorded(self, which: int, fault: tuple[int, bool]) -> None:
        with self.redis(fault):
            services.announce(self.late.pop(which % len(self.late)), log=self.log)

    # --- the reviewer

    @precondition(lambda self: Review.objects.exists())
    @rule(which=WHICH, newest=MOSTLY, choice=st.sampled_from(["approve", "approve", "edit", "reject"]), fault=FAULTS)
    def a_reviewer_decides(self, which: int, newest: bool, choice: Any, fault: tuple[int, bool]) -> None:
        found = list(Review.objects.order_by("created"))
        before = found[-1] if newest else found[which % len(found)]
        messages, told, end = Message.objects.count(), set(self.outcomes), ""
        waiting = list(before.messages.filter(outcome="review"))
        with self.redis(fault):
            try:
                reviewing.decide(
                    review_id=before.pk, choice=choice, reviewer=self.reviewer, text="Held, but better.",
                    screen=partial(screen, direction="in", lexicon=lexicon()), find=FakeFind(),
                    master_key=MASTER_KEY, log=self.log, enqueue=self.queue,
                )  # fmt: skip
                end = "done"
            except (reviewing.Conflict, reviewing.NotEditable):
                end = "refused"
        after, inbound = Review.objects.get(pk=before.pk), before.direction == "in"
        allowed = not before.decision and self.owner == "bot" and not (inbound and choice == "edit")
        assert end in ("", "done" if allowed else "refused")
        if end != "done":
            assert (after.decision, after.final) == (before.decision, before.final)
            assert Message.objects.count() == messages
            return
        assert after.decided_by == self.reviewer
        reopens = inbound and choice == "approve"
        assert bool(after.final) != reopens
        assert Message.objects.count() == messages + (not reopens)
        assert reopens or Message.objects.filter(role="bot", text=after.final).exists()
        for message in waiting:
            message.refresh_from_db()
            assert message.outcome == ("" if reopens else "review")
            if reopens:
                assert message.pk in told, "it was open before"
                del self.outcomes[message.pk]

    # --- the sweeper, redis

    @rule(seconds=st.sampled_from([1, 5, 12, 30]), fault=FAULTS)
    def time_passes_and_the_sweeper_comes(self, seconds: int, fault: tuple[int, bool]) -> None:
        self._pass(seconds)
        with self.redis(fault):
            self._sweep()

    @rule(seconds=st.sampled_from([600, 1500, 4000]), fault=FAULTS)
    def nothing_happens_for_long_and_idle_conversations_rest(self, seconds: int, fault: tuple[int, bool]) -> None:
        self._pass(seconds)
        idle = Conversation.objects.get(pk=self.chat.pk).updated < self.time() - timedelta(seconds=IDLE_SECONDS)
        with self.redis(fault):
            rested = expiry.expire_idle(idle_seconds=IDLE_SECONDS, log=self.log)
            assert rested <= idle
            assert expiry.expire_idle(idle_seconds=IDLE_SECONDS, log=self.log) == 0
        chat = Conversation.objects.get(pk=self.chat.pk)
        if chat.closed is not None:
            self._outdate()
            assert (chat.owner, chat.agent, chat.draft) == ("bot", None, "")
            assert not Message.objects.filter(Message.OPEN).exists()
            assert not Review.objects.filter(decision="").exists()

    def _pass(self, seconds: int) -> None:
        self.time.ahead += timedelta(seconds=seconds)
        if seconds > sweeping.ENQUEUE_SECONDS:  # longer than a lease, too
            self.client.delete(f"kefu:first:enqueue:{self.chat.id}", f"kefu:lease:{self.chat.id}")

    def _sweep(self) -> sweeping.Swept:
        def apologise(_: str) -> Any:
            return conclusion("Sorry.", outcome="handed_off", reason="failed")

        return sweeping.sweep(log=self.log, enqueue=self.queue, apologise=apologise, seconds=SECONDS)

    @rule()
    def redis_forgets_everything(self) -> None:
        self.client.flushall()
        self.flushes += 1

    # --- the agents

    @rule(who=st.integers(0, 1), fault=FAULTS)
    def an_agent_takes_over(self, who: int, fault: tuple[int, bool]) -> None:
        agent = self.agents[who]
        self._change(
            partial(ownership.take_over, conversation_id=self.chat.id, agent=agent, log=self.log),
            allowed=self.owner == "bot" or self._owner() == agent,
            fault=fault,
            owner=agent,
        )

    @precondition(lambda self: self.owner == "agent")
    @rule(owner=MOSTLY, fault=FAULTS)
    def an_agent_transfers(self, owner: bool, fault: tuple[int, bool]) -> None:
        agent, other = self.agents if owner == (self._owner() == self.agents[0]) else self.agents[::-1]
        self._change(
            partial(ownership.transfer, conversation_id=self.chat.id, agent=agent, to=other, log=self.log),
            allowed=owner,
            fault=fault,
            owner=other,
        )

    @precondition(lambda self: self.owner == "agent")
    @rule(owner=MOSTLY, fault=FAULTS)
    def an_agent_hands_back(self, owner: bool, fault: tuple[int, bool]) -> None:
        agent, hand_back = self.agents[owner != (self._owner() == self.agents[0])], ownership.hand_back
        self._change(
            partial(hand_back, conversation_id=self.chat.id, agent=agent, log=self.log, enqueue=self.queue),
            allowed=owner,
            fault=fault,
            owner=None,
        )

    def _owner(self) -> User | None:
        return Conversation.objects.select_related("agent").get(pk=self.chat.pk).agent

    def _change(self, act: Callable[[], Any], *, allowed: bool, fault: tuple[int, bool], owner: User | None) -> None:
        before, messages = Conversation.objects.get(pk=self.chat.pk), Message.objects.count()
        end = ""
        with self.redis(fault):
            try:
                act()
                end = "done"
            except NotOwner:
                end = "refused"
        after = Conversation.objects.get(pk=self.chat.pk)
        assert end in ("", "done" if allowed else "refused")
        if end == "done":
            self._outdate()
            assert after.agent == owner
            assert (after.owner == "bot") == (owner is None)
        else:
            assert (after.owner, after.agent_id, after.fence) == (before.owner, before.agent_id, before.fence)
            assert Message.objects.count() == messages

    @precondition(lambda self: self.owner == "agent")
    @rule(owner=MOSTLY, again=st.booleans(), which=WHICH, fault=FAULTS)
    def an_agent_replies_maybe_once_more(self, owner: bool, again: bool, which: int, fault: tuple[int, bool]) -> None:
        who = int(owner != (self._owner() == self.agents[0]))
        mine = [client_id for sender, client_id in self.sent if sender == who]
        again = again and bool(mine)
        client_id = mine[which % len(mine)] if again else uuid.uuid4().hex
        before = Message.objects.count()
        with self.redis(fault):
            try:
                ownership.send_reply(
                    conversation_id=self.chat.id, agent=self.agents[who], client_id=client_id, text="Here I am.",
                    screen=partial(screen, direction="in", lexicon=lexicon()), find=FakeFind(),
                    master_key=MASTER_KEY, log=self.log,
                )  # fmt: skip
                assert owner or again
                self.sent.append((who, client_id))
            except NotOwner:
                assert not owner
                assert not again
        assert Message.objects.count() == before + (owner and not again)

    # --- the readers

    @rule(which=WHICH, what=st.sampled_from(["joins", "drops", "connects", "connects without redis"]))
    def a_reader_joins_or_drops_or_connects(self, which: int, what: str) -> None:
        reader = self.readers[which % len(self.readers)]
        match what:
            case "joins":
                self.readers.append(Screen())
                self._connect(self.readers[-1])
            case "drops":
                reader.live = ""
            case "connects":
                self._connect(reader)
            case _:
                with self.redis((0, False)):
                    self._read(reader)

    @rule(which=WHICH)
    def a_reader_comes_in_mid_answer_while_redis_is_away(self, which: int) -> None:
        self.a_worker_shows_something(which, False, NO_FAULT)
        self.a_message_arrives_maybe_once_more(False, which, NO_FAULT)
        self.readers.append(Screen())
        with self.redis((0, False)):
            self._read(self.readers[-1])
        self.numbers_grow_and_the_bot_is_silent_while_an_agent_owns()
        self._connect(self.readers[-1])
        self.a_worker_shows_something(which, False, NO_FAULT)

    def _connect(self, reader: Screen) -> None:
        reader.live = self.feed
        self._read(reader)
        announced = Message.objects.filter(sequence__isnull=False)
        assert [shown for shown in reader.history if announced.filter(pk=shown[0]).exists()] == self._history(announced)

    def _read(self, reader: Screen) -> None:
        caught = events_after(self.chat.id, reader.cursor, log=self.log)
        for event in caught.events:
            reader.apply(event)
        reader.cursor = max(reader.cursor, caught.seq)

    # --- what always holds

    @contextlib.contextmanager
    def redis(self, fault: tuple[int, bool]) -> Iterator[None]:
        """Let redis go away after some calls, and be back afterwards."""
        self.log.calls, self.log.lands = fault
        try:
            with contextlib.suppress(*([] if fault == NO_FAULT else [LogUnavailable])):
                yield
        finally:
            self.log.calls, self.log.lands = NO_FAULT

    @invariant()
    def numbers_grow_and_the_bot_is_silent_while_an_agent_owns(self) -> None:
        chat = Conversation.objects.get(pk=self.chat.pk)
        assert chat.fence >= self.fence
        self.fence = chat.fence
        rows = self.client.xrange(FEED, min=f"({self.feed}")
        self.feed = rows[-1][0].decode() if rows else self.feed
        entries = [entry for entry in feed_entries(rows) if entry.event.seq]
        for entry in entries:
            event, data = entry.event, entry.event.data()
            assert event.seq > self.newest, f"a number came twice: {event}"
            self.newest = event.seq
            if event.type == "message":
                message = data["message"]
                version = message["id"], message["text"], message["deleted"]
                assert self.told.get(version, -1) < self.flushes, f"announced twice: {event}"
                self.told[version] = self.flushes
            if self.owner == chat.owner == "agent":
                assert event.type == "message", f"the bot talks over an agent: {event}"
                assert data["message"]["role"] != "bot", f"the bot talks over an agent: {event}"
        self.owner = chat.owner
        for reader in self.readers:
            if reader.live:
                self._follow(reader, [entry.event for entry in entries])

    def _follow(self, reader: Screen, events: list[Event]) -> None:
        """As the socket's writer does it: apply what comes next, and catch up over a gap."""
        for event in events:
            if event.seq == reader.cursor + 1:
                reader.apply(event)
            elif event.seq > reader.cursor:
                self._read(reader)

    @invariant()
    def an_outcome_never_changes_and_each_reply_is_the_only_one_to_its_message(self) -> None:
        for message in Message.objects.filter(role="customer"):
            assert (message.deleted is None) == bool(message.text)
            if message.pk in self.outcomes:
                assert message.outcome == self.outcomes[message.pk]
            elif message.outcome:
                self.outcomes[message.pk] = message.outcome
        replies, reviews = Message.objects.filter(role="bot"), Review.objects.select_related("reply")
        expected = Counter(m.pk for m in Message.objects.filter(role="customer"))
        expected += Counter(pk for review in reviews for pk in self._reopened(review))
        finals = Counter(review.reply.reply_to_id for review in reviews if review.final)
        assert Counter(m.reply_to_id for m in replies) <= expected + finals
        assert LedgerEntry.objects.count() + finals.total() == len(replies)
        if self.owner == "agent":
            assert not reviews.filter(decision="").exists()

    @staticmethod
    def _reopened(review: Review) -> list[uuid.UUID]:
        approved = (review.direction, review.decision) == ("in", "approved")
        return [message.pk for message in review.messages.all()] if approved else []

    # --- how it ends

    def teardown(self) -> None:
        self.numbers_grow_and_the_bot_is_silent_while_an_agent_owns()
        self.workers.clear()
        for _ in range(12):
            self.queue.ids.clear()
            self._pass(12)
            swept = self._sweep()
            for message_id in self.queue.ids:
                self._answer(message_id)
            self.numbers_grow_and_the_bot_is_silent_while_an_agent_owns()
            if swept == sweeping.Swept():
                break
        else:
            raise AssertionError("the sweeper finds no end")
        self._pass(int(reviewing.SECONDS) + 1)
        self._sweep()
        assert not Review.objects.filter(decision="").exists(), "nobody decides, and no clock does"
        if Message.objects.filter(Message.OPEN).exists():  # of those that an agent has, until nobody came for an hour
            assert Conversation.objects.get(pk=self.chat.pk).owner == "agent", "a message stays without an outcome"
            self._pass(IDLE_SECONDS + 1)
            assert expiry.expire_idle(idle_seconds=IDLE_SECONDS, log=self.log) == 1
            assert Handoff.objects.filter(state="message").exists(), "nobody is told of what nobody answered"
            self.numbers_grow_and_the_bot_is_silent_while_an_agent_owns()
        assert not Message.objects.filter(Message.OPEN).exists()
        self.an_outcome_never_changes_and_each_reply_is_the_only_one_to_its_message()
        assert not Message.objects.filter(sequence=None).exists()
        for reader in self.readers:
            self._connect(reader)
            assert reader.history == self._history(Message.objects.all())

    @staticmethod
    def _history(messages: QuerySet[Message]) -> list[tuple[str, str, bool]]:
        return [(str(message.id), message.text, message.deleted is not None) for message in messages]

    def _answer(self, message_id: uuid.UUID) -> None:
        before = len(self.workers)
        self.a_task_is_delivered_maybe_once_more(self.queue.ids[::-1].index(message_id), NO_FAULT)
        for worker in self.workers[before:]:
            self.a_worker_shows_something(self.workers.index(worker), False, NO_FAULT)
            if worker in self.workers:
                self._conclude(worker, "answered", NO_FAULT)


@pytest.mark.django_db(transaction=True)
def test_whatever_happens_nobody_is_lost_doubled_or_talked_over(
    site: Site, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "INTERVAL_SECONDS", 0.0)
    monkeypatch.setattr(timezone, "now", time := Time())
    *agents, reviewer = [User.objects.create(username=name) for name in ("mei", "tom", "rui")]
    run_state_machine_as_test(
        lambda: Conversations(site, agents, reviewer, redis_client, time),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
