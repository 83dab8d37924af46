"""A page of a PDF as lines of shown text and ruled edges, through PDFium. Knows nothing of tables and headings."""

import ctypes
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pypdfium2.raw as raw

from knowledge.readers.text import clean

_OUTLINES, _INVISIBLE = 1, 3  # text rendering modes
_NEARLY_WHITE = 245
_TINY = 2.5  # points
_PICTURE_SHARE = 0.5
_STRAIGHT = 1.5  # points
_MOST_EDGES = 20_000
_GAP = 0.9  # of the line's height: more space than between words
_SPACE = 0.18


@dataclass(eq=False)
class Line:
    """A run of text without a wide gap; points from the page's upper left corner. `size` is its font's."""

    text: str
    x0: float
    x1: float
    top: float
    bottom: float
    size: float = 0.0

    @property
    def height(self) -> float:
        return self.bottom - self.top


@dataclass(frozen=True)
class Edge:
    """A straight line of the page."""

    x0: float
    top: float
    x1: float
    bottom: float


@dataclass
class Page:
    """What a page shows; `hidden` is the first text that it does not. Lines stand in the order of the file."""

    number: int
    width: float
    height: float
    lines: list[Line]
    edges: list[Edge]
    is_picture: bool
    hidden: str


@dataclass(frozen=True)
class _Box:
    x0: float
    y0: float
    x1: float
    y1: float

    def holds(self, x: float, y: float) -> bool:
        return self.x0 <= x <= self.x1 and self.y0 <= y <= self.y1


@dataclass
class _Drawn:
    edges: list[Edge] = field(default_factory=list)
    filled: list[_Box] = field(default_factory=list)
    pictures: float = 0.0


def page_of(page: Any, number: int) -> Page:
    """The lines and edges of a pypdfium2 page. Raises PdfiumError."""
    left, low, right, high = page.get_bbox() if hasattr(page, "get_bbox") else page.get_mediabox()
    turn = _Turn(left, low, right, high, page.get_rotation())
    drawn = _drawn(page, turn)
    area = max((right - left) * (high - low), 1.0)
    scanned = drawn.pictures > area * _PICTURE_SHARE
    lines, hidden = _lines(page, turn, drawn.filled, scanned)
    return Page(number, turn.width, turn.height, lines, drawn.edges, not lines and drawn.pictures > 0, hidden)


class _Turn:
    """Points of the file to points of the page as it is shown, from its upper left corner."""

    def __init__(self, left: float, low: float, right: float, high: float, rotation: int) -> None:
        self.left, self.low, self.right, self.high, self.rotation = left, low, right, high, rotation
        wide, tall = right - left, high - low
        self.width, self.height = (tall, wide) if rotation in (90, 270) else (wide, tall)

    def __call__(self, x: float, y: float) -> tuple[float, float]:
        if self.rotation == 90:
            return y - self.low, x - self.left
        if self.rotation == 180:
            return self.right - x, y - self.low
        if self.rotation == 270:
            return self.high - y, self.right - x
        return x - self.left, self.high - y


def _lines(page: Any, turn: _Turn, filled: list[_Box], scanned: bool) -> tuple[list[Line], str]:
    text_page = page.get_textpage()
    handle = text_page.raw
    lines: list[Line] = []
    hidden: list[str] = []
    sizes: Counter[float] = Counter()
    box = raw.FS_RECTF()
    looks: dict[int, _Look] = {}
    line: Line | None = None
    for place in range(raw.FPDFText_CountChars(handle)):
        code = raw.FPDFText_GetUnicode(handle, place)
        letter = chr(code) if 0 < code < 0x110000 else ""
        if letter in ("\r", "\n", ""):
            continue
        if not raw.FPDFText_GetLooseCharBox(handle, place, box):
            continue
        x0, top = turn(box.left, box.top)
        x1, bottom = turn(box.right, box.bottom)
        x0, x1, top, bottom = min(x0, x1), max(x0, x1), min(top, bottom), max(top, bottom)
        if letter.isspace():
            if line is not None and not line.text.endswith(" ") and x0 - line.x1 < line.height:
                line.text += " "
            continue
        thing = raw.FPDFText_GetTextObject(handle, place)
        key = ctypes.cast(thing, ctypes.c_void_p).value or 0
        if key not in looks:
            looks[key] = _look(thing)
        look = looks[key]
        outside = x1 < 0 or x0 > turn.width or bottom < 0 or top > turn.height
        unseen = look.white and not scanned and not any(one.holds((x0 + x1) / 2, (top + bottom) / 2) for one in filled)
        if (look.invisible and not scanned) or unseen or outside or bottom - top < _TINY:
            hidden.append(letter)
            continue
        if line is None or not _goes_on(line, x0, top, bottom):
            if line is not None:
                line.size = sizes.most_common(1)[0][0]
            line, sizes = Line("", x0, x1, top, bottom), Counter()
            lines.append(line)
        elif x0 - line.x1 > line.height * _SPACE and not line.text.endswith(" ") and letter.isascii():
            line.text += " "
        line.text += letter
        line.x1, line.top, line.bottom = max(line.x1, x1), min(line.top, top), max(line.bottom, bottom)
        sizes[look.size or round((bottom - top) * 2) / 2] += 1
    if line is not None:
        line.size = sizes.most_common(1)[0][0]
    text_page.close()
    for one in lines:
        one.text = clean(one.text).strip()
    return [one for one in lines if one.text], "".join(hidden)


def _goes_on(line: Line, x0: float, top: float, bottom: float) -> bool:
    """Whether a letter stands in the line: level with it, and neither far to its right nor back to its left."""
    shared = min(line.bottom, bottom) - max(line.top, top)
    high = min(line.height, bottom - top)
    return shared > high * 0.5 and -line.height < x0 - line.x1 < line.height * _GAP


@dataclass(frozen=True)
class _Look:
    """How a text object looks; `size` is in points, to the half, 0.0 when unknown."""

    invisible: bool = False
    white: bool = False
    size: float = 0.0


def _look(thing: Any) -> _Look:
    if not thing:
        return _Look()
    size, matrix = ctypes.c_float(), raw.FS_MATRIX()
    raw.FPDFTextObj_GetFontSize(thing, size)
    raw.FPDFPageObj_GetMatrix(thing, matrix)
    points = round(size.value * (matrix.c**2 + matrix.d**2) ** 0.5 * 2) / 2
    mode = raw.FPDFTextObj_GetTextRenderMode(thing)
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    if not raw.FPDFPageObj_GetFillColor(thing, red, green, blue, alpha):
        return _Look(mode == _INVISIBLE, False, points)
    white = min(red.value, green.value, blue.value) >= _NEARLY_WHITE and mode != _OUTLINES
    return _Look(mode == _INVISIBLE or alpha.value < 8, white, points)


def _drawn(page: Any, turn: _Turn) -> _Drawn:
    drawn = _Drawn()
    for thing in page.get_objects(filter=(raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_IMAGE), max_depth=3):
        if thing.type == raw.FPDF_PAGEOBJ_IMAGE:
            left, low, right, high = thing.get_bounds() if hasattr(thing, "get_bounds") else thing.get_pos()
            drawn.pictures += max(right - left, 0) * max(high - low, 0)
            drawn.filled.append(_box(turn, left, low, right, high))
        elif len(drawn.edges) < _MOST_EDGES:
            _path(thing, turn, drawn)
    return drawn


def _box(turn: _Turn, left: float, low: float, right: float, high: float) -> _Box:
    (a, b), (c, d) = turn(left, low), turn(right, high)
    return _Box(min(a, c), min(b, d), max(a, c), max(b, d))


def _path(thing: Any, turn: _Turn, drawn: _Drawn) -> None:
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    raw.FPDFPath_GetDrawMode(thing.raw, fill, stroke)
    if not fill.value and not stroke.value:
        return
    if fill.value and _is_coloured(thing):
        left, low, right, high = thing.get_bounds() if hasattr(thing, "get_bounds") else thing.get_pos()
        drawn.filled.append(_box(turn, left, low, right, high))
    matrix = thing.get_matrix()
    points: list[tuple[float, float]] = []
    x, y = ctypes.c_float(), ctypes.c_float()
    for place in range(min(raw.FPDFPath_CountSegments(thing.raw), _MOST_EDGES)):
        segment = raw.FPDFPath_GetPathSegment(thing.raw, place)
        raw.FPDFPathSegment_GetPoint(segment, x, y)
        point = turn(*matrix.on_point(x.value, y.value))
        kind = raw.FPDFPathSegment_GetType(segment)
        if kind == raw.FPDF_SEGMENT_MOVETO:
            points = [point]
            continue
        if kind == raw.FPDF_SEGMENT_LINETO and points:
            _edge(points[-1], point, drawn)
        points.append(point)
        if raw.FPDFPathSegment_GetClose(segment):
            _edge(point, points[0], drawn)


def _edge(one: tuple[float, float], other: tuple[float, float], drawn: _Drawn) -> None:
    (a, b), (c, d) = one, other
    if (abs(a - c) <= _STRAIGHT) != (abs(b - d) <= _STRAIGHT) and len(drawn.edges) < _MOST_EDGES:
        drawn.edges.append(Edge(min(a, c), min(b, d), max(a, c), max(b, d)))


def _is_coloured(thing: Any) -> bool:
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    if not raw.FPDFPageObj_GetFillColor(thing.raw, red, green, blue, alpha):
        return True  # a pattern
    return min(red.value, green.value, blue.value) < _NEARLY_WHITE and alpha.value > 8
