import os
from pathlib import Path

import numpy as np
import pytest

from knowledge import nearest, snapshots
from knowledge.index import Index, Part
from knowledge.segments import Segment, make_segment
from knowledge.snapshots import Damaged, Snapshot, alone, forget, forgotten, found, read
from knowledge.terms import search_terms
from tests.knowledge.fakes import DIMENSION, FakeEmbedder
from tests.knowledge.test_index import versions_of


def segment(versions: tuple[int, ...] = (1, 2, 3)) -> Segment:
    made = versions_of(5, 3, shared=False)
    return make_segment([entry for version in versions for entry in made[version]], DIMENSION)


def write(folder: Path, number: int, made: Segment, *, model: str) -> Snapshot:
    written = snapshots.write(folder, number, made, model=model)
    assert written is not None
    return written


@pytest.mark.parametrize("flat_below", [50_000, 0])
def test_a_snapshot_finds_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flat_below: int) -> None:
    monkeypatch.setattr(snapshots, "FLAT_BELOW", flat_below)
    monkeypatch.setattr(nearest, "_TRIED", 5)
    made = segment()
    mapped = read(write(tmp_path, 7, made, model="m@1"), model="m@1")
    question = FakeEmbedder().embed(["query: tent"])[0]
    results = [
        {c.row: (c.text, c.title, c.z, c.bm25, c.words) for c in index.find(question, search_terms("tent 退货"))}
        for index in (Index.of_parts([Part.whole(one)], version=1) for one in (made, mapped))
    ]
    assert results[0].keys() == results[1].keys()
    for row, values in results[0].items():
        np.testing.assert_allclose(values, results[1][row], atol=0.02)  # files have half precision
    assert (mapped.snapshot, mapped.passages, mapped.version_ids) == (7, None, {1, 2, 3})
    assert (tmp_path / "7" / "texts.lists").exists() == (flat_below == 0)


def test_nobody_else_can_read_a_snapshot(tmp_path: Path) -> None:
    folder = write(tmp_path, 7, segment(), model="m@1").folder
    assert folder.stat().st_mode & 0o077 == 0


def test_no_text_is_in_a_snapshot(tmp_path: Path) -> None:
    folder = write(tmp_path, 7, segment(), model="m@1").folder
    everything = b"".join(path.read_bytes() for path in folder.iterdir())
    for word in ("运费", "refund", "KF200", "kf200", "shipping"):
        assert word.encode() not in everything


def test_a_maker_that_is_killed_leaves_nothing_half_live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, 1, segment(), model="m@1")

    def killed(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            write(tmp_path, 2, segment(), model="m@1")
    assert [one.number for one in found(tmp_path)] == [1]
    assert len(list(tmp_path.glob(".making-*"))) == 1
    write(tmp_path, 2, segment(), model="m@1")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2"]


def test_only_one_makes_a_snapshot_at_a_time(tmp_path: Path) -> None:
    with alone(tmp_path / "9") as first:
        assert first
        with alone(tmp_path / "9") as second:
            assert not second
    with alone(tmp_path / "9") as third:
        assert third


@pytest.mark.parametrize("damage", ["changed", "missing", "other model", "no folder"])
def test_a_damaged_snapshot_is_refused(tmp_path: Path, damage: str) -> None:
    one = write(tmp_path, 1, segment(), model="m@1")
    model = "m@1"
    match damage:
        case "changed":
            path = one.folder / "texts_vectors.npy"
            content = bytearray(path.read_bytes())
            content[-1] ^= 1
            path.write_bytes(content)
        case "missing":
            os.unlink(one.folder / "keys.npy")
        case "other model":
            model = "m@2"
        case _:
            one = Snapshot(5, tmp_path / "5")
    with pytest.raises(Damaged):
        read(one, model=model)


def test_what_was_mapped_lives_on_when_its_files_are_removed(tmp_path: Path) -> None:
    mapped = read(write(tmp_path, 1, segment(), model="m@1"), model="m@1")
    assert forget(tmp_path, [99]) == []
    assert forget(tmp_path, [2]) == [1]
    assert found(tmp_path) == []
    assert len(Index.of_parts([Part.whole(mapped)], version=1).find(np.ones(DIMENSION, np.float32), ["w:tent"]))


def test_what_is_forgotten_while_a_snapshot_is_made_of_it_does_not_come_back(tmp_path: Path) -> None:
    since = forgotten(tmp_path)
    assert snapshots.write(tmp_path, 1, segment(), model="m@1", since=since) is not None
    forget(tmp_path, [99])
    assert snapshots.write(tmp_path, 2, segment(), model="m@1", since=since) is None
    assert [one.number for one in found(tmp_path)] == [1]
