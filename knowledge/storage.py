"""Where documents' files lie: `root/<SHA-256>`, one a content, for this user alone. Knows nothing of their content."""

import os
import tempfile
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

_UNFINISHED = ".part"


def keep(root: Path, data: bytes) -> str:
    """Write a file unless its content is there already; return its hash. It appears whole or not at all.

    Raises OSError.
    """
    name = sha256(data).hexdigest()
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    root.chmod(0o700)
    descriptor, draft = tempfile.mkstemp(_UNFINISHED, dir=root)  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        # Written anew even where it is: so its time says that somebody is about to need it (`old`).
        os.replace(draft, root / name)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    _sync(root)
    return name


def load(root: Path, name: str) -> bytes:
    """Return a file by its hash. Raises FileNotFoundError."""
    return (root / name).read_bytes()


def remove(root: Path, name: str) -> bool:
    """Delete a file for good; False when it was not there."""
    try:
        (root / name).unlink()
    except FileNotFoundError:
        return False
    _sync(root)
    return True


def old(root: Path, seconds: float) -> Iterator[str]:
    """Yield the hashes of files that have lain there so long. Files that were never finished go on the way."""
    limit = time.time() - seconds
    for path in list(root.iterdir()) if root.is_dir() else ():
        if path.stat().st_mtime < limit:
            if path.suffix == _UNFINISHED:
                path.unlink(missing_ok=True)
            else:
                yield path.name


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
