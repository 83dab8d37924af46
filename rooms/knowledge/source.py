"""Which part of a file each chunk was made of. Pure; knows nothing of where either is kept.

A piece is a sentence, a heading or a row of a table; it belongs to every chunk that holds its words, whatever the
spacing, case and punctuation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from knowledge.blocks import Block, Heading, Paragraph, Table
from knowledge.sentences import sentence_spans

AROUND = 6
"""Chunks on either side of the last one met in which a piece is looked for first."""

MOST_OF_A_ROW = 0.6
"""Characters of a row's cells that a chunk must hold: a column of numbers may be its name alone."""

LEAST = 4
"""Characters of a piece below which it is looked for nearby alone."""


@dataclass(frozen=True)
class Piece:
    """Some text of the file (the cells, of a row), and the positions of the chunks that hold it."""

    text: str
    chunks: tuple[int, ...] = ()
    cells: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """A block: `kind` is "heading", "text" or "table" (then `header` are its columns' names). `source` is the place."""

    kind: str
    source: str
    pieces: tuple[Piece, ...]
    header: tuple[str, ...] = ()
    level: int = 0

    @property
    def chunks(self) -> frozenset[int]:
        """The chunks that hold any piece of it."""
        return frozenset(one for piece in self.pieces for one in piece.chunks)


def marked(blocks: Sequence[Block], said: Mapping[int, str]) -> list[Part]:
    """Return the blocks with the chunks that each piece went into; `said` is, by position, what chunks took from it."""
    finder = _Finder(said)
    return [_part(block, finder) for block in blocks]


def around(parts: Sequence[Part], first: int, last: int) -> list[Part]:
    """Return the parts from the first to the last that went into the chunks of these positions; all when none did."""
    rows = [number for number, part in enumerate(parts) if any(first <= one <= last for one in part.chunks)]
    if not rows:
        return list(parts)
    start = rows[0]
    while start and parts[start - 1].kind == "heading":
        start -= 1
    return list(parts[start : rows[-1] + 1])


def _part(block: Block, finder: "_Finder") -> Part:
    if isinstance(block, Heading):
        return Part("heading", block.source, (Piece(block.text),), level=min(6, block.level))
    if isinstance(block, Paragraph):
        texts = [block.text[start:end] for start, end in sentence_spans(block.text)]
        return Part("text", block.source, tuple(Piece(text, finder.find([text])) for text in texts))
    return _table(block, finder)


def _table(table: Table, finder: "_Finder") -> Part:
    rows = tuple(Piece(" ".join(row), finder.find([cell for cell in row if cell]), row) for row in table.rows)
    return Part("table", table.source, rows, header=table.header)


class _Finder:
    """Finds chunks by their words; goes through them in order, as the file does."""

    def __init__(self, said: Mapping[int, str]) -> None:
        self._said = {position: _plain(text) for position, text in said.items()}
        self._order = sorted(self._said)
        self._place = 0

    def find(self, texts: Sequence[str]) -> tuple[int, ...]:
        wanted = [plain for text in texts if (plain := _plain(text))]
        if not wanted:
            return ()
        near = self._order[max(0, self._place - AROUND) : self._place + AROUND + 1]
        found = [position for position in near if self._holds(position, wanted)]
        if not found and sum(map(len, wanted)) >= LEAST:
            found = [position for position in self._order if self._holds(position, wanted)][:3]
        if found:
            self._place = self._order.index(found[0])
        return tuple(found)

    def _holds(self, position: int, wanted: Sequence[str]) -> bool:
        said = self._said[position]
        if len(wanted) == 1 and len(wanted[0]) > len(said) >= LEAST:
            return said in wanted[0]
        held = sum(len(one) for one in wanted if one in said)
        return held >= MOST_OF_A_ROW * sum(map(len, wanted)) if len(wanted) > 1 else held > 0


def _plain(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
