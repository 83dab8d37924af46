"""Markdown to blocks, as plain text: no marks, links as `text (address)`.

Knows nothing of where the Markdown came from.
"""

from dataclasses import replace

from markdown_it import MarkdownIt
from markdown_it.token import Token

from knowledge.blocks import Block, Heading, Paragraph, Table
from knowledge.readers.table import table_of_rows

_PARSER = MarkdownIt("commonmark", {"html": True}).enable("table")


def blocks_of_markdown(text: str, skipped: int = 0) -> tuple[Block, ...]:
    """The blocks of a Markdown text, their lines counted from `skipped` + 1.

    A list is one paragraph with a line an item; HTML comments and tags are dropped, HTML tables are read. Raises
    `Unreadable`.
    """
    blocks: list[Block] = []
    tokens = _PARSER.parse(text)
    items: list[str] = []
    depth = position = 0
    place = ""
    while position < len(tokens):
        token = tokens[position]
        if token.map and not depth:
            place = f"line {token.map[0] + 1 + skipped}"
        if token.type.endswith("_list_open"):
            depth += 1
        elif token.type.endswith("_list_close"):
            depth -= 1
            if depth == 0 and items:
                blocks.append(Paragraph("\n".join(items), place))
                items = []
        elif token.type == "table_open":
            end = next(i for i in range(position, len(tokens)) if tokens[i].type == "table_close")
            blocks.extend(_table(tokens[position:end], place))
            position = end
        elif token.type == "html_block" and "<table" in token.content.lower():
            blocks.extend(_page(token.content, place))
        elif token.type in {"inline", "fence", "code_block"}:
            plain = _plain(token) if token.type == "inline" else token.content.strip()
            opener = tokens[position - 1] if position else token
            if not plain:
                pass
            elif opener.type == "heading_open":
                blocks.append(Heading(int(opener.tag[1]), " ".join(plain.split()), place))
            elif depth:
                items.append(_bullet(tokens, position) + plain)
            else:
                blocks.append(Paragraph(plain, place))
        position += 1
    return tuple(blocks)


def _bullet(tokens: list[Token], position: int) -> str:
    """`- ` or `2. ` before the first paragraph of an item, nothing before its further ones."""
    if position < 2 or tokens[position - 2].type != "list_item_open":
        return ""
    number = tokens[position - 2].info
    return f"{number}. " if number else "- "


def _plain(token: Token) -> str:
    parts: list[str] = []
    links: list[str] = []
    for child in token.children or []:
        if child.type in {"text", "code_inline", "image"}:
            parts.append(child.content)
        elif child.type in {"softbreak", "hardbreak"} or (
            child.type == "html_inline" and child.content.startswith("<br")
        ):
            parts.append("\n")
        elif child.type == "link_open":
            links.append(str(child.attrGet("href") or ""))
        elif child.type == "link_close":
            address = links.pop()
            if address.startswith(("http://", "https://")) and not "".join(parts).endswith(address):
                parts.append(f" ({address})")
    return "\n".join(line.strip() for line in "".join(parts).splitlines()).strip()


def _table(tokens: list[Token], source: str) -> list[Table]:
    rows: list[list[str]] = []
    for token in tokens:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(" ".join(_plain(token).split()))
    return table_of_rows(rows, source=source)


def _page(html: str, place: str) -> list[Block]:
    from knowledge.readers.page import blocks_of_html  # only a table written in HTML needs it

    return [replace(block, source=place) for block in blocks_of_html(html)]
