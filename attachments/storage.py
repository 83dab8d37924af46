"""Where sealed files lie: `root/<conversation>/<file>`, readable by this user alone. Knows nothing of their content."""

import contextlib
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

_UNFINISHED = ".part"


def write(root: Path, conversation: UUID, file: UUID, chunks: Iterable[bytes]) -> None:
    """Write a new file; it appears whole or not at all. Raises OSError."""
    folder = root / conversation.hex
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    draft = folder / f"{file.hex}{_UNFINISHED}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out:
            for chunk in chunks:
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        draft.rename(folder / file.hex)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    _sync(folder)


def opened(root: Path, conversation: UUID, file: UUID) -> BinaryIO:
    """Open a file for reading. Raises FileNotFoundError."""
    return (root / conversation.hex / file.hex).open("rb")


def remove(root: Path, conversation: UUID, file: UUID) -> None:
    """Delete a file if it is there."""
    (root / conversation.hex / file.hex).unlink(missing_ok=True)


def remove_all(root: Path, conversation: UUID) -> None:
    """Delete all files of a conversation."""
    shutil.rmtree(root / conversation.hex, ignore_errors=True)


def older_files(root: Path, seconds: float) -> Iterator[tuple[UUID, UUID | None, Path]]:
    """Yield every file that has lain there so long: its conversation, its id (None: it was never finished), its path.

    Old empty folders go on the way.
    """
    limit = time.time() - seconds
    for folder in list(root.iterdir()) if root.is_dir() else ():
        for path in list(folder.iterdir()):
            if path.stat().st_mtime < limit:
                yield UUID(folder.name), None if path.suffix == _UNFINISHED else UUID(path.name), path
        if folder.stat().st_mtime < limit:
            with contextlib.suppress(OSError):  # it is not empty
                folder.rmdir()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
