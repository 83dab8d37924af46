"""What characters look like, are made of and sound like: the tables beside, read once. Pure; knows no word."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

TABLES = Path(__file__).parent / "tables"

_RADICALS = {
    "氵": "水", "扌": "手", "亻": "人", "忄": "心", "讠": "言", "钅": "金", "饣": "食", "纟": "糸", "犭": "犬",
    "衤": "衣", "礻": "示", "刂": "刀", "灬": "火", "艹": "艸", "攵": "攴", "冫": "冰", "辶": "辵", "罒": "网",
    "囗": "口",
}  # fmt: skip
_LEFT = {"王": "玉", "月": "肉", "阝": "阜"}
_RIGHT = {"阝": "邑"}
_LATIN = re.compile(
    r"(?:LATIN (?:SMALL LETTER|CAPITAL LETTER|LETTER SMALL CAPITAL|SMALL LETTER CAPITAL)"
    r"|(?:NEGATIVE |CROSSED NEGATIVE )?(?:SQUARED|CIRCLED) LATIN CAPITAL LETTER"
    r"|REGIONAL INDICATOR SYMBOL LETTER)"
    r" (?:[A-Z]+ )?([A-Z])(?: WITH .*)?"
)


class _Lookalikes(dict[str, str]):
    """By character, what it is read as; those that their Unicode name explains are found when first asked for."""

    def get(self, character: str, default: str = "") -> str:  # type: ignore[override]
        """Return what `character` is read as, or `default`."""
        if character not in self and (named := _LATIN.fullmatch(unicodedata.name(character, ""))):
            self[character] = named[1].lower()
        return super().get(character, default)


@lru_cache(maxsize=1)
def lookalikes() -> _Lookalikes:
    """Return the letter or sign that each look-alike stands for."""
    return _Lookalikes({each: row[0] for row in _rows("lookalikes.txt") for each in row[1]})


@lru_cache(maxsize=1)
def parts() -> Mapping[str, tuple[str, ...]]:
    """Return, by character, the sequences of parts that are written for it, with radicals in both their forms."""
    return {
        row[0]: tuple(dict.fromkeys(form for each in row[1:] for form in _forms(each))) for row in _rows("split.txt")
    }


@lru_cache(maxsize=1)
def syllables() -> Mapping[str, tuple[str, ...]]:
    """Return, by Chinese character, its toneless pinyin, the usual reading first."""
    table: dict[str, tuple[str, ...]] = {}
    rows = [line.split("\t") for line in _lines("pinyin.txt")]
    for column in (1, 2):
        for row in rows:
            for character in row[column] if len(row) > column else "":
                table[character] = (*table.get(character, ()), row[0])
    return table


def _forms(sequence: str) -> Iterator[str]:
    for each in (sequence, "辶" + sequence[:-1]) if sequence[-1] == "辶" else (sequence,):
        yield each
        first, last = _LEFT.get(each[0], each[0]), _RIGHT.get(each[-1], each[-1])
        for form in (each, f"{first}{each[1:-1]}{last}"):
            yield "".join(_RADICALS.get(part, part) for part in form)


def _rows(name: str) -> Iterator[list[str]]:
    return (line.split() for line in _lines(name))


def _lines(name: str) -> list[str]:
    text = (TABLES / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]
