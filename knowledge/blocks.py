"""What a reader makes of a file: headings, paragraphs and tables in reading order. Pure values."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Heading:
    """A heading; `level` is 1 for the highest."""

    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    """Running text; lines of a list stay lines."""

    text: str


@dataclass(frozen=True)
class Table:
    """A table; every row has as many cells as `header`."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Heading | Paragraph | Table


class Unreadable(Exception):
    """A file that cannot become knowledge; its text is the plain reason, fit for the person who brought the file."""
