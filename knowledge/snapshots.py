"""Segments in files: a folder a snapshot, mapped by every process of the machine. Knows nothing of the database.

A snapshot appears whole, by being renamed, or not at all; what a killed maker left behind, the next one removes. Its
files hold vectors and hashes of terms, no texts. Deleting one does not disturb who has it mapped.
"""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.lexical import Postings
from knowledge.nearest import FLAT_BELOW, Nearest, Stored, flat, read_lists, write_lists
from knowledge.segments import Field, Moments, Segment

FORMAT = 1
_ABOUT = "snapshot.json"
_MAKING = ".making-"
_FORGOTTEN = "forgotten"
_KINDS = ("texts", "titles")

Keep = Callable[[str, Stored], None]
"""Keeps the vectors of a kind ("texts", "titles") of a new snapshot in a store of its own."""
Find = Callable[[str], Nearest]
"""What searches the vectors of a kind of a snapshot in a store of its own."""


class Damaged(Exception):
    """The snapshot cannot be used: its files are not what was written, or of another format or model."""


@dataclass(frozen=True)
class Snapshot:
    """A snapshot that is there: the number of its release, and its folder."""

    number: int
    folder: Path


def found(folder: Path) -> list[Snapshot]:
    """The snapshots of a base in its folder, newest first."""
    there = [path for path in folder.iterdir() if path.name.isdecimal()] if folder.is_dir() else []
    return sorted((Snapshot(int(path.name), path) for path in there), key=lambda one: -one.number)


@contextmanager
def alone(folder: Path) -> Iterator[bool]:
    """Whether nobody else on this machine makes a snapshot of the base in this folder; then nobody does meanwhile."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True  # the lock goes with the file's closing, and with the process


def forgotten(folder: Path) -> int:
    """Changes whenever something is forgotten."""
    mark = folder / _FORGOTTEN
    return mark.stat().st_mtime_ns if mark.exists() else 0


def write(
    folder: Path, number: int, segment: Segment, *, model: str, keep: Keep | None = None, since: int | None = None
) -> Snapshot | None:
    """Writes the snapshot of a release into the base's folder and removes the older ones. The caller is `alone`.

    `keep` takes the vectors to another store; otherwise many of them are sorted into lists here. None, and nothing
    written, when something was forgotten after `forgotten` was `since`: it may be in the segment.
    """
    for left in folder.glob(f"{_MAKING}*"):
        shutil.rmtree(left)
    making = Path(tempfile.mkdtemp(prefix=_MAKING, dir=folder))  # mode 0700
    for name, array in _arrays(segment).items():
        np.save(making / f"{name}.npy", array)
    for kind in _KINDS:
        vectors: Stored = getattr(segment, kind).vectors
        if keep is not None:
            keep(kind, vectors)
        elif len(vectors) >= FLAT_BELOW:
            write_lists(vectors, making / f"{kind}.lists")
    sums = {path.name: _checksum(path) for path in sorted(making.iterdir())}
    (making / _ABOUT).write_text(json.dumps({"format": FORMAT, "model": model, "files": sums}))
    for path in [*making.iterdir(), making]:
        _to_disk(path)
    target = folder / str(number)
    if target.exists():
        shutil.rmtree(target)
    making.rename(target)
    _to_disk(folder)
    if since is not None and forgotten(folder) != since:
        shutil.rmtree(target)
        return None
    for older in found(folder):
        if older.folder != target:
            shutil.rmtree(older.folder)
    return Snapshot(number, target)


def read(snapshot: Snapshot, *, model: str, find: Find | None = None, checked: bool = True) -> Segment:
    """The segment in a snapshot, mapped. Raises `Damaged`, also when the snapshot has gone meanwhile.

    Checking reads every byte, which takes seconds for gigabytes.
    """
    folder = snapshot.folder
    try:
        about: dict[str, Any] = json.loads((folder / _ABOUT).read_text())
        if (about["format"], about["model"]) != (FORMAT, model):
            raise Damaged(f"{folder.name} is of another format or model")
        for name, checksum in about["files"].items():
            if checked and _checksum(folder / name) != checksum:
                raise Damaged(f"{folder.name}/{name} is not what was written")
        arrays = {
            path.stem: np.asarray(np.load(path, mmap_mode="r")) for path in folder.glob("*.npy")
        }  # plain arrays over the mapping: slicing those is faster
        return Segment(
            arrays["chunks"],
            arrays["versions"],
            arrays["languages"].astype(np.int64),
            _field("texts", arrays, folder, find),
            _field("titles", arrays, folder, find),
            Postings(*(arrays[name] for name in Postings.__dataclass_fields__)),
            None,
            snapshot.number,
        )
    except (OSError, ValueError, KeyError) as error:
        raise Damaged(f"{folder.name}: {error}") from None


def forget(folder: Path, versions: Collection[int]) -> list[int]:
    """Removes the base's snapshots that hold anything of those document versions; the numbers of the removed ones.

    A process that has one mapped notices that it has gone (`Snapshot.folder`) and makes its index anew.
    """
    if not folder.is_dir():
        return []
    (folder / _FORGOTTEN).write_text("")  # first: whoever makes a snapshot now looks at it when that is in place
    gone = []
    for one in found(folder):
        try:
            held = np.load(one.folder / "versions.npy", mmap_mode="r")
            hit = bool(np.isin(held, np.fromiter(versions, np.int64)).any())
        except (OSError, ValueError):
            hit = True  # nobody can tell what is in it
        if hit:
            shutil.rmtree(one.folder, ignore_errors=True)
            gone.append(one.number)
    for left in folder.glob(f"{_MAKING}*"):
        shutil.rmtree(left, ignore_errors=True)
    return gone


def _arrays(segment: Segment) -> dict[str, Any]:
    arrays: dict[str, Any] = {name: getattr(segment.postings, name) for name in Postings.__dataclass_fields__}
    arrays |= {"chunks": segment.chunks, "versions": segment.versions, "languages": segment.languages.astype(np.int8)}
    for kind in _KINDS:
        field: Field = getattr(segment, kind)
        arrays |= {f"{kind}_vectors": field.vectors.astype(np.float16, copy=False), f"{kind}_first": field.first}
        arrays |= {f"{kind}_{name}": getattr(field.moments, name) for name in Moments.__dataclass_fields__}
    return arrays


def _field(kind: str, arrays: dict[str, Any], folder: Path, find: Find | None) -> Field:
    vectors = arrays[f"{kind}_vectors"]
    lists = folder / f"{kind}.lists"
    if find is not None:
        near = find(kind)
    else:
        near = read_lists(lists) if lists.exists() else flat(vectors)
    moments = Moments(*(arrays[f"{kind}_{name}"] for name in Moments.__dataclass_fields__))
    return Field(vectors, arrays[f"{kind}_first"], near, moments)


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
