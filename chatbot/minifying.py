"""The widget's files as small as they travel: scripts without comments and blanks, each gzipped beside itself.

Written where static files are looked for first, whenever a process starts and a file has changed. Knows nothing of who
serves them.
"""

import gzip
import os
import re
import tempfile
from pathlib import Path

import rjsmin

MAGIC_TIME = 0
"""The same file is the same bytes on every machine."""


def write(source: Path, target: Path) -> None:
    """Write the scripts and style sheets below `source` to `target`; what is up to date is left alone."""
    for path in sorted([*source.rglob("*.js"), *source.rglob("*.css")]):
        copy = target / path.relative_to(source)
        modified = path.stat().st_mtime_ns
        if copy.exists() and copy.stat().st_mtime_ns == modified:
            continue
        small = minified(path.name, path.read_text()).encode()
        copy.parent.mkdir(parents=True, exist_ok=True)
        _put(copy.with_name(f"{copy.name}.gz"), gzip.compress(small, mtime=MAGIC_TIME), modified)
        _put(copy, small, modified)


def minified(name: str, text: str) -> str:
    """Return a script or a style sheet that does the same with fewer characters."""
    if name.endswith(".js"):
        return str(rjsmin.jsmin(text))
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return re.sub(r"\s*\n\s*", "", re.sub(r"\s*([{;,])\s*\n\s*", r"\1", re.sub(r"(?m)^(\s*[\w-]+:) ", r"\1", text)))


def _put(path: Path, data: bytes, modified: int) -> None:
    descriptor, new = tempfile.mkstemp(dir=path.parent)  # several processes may start at once
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    os.chmod(new, 0o644)
    os.utime(new, ns=(modified, modified))
    os.replace(new, path)
