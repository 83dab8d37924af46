"""Reads .md and .txt."""

import re

from knowledge.blocks import Block, Paragraph
from knowledge.readers.markdown import blocks_of_markdown
from knowledge.readers.text import decode

_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)


def read_markdown(data: bytes) -> tuple[Block, ...]:
    """The blocks of a Markdown file; front matter is left out. Raises `Unreadable`."""
    return blocks_of_markdown(_FRONT_MATTER.sub("", decode(data), count=1))


def read_text(data: bytes) -> tuple[Block, ...]:
    """The paragraphs of a text file, which blank lines part. Raises `Unreadable`."""
    return tuple(Paragraph(part.strip()) for part in re.split(r"\n[ \t]*\n", decode(data)) if part.strip())
