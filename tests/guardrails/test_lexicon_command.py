import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from guardrails import lists
from guardrails.lexicon import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*words: object) -> list[dict[str, Any]]:
        call_command("lexicon", *map(str, words))
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return call


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.txt"
    path.write_text("# a comment\n甲级禁词\n甲級禁词\n红烧肉\n好\n\n乙级禁词\treview\tother\n", encoding="utf-8")
    return path


def test_import_counts_what_it_did_and_is_live(run: Any, own: Path) -> None:
    (report,) = run("import", own, "--level", "block", "--category", "test")
    assert report == {
        "list": "own", "version": 1, "live": True, "added": 3, "duplicates": 1,
        "rejected": {"too short": 1}, "demoted": {"ordinary customer text": 1},
    }  # fmt: skip
    assert lists.load().judge("甲级禁词").categories == ("test",)
    assert lists.load().judge("乙级禁词").categories == ("other",)


def test_import_reads_json_lines_and_gzip_and_leaves_a_draft(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "list.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write('{"word": "甲级禁词", "category": "own"}\n{"word": "甲级禁词语", "level": "allow"}\n')
        file.write('{"word": "丙级禁词", "level": "ban"}\n')
    (report,) = run("import", path, "--level", "block", "--list", "mine", "--draft")
    assert (report["list"], report["added"], report["live"]) == ("mine", 2, False)
    assert report["rejected"] == {"level is unknown": 1}
    assert lists.load().judge("甲级禁词").action == "pass"
    assert run("activate", "mine") == [{"name": "mine", "version": 1, "added": 0, "duplicates": 0}]
    assert lists.load().judge("甲级禁词").categories == ("own",)
    assert lists.load().judge("甲级禁词语").action == "pass"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"a" * 70_000, "line 1: longer than"),
        (b"word\n" * 300, "line 201: a list has 1000 characters"),
        (None, "broken"),
    ],
)
def test_a_packed_list_beyond_all_bounds_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes | None, why: str
) -> None:
    monkeypatch.setattr(words, "MOST_CHARACTERS", 1_000)
    path = tmp_path / "list.gz"
    path.write_bytes(gzip.compress(text) if text else gzip.compress(b"word\n" * 100)[:-12])
    with pytest.raises(ValueError, match=why):
        list(words.read_lines(path))


def test_as_is_keeps_ordinary_words_at_their_level(run: Any, own: Path) -> None:
    (report,) = run("import", own, "--level", "block", "--as-is", "--transforms", "width,case")
    assert report["demoted"] == {}
    assert lists.load().judge("红烧肉").action == "block"
    assert lists.load().judge("紅燒肉").action == "pass"


def test_words_are_put_removed_and_rolled_back(run: Any, own: Path) -> None:
    run("import", own, "--level", "block")
    run("put", "own", "丁级禁词", "--level", "block", "--category", "x")
    assert lists.load().judge("丁级禁词").action == "block"
    run("remove", "own", "甲级禁词")
    run("rollback", "own")
    assert lists.load().judge("甲级禁词").action == "block"
    run("deactivate", "own")
    names = [row["list"] for row in run("lists")]
    assert names == ["kefu", "own"]
    assert [row["action"] for row in run("history", "own")] == ["deactivate", "rollback", "edit", "edit", "import"]


def test_simulate_tells_hits_collisions_and_transforms_and_changes_nothing(run: Any, tmp_path: Path, own: Path) -> None:
    texts = tmp_path / "texts.jsonl"
    texts.write_text('{"text": "这是甲级禁词吗"}\n{"text": "甲级*禁词"}\n普通的话\n', encoding="utf-8")
    block, review, count, last = run("simulate", own, "--texts", texts, "--level", "block", "--as-is")
    assert (block["level"], block["hits"], block["hit_rate"]) == ("block", 2, 0.66667)
    assert {"word": "甲级禁词", "texts": 2} in block["worst"]
    assert {"collisions", "allow"} <= block.keys()
    assert (review["hits"], count["hits"]) == (0, 0)
    assert {each["transform"]: each["texts"] for each in last["transforms"]}["separators"] == 1
    assert lists.newest() == 0


def test_simulate_suggests_what_to_allow_and_tells_what_homophones_add(run: Any, tmp_path: Path) -> None:
    words, texts = tmp_path / "own.txt", tmp_path / "texts.txt"
    words.write_text("他杀\n法轮功\n", encoding="utf-8")
    texts.write_text("看看他杀价的本事\n珐抡攻\n普通的话\n", encoding="utf-8")
    options = ("--texts", texts, "--level", "block", "--as-is", "--transforms", "homophones,separators")
    block, _, _, last = run("simulate", words, *options)
    assert block["collisions"] == [{"word": "他杀", "phrase": "他|杀价", "texts": 1}]
    assert block["allow"] == ["他杀价"]
    assert {each["transform"]: each["texts"] for each in last["transforms"]} == {"separators": 0, "homophones": 1}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("import", "missing.txt"), "missing.txt"),
        (("activate", "nobody"), "no list nobody"),
        (("import", __file__, "--transforms", "magic"), "no such transform: magic"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(run: Any, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(*words)
