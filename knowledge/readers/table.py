"""Rows of cells to tables: header, title, blanks. Knows nothing of formats."""

from collections.abc import Sequence

from knowledge.blocks import Table, Unreadable

MOST_CELLS = 2_000_000


def table_of_rows(
    rows: Sequence[Sequence[str]], *, title: str = "", source: str = "", numbers: Sequence[int] = ()
) -> list[Table]:
    """A table from its rows, the first being the header: blank rows and columns left out, short rows filled up.

    Rows above the header that hold one text only (a title merged over the columns counts as one) become the title.
    `numbers` are the rows' own, by default counted from 1. [] if nothing is left.
    """
    numbered = [
        (number, list(row)) for number, row in zip(numbers or range(1, len(rows) + 1), rows, strict=True) if any(row)
    ]
    titles = [title] if title else []
    while len(numbered) > 2 and _texts(numbered[0][1]) == 1 < _texts(numbered[1][1]):
        titles.append(next(filter(None, numbered.pop(0)[1])))
    if len(numbered) < 2:
        return []
    width = max(len(row) for _, row in numbered)
    filled = [row + [""] * (width - len(row)) for _, row in numbered]
    kept = [column for column in range(width) if any(row[column] for row in filled)]
    header, *body = [tuple(row[column] for column in kept) for row in filled]
    own = tuple(number for number, _ in numbered[1:])
    while len(body) > 1 and _goes_on(header, body[0]):
        header = tuple(a if a == b or not b else f"{a} {b}".strip() for a, b in zip(header, body[0], strict=True))
        body, own = body[1:], own[1:]
    return [Table(header, tuple(body), " ".join(dict.fromkeys(titles)), source, own)]


def _goes_on(header: Sequence[str], row: Sequence[str]) -> bool:
    """Whether a row is the header's second line: it parts what a cell over several columns names, and adds nothing
    below the other cells.
    """
    wide = [i for i, cell in enumerate(header) if cell and cell in (*header[max(i - 1, 0) : i], *header[i + 1 : i + 2])]
    others = set(range(len(header))) - set(wide)
    parted = [row[i] for i in wide]
    return (
        bool(wide and others)
        and len(set(parted)) > 1
        and all(parted)
        and all(row[i] in ("", header[i]) for i in others)
    )


def _texts(row: Sequence[str]) -> int:
    return len(set(filter(None, row)))


class Grid:
    """Cells with spans, row by row: a cell's text stands in every place that it spans. Raises `Unreadable`."""

    def __init__(self) -> None:
        self._rows: list[list[str]] = []
        self._from_above: dict[int, tuple[str, int]] = {}  # by column: a text and for how many rows more
        self._cells = 0

    def begin_row(self) -> None:
        """Go on to the next row."""
        self._end_row()
        self._rows.append([])

    def add(self, text: str, columns: int = 1, rows: int = 1) -> None:
        """Put a cell into the next free place of the row."""
        row = self._rows[-1]
        self._take_over()
        for _ in range(columns):
            if rows > 1:
                self._from_above[len(row)] = (text, rows - 1)
            self._put(text)

    def finished(self) -> list[list[str]]:
        """All rows."""
        self._end_row()
        return self._rows

    def _take_over(self) -> None:
        row = self._rows[-1]
        while len(row) in self._from_above:
            text, left = self._from_above.pop(len(row))
            if left > 1:
                self._from_above[len(row)] = (text, left - 1)
            self._put(text)

    def _end_row(self) -> None:
        if self._rows:
            last = max(self._from_above, default=-1)
            self._take_over()
            while len(self._rows[-1]) <= last:
                self._put("")
                self._take_over()

    def _put(self, text: str) -> None:
        self._rows[-1].append(text)
        self._cells += 1
        if self._cells > MOST_CELLS:
            raise Unreadable("too_much_text", 64)
