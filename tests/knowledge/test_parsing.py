"""The child process that reads files, its limits, and a slim part of the broken files."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.broken import CASES
from bench.broken.archives import archive
from bench.broken.cases import Case
from bench.broken.office import word
from bench.parsing import read_broken
from knowledge import parsing
from knowledge.archives import safe_path
from knowledge.blocks import Paragraph, Unreadable
from knowledge.parsing import Limits, Parser, members, parse
from knowledge.reasons import NOTICES, REASONS, place, wording
from tests.patience import PATIENCE

SLIM = [case for case in CASES if not case.slow]


@pytest.fixture(scope="module")
def parser() -> Iterator[Parser]:
    kept = Parser()
    yield kept
    kept.close()


def test_a_document_is_read_in_a_child_that_serves_the_next_one_too(parser: Parser) -> None:
    assert parser.parse("a.txt", b"We ship daily.").blocks == (Paragraph("We ship daily."),)
    first = parser._pid
    assert parser.parse("a.md", b"# A\n\nWe ship.").blocks[1:] == (Paragraph("We ship."),)
    with pytest.raises(Unreadable, match="empty"):
        parser.parse("a.txt", b" ")
    assert parser._pid == first != os.getpid()


def test_a_child_is_replaced_after_its_share_of_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "FILES_A_CHILD", 2)
    one = Parser()
    pids = []
    for _ in range(3):
        one.parse("a.txt", b"text")
        pids.append(one._pid)
    one.close()
    assert pids[0] == pids[1] != pids[2]


def test_the_child_has_no_secrets_no_descriptors_and_an_empty_folder(
    monkeypatch: pytest.MonkeyPatch, parser: Parser
) -> None:
    monkeypatch.setenv("KEFU_SECRET_KEY", "secret")
    parser.close()
    parser.parse("a.txt", b"text")
    process = Path(f"/proc/{parser._pid}")
    assert b"KEFU" not in (process / "environ").read_bytes()
    assert sorted(int(one.name) for one in (process / "fd").iterdir()) == [0, 1, 2]
    assert list((process / "cwd").resolve().iterdir()) == []
    assert os.getpgid(parser._pid) == parser._pid != os.getpgid(0)
    told = (process / "limits").read_text()
    assert f"Max address space         {1024 * 2**20}" in told
    assert "Max file size             0" in told


# What a reader that has been taken over would try, run where readers run.
ATTEMPTS = {
    "socket": "import socket; socket.create_connection(('127.0.0.1', 9))",
    "address": "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9/')",
    "process": "import subprocess; subprocess.run(['true'])",
    "fork": "import os; os.fork()",
    "write": "open('x', 'w')",
    "C": "import ctypes; c = ctypes.CDLL(None, use_errno=True); assert c.socket(2, 1, 0) >= 0, 'refused'",
}


@pytest.mark.parametrize("name", ATTEMPTS)
def test_the_child_can_open_no_socket_start_no_process_and_write_no_file(name: str, tmp_path: Path) -> None:
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge" / "__init__.py").touch()
    (tmp_path / "knowledge" / "blocks.py").write_text("class Unreadable(Exception): pass\n")
    (tmp_path / "knowledge" / "readers.py").write_text(f"def read(name, data):\n    {ATTEMPTS[name]}\n")
    hostile = Parser()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parsing, "_ROOT", tmp_path)
        with pytest.raises(Unreadable) as refused:
            hostile.parse("a.txt", b"text")
    hostile.close()
    kind = "AssertionError" if name == "C" else "PermissionError"
    assert (refused.value.code, refused.value.detail) == ("damaged", "URLError" if name == "address" else kind)


def slow_child(tmp_path: Path, work: str, seconds: float = 2) -> Parser:
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge" / "__init__.py").touch()
    (tmp_path / "knowledge" / "blocks.py").write_text("class Unreadable(Exception): pass\n")
    (tmp_path / "knowledge" / "readers.py").write_text(f"import os, time\ndef read(name, data):\n    {work}\n")
    return Parser(Limits(seconds=seconds, memory_mb=256, bytes_out=1000))


@pytest.mark.parametrize(
    ("work", "code"),
    [
        ("while True: pass", "time"),
        ("time.sleep(60)", "time"),
        ("x = bytearray(2**30)", "memory"),
        ("os.abort()", "crashed"),
        ("os._exit(0)", "crashed"),
        ("def f(): f()\n    f()", "too_deep"),
        ("raise ZeroDivisionError", "damaged"),
    ],
)
def test_whatever_a_reader_does_ends_in_a_reason(
    work: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parsing, "_ROOT", tmp_path)
    hostile = slow_child(tmp_path, work, 2 if code == "time" else PATIENCE)
    with pytest.raises(Unreadable) as refused:
        hostile.parse("a.txt", b"text")
    hostile.close()
    assert refused.value.code == code


def test_more_text_than_allowed_is_refused() -> None:
    with pytest.raises(Unreadable) as refused:
        parse("a.txt", b"word " * 2000, Limits(bytes_out=5000))
    assert refused.value.code == "too_much_text"
    with pytest.raises(Unreadable, match="larger than"):
        parse("a.txt", b"x" * 2001, Limits(bytes_in=2000))


def test_cancelling_ends_it_within_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "_ROOT", tmp_path)
    child = slow_child(tmp_path, "time.sleep(600)", PATIENCE)
    asked: list[int] = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) == 5

    with pytest.raises(Unreadable) as refused:
        child.parse("a.txt", b"text", cancelled)
    assert refused.value.code == "cancelled"
    assert len(asked) == 5
    assert parsing._STEP_SECONDS < 1
    assert child._child is None


def test_a_file_is_not_blamed_for_the_one_before_it(parser: Parser) -> None:
    parser.parse("a.txt", b"text")
    os.kill(parser._pid, 9)
    assert parser.parse("a.txt", b"We ship daily.").blocks == (Paragraph("We ship daily."),)


def test_many_threads_read_at_once() -> None:
    found: list[str] = []

    def read(number: int) -> None:
        (block,) = parse("a.txt", f"text {number}".encode())
        assert isinstance(block, Paragraph)
        found.append(block.text)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [f"text {number}" for number in range(4)]
    assert len(parsing._idle) <= parsing.IDLE_CHILDREN


@pytest.mark.parametrize("case", SLIM, ids=lambda case: case.name)
def test_a_broken_file_ends_in_content_or_a_clear_refusal(case: Case, parser: Parser) -> None:
    outcome = read_broken(case, parser=parser)
    assert outcome.right, outcome
    assert outcome.seconds < 20


def test_there_are_sixty_broken_files() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 60
    assert {code for case in CASES for code in case.expected} <= {*REASONS, "content"}


def test_the_files_of_an_archive_come_with_safe_names() -> None:
    files = [("b/../../x.txt", b"1"), ("/abs.md", b"2"), ("x.txt", b"3"), ("__MACOSX/x", b"4"), (".hidden", b"5")]
    assert list(members("a.zip", archive(*files))) == [("b/x.txt", b"1"), ("abs.md", b"2"), ("x.txt", b"3")]
    assert list(members("a.zip", archive(("C:\\a\\b.md", b"1"), ("C/a/b.md", b"2")))) == [
        ("C/a/b.md", b"1"),
        ("C/a/b (2).md", b"2"),
    ]


@pytest.mark.parametrize(
    ("path", "safe"), [("../..", "file"), ("a\u202eb\n.txt", "ab.txt"), (" a / b ", "a/b"), ("", "file")]
)
def test_a_path_within_an_archive_is_made_safe(path: str, safe: str) -> None:
    assert safe_path(path) == safe


def test_reasons_are_worded_in_both_languages() -> None:
    for code, (english, chinese) in (REASONS | NOTICES).items():
        assert english.count("{}") == chinese.count("{}"), code
        assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese), code
    assert str(Unreadable("half_pair", 3)) == "row 3 has a question or an answer only"
    assert wording("half_pair", "3", "zh") == "第 3 行只有问题或只有答案"
    assert place("sheet Fees, row 12", "zh") == "工作表 Fees，第 12 行"
    assert place("page 3") == "page 3"


def test_an_office_file_named_zip_is_a_document() -> None:
    data = word("We ship daily.")
    assert list(members("a.zip", data)) == [("a.zip", data)]
    assert parse("a.zip", data) == [Paragraph("We ship daily.")]


def test_who_has_ended_and_is_not_waited_for_has_no_memory() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        assert parsing._peak_mb(ended.pid) == 0.0
    assert parsing._peak_mb(ended.pid) == 0.0
    assert parsing._peak_mb(os.getpid()) > 1.0
