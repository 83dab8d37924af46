"""Reads .md and .txt."""

import re
from collections.abc import Iterator

from knowledge.blocks import Block, Paragraph
from knowledge.readers.markdown import blocks_of_markdown
from knowledge.readers.reading import Note
from knowledge.readers.text import decode

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n.*?\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_GAP = re.compile(r"\n[ \t]*\n\s*")


def read_markdown(data: bytes, note: Note) -> tuple[Block, ...]:
    """The blocks of a Markdown file; front matter is left out. Raises `Unreadable`."""
    text = decode(data, note)
    front = _FRONT_MATTER.match(text)
    skipped = front[0].count("\n") if front else 0
    return blocks_of_markdown(text[front.end() :] if front else text, skipped)


def read_text(data: bytes, note: Note) -> tuple[Block, ...]:
    """The paragraphs of a text file, which blank lines part. Raises `Unreadable`."""
    return tuple(_paragraphs(decode(data, note)))


def _paragraphs(text: str) -> Iterator[Paragraph]:
    line, start = 1, 0
    for gap in (*_GAP.finditer(text), None):
        part = text[start : gap.start() if gap else len(text)]
        if part.strip():
            yield Paragraph(part.strip(), f"line {line + len(part[: len(part) - len(part.lstrip())].splitlines())}")
        if gap:
            line += part.count("\n") + gap[0].count("\n")
            start = gap.end()
