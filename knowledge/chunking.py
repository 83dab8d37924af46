"""Cuts a document's blocks into chunks that make sense alone. Knows nothing of files, vectors or the database."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from knowledge.blocks import Block, Heading, Paragraph, Table, Unreadable
from knowledge.language import Language, language_of, tokens_of
from knowledge.sentences import sentence_spans

WHOLE_TOKENS = 512  # what the embedding model reads of a text
OVERLAP = 0.2
HEADING_SEPARATOR = " › "

_SPARE_TOKENS = 8  # for the model's prefix and marks
_LONGEST_STRETCH = 20_000  # characters looked at for sentences at once
_LONGEST_CAPTION = 80
_CAPTION = re.compile(r"(?:table|表)\s*[\d一二三四五六七八九十]+|.*[:：]$", re.IGNORECASE)
_PAIR = re.compile(
    r"^(?:q(?:uestion)?|问题?|問題?)\s*\d*\s*[:：.、]\s*(?P<question>[^\n]+)\n+"
    r"(?:a(?:nswer)?|答案?)\s*\d*\s*[:：.、]\s*(?P<answer>.+?)\s*"
    r"(?=^(?:q(?:uestion)?|问题?|問題?)\s*\d*\s*[:：.、]|\Z)",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
_QUESTION = frozenset({"question", "q", "问题", "問題", "标准问题", "標準問題", "问", "問"})
_ANSWER = frozenset({"answer", "a", "答案", "回答", "答", "标准答案", "標準答案"})
_REF = ("ref", "id", "编号", "編號")


Count = Callable[[str], int]
"""How many tokens a text takes."""


@dataclass(frozen=True)
class Draft:
    """A chunk that is not stored yet.

    `text` is what is shown, `question` that of an FAQ pair or "", `heading` the path above it (a table's title is its
    last part), `source` where in the document it stands: `page 3`, `sheet Fees, row 12`, else the path.
    """

    ref: str
    heading: str
    text: str
    question: str
    language: Language
    source: str = ""


def chunk(blocks: Sequence[Block], count: Count = tokens_of, window: int = WHOLE_TOKENS) -> list[Draft]:
    """The chunks of a document in reading order, at least one.

    A table with a question and an answer column gives one chunk a pair; any other table one chunk a row, with its
    header in it. A heading that asks ("How do I …?") and its section are a pair, too, and so are `Q: … A: …`. Other
    sections stay whole up to `window` tokens together with the headings above them, by `count` (an estimate unless a
    model's own is given); longer ones go in windows that end at sentence ends and overlap by about `OVERLAP`. `ref` is
    the table's own, else the last heading, else the chunk's number. Raises `Unreadable` when nothing is left, or a pair
    lacks its half.
    """
    cut = _Cutter(count, window)
    drafts = [draft for path, section in _sections(blocks) for draft in cut.section(path, section)]
    if not drafts:
        raise Unreadable("headings_only")
    return [
        Draft(
            draft.ref or str(number),
            draft.heading,
            draft.text,
            draft.question,
            language_of(draft.question + draft.text),
            draft.source or draft.heading,
        )
        for number, draft in enumerate(drafts, 1)
    ]


@dataclass(frozen=True)
class _Piece:
    text: str
    question: str = ""
    ref: str = ""
    heading: str = ""
    source: str = ""


def _sections(blocks: Sequence[Block]) -> Iterator[tuple[tuple[str, ...], list[Paragraph | Table]]]:
    """Each run of text with the headings above it."""
    path: list[Heading] = []
    for is_heading, run in groupby(blocks, key=lambda block: isinstance(block, Heading)):
        if is_heading:
            for heading in run:
                assert isinstance(heading, Heading)
                path = [above for above in path if above.level < heading.level] + [heading]
        else:
            yield tuple(heading.text for heading in path), [block for block in run if not isinstance(block, Heading)]


@dataclass(frozen=True)
class _Cutter:
    count: Count
    window: int

    def section(self, path: tuple[str, ...], blocks: list[Paragraph | Table]) -> Iterator[_Piece]:
        """The pieces of what stands under one path of headings."""
        asks = bool(path) and path[-1].endswith(("?", "？"))
        caption = ""
        for is_table, run in groupby(blocks, key=lambda block: isinstance(block, Table)):
            if is_table:
                for table in run:
                    assert isinstance(table, Table)
                    yield from self._table(path, table, caption)
                    caption = ""
                continue
            texts = [block for block in run if isinstance(block, Paragraph)]
            caption = _caption(texts[-1].text)
            yield from self._text(path, texts, asks)

    def _text(self, path: tuple[str, ...], texts: Sequence[Paragraph], asks: bool) -> Iterator[_Piece]:
        text = "\n".join(one.text for one in texts)
        above = HEADING_SEPARATOR.join(path[:-1] if asks else path)
        ref = path[-1] if path else ""
        start = 0
        for pair in () if asks else _PAIR.finditer(text):
            yield from self._windows(text, start, pair.start(), texts, _Piece("", "", ref, above))
            yield _Piece(pair["answer"].strip(), pair["question"].strip(), ref, above, _place(texts, pair.start()))
            start = pair.end()
        question = path[-1] if asks else ""
        yield from self._windows(text, start, len(text), texts, _Piece("", question, ref, above))

    def _table(self, path: tuple[str, ...], table: Table, caption: str) -> Iterator[_Piece]:
        title = table.title or caption
        heading = HEADING_SEPARATOR.join((*path, title) if title and title not in path else path)
        anchor = path[-1] if path else title
        names = [name.strip().lower() for name in table.header]
        question = next((i for i, name in enumerate(names) if name in _QUESTION), None)
        answer = next((i for i, name in enumerate(names) if name in _ANSWER), None)
        ref = next((names.index(name) for name in _REF if name in names), None)
        for place, row in enumerate(table.rows):
            source = f"{table.source}, row {table.number(place)}".removeprefix(", ")
            reference = row[ref] if ref is not None else anchor
            if question is None or answer is None:
                for text in self._row(table.header, row, heading):
                    yield _Piece(text, "", reference, heading, source)
            elif row[question] and row[answer]:
                yield _Piece(row[answer], row[question], reference, heading, source)
            else:
                raise Unreadable("half_pair", table.number(place))

    def _row(self, header: Sequence[str], row: Sequence[str], heading: str) -> Iterator[str]:
        """A row as one text; in several that begin with its first cell when it is too long for one."""
        whole = row_text(header, row)
        most = self._room(heading)
        if len(row) < 3 or self.count(whole) <= most:
            yield whole
            return
        first, end = 1, 1
        costs = [self.count(f"{name}: {cell};") for name, cell in zip(header, row, strict=True)]
        while first < len(row):
            told, end = costs[0], first
            while end < len(row) and (end == first or told + costs[end] <= most):
                told += costs[end]
                end += 1
            if any(row[first:end]):
                yield row_text((header[0], *header[first:end]), (row[0], *row[first:end]))
            first = end

    def _room(self, led: str) -> int:
        """Tokens that are left for a text led by headings or a question; headings may take half."""
        return self.window - min(self.count(led) + _SPARE_TOKENS, self.window // 2)

    def _windows(self, text: str, start: int, end: int, texts: Sequence[Paragraph], like: _Piece) -> Iterator[_Piece]:
        """That stretch itself when short, else windows of whole sentences; a sentence longer than a window is cut."""
        stretch = text[start:end]
        if not stretch.strip():
            return
        most = self._room(like.question or like.heading)

        def piece(first: int, last: int) -> _Piece:
            own = stretch[first:last].strip()
            return _Piece(own, like.question, like.ref, like.heading, _place(texts, start + first))

        if self.count(stretch) <= most:
            yield piece(0, len(stretch))
            return
        spans = [part for span in _spans(stretch) for part in self._parts(stretch, *span, most)]
        costs = [self.count(stretch[a:b]) + 1 for a, b in spans]
        first = 0
        while first < len(spans):
            last, told = first, costs[first]
            while last + 1 < len(spans) and told + costs[last + 1] <= most:
                last += 1
                told += costs[last]
            while last > first and self.count(stretch[spans[first][0] : spans[last][1]]) > most:
                last -= 1
            yield piece(spans[first][0], spans[last][1])
            if last + 1 == len(spans):
                return
            following, shared = last + 1, 0
            while following - 1 > first and shared + costs[following - 1] <= most * OVERLAP:
                following -= 1
                shared += costs[following]
            first = following

    def _parts(self, text: str, start: int, end: int, most: int) -> Iterator[tuple[int, int]]:
        """A sentence, halved until it fits into a window."""
        if end - start < 2 or self.count(text[start:end]) < most:
            yield start, end
            return
        middle = (start + end) // 2
        cut = text.rfind(" ", start, middle) + 1 or middle
        cut = cut if start < cut else middle
        yield from self._parts(text, start, cut, most)
        yield from self._parts(text, cut, end, most)


def _caption(text: str) -> str:
    """The paragraph before a table, when it reads like the table's title."""
    last = text.rsplit("\n", 1)[-1].strip()
    return last.rstrip(":：") if len(last) <= _LONGEST_CAPTION and _CAPTION.match(last) else ""


def _place(texts: Sequence[Paragraph], offset: int) -> str:
    """The source of the paragraph that holds an offset of the texts joined by line ends."""
    for one in texts:
        offset -= len(one.text) + 1
        if offset < 0:
            return one.source
    return texts[-1].source


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Sentences, stretch by stretch: a line of megabytes would take them too long at once."""
    start = 0
    while start < len(text):
        end = min(start + _LONGEST_STRETCH, len(text))
        if end < len(text):
            cut = max(text.rfind(mark, start + _LONGEST_STRETCH // 2, end) for mark in ("\n", "。", ". ", " "))
            end = cut + 1 if cut > 0 else end
        yield from ((start + a, start + b) for a, b in sentence_spans(text[start:end]))
        start = end


def row_text(header: Sequence[str], row: Sequence[str]) -> str:
    """A table row that can be read alone: `Region: Tibet; Fee: 20`, in the language's own punctuation."""
    chinese = language_of("".join((*header, *row))) == "zh"
    colon, semicolon = ("：", "；") if chinese else (": ", "; ")
    return semicolon.join(
        f"{name}{colon}{cell}" if name else cell for name, cell in zip(header, row, strict=True) if cell
    )
