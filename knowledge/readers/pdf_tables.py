"""Finds tables on a page: where ruled lines make cells, else where short texts stand in columns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from knowledge.readers.pdf_pages import Edge, Line, Page

_SNAP = 3.0  # points
_FEWEST_EDGES = 6
_FEWEST_LINES = 3
_FULLEST = 0.72
"""Of the width, filled with text: prose in columns fills more, a table less."""

Cell = tuple[float, float, float, float]
"""x0, top, x1, bottom."""


@dataclass
class Found:
    """A table on a page: its rows, the left ends of its columns, the lines in it, its place in the page's order."""

    rows: list[list[str]]
    columns: list[float]
    lines: list[Line]
    order: float


def tables_of(page: Page) -> list[Found]:
    """The tables of a page, of two columns and two rows at least."""
    order = {id(line): place for place, line in enumerate(page.lines)}
    found = list(_ruled(page, order))
    inside = {id(line) for table in found for line in table.lines}
    found += _aligned([line for line in page.lines if id(line) not in inside], order)
    return found


def _ruled(page: Page, order: dict[int, int]) -> Iterator[Found]:
    if len(page.edges) < _FEWEST_EDGES:
        return
    for cells in _cells(page.edges):
        lefts, tops = _snapped(cell[0] for cell in cells), _snapped(cell[1] for cell in cells)
        if len(lefts) < 2 or len(tops) < 2:
            continue
        texts: dict[Cell, list[Line]] = {cell: [] for cell in cells}
        lines = []
        for line in page.lines:
            x, y = (line.x0 + min(line.x1, line.x0 + 2 * line.height)) / 2, (line.top + line.bottom) / 2
            cell = next((one for one in cells if one[0] <= x <= one[2] and one[1] <= y <= one[3]), None)
            if cell is not None:
                texts[cell].append(line)
                lines.append(line)
        rows = [[""] * len(lefts) for _ in tops]
        for cell, held in texts.items():
            text = _joined(held)
            for j, top in enumerate(tops):
                for i, left in enumerate(lefts):
                    if cell[0] - _SNAP <= left < cell[2] - _SNAP and cell[1] - _SNAP <= top < cell[3] - _SNAP:
                        rows[j][i] = text
        if lines and sum(map(any, rows)) > 1:
            yield Found(rows, lefts, lines, min(order[id(line)] for line in lines))


def _cells(edges: Sequence[Edge]) -> list[list[Cell]]:
    """The cells that ruled lines make, table by table, by pdfplumber's way."""
    from pdfplumber import table

    ruled = [
        {
            "x0": edge.x0,
            "x1": edge.x1,
            "top": edge.top,
            "bottom": edge.bottom,
            "width": edge.x1 - edge.x0,
            "height": edge.bottom - edge.top,
            "orientation": "h" if edge.x1 - edge.x0 > edge.bottom - edge.top else "v",
        }
        for edge in edges
    ]
    merged = table.merge_edges(ruled, _SNAP, _SNAP, _SNAP, _SNAP)
    long = [edge for edge in merged if max(edge["x1"] - edge["x0"], edge["bottom"] - edge["top"]) >= _SNAP]
    crossings = table.edges_to_intersections(long, _SNAP, _SNAP)
    return [list(cells) for cells in table.cells_to_tables(table.intersections_to_cells(crossings))]


def _snapped(values: "Iterator[float] | Sequence[float]") -> list[float]:
    """Sorted values without those that are nearly the same."""
    kept: list[float] = []
    for value in sorted(values):
        if not kept or value - kept[-1] > _SNAP:
            kept.append(value)
    return kept


def _joined(lines: Sequence[Line]) -> str:
    """The text of a cell: without a space where a Chinese line was wrapped."""
    text = ""
    for line in sorted(lines, key=lambda one: (round(one.top / 4), one.x0)):
        space = " " if text and (text[-1].isascii() or line.text[0].isascii()) else ""
        text += space + line.text
    return text


def _aligned(lines: Sequence[Line], order: dict[int, int]) -> Iterator[Found]:
    """Tables without rules: at least three rows one after the other with gaps at the same places."""
    rows = _rows(lines)
    start = 0
    while start < len(rows):
        end = start
        while end < len(rows) and len(rows[end]) > 1 and (end == start or _near(rows[end - 1], rows[end])):
            end += 1
        run = rows[start:end]
        columns = _columns(run)
        if len(run) >= _FEWEST_LINES and len(columns) > 1 and _is_sparse(run, columns):
            cells = [
                [_joined([one for one in row if left <= one.x0 < right]) for left, right in columns] for row in run
            ]
            held = [line for row in run for line in row]
            yield Found(cells, [left for left, _ in columns], held, min(order[id(line)] for line in held))
            start = end
        else:
            start += 1 if end == start else end - start


def _rows(lines: Sequence[Line]) -> list[list[Line]]:
    """Lines that are level with each other, from the top down, each row from left to right."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda one: (one.top + one.bottom) / 2):
        middle = (line.top + line.bottom) / 2
        if rows and rows[-1][0].top < middle < rows[-1][0].bottom:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda one: one.x0) for row in rows]


def _near(above: Sequence[Line], below: Sequence[Line]) -> bool:
    return below[0].top - above[0].bottom < 2.0 * above[0].height


def _columns(rows: Sequence[Sequence[Line]]) -> list[tuple[float, float]]:
    """Where columns are: the stretches that texts of all rows cover together, each up to the beginning of the next.

    [] when a row has two texts in one of them.
    """
    stretches: list[list[float]] = []
    for x0, x1 in sorted((line.x0, line.x1) for row in rows for line in row):
        if stretches and x0 <= stretches[-1][1]:
            stretches[-1][1] = max(stretches[-1][1], x1)
        else:
            stretches.append([x0, x1])
    lefts = [stretch[0] for stretch in stretches] + [float("inf")]
    columns = list(pairwise(lefts))
    crowded = any(sum(left <= line.x0 < right for line in row) > 1 for row in rows for left, right in columns)
    return [] if crowded else columns


def _is_sparse(rows: Sequence[Sequence[Line]], columns: Sequence[tuple[float, float]]) -> bool:
    left = min(row[0].x0 for row in rows)
    right = max(line.x1 for row in rows for line in row)
    filled = sum(line.x1 - line.x0 for row in rows for line in row) / len(rows)
    return filled < _FULLEST * max(right - left, 1.0)
