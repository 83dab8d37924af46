"""What a reader makes of a file: headings, paragraphs and tables in reading order. Pure values.

`source` says where in the file a block stands: `page 3`, `slide 2`, `sheet Fees`, `line 12`, or "". It is no part of
what the block says, so it does not count when blocks are compared.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from knowledge.reasons import wording


@dataclass(frozen=True)
class Heading:
    """A heading; `level` is 1 for the highest."""

    level: int
    text: str
    source: str = field(default="", compare=False)


@dataclass(frozen=True)
class Paragraph:
    """Running text; lines of a list stay lines."""

    text: str
    source: str = field(default="", compare=False)


@dataclass(frozen=True)
class Table:
    """A table; every row has as many cells as `header`.

    `title` is its caption, or "". `numbers` are the rows' own numbers in the file, from 1; () counts below the header.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""
    source: str = field(default="", compare=False)
    numbers: tuple[int, ...] = field(default=(), compare=False)

    def number(self, row: int) -> int:
        """The number in the file of `rows[row]`."""
        return self.numbers[row] if self.numbers else row + 2


Block = Heading | Paragraph | Table


@dataclass(frozen=True)
class Notice:
    """Something that a manager should know of a file that was read: a code of `reasons.NOTICES` and its detail."""

    code: str
    detail: str = ""


class Unreadable(Exception):
    """A file that cannot become knowledge: a code of `reasons.REASONS` and its detail.

    Its text is the plain English reason; `reasons.wording(error.code, error.detail, "zh")` is the Chinese one.
    """

    def __init__(self, code: str, detail: object = "") -> None:
        self.code, self.detail = code, str(detail)
        super().__init__(code, self.detail)

    def __str__(self) -> str:
        return wording(self.code, self.detail)


_IDLE = re.compile(r"\s+|_+|[^\w\s%$€£¥]+(?!\d)")


def content_key(blocks: Iterable[Block]) -> str:
    """A hash of what the blocks say: equal for the same content in another format, spacing, case or punctuation.

    Letters, digits and the signs before digits count, in reading order: 1.5 is not 15.
    """
    told = sha256()
    for block in blocks:
        for text in _texts(block):
            plain = unicodedata.normalize("NFKC", text).casefold()
            told.update(_IDLE.sub("", plain).encode("utf-8", "replace"))
    return told.hexdigest()


def _texts(block: Block) -> Iterable[str]:
    if isinstance(block, Table):
        return (block.title, *block.header, *(cell for row in block.rows for cell in row))
    return (block.text,)


def as_json(block: Block) -> list[Any]:
    """A block as JSON values; `from_json` makes it a block again."""
    if isinstance(block, Heading):
        return ["heading", block.level, block.text, block.source]
    if isinstance(block, Paragraph):
        return ["paragraph", block.text, block.source]
    return ["table", block.header, block.rows, block.title, block.source, block.numbers]


def from_json(values: list[Any]) -> Block:
    """A block from what `as_json` gave. Raises ValueError or TypeError for anything else."""
    match values:
        case ["heading", int(level), str(text), str(source)]:
            return Heading(level, text, source)
        case ["paragraph", str(text), str(source)]:
            return Paragraph(text, source)
        case ["table", list(header), list(rows), str(title), str(source), list(numbers)]:
            return Table(tuple(header), tuple(map(tuple, rows)), title, source, tuple(numbers))
    raise ValueError("no block")
