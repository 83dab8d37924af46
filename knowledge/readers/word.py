"""Reads .docx (and .docm) as its reader sees it: insertions accepted, deletions and hidden text left out.

Footnotes stand in brackets where they are called, text boxes after their paragraph, nested tables after their table.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from knowledge.blocks import Block, Heading, Paragraph, Table, Unreadable
from knowledge.readers.packages import Package
from knowledge.readers.reading import Note
from knowledge.readers.table import Grid, table_of_rows
from knowledge.readers.text import clean

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_R_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_HEADING = re.compile(r"(?:heading|标题|標題)\s*(\d)$", re.IGNORECASE)
_SKIPPED = frozenset(
    _W + name for name in ("del", "moveFrom", "pPr", "rPr", "instrText", "delText", "tblPr", "tblGrid", "sectPr")
)
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_MOST_DEEP = 50


def read_docx(data: bytes, note: Note) -> tuple[Block, ...]:
    """The blocks of a Word file. Raises `Unreadable`."""
    package = Package(data, note)
    path = next((name for name in package.names() if re.fullmatch(r"word/document\d*\.xml", name)), "")
    root = package.xml(path) if path else None
    body = None if root is None else root.find(f"{_W}body")
    if body is None:
        raise Unreadable("damaged", "no word/document.xml")
    document = _Document(package, path)
    blocks = tuple(document.blocks(body))
    if document.hidden:
        note("hidden_text", document.hidden[0][:60])
    if not blocks and any(name.startswith("word/media/") for name in package.names()):
        raise Unreadable("pictures_only", "rapidocr")
    return blocks


class _Document:
    def __init__(self, package: Package, path: str) -> None:
        self.hidden: list[str] = []
        self._addresses = package.addresses(path)
        self._levels = _heading_levels(package.xml("word/styles.xml"))
        self._ordered = _ordered_lists(package.xml("word/numbering.xml"))
        self._notes = {kind: _notes(package.xml(f"word/{kind}s.xml"), kind) for kind in ("footnote", "endnote")}
        self._counters: dict[tuple[str, str], int] = {}
        self._tables = 0

    def blocks(self, body: Any, deep: int = 0) -> Iterator[Block]:
        """The blocks of a body, a cell or a text box."""
        if deep > _MOST_DEEP:
            raise Unreadable("too_deep")
        items: list[str] = []
        for node in _content(body):
            text, level, bullet = "", 0, ""
            boxes: list[Any] = []
            if node.tag == f"{_W}p":
                text = self._text(node, boxes)
                level, bullet = self._level(node), self._bullet(node)
            if items and not bullet:
                yield Paragraph("\n".join(items))
                items = []
            if node.tag == f"{_W}tbl":
                yield from self._table(node, deep)
            elif bullet and text and not level:
                items.append(bullet + text)
            elif text and level:
                yield Heading(level, " ".join(text.split()))
            elif text:
                yield Paragraph(text)
            for box in boxes:
                yield from self.blocks(box, deep + 1)
        if items:
            yield Paragraph("\n".join(items))

    def _text(self, node: Any, boxes: list[Any]) -> str:
        told = "".join(self._pieces(node, boxes, 0))
        return "\n".join(" ".join(line.split()) for line in clean(told).split("\n")).strip()

    def _pieces(self, node: Any, boxes: list[Any], deep: int) -> Iterator[str]:
        if deep > _MOST_DEEP:
            raise Unreadable("too_deep")
        for child in node:
            tag = child.tag
            if tag in _SKIPPED or tag == _FALLBACK:
                continue
            if tag == f"{_W}r" and _is_hidden(child):
                self.hidden += filter(None, ["".join(child.itertext(f"{_W}t")).strip()])
            elif tag == f"{_W}t":
                yield child.text or ""
            elif tag == f"{_W}tab":
                yield " "
            elif tag in (f"{_W}br", f"{_W}cr"):
                yield "\n"
            elif tag == f"{_W}noBreakHyphen":
                yield "-"
            elif tag in (f"{_W}footnoteReference", f"{_W}endnoteReference"):
                told = self._notes[tag.removeprefix(_W).removesuffix("Reference")].get(child.get(f"{_W}id"), "")
                yield f" [{told}]" if told else ""
            elif tag == f"{_W}txbxContent":
                boxes.append(child)
            elif tag == f"{_W}hyperlink":
                shown = "".join(self._pieces(child, boxes, deep + 1))
                address = self._addresses.get(child.get(_R_ID) or "", "")
                yield shown
                if address.startswith(("http://", "https://")) and shown and not shown.endswith(address):
                    yield f" ({address})"
            elif isinstance(tag, str):
                yield from self._pieces(child, boxes, deep + 1)

    def _level(self, paragraph: Any) -> int:
        """1 and more for a heading, else 0."""
        outline = paragraph.find(f"{_W}pPr/{_W}outlineLvl")
        if outline is not None and (outline.get(f"{_W}val") or "9") in "012345678":
            return int(outline.get(f"{_W}val")) + 1
        style = paragraph.find(f"{_W}pPr/{_W}pStyle")
        return self._levels.get(style.get(f"{_W}val"), 0) if style is not None else 0

    def _bullet(self, paragraph: Any) -> str:
        numbering = paragraph.find(f"{_W}pPr/{_W}numPr")
        style = paragraph.find(f"{_W}pPr/{_W}pStyle")
        name = str(style.get(f"{_W}val")) if style is not None else ""
        if numbering is None:
            return "- " if name.startswith("ListBullet") else ""
        key = _value(numbering, "numId"), _value(numbering, "ilvl")
        if key[0] == "0":
            return ""
        if key not in self._ordered:
            return "- "
        self._counters[key] = self._counters.get(key, 0) + 1
        return f"{self._counters[key]}. "

    def _table(self, node: Any, deep: int) -> Iterator[Block]:
        grid, nested = Grid(), []
        self._tables += 1
        source = f"table {self._tables}"
        above: dict[int, str] = {}
        for row in node.iter(f"{_W}tr"):
            if next(row.iterancestors(f"{_W}tbl")) is not node or row.find(f"{_W}trPr/{_W}del") is not None:
                continue
            grid.begin_row()
            column = 0
            for cell in row.iter(f"{_W}tc"):
                if next(cell.iterancestors(f"{_W}tr")) is not row:
                    continue
                inside = list(self.blocks(cell, deep + 1))
                text = " ".join(" ".join(one.text for one in inside if not isinstance(one, Table)).split())
                nested += [one for one in inside if isinstance(one, Table)]
                span = cell.find(f"{_W}tcPr/{_W}gridSpan")
                wide = int(span.get(f"{_W}val") or 1) if span is not None else 1
                merged = cell.find(f"{_W}tcPr/{_W}vMerge")
                if merged is not None and merged.get(f"{_W}val", "continue") == "continue":
                    text = text or above.get(column, "")
                wide = min(max(wide, 1), 1000)
                above[column] = text
                grid.add(text, wide)
                column += wide
        rows = grid.finished()
        if len(rows) == 1 or all(len(row) == 1 for row in rows):  # a frame around text
            text = "\n".join(" ".join(dict.fromkeys(filter(None, row))) for row in rows).strip()
            yield from [Paragraph(text, source)] if text else []
        else:
            yield from table_of_rows(rows, source=source)
        yield from (replace(one, source=source) for one in nested)


def _value(node: Any, part: str) -> str:
    one = node.find(_W + part)
    return "0" if one is None else str(one.get(f"{_W}val") or "0")


def _content(body: Any) -> Iterator[Any]:
    """Paragraphs and tables in order, also those within content controls and insertions."""
    for node in body:
        if node.tag in (f"{_W}p", f"{_W}tbl"):
            yield node
        elif node.tag not in _SKIPPED and isinstance(node.tag, str):
            yield from _content(node)


def _is_hidden(run: Any) -> bool:
    """Whether a run is marked hidden, or is white or too small to be read."""
    properties = run.find(f"{_W}rPr")
    if properties is None:
        return False
    vanish = properties.find(f"{_W}vanish")
    if vanish is not None and vanish.get(f"{_W}val", "true") not in ("0", "false", "off"):
        return True
    size, colour = properties.find(f"{_W}sz"), properties.find(f"{_W}color")
    if size is not None and (size.get(f"{_W}val") or "22") in ("0", "1", "2", "3", "4"):
        return True
    white = colour is not None and (colour.get(f"{_W}val") or "").upper() == "FFFFFF"
    # White on a coloured cell or mark is how headers of tables look.
    shaded = run.xpath("boolean(ancestor::*[local-name()='tc'] | .//*[local-name()='shd' or local-name()='highlight'])")
    return white and not shaded and not run.xpath("boolean(../*[local-name()='pPr']/*[local-name()='shd'])")


def _heading_levels(styles: Any) -> dict[str, int]:
    """The heading level of every style that has one, its own or its base's."""
    if styles is None:
        return {}
    own: dict[str, int] = {}
    based: dict[str, str] = {}
    for style in styles.iter(f"{_W}style"):
        key = style.get(f"{_W}styleId") or ""
        name = style.find(f"{_W}name")
        told = (name.get(f"{_W}val") or "" if name is not None else key).strip()
        outline, base = style.find(f"{_W}pPr/{_W}outlineLvl"), style.find(f"{_W}basedOn")
        if hit := _HEADING.match(told):
            own[key] = int(hit[1])
        elif told.lower() in ("title", "标题"):
            own[key] = 1
        elif outline is not None and (outline.get(f"{_W}val") or "9") in "012345678":
            own[key] = int(outline.get(f"{_W}val")) + 1
        if base is not None:
            based[key] = base.get(f"{_W}val") or ""
    for key in based:
        seen, one = {key}, key
        while one not in own and based.get(one) and based[one] not in seen:
            one = based[one]
            seen.add(one)
        if one in own:
            own.setdefault(key, own[one])
    return own


def _ordered_lists(numbering: Any) -> set[tuple[str, str]]:
    """(list, level) of the lists that count."""
    if numbering is None:
        return set()
    counting: dict[str, set[str]] = {}
    for kind in numbering.iter(f"{_W}abstractNum"):
        formats = ((level.get(f"{_W}ilvl"), level.find(f"{_W}numFmt")) for level in kind.iter(f"{_W}lvl"))
        levels = {i for i, one in formats if one is not None and one.get(f"{_W}val") not in ("bullet", "none")}
        counting[kind.get(f"{_W}abstractNumId")] = levels
    return {
        (one.get(f"{_W}numId"), level)
        for one in numbering.iter(f"{_W}num")
        if (of := one.find(f"{_W}abstractNumId")) is not None
        for level in counting.get(of.get(f"{_W}val"), ())
    }


def _notes(root: Any, kind: str) -> dict[str, str]:
    """Foot- or endnotes by their ids."""
    if root is None:
        return {}
    return {
        one.get(f"{_W}id"): " ".join("".join(one.itertext(f"{_W}t")).split())
        for one in root.iter(_W + kind)
        if one.get(f"{_W}type") in (None, "normal")
    }
