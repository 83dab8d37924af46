"""Cuts a document's blocks into chunks that make sense alone. Knows nothing of files, vectors or the database."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from knowledge.blocks import Block, Heading, Paragraph, Table, Unreadable
from knowledge.language import Language, language_of, tokens_of
from knowledge.sentences import sentence_spans

WHOLE_TOKENS = 400  # a section up to this size stays whole: about 600 Chinese characters
OVERLAP = 0.2
HEADING_SEPARATOR = " › "

_QUESTION = frozenset({"question", "q", "问题", "問題", "标准问题", "標準問題", "问", "問"})
_ANSWER = frozenset({"answer", "a", "答案", "回答", "答", "标准答案", "標準答案"})
_REF = ("ref", "id", "编号", "編號")


@dataclass(frozen=True)
class Draft:
    """A chunk that is not stored yet.

    `text` is what is shown, `question` that of an FAQ pair or "", `heading` the path above it.
    """

    ref: str
    heading: str
    text: str
    question: str
    language: Language


def chunk(blocks: Sequence[Block]) -> list[Draft]:
    """The chunks of a document in reading order, at least one.

    A table with a question and an answer column gives one chunk a pair; any other table one chunk a row, with its
    header in it. A heading that asks ("How do I …?") and its section are a pair, too. Other sections stay whole up to
    `WHOLE_TOKENS`, longer ones go in windows that end at sentence ends and overlap by about `OVERLAP`. `ref` is the
    table's own, else the last heading, else the chunk's number. Raises `Unreadable` when nothing is left, or a pair
    lacks its half.
    """
    drafts = [draft for path, section in _sections(blocks) for draft in _section(path, section)]
    if not drafts:
        raise Unreadable("the file holds headings but no text")
    return [
        Draft(
            draft.ref or str(number),
            draft.heading,
            draft.text,
            draft.question,
            language_of(draft.question + draft.text),
        )
        for number, draft in enumerate(drafts, 1)
    ]


@dataclass(frozen=True)
class _Piece:
    text: str
    question: str = ""
    ref: str = ""
    heading: str = ""


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


def _section(path: tuple[str, ...], blocks: list[Paragraph | Table]) -> Iterator[_Piece]:
    asks = bool(path) and path[-1].endswith(("?", "？"))
    for is_table, run in groupby(blocks, key=lambda block: isinstance(block, Table)):
        if is_table:
            for table in run:
                assert isinstance(table, Table)
                yield from _table(path, table)
            continue
        text = "\n".join(block.text for block in run if isinstance(block, Paragraph))
        above = HEADING_SEPARATOR.join(path[:-1] if asks else path)
        for window in _windows(text):
            yield _Piece(window, path[-1] if asks else "", path[-1] if path else "", above)


def _table(path: tuple[str, ...], table: Table) -> Iterator[_Piece]:
    heading, anchor = HEADING_SEPARATOR.join(path), path[-1] if path else ""
    names = [name.strip().lower() for name in table.header]
    question = next((i for i, name in enumerate(names) if name in _QUESTION), None)
    answer = next((i for i, name in enumerate(names) if name in _ANSWER), None)
    ref = next((names.index(name) for name in _REF if name in names), None)
    for number, row in enumerate(table.rows, 2):
        reference = row[ref] if ref is not None else anchor
        if question is None or answer is None:
            yield _Piece(row_text(table.header, row), "", reference, heading)
        elif row[question] and row[answer]:
            yield _Piece(row[answer], row[question], reference, heading)
        else:
            raise Unreadable(f"row {number} has {'a question' if row[question] else 'an answer'} only")


def row_text(header: Sequence[str], row: Sequence[str]) -> str:
    """A table row that can be read alone: `Region: Tibet; Fee: 20`, in the language's own punctuation."""
    chinese = language_of("".join((*header, *row))) == "zh"
    colon, semicolon = ("：", "；") if chinese else (": ", "; ")
    return semicolon.join(
        f"{name}{colon}{cell}" if name else cell for name, cell in zip(header, row, strict=True) if cell
    )


def _windows(text: str) -> Iterator[str]:
    """The text itself when short, else windows of whole sentences.

    A sentence longer than a window is cut.
    """
    if tokens_of(text) <= WHOLE_TOKENS:
        yield text
        return
    spans = [piece for span in sentence_spans(text) for piece in _pieces(text, *span)]
    first = 0
    while first < len(spans):
        last = first
        while last + 1 < len(spans) and tokens_of(text[spans[first][0] : spans[last + 1][1]]) <= WHOLE_TOKENS:
            last += 1
        yield text[spans[first][0] : spans[last][1]]
        if last + 1 == len(spans):
            return
        following, end = last + 1, spans[last][1]
        while following - 1 > first and tokens_of(text[spans[following - 1][0] : end]) <= WHOLE_TOKENS * OVERLAP:
            following -= 1
        first = following


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A sentence, halved until it fits into a window."""
    if tokens_of(text[start:end]) <= WHOLE_TOKENS:
        yield start, end
    else:
        middle = (start + end) // 2
        cut = text.rfind(" ", start, middle) + 1 or middle
        cut = cut if cut > start else middle
        yield from _pieces(text, start, cut)
        yield from _pieces(text, cut, end)
