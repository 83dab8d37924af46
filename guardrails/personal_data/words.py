"""Reads this package's word lists: words/*.txt, separated by white space, `_` for a space within, `#` for comments."""

from pathlib import Path

_FOLDER = Path(__file__).parent / "words"


def read(name: str) -> frozenset[str]:
    """Return the words of the list `name`."""
    lines = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word.replace("_", " ") for line in lines if not line.startswith("#") for word in line.split())


def characters(name: str) -> frozenset[str]:
    """Return the characters of the list `name`, which separates nothing."""
    return frozenset("".join(read(name)))
