"""The worker's edge: thin tasks around turns and sweeping; only ids travel."""

import uuid
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from celery import current_app
from celery.exceptions import Retry
from django.core import mail
from django.utils import timezone
from kombu.exceptions import OperationalError
from prometheus_client import REGISTRY

from chatbot import ownership, queueing, tasks, transcripts, worker_wiring
from chatbot.answer_store import AnswerStore
from chatbot.events import EventLog
from chatbot.judging import Judging
from chatbot.models import Conversation, Handoff, Message, Site
from chatbot.pulse import Pulse
from guardrails.levels import Levels
from guardrails.verdict import Verdict
from tests.chatbot.conftest import MASTER_KEY, Say
from tests.conftest import RedisServer
from tests.fakes import FakeAnswer, FakeQueue, conclusion, lexicon
from tests.patience import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def script() -> FakeAnswer:
    return FakeAnswer()


@pytest.fixture(autouse=True)
def worker(log: EventLog, queue: FakeQueue, script: FakeAnswer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker with a fake assistant; what it queues goes into `queue`."""
    heart, words = Pulse(log), lexicon()
    monkeypatch.setattr(tasks, "event_log", lambda: log)
    monkeypatch.setattr(tasks, "answer_store", lambda: AnswerStore(log._redis))
    monkeypatch.setattr(worker_wiring, "lexicon", lambda: words)
    monkeypatch.setattr(worker_wiring, "levels", Levels)
    monkeypatch.setattr(tasks, "enqueue_turn", queue)
    monkeypatch.setattr(worker_wiring, "assistant", lambda: SimpleNamespace(answer=script))
    monkeypatch.setattr(worker_wiring, "pulse", lambda: heart)
    monkeypatch.setattr(
        worker_wiring, "apology", lambda language: conclusion("Sorry.", outcome="handed_off", reason="failed")
    )


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def replies() -> list[str]:
    return [m.text for m in Message.objects.filter(role="bot")]


def test_a_task_answers_its_message_and_is_counted(say: Say, log: EventLog) -> None:
    before = value("kefu_outcomes_total", outcome="answered", reason=""), value("kefu_first_text_seconds_count")
    message = say()
    tasks.answer_turn(str(message.id))
    assert replies() == ["Hello."]
    assert Message.objects.get(role="bot").ledger.guard_version == lexicon().version
    assert value("kefu_outcomes_total", outcome="answered", reason="") == before[0] + 1
    assert value("kefu_first_text_seconds_count") == before[1] + 1
    assert value("kefu_running_turns") == 0


def test_a_task_that_is_delivered_twice_answers_once(say: Say) -> None:
    message = say()
    tasks.answer_turn(str(message.id))
    tasks.answer_turn(str(message.id))
    assert replies() == ["Hello."]


def test_what_came_during_an_answer_is_queued_next(say: Say, queue: FakeQueue, script: FakeAnswer) -> None:
    late: list[Message] = []
    script.scripts[:] = [["One. ", lambda: late.append(say("two"))], ["Two. "]]
    first = say("one")
    queue.ids.clear()
    tasks.answer_turn(str(first.id))
    assert queue.ids == [late[0].id, late[0].id]  # by the door, and by the worker that could not take it
    for message_id in queue.ids:
        tasks.answer_turn(str(message_id))
    assert replies() == ["One. ", "Two. "]


def test_without_redis_a_task_ends_quietly(say: Say, redis_running: RedisServer) -> None:
    message = say()
    redis_running.kill()
    try:
        tasks.answer_turn(str(message.id))
        tasks.sweep()
    finally:
        redis_running.start()
    assert replies() == []
    tasks.answer_turn(str(message.id))
    assert replies() == ["Hello."]


def test_a_task_for_a_message_that_was_erased_ends_quietly() -> None:
    tasks.answer_turn(str(uuid.uuid4()))


def test_a_task_that_breaks_is_seen_by_celery_and_leaves_the_message_open(say: Say, script: FakeAnswer) -> None:
    script.scripts[:] = [[ZeroDivisionError()]]
    with pytest.raises(ZeroDivisionError):
        tasks.answer_turn(str(say().id))
    assert Message.objects.get().outcome == ""
    assert value("kefu_running_turns") == 0


def test_the_sweep_is_counted(say: Say) -> None:
    before = value("kefu_swept_total", what="apologised")
    say()
    Message.objects.update(attempts=2, created="2020-01-01T00:00Z")
    tasks.sweep()
    tasks.sweep()
    assert replies() == ["Sorry."]
    assert value("kefu_swept_total", what="apologised") == before + 1


def test_idle_conversations_rest_while_the_sweep_runs(say: Say, log: EventLog) -> None:
    before = value("kefu_swept_total", what="expired")
    say()
    for hours, rests in ((0.9, False), (1.1, True), (1.1, True)):
        Conversation.objects.update(updated=timezone.now() - timedelta(hours=hours))
        log._redis.delete("kefu:first:expire")
        tasks.sweep()
        assert (Conversation.objects.get().closed is not None) == rests
    assert value("kefu_swept_total", what="expired") == before + 1


def test_who_left_a_message_waits_as_soon_as_people_are_back(
    say: Say, chat: Conversation, site: Site, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.hours = {"zone": "UTC"}  # never
    site.save()
    ownership.request_person(conversation_id=chat.id, reason="requested", log=log)
    monkeypatch.setattr(tasks, "present", lambda visitors: [visitor == chat.visitor for visitor in visitors])
    for hours, state in (({"zone": "UTC"}, "message"), ({}, "waiting")):
        Site.objects.update(hours=hours)
        log._redis.delete("kefu:first:reopen")
        tasks.sweep()
        assert Handoff.objects.get().state == state


def test_old_conversations_are_erased(say: Say, redis_running: RedisServer) -> None:
    say()
    Site.objects.update(retention_days=1)
    Conversation.objects.update(updated="2020-01-01T00:00Z")
    redis_running.kill()
    try:
        tasks.erase_old()
    finally:
        redis_running.start()
    assert Conversation.objects.exists()
    tasks.erase_old()
    assert not Conversation.objects.exists()


def test_tasks_have_the_names_and_queues_that_the_processes_expect() -> None:
    routes = current_app.conf.task_routes
    assert routes[queueing.ANSWER_TURN] == {"queue": "turns"}
    assert routes[tasks.sweep.name] == {"queue": "sweep"}
    assert routes[tasks.erase_old.name] == {"queue": "desk"}
    assert tasks.answer_turn.name == queueing.ANSWER_TURN
    assert current_app.conf.beat_schedule["sweep"]["task"] == tasks.sweep.name
    assert current_app.conf.beat_schedule["erase old"]["task"] == tasks.erase_old.name


def test_only_an_id_travels(log: EventLog, redis_running: RedisServer) -> None:
    message_id = uuid.uuid4()
    app = current_app._get_current_object()
    sent: list[Any] = []

    class Recorder:
        def send_task(self, name: str, arguments: tuple[str, ...], **options: Any) -> None:
            sent.append((name, arguments, options))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queueing, "current_app", Recorder())
        queueing.enqueue_turn(message_id)
    assert sent == [(queueing.ANSWER_TURN, (str(message_id),), {"retry": False})]
    assert app.conf.task_serializer == "json"


@pytest.mark.parametrize(
    "failure", [OperationalError("away"), redis.ConnectionError("away"), redis.TimeoutError("slow")]
)
def test_a_broker_that_is_away_is_no_error(failure: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        def send_task(self, *_: object, **__: object) -> None:
            raise failure

    monkeypatch.setattr(queueing, "current_app", Away())
    queueing.enqueue_turn(uuid.uuid4())


def test_a_text_is_judged_by_its_id(redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    def judge(text: str) -> Verdict:
        return Verdict("review", "classifier", (text,), 0.5)

    monkeypatch.setattr(tasks, "judging_redis", lambda: redis_client)
    monkeypatch.setattr(worker_wiring, "guards", lambda: SimpleNamespace(judge_reply=judge))
    asked = Judging(redis_client, tasks.judge_text, queue_name="judging", seconds=PATIENCE).ask("Hello.")
    assert asked == Verdict("review", "classifier", ("Hello.",), 0.5)


def test_a_redis_that_is_away_is_no_error_of_the_judging_task(
    redis_running: RedisServer, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "judging_redis", lambda: redis_client)
    monkeypatch.setattr(worker_wiring, "guards", lambda: SimpleNamespace(judge_reply=None))
    redis_running.kill()
    try:
        tasks.judge_text("ab12")
    finally:
        redis_running.start()


@pytest.mark.parametrize(
    ("queues", "warmed"), [(["turns"], ["w1"]), (["desk", "sweep"], []), (["desk", "turns"], ["w1"])]
)
def test_only_workers_that_answer_load_the_models(
    queues: list[str], warmed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []
    monkeypatch.setattr(worker_wiring, "warm_worker", loaded.append)
    consumed = {name: None for name in queues}
    instance = SimpleNamespace(app=SimpleNamespace(amqp=SimpleNamespace(queues=SimpleNamespace(consume_from=consumed))))
    tasks.load_models("w1", instance)
    assert loaded == warmed


def test_a_letter_is_sent_again_when_the_mail_server_refuses_and_names_nobody(
    say: Say, settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings.MAIL_FROM = "help@shop.example"
    chat = say("Hello?").conversation
    monkeypatch.setattr(tasks, "lexicon", lexicon)
    monkeypatch.setattr(tasks, "master_key", lambda: MASTER_KEY)
    sealed = transcripts.seal_address(chat.id, "li@post.example", master_key=MASTER_KEY)

    def refuse(letter: mail.EmailMessage) -> None:
        raise OSError(f"cannot reach {letter.to}")

    with monkeypatch.context() as broken:
        broken.setattr(mail.EmailMessage, "send", refuse)
        with pytest.raises(Retry) as caught:
            tasks.send_transcript.apply((str(chat.id), sealed, "en"), throw=True)
    assert "li@post" not in str(caught.value) + caplog.text
    tasks.send_transcript(str(chat.id), sealed, "en")
    assert [letter.to for letter in mail.outbox] == [["li@post.example"]]
