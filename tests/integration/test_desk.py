"""A real desk worker, killed as the kernel kills it while it makes a document: nothing lost, nothing half-live."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from config.environment import config
from deploy.supervisor import programs
from tests.conftest import RedisServer
from tests.patience import PATIENCE

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parent.parent.parent
ROWS = 150
FAQ = "question,answer\n" + "".join(
    f"How long does delivery to town number {n} take?,A parcel to town {n} takes {n % 9 + 1} days and costs {n} yuan.\n"
    for n in range(ROWS)
)


@dataclass
class Desk:
    """A desk worker that a test may kill and start again, and what its database says."""

    var: Path
    environment: dict[str, str]
    process: "subprocess.Popen[bytes] | None" = None
    started: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self) -> None:
        [command] = [one.command for one in programs(None, 1, 1, 1) if one.name == "desk"]
        with (self.var / "desk.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        self.started.append(self.process)

    def kill(self) -> None:
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=True
        ).stdout

    def upload(self, name: str, text: str, then: str = "urgent") -> None:
        path = self.var / "upload"
        path.write_text(text)
        data = f"open({str(path)!r}, 'rb').read()"
        code = f"from desk.services import upload; upload('shop', {name!r}, {data}, then={then!r})"
        self.manage("shell", "-v0", "-c", code)

    def ask(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        with sqlite3.connect(self.var / "kefu.sqlite3", timeout=PATIENCE) as connection:
            return connection.execute(sql, values).fetchall()

    def stage(self, name: str) -> tuple[object, ...]:
        sql = """SELECT stage, done, total, attempts, reason FROM knowledge_documentversion
                 WHERE document_id = (SELECT id FROM knowledge_document WHERE name = ?) ORDER BY number DESC"""
        return self.ask(sql, name)[0]

    def expire_leases(self) -> None:
        """What a quarter of a minute does."""
        self.ask("UPDATE knowledge_documentversion SET beat = '2000-01-01 00:00:00' WHERE beat IS NOT NULL")

    def until(self, name: str, reached: "object", seconds: float = 2 * PATIENCE) -> tuple[object, ...]:
        deadline = time.monotonic() + seconds
        while True:
            now = self.stage(name)
            if reached(now):  # type: ignore[operator]
                return now
            assert time.monotonic() < deadline, f"{now}\n{(self.var / 'desk.log').read_text()[-3000:]}"
            time.sleep(0.02)

    def live(self) -> list[object]:
        return [
            row[0]
            for row in self.ask(
                """SELECT document.name FROM knowledge_knowledgebase base
                   JOIN knowledge_releaseitem item ON item.release_id = base.published_id
                   JOIN knowledge_document document ON document.id = item.document_id ORDER BY document.name"""
            )
        ]


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    if not (config().models / "e5-small").is_dir():
        pytest.skip("the embedding model is not prepared: run `make models`")
    with tempfile.TemporaryDirectory(prefix="kefu-", ignore_cleanup_errors=True) as folder:
        var = Path(folder)
        redis = RedisServer(var)
        redis.start()
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("KEFU_", "DJANGO_"))}
        options = {"KEFU_VAR": folder, "KEFU_REDIS_URL": redis.url, "KEFU_MODELS": str(config().models)}
        quiet = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
        running = Desk(var, inherited | options | quiet)
        try:
            running.manage("migrate", "-v0")
            yield running
        finally:
            for process in running.started:
                if process.poll() is None:
                    process.kill()
                    process.wait()
            redis.kill()


def test_killed_while_it_reads_and_while_it_embeds_it_goes_on_where_it_stopped(desk: Desk) -> None:
    desk.upload("faq.csv", FAQ)
    desk.start()
    desk.until("faq.csv", lambda now: now[3] == 1)
    desk.kill()
    assert desk.live() == []
    desk.expire_leases()
    desk.start()
    desk.until("faq.csv", lambda now: now[0] == "chunked" and now[2] > ROWS and now[1] > 0)
    [(before,)] = desk.ask("SELECT count(*) FROM knowledge_embedding")
    desk.kill()
    assert desk.live() == []
    desk.expire_leases()
    desk.start()
    assert desk.until("faq.csv", lambda now: now[0] == "ready")[4] == ""
    deadline = time.monotonic() + PATIENCE
    while desk.live() != ["faq.csv"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert desk.ask("SELECT count(*), count(DISTINCT position) FROM knowledge_chunk") == [(ROWS, ROWS)]
    [(vectors, different)] = desk.ask("SELECT count(*), count(DISTINCT text_hash) FROM knowledge_embedding")
    assert vectors == different >= before


def test_what_is_cancelled_is_embedded_no_further(desk: Desk) -> None:
    rows = FAQ.removeprefix("question,answer\n")
    places = ("village", "island", "valley", "harbour")  # enough of them that cancelling cannot come too late
    desk.upload("more.csv", "question,answer\n" + "".join(rows.replace("town", place) for place in places))
    desk.until("more.csv", lambda now: now[0] == "chunked" and now[1] > 0)
    code = """if True:
        from knowledge import importing
        from knowledge.models import DocumentVersion
        print(importing.cancel(DocumentVersion.objects.get(document__name="more.csv")))"""
    assert desk.manage("shell", "-v0", "-c", code).strip() == "True"
    made = []
    for name in ("small", "little"):  # by when the first is made, the cancelled one has ended
        desk.upload(f"{name}.md", f"# {name.title()}\n\nA {name} page with one line.\n")
        desk.until(f"{name}.md", lambda now: now[0] == "ready")
        made += desk.ask("SELECT count(*) FROM knowledge_embedding")
    [(before,), (after,)] = made
    assert after - before == 3
    assert desk.stage("more.csv")[0] == "cancelled"


def job(desk: Desk, asked: str) -> str:
    """Ask for a job as web does; its id."""
    code = f"""if True:
        from desk import jobs
        from knowledge.models import Document, KnowledgeBase
        base, _ = KnowledgeBase.objects.get_or_create(slug="shop", defaults={{"name": "Shop"}})
        print(jobs.{asked}.pk.hex)"""
    return desk.manage("shell", "-v0", "-c", code).strip()


def until_done(desk: Desk, id_: str, *states: str) -> dict[str, object]:
    deadline = time.monotonic() + 2 * PATIENCE
    while True:
        [(state, reason, result)] = desk.ask("SELECT state, reason, result FROM desk_job WHERE id = ?", id_)
        if state in states:
            return {"state": state, "reason": reason, "result": json.loads(str(result)) if result else None}
        assert time.monotonic() < deadline, f"{state}\n{(desk.var / 'desk.log').read_text()[-3000:]}"
        time.sleep(0.02)


def test_a_preview_whose_maker_is_killed_is_made_by_the_next_and_a_purge_leaves_nothing(desk: Desk) -> None:
    if desk.process is None or desk.process.poll() is not None:
        desk.start()
    desk.upload("gone.md", "# Gone\n\nA sentence that nobody shall ever find again.\n")
    desk.until("gone.md", lambda now: now[0] == "ready")
    before = desk.ask("SELECT count(*) FROM knowledge_document")
    path = desk.var / "previewed"
    path.write_text(FAQ)
    preview = job(desk, f"preview(base, 'more.csv', open({str(path)!r}, 'rb').read())")
    until_done(desk, preview, "running")
    desk.kill()
    until_done(desk, preview, "running")
    desk.ask("UPDATE desk_job SET beat = '2000-01-01 00:00:00' WHERE beat IS NOT NULL")
    desk.start()
    made = until_done(desk, preview, "done", "failed")
    assert made["state"] == "done", made
    assert len(made["result"]["chunks"]) == ROWS  # type: ignore[index]
    assert desk.ask("SELECT count(*) FROM knowledge_document") == before
    assert list((desk.var / "previews").iterdir()) == []
    asked = "purge(Document.objects.get(name='gone.md'), 'gone.md', published=True)"
    assert until_done(desk, job(desk, asked), "done", "failed")["state"] == "done"
    (desk.var / "upload").unlink()  # the test's own
    proof = until_done(desk, job(desk, "prove_gone(base, 'gone.md')"), "done", "failed")
    found = [one for one in proof["result"]["stores"] if one["left"]]  # type: ignore[index]
    assert (proof["result"]["gone"], found) == (True, [])  # type: ignore[index]
