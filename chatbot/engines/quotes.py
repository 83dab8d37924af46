"""What can be quoted from a passage, in readable form: sentences, lists with their lead-in, a table's row as one line.

Knows nothing of questions.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.passages import Passage

LONGEST_LIST = 400  # characters; a longer list falls into its items

_MARKER = re.compile(r"^\s*(?:[-*•·●▪]|\d{1,2}[.)、](?=\s|[\u4e00-\u9fff]|$)|[(（]\d{1,2}[)）]|#+)\s*")
_EMPHASIS = re.compile(r"(\*\*|__|`)(?=\S)(.+?)(?<=\S)\1")
_OPEN_END = re.compile(r"[：:；;，,]\s*$")
_STOP = re.compile(r"[。！？!?.…][\"'”’」』）)】]*\s*$")
_CELL = re.compile(r"\s*(?P<name>[^：:；;|]{1,40})[：:](?!//)\s*(?P<value>.+?)\s*")
_EMPTY = frozenset(("-", "–", "—", "/", "无", "n/a", "N/A"))


@dataclass(frozen=True)
class Quote:
    """One sentence, list or row. `sentences` are the positions in the passage of what it is made of, ascending."""

    text: str
    sentences: tuple[int, ...]
    is_row: bool = False


def quotes_of(passage: Passage) -> tuple[Quote, ...]:
    """All that may be quoted, in order; no headings, no questions, and no sentence that the guards did not pass."""
    row = _row(passage)
    if row:
        return (
            (Quote(row, tuple(range(len(passage.sentences))), is_row=True),)
            if all(s.quotable for s in passage.sentences)
            else ()
        )
    titles = {title.strip() for title in (*passage.heading.split(" › "), passage.heading, passage.question)}
    pieces = [
        (position, text)
        for position, sentence in enumerate(passage.sentences)
        if sentence.quotable
        and (text := _clean(sentence.text))
        and text not in titles
        and not text.endswith(("?", "？"))
    ]
    chinese = passage.language == "zh"
    return tuple(
        Quote(_finished("".join(_spaced(run, chinese)), chinese), tuple(position for position, _ in run))
        for run in _runs(pieces, passage)
    )


def _runs(pieces: list[tuple[int, str]], passage: Passage) -> Iterator[list[tuple[int, str]]]:
    """Pieces that stand together: what ends with a colon or semicolon goes on in the next piece."""
    run: list[tuple[int, str]] = []
    for position, text in pieces:
        follows = (
            run and _OPEN_END.search(run[-1][1]) and all(s.quotable for s in passage.sentences[run[-1][0] : position])
        )
        if run and not (follows and sum(len(piece) for _, piece in run) + len(text) <= LONGEST_LIST):
            yield run
            run = []
        run.append((position, text))
    if run:
        yield run


def _spaced(run: list[tuple[int, str]], chinese: bool) -> Iterator[str]:
    for number, (_, text) in enumerate(run):
        yield text if number == 0 or chinese else f" {text}"


def _clean(text: str) -> str:
    """A sentence without list markers and emphasis, on one line."""
    return " ".join(_EMPHASIS.sub(r"\2", _MARKER.sub("", text)).split())


def _finished(text: str, chinese: bool) -> str:
    """A text that ends like a sentence."""
    if _STOP.search(text):
        return text
    return _OPEN_END.sub("", text) + ("。" if chinese else ".")


def _row(passage: Passage) -> str:
    """The passage as a line if it is a table's row: `header: value; header: value`, or a Markdown row; else empty."""
    text = passage.text.strip()
    chinese = passage.language == "zh"
    if "\n" not in text and text.startswith("|") and text.endswith("|"):
        cells = [cell.strip() for cell in text.strip("|").split("|")]
        return _finished(
            ("，" if chinese else ", ").join(cell for cell in cells if cell and cell not in _EMPTY), chinese
        )
    cells = [cell for cell in re.split(r"[；;]\s*", text) if cell.strip()]
    named = [_CELL.fullmatch(cell) for cell in cells]
    if "\n" in text or len(cells) < 2 or not all(named):
        return ""
    kept = [cell for cell, match in zip(cells, named, strict=True) if match and match["value"] not in _EMPTY]
    return _finished(("；" if chinese else "; ").join(kept), chinese)
