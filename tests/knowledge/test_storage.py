import os
import stat
from hashlib import sha256
from pathlib import Path

import pytest

from knowledge import storage


def test_one_content_is_one_file_for_this_user_alone(tmp_path: Path) -> None:
    root = tmp_path / "documents"
    name = storage.keep(root, b"text")
    assert name == storage.keep(root, b"text") == sha256(b"text").hexdigest()
    assert [path.name for path in root.iterdir()] == [name]
    assert storage.load(root, name) == b"text"
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    assert stat.S_IMODE((root / name).stat().st_mode) == 0o600


def test_what_could_not_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        storage.keep(tmp_path, b"text")
    assert list(tmp_path.iterdir()) == []


def test_a_removed_file_is_gone(tmp_path: Path) -> None:
    name = storage.keep(tmp_path, b"text")
    assert storage.remove(tmp_path, name)
    assert not storage.remove(tmp_path, name)
    with pytest.raises(FileNotFoundError):
        storage.load(tmp_path, name)


def test_old_files_are_named_and_unfinished_ones_go(tmp_path: Path) -> None:
    name = storage.keep(tmp_path, b"text")
    (tmp_path / "half.part").write_bytes(b"te")
    assert list(storage.old(tmp_path, 60)) == []
    for path in tmp_path.iterdir():
        os.utime(path, (0, 0))
    assert list(storage.old(tmp_path, 60)) == [name]
    assert not (tmp_path / "half.part").exists()
    storage.keep(tmp_path, b"text")
    assert list(storage.old(tmp_path, 60)) == []
    assert list(storage.old(tmp_path / "nowhere", 60)) == []
