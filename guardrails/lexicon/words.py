"""Words, lists of words and the files that they are written in. Pure; knows nothing of matching."""

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final, Literal, TextIO, cast, get_args

import orjson

from guardrails.normalizer import ALL, Transforms

Level = Literal["block", "review", "count"]
LEVELS: Final = get_args(Level)
SHIPPED: Final = Path(__file__).parents[1] / "wordlists"
SHIPPED_NAME: Final = "kefu"
IMPORTED: Final = Transforms(split=False, homophones=False, pinyin=False)
"""What a new list sees through unless told otherwise: the other three are for lists that were triaged by hand."""
MOST_LINE: Final = 65_536
MOST_CHARACTERS: Final = 64 * 2**20
"""Of a list that is read, unpacked."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word or phrase, what its appearance means, and the list that it comes from."""

    text: str
    level: Level
    category: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class WordList:
    """Words with the phrases that excuse them, and the evasions that are seen through for these words."""

    name: str
    words: tuple[Word, ...]
    allow: tuple[str, ...] = ()
    transforms: Transforms = ALL


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a list as it was written; level and category are None where the line names none."""

    number: int
    text: str
    level: str | None = None
    category: str | None = None


def shipped() -> WordList:
    """Return the list that comes with the project. Raises OSError and ValueError, as `read_tables`."""
    words, allow = read_tables([SHIPPED])
    first = {word.text: Word(word.text, word.level, word.category, SHIPPED_NAME) for word in reversed(words)}
    return WordList(SHIPPED_NAME, tuple(reversed(first.values())), allow)


def read_tables(paths: Iterable[Path]) -> tuple[tuple[Word, ...], tuple[str, ...]]:
    """Read UTF-8 lists of `word<TAB>level<TAB>category`, where the level may be `allow`; `#` begins a comment line.

    (a|b) in a word stands for either, so that a line may be many words.
    A folder stands for the `.tsv` files in it. Raises OSError, and ValueError that names file and line.
    """
    words: list[Word] = []
    allow: list[str] = []
    for path in paths:
        for file in sorted(path.glob("*.tsv")) if path.is_dir() else (path,):
            for text, level, category in _rows(file):
                if level == "allow":
                    allow.append(text)
                else:
                    words.append(Word(text, level, category, file.stem))
    return tuple(words), tuple(allow)


def read_lines(path: Path) -> Iterator[Line]:
    """Yield the lines of a list: a word each, or `{"word", "category"?, "level"?}`, or a table; `.gz` too.

    Blank lines and comments are left out. Raises OSError, and ValueError for a file that is not UTF-8 or JSON that
    holds no word; for a line or, unpacked, a file beyond all bounds as well.
    """
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig") as lines:
        for number, line in _bounded(cast(TextIO, lines), path.name):
            if not line or line.startswith("#"):
                continue
            if line.startswith("{"):
                yield _from_json(line, number, path.name)
            else:
                fields = [field.strip() or None for field in line.split("\t")]
                yield Line(number, fields[0] or "", *(fields[1:3]))


def _bounded(lines: TextIO, name: str) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line: a small packed file may hold more than any memory."""
    number = size = 0
    try:
        while raw := lines.readline(MOST_LINE + 1):
            number, size = number + 1, size + len(raw)
            if len(raw) > MOST_LINE:
                raise ValueError(f"{name}, line {number}: longer than {MOST_LINE} characters")
            if size > MOST_CHARACTERS:
                raise ValueError(f"{name}, line {number}: a list has {MOST_CHARACTERS} characters at most")
            yield number, raw.strip()
    except (EOFError, zlib.error):
        raise ValueError(f"{name}, line {number}: a broken .gz file") from None


def _from_json(line: str, number: int, name: str) -> Line:
    try:
        row = orjson.loads(line)
    except ValueError:
        raise ValueError(f"{name}, line {number}: not valid JSON") from None
    fields = [row.get(key) for key in ("word", "level", "category")]
    if not isinstance(fields[0], str) or not all(field is None or isinstance(field, str) for field in fields):
        raise ValueError(f"{name}, line {number}: expected a word, and texts for level and category")
    return Line(number, *fields)


def _rows(path: Path) -> Iterator[tuple[str, Level | Literal["allow"], str]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = [field.strip() for field in line.split("\t")]
        level = next((level for level in (*LEVELS, "allow") if fields[1:2] == [level]), None)
        if len(fields) != 3 or not fields[0] or level is None:
            raise ValueError(f"{path.name}, line {number}: expected word, level ({', '.join(LEVELS)}, allow), category")
        # What stands in brackets is a choice.
        parts = [part.split("|") for part in re.split(r"[()]", fields[0])]
        for choice in product(*parts):
            yield "".join(choice), level, fields[2]
