"""A purged document is in no store any more, and what was said of it has lost it."""

from typing import Any

import pytest
import redis

from chatbot import services
from chatbot.answer_cache import Answer, written
from chatbot.answer_store import AnswerStore
from chatbot.events import FEED, EventLog
from chatbot.models import Conversation, LedgerEntry, Message, Review
from desk import purging
from knowledge import importing, storage
from knowledge.models import Chunk, Document, Embedding, GoldenQuestion, Purge
from knowledge.releases import Conflict
from knowledge.stages import documents_folder
from tests.chatbot.conftest import Say
from tests.fakes import passage, retrieved
from tests.knowledge.tooling import bring

pytestmark = pytest.mark.django_db
SECRET = "退货请寄到杭州的三号仓库，并在包裹外面写明订单号。"
SHARED = "我们的客服每天从早上九点一直工作到晚上九点。"
PAGE = f"# 退货\n\n{SECRET}{SHARED}\n"


@pytest.fixture
def document(site: Any) -> Document:
    bring(f"# 时间\n\n{SHARED}\n", name="hours.md", then="urgent")
    return bring(PAGE, name="returns.md", then="urgent").document


@pytest.fixture
def reply(chat: Conversation, say: Say, log: EventLog) -> Message:
    """What the bot has said with a sentence of the document."""
    asked = say("退货寄到哪里？")
    source = {"document": "returns.md", "ref": "退货", "excerpt": PAGE, "number": 1, "title": "退货"}
    said = Message.objects.create(
        conversation=chat, role="bot", text=f"您好！{SECRET}祝好。", language="zh", sources=[source], reply_to=asked
    )
    LedgerEntry.objects.create(message=said, question=SECRET)
    Review.objects.create(
        conversation=chat, reply=said, direction="out", held=SECRET, final=SECRET, deadline=said.created
    )
    services.announce(said, log=log)
    return said


def left(purge: Purge, client: redis.Redis) -> list[tuple[str, tuple[str, ...]]]:
    return [(one.store, one.found) for one in purging.prove_gone(purge, client=client) if one.found]


def test_nothing_of_it_is_left_anywhere(
    document: Document, reply: Message, log: EventLog, redis_client: redis.Redis
) -> None:
    GoldenQuestion.objects.create(base=document.base, question="Where to?", document="returns.md", facts=["x"])
    content_hash = document.versions.get().content_hash
    gone = purging.purge(document, log=log, author="li", force=True)
    assert (gone["versions"], gone["chunks"], gone["files"], gone["replies"]) == (1, 1, 1, 1)
    assert left(Purge.objects.get(), redis_client) == []
    assert not Document.objects.filter(name="returns.md").exists()
    assert content_hash not in [path.name for path in documents_folder().iterdir()]
    assert GoldenQuestion.objects.get().document == ""


def test_answers_that_were_kept_for_others_are_forgotten(
    document: Document, log: EventLog, redis_client: redis.Redis
) -> None:
    store = AnswerStore(redis_client)
    kept = Answer(SECRET, retrieved(passage(SECRET)), "other", "extractive:", "2", 0.1, conversation="")
    store.put("kefu:answers:key:1", written(kept), epoch=0)
    purging.purge(document, log=log, answers=store, force=True)
    assert store.get("kefu:answers:key:1") is None
    assert left(Purge.objects.get(), redis_client) == []


def test_an_answer_that_was_begun_while_it_was_being_removed_is_not_kept(
    document: Document, log: EventLog, redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, name = AnswerStore(redis_client), "kefu:answers:key:"
    kept = written(Answer(SECRET, retrieved(passage(SECRET)), "other", "extractive:", "2", 0.1, conversation=""))
    remove, epochs = purging.purging.remove, []

    def meanwhile(*wanted: Any) -> Any:
        epochs.append(store.read(f"{name}1")[1])
        assert store.put(f"{name}1", kept, epoch=epochs[0])
        return remove(*wanted)

    monkeypatch.setattr(purging.purging, "remove", meanwhile)
    assert purging.purge(document, log=log, answers=store, force=True)["redis"] == "searched"
    assert store.get(f"{name}1") is None
    assert not store.put(f"{name}2", kept, epoch=epochs[0])


def test_what_was_said_loses_the_sentence_for_everybody_who_watches(
    document: Document, reply: Message, log: EventLog
) -> None:
    before = reply.sequence
    purging.purge(document, log=log, force=True)
    reply.refresh_from_db()
    assert (reply.text, reply.sources) == ("您好！［内容已删除］祝好。", [])
    assert reply.sequence is not None
    assert before is not None
    assert reply.sequence > before
    events, _ = log.read(reply.conversation_id, 0)
    assert [event.data()["message"]["text"] for event in events if event.type == "message"] == [reply.text]
    assert Review.objects.get().held == "[removed]"


def test_what_another_document_says_too_stays(document: Document, log: EventLog, redis_client: redis.Redis) -> None:
    purging.purge(document, log=log, force=True)
    assert Chunk.objects.get().text == SHARED
    assert Embedding.objects.count() == 3
    assert left(Purge.objects.get(), redis_client) == []


def test_a_published_document_is_not_purged_by_mistake(document: Document, log: EventLog) -> None:
    with pytest.raises(Conflict, match="published"):
        purging.purge(document, log=log)
    assert importing.live_version(document) is not None
    importing.retire(document, urgent=True)
    assert purging.purge(document, log=log)["files"] == 1


def test_a_file_that_another_document_needs_stays(document: Document, log: EventLog) -> None:
    copy = bring(PAGE, name="copy.md", twice=True)
    assert purging.purge(document, log=log, force=True)["files"] == 0
    assert storage.load(documents_folder(), copy.content_hash)


def test_every_store_is_searched(document: Document, reply: Message, log: EventLog, redis_client: redis.Redis) -> None:
    purging.purge(document, log=log, force=True)
    Message.objects.filter(pk=reply.pk).update(text=f"{SECRET}!")
    redis_client.set("cache", SECRET)
    redis_client.xadd(FEED, {"conversation": str(reply.conversation_id), "payload": f'{{"text":"{SECRET}"}}'})
    redis_client.hset("state", "draft", SECRET)
    name = storage.keep(documents_folder(), PAGE.encode())
    log_file = documents_folder().parent / "log.txt"
    log_file.write_text(f"INFO {SECRET}")
    found = dict(left(Purge.objects.get(), redis_client))
    log_file.unlink()
    storage.remove(documents_folder(), name)
    assert found["database: chatbot.Message"] == (f"text of {reply.pk}",)
    assert sorted(found["redis"]) == ["cache", FEED, "state"]
    assert found["documents"] == (name,)
    assert "log.txt" in found["files"]


def test_a_customers_own_words_stay(document: Document, say: Say, log: EventLog, redis_client: redis.Redis) -> None:
    said = say(f"你们写着：{SECRET}")
    purging.purge(document, log=log, force=True)
    said.refresh_from_db()
    assert SECRET in said.text


def test_without_redis_the_rest_is_purged_and_it_says_so(document: Document, reply: Message) -> None:
    away = EventLog(redis.Redis(unix_socket_path="/nowhere/redis.sock"))
    assert purging.purge(document, log=away, force=True)["redis"] == "could not be reached"
    reply.refresh_from_db()
    assert SECRET not in reply.text
    assert reply.sequence is None  # the sweeper announces it
