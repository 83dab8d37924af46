"""Reads .html: what a visitor would see of the page, nothing else. Opens no address.

Text that a page hides (styles, attributes, a few pixels high) is a known way to slip instructions to a bot.
"""

import re
from dataclasses import dataclass, field

from lxml import etree, html

from knowledge.blocks import Block, Heading, Paragraph, Table, Unreadable
from knowledge.readers.reading import Note, quiet
from knowledge.readers.table import Grid, table_of_rows
from knowledge.readers.text import decode

_DROPPED = re.compile(
    "script|style|noscript|template|head|iframe|frame|object|embed|svg|canvas|math|select|option|textarea|button|input"
    "|audio|video|map|datalist|dialog|nav"
)
_BLOCKS = re.compile(
    "address|article|aside|blockquote|body|center|dd|details|div|dl|dt|fieldset|figcaption|figure|footer|form|header"
    "|hr|html|legend|main|p|pre|section|summary"
)
_HIDES = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0(?:\.0*)?\s*(?:;|!|$)"
    r"|font-size\s*:\s*(?:0|1|2)(?:\.\d+)?\s*(?:px|pt|em|rem|%)?\s*(?:;|!|$)|color\s*:\s*transparent"
    r"|text-indent\s*:\s*-\d{3,}|(?:left|top|right)\s*:\s*-\d{4,}|clip-path\s*:\s*inset\(\s*(?:50|100)%",
    re.IGNORECASE,
)
_COLOUR = re.compile(r"(?<![-\w])(background(?:-color)?|color)\s*:\s*([^;!]+)", re.IGNORECASE)
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_SELECTOR = re.compile(r"(?:[a-z]+)?([.#][\w-]+)$", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\n\r\f\xa0\u3000]+")
_WHITES = ("white", "#fff", "#ffffff", "rgb(255,255,255)")


def read_html(data: bytes, note: Note) -> tuple[Block, ...]:
    """The blocks of a page. Raises `Unreadable`."""
    return tuple(blocks_of_html(decode(data, note), note))


def blocks_of_html(text: str, note: Note = quiet) -> list[Block]:
    """The blocks of HTML text: headings, paragraphs, lists (a line an item), tables with spans filled.

    Tells `note` when something hidden was left out. Raises `Unreadable`.
    """
    # lxml takes no text that declares an encoding, and is told this one.
    parser = html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):
        return []
    walk = _Walk(_hiding_selectors(root))
    try:
        walk.element(root)
    except RecursionError:
        raise Unreadable("too_deep") from None
    walk.end_block()
    if walk.hidden:
        note("hidden_text", walk.hidden[0][:60])
    return walk.blocks


def _hiding_selectors(root: html.HtmlElement) -> frozenset[str]:
    """`.class` and `#id` that the page's own style sheets hide."""
    found = set()
    for sheet in root.iter("style"):
        for selectors, rules in _RULE.findall(sheet.text or ""):
            if _hides(rules):
                found |= {hit[1] for one in selectors.split(",") if (hit := _SELECTOR.match(one.strip()))}
    return frozenset(found)


def _hides(style: str) -> bool:
    if _HIDES.search(style):
        return True
    colours = {name.lower()[:5]: "".join(value.lower().split()) for name, value in _COLOUR.findall(style)}
    ink, paper = colours.get("color"), colours.get("backg", "white")
    return ink is not None and (ink == paper or (ink in _WHITES and paper in _WHITES))


@dataclass
class _Walk:
    """One pass over a page; `line` is the block that grows."""

    selectors: frozenset[str]
    blocks: list[Block] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    line: list[str] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    lists: list[int] = field(default_factory=list)
    pre: int = 0

    def element(self, node: html.HtmlElement) -> None:
        tag = node.tag if isinstance(node.tag, str) else ""
        if not tag or _DROPPED.fullmatch(tag):
            return
        if self._hidden(node):
            if told := _SPACES.sub(" ", " ".join(node.itertext())).strip():
                self.hidden.append(told)
            return
        if tag == "table":
            self.end_block()
            self._table(node)
        elif tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
            self._heading(node, int(tag[1]))
        elif tag == "br":
            self.line.append("\n")
        elif tag == "img":
            self.line.append(str(node.get("alt") or ""))
        elif tag in ("ul", "ol"):
            self._list(node, tag)
        elif tag == "li":
            self._item(node)
        elif tag == "a":
            self._link(node)
        elif _BLOCKS.fullmatch(tag):
            self.end_block()
            self.pre += tag == "pre"
            self._inside(node)
            self.end_block()
            self.pre -= tag == "pre"
        else:
            self._inside(node)

    def end_block(self) -> None:
        text = self._taken()
        if text and self.lists:
            self.items.append(text)
        elif text:
            self.blocks.append(Paragraph(text))

    def _taken(self) -> str:
        text = "".join(self.line)
        self.line = []
        return "\n".join(" ".join(line.split()) for line in text.splitlines()).strip()

    def _inside(self, node: html.HtmlElement) -> None:
        self._text(node.text)
        for child in node:
            self.element(child)
            self._text(child.tail)

    def _text(self, text: str | None) -> None:
        if text:
            self.line.append(text if self.pre else _SPACES.sub(" ", text))

    def _hidden(self, node: html.HtmlElement) -> bool:
        if node.get("hidden") is not None or _hides(node.get("style") or ""):
            return True
        names = {f".{name}" for name in (node.get("class") or "").split()} | {f"#{node.get('id')}"}
        return bool(names & self.selectors)

    def _heading(self, node: html.HtmlElement, level: int) -> None:
        self.end_block()
        self._inside(node)
        text = " ".join(self._taken().split())
        if text:
            self.blocks.append(Heading(level, text))

    def _list(self, node: html.HtmlElement, tag: str) -> None:
        if not self.lists:
            self.end_block()
        elif self.line:
            self._end_item()
        self.lists.append(_whole(node, "start") if tag == "ol" else -1)
        self._inside(node)
        self._end_item()
        self.lists.pop()
        if not self.lists and self.items:
            self.blocks.append(Paragraph("\n".join(self.items)))
            self.items = []

    def _item(self, node: html.HtmlElement) -> None:
        self._end_item()
        if self.lists:
            number = self.lists[-1]
            self.line.append("- " if number < 0 else f"{number}. ")
            self.lists[-1] += number >= 0
        self._inside(node)
        self._end_item()

    def _end_item(self) -> None:
        text = self._taken()
        if text and text != "-" and not re.fullmatch(r"\d+\.", text):
            self.items.append(text) if self.lists else self.blocks.append(Paragraph(text))

    def _link(self, node: html.HtmlElement) -> None:
        start = len(self.line)
        self._inside(node)
        address = (node.get("href") or "").strip()
        shown = "".join(self.line[start:]).strip()
        if address.startswith(("http://", "https://")) and shown and not shown.endswith(address):
            self.line.append(f" ({address})")

    def _table(self, node: html.HtmlElement) -> None:
        rows = [row for row in node.iter("tr") if next(row.iterancestors("table")) is node]
        inner = list(node.iterdescendants("table"))
        if inner and (len(rows) <= 1 or all(len(row) <= 1 for row in rows)):  # a table that lays out the page
            for row in rows:
                for cell in row:
                    self._inside(cell)
                    self.end_block()
            return
        caption = node.find("caption")
        title = self._plain(caption)[0] if caption is not None else ""
        nested: list[Block] = []
        grid = Grid()
        for row in rows:
            if self._hidden(row):
                self.hidden.append(_SPACES.sub(" ", " ".join(row.itertext())).strip())
                continue
            grid.begin_row()
            for cell in row:
                if cell.tag in ("td", "th") and not self._hidden(cell):
                    text, tables = self._plain(cell)
                    nested += tables
                    grid.add(text, _whole(cell, "colspan", 1000), _whole(cell, "rowspan", 1000))
        self.blocks.extend(table_of_rows(grid.finished(), title=title))
        self.blocks.extend(nested)

    def _plain(self, node: html.HtmlElement) -> tuple[str, list[Block]]:
        """A cell's text on one line, and the tables within it."""
        walk = _Walk(self.selectors)
        walk._inside(node)
        walk.end_block()
        self.hidden += walk.hidden
        texts = [block.text for block in walk.blocks if not isinstance(block, Table)]
        return " ".join(" ".join(texts).split()), [block for block in walk.blocks if isinstance(block, Table)]


def _whole(node: html.HtmlElement, name: str, most: int = 1_000_000) -> int:
    """An attribute as a number from 1 to `most`, 1 when it is none."""
    told = node.get(name) or ""
    return min(max(int(told), 1), most) if told.isascii() and told.isdigit() and len(told) < 9 else 1
