"""What readers share: the shape of a reader, and how it tells a manager something besides the blocks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from knowledge.blocks import Block, Notice

Note = Callable[..., None]
"""`note(code, detail)`; a code of `reasons.NOTICES`."""

Reader = Callable[[bytes, Note], Sequence[Block]]
"""Gives a file's blocks in reading order, or raises `Unreadable`."""


@dataclass(frozen=True)
class Reading:
    """A file that was read."""

    blocks: tuple[Block, ...]
    notices: tuple[Notice, ...]


def quiet(code: str, detail: object = "") -> None:
    """A note that nobody takes."""
