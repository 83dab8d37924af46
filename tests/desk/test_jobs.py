"""Jobs survive whoever does them, are done by one at a time, and leave nothing behind."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from django.utils import timezone

from chatbot.answer_cache import Answer, written
from chatbot.answer_store import AnswerStore
from chatbot.events import EventLog
from desk import doing, jobs, tasks, wiring
from desk.models import Job
from knowledge import stages
from knowledge.models import KnowledgeBase
from tests.fakes import passage, retrieved
from tests.knowledge.tooling import bring, read_here, tools
from tests.understanding.intents.examples import embed, utterances
from understanding import services as intents

pytestmark = pytest.mark.django_db
PAGE = b"# Fees\n\nA parcel costs 12 yuan.\n"


class Embeds:
    """Vectors of words, as the tests of intents have them."""

    embed = staticmethod(embed)


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch) -> KnowledgeBase:
    monkeypatch.setattr(jobs.current_app, "send_task", lambda *_, **__: None)
    monkeypatch.setattr(wiring, "tools", lambda base: tools())
    return KnowledgeBase.objects.create(slug="shop", name="Shop")


def die() -> None:
    """What a killed process leaves: a job that nobody does any more."""
    Job.objects.filter(state="running").update(beat=timezone.now() - 2 * jobs.LEASE)


def files() -> list[Path]:
    return list((Path(settings.VAR) / "previews").iterdir())


def test_a_job_is_done_by_whoever_claims_it_first(base: KnowledgeBase) -> None:
    asked = jobs.preview(base, "a.md", PAGE)
    claimed = jobs.claim()
    assert claimed == asked
    assert jobs.claim() is None
    assert jobs.beat(claimed)


def test_a_job_whose_maker_died_is_done_again_and_the_dead_can_no_longer_end_it(base: KnowledgeBase) -> None:
    jobs.preview(base, "a.md", PAGE)
    dead = jobs.claim()
    assert dead is not None
    die()
    assert not list(jobs.waiting(timezone.now() - timedelta(hours=1)))
    assert doing.work_off() == 1
    jobs.fail(dead, "failed")
    assert not jobs.beat(dead)
    assert Job.objects.get().state == "done"


def test_a_job_that_has_killed_two_makers_fails(base: KnowledgeBase) -> None:
    jobs.preview(base, "a.md", PAGE)
    for _ in range(jobs.MOST_ATTEMPTS):
        assert jobs.claim() is not None
        die()
    assert jobs.claim() is None
    failed = Job.objects.get()
    assert (failed.state, failed.reason_code, failed.reason != "") == ("failed", "died", True)


def test_what_breaks_is_tried_twice_and_keeps_nobody_else_from_being_done(
    base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = jobs.preview(base, "a.md", PAGE)
    fine = jobs.preview(base, "b.md", PAGE)

    def preview(document: Any, data: bytes, *_: Any, **__: Any) -> Any:
        if document.name == "a.md":
            raise RuntimeError("secret")
        return real(document, data, tools())

    real = doing.stages.preview
    monkeypatch.setattr(doing.stages, "preview", preview)
    assert doing.work_off() == 3
    broken.refresh_from_db()
    fine.refresh_from_db()
    assert (broken.state, broken.reason_code, "secret" in broken.reason) == ("failed", "failed", False)
    assert fine.state == "done"


def test_what_the_broker_lost_the_sweeper_finds(base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs.preview(base, "a.md", PAGE)
    sent: list[str] = []
    monkeypatch.setattr(jobs.current_app, "send_task", lambda name, **_: sent.append(name))
    monkeypatch.setattr(jobs.transaction, "on_commit", lambda tell: tell())
    tasks.sweep()
    assert sent == [jobs.DO]
    tasks.do()
    tasks.sweep()
    assert sent == [jobs.DO]
    assert Job.objects.get().state == "done"


def test_the_source_of_a_version_is_told_block_by_block_asked_for_once_and_cut_where_it_is_long(
    base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doing.stages, "read", read_here)
    version = bring(PAGE.decode())
    job = jobs.source(version)
    assert jobs.source(version) == job
    assert doing.work_off() == 1
    job.refresh_from_db()
    blocks = [["heading", 1, "Fees", "line 1"], ["paragraph", "A parcel costs 12 yuan.", "line 3"]]
    assert job.result == {"document": "a.md", "blocks": blocks, "left_out": 0}
    Job.objects.all().delete()
    monkeypatch.setattr(doing, "SOURCE_CHARACTERS", 50)
    jobs.source(version)
    doing.work_off()
    assert Job.objects.get().result["left_out"] == 1


def test_the_source_of_a_version_whose_file_is_gone_says_so(base: KnowledgeBase) -> None:
    version = bring(PAGE.decode())
    (stages.documents_folder() / version.content_hash).unlink()
    job = jobs.source(version)
    doing.work_off()
    job.refresh_from_db()
    assert (job.state, job.reason_code) == ("failed", "missing")
    assert jobs.source(version) != job


def test_previews_do_not_stay_and_neither_do_files_of_nobody(base: KnowledgeBase) -> None:
    waits = jobs.preview(base, "a.md", PAGE)
    lost = Path(settings.VAR) / "previews" / "00000000-0000-4000-8000-000000000001"
    lost.write_bytes(b"lost")
    for path in files():
        os.utime(path, (0, 0))
    tasks.tidy()
    assert files() == [lost.with_name(str(waits.pk))]
    doing.work_off()
    assert files() == []
    tasks.tidy()
    assert Job.objects.exists()
    Job.objects.update(finished=timezone.now() - timedelta(hours=2))
    tasks.tidy()
    assert not Job.objects.exists()


def test_tidying_leaves_alone_what_is_no_preview_and_what_vanishes_meanwhile(
    base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(settings.VAR) / "previews"
    folder.mkdir(exist_ok=True)
    strange, lost, gone = (folder / name for name in (".notes", str(uuid4()), str(uuid4())))
    for path in (strange, lost):
        path.write_bytes(b"x")
        os.utime(path, (0, 0))
    monkeypatch.setattr(Path, "iterdir", lambda _: iter([strange, gone, lost]))
    jobs.tidy()
    monkeypatch.undo()
    assert files() == [strange]
    strange.unlink()


def test_a_purge_that_was_killed_once_the_document_was_gone_still_forgets_previews_and_kept_answers(
    base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch, log: EventLog, redis_client: redis.Redis
) -> None:
    answers, name = AnswerStore(redis_client), "kefu:answers:key:1"
    monkeypatch.setattr(doing, "event_log", lambda: log)
    monkeypatch.setattr(doing, "answer_store", lambda: answers)
    monkeypatch.setattr(doing.worker_wiring, "vector_store", lambda: None)
    other = jobs.preview(base, "b.md", b"# Hours\n\nWe open at nine.\n")
    page = "# Fees\n\nA parcel of more than thirty kilograms costs twelve yuan within the province.\n"
    shown = jobs.preview(base, "a.md", page.encode())
    doing.work_off()
    document = bring(page, name="a.md").document
    purge = jobs.purge(document, "a.md", published=True)

    def killed(*_: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as dying:
        dying.setattr(doing.purging, "finish", killed)
        claimed = jobs.claim()
        assert claimed is not None
        with pytest.raises(SystemExit):
            doing.do(claimed)
    die()
    assert Job.objects.filter(pk=shown.pk).exists()
    kept = Answer("Twelve yuan.", retrieved(passage(page)), "other", "extractive:", "2", 0.1, conversation="")
    answers.put(name, written(kept), epoch=answers.read(name)[1])  # while it was being removed
    assert answers.get(name) is not None
    doing.work_off()
    purge.refresh_from_db()
    assert answers.get(name) is None
    assert purge.state == "done"
    assert purge.result is not None
    assert purge.result["note"] == "it was removed before"
    assert not Job.objects.filter(pk=shown.pk).exists()
    assert Job.objects.filter(pk=other.pk).exists()


def test_a_training_says_how_far_it_is_and_leaves_a_model_that_is_not_in_use_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs.current_app, "send_task", lambda *_, **__: None)
    monkeypatch.setattr(doing.worker_wiring, "embedder", Embeds)
    told: list[int] = []

    def tell(job: Job, percent: int) -> None:
        told.append(percent)
        really(job, percent)

    really = jobs.tell
    monkeypatch.setattr(jobs, "tell", tell)
    asked = jobs.train(author="mei")
    assert jobs.train(author="li") == asked
    texts, labels = utterances()
    intents.add(
        [{"text": text, "label": label} for text, label in zip(texts, labels, strict=True)],
        who="mei", source="test", make_labels=True,
    )  # fmt: skip
    assert doing.work_off() == 1
    assert told == sorted(set(told))
    assert told[-1] >= doing.VECTORS_PERCENT - 2
    done = jobs.trainings().get()
    assert (done.state, done.percent, done.base) == ("done", 100, None)
    newest = intents.versions()[0]
    assert done.result is not None
    assert (newest["number"], newest["trained_by"], newest["active"]) == (done.result["model"], "mei", False)
    assert jobs.train(author="li") != asked


def test_what_nothing_can_be_learned_from_fails_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs.current_app, "send_task", lambda *_, **__: None)
    monkeypatch.setattr(intents, "export", lambda: iter(()))
    jobs.train()
    doing.work_off()
    failed = jobs.trainings().get()
    assert (failed.state, failed.reason_code, failed.reason) == ("failed", "cannot_train", "there are no utterances")
