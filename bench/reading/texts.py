"""Questions to invented shops with the sentences that answer them, and customers' typing errors. Knows no model.

A file's shops begin with `## name`. `= title | sentence || sentence` is a passage; `+2 question / question` are
questions that its second sentence answers, `- question / question` some that nothing in the shop answers.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pypinyin import lazy_pinyin

HERE = Path(__file__).resolve().parent
FILES = ("shops_zh.txt", "shops_en.txt", "shops_more_zh.txt", "shops_more_en.txt")
_WORD = re.compile(r"[A-Za-z]{4,}")


@dataclass(frozen=True)
class Unit:
    """A sentence of a shop with the title and the number of its passage."""

    title: str
    text: str
    passage: int


@dataclass(frozen=True)
class Question:
    """A question with the position of the sentence that answers (-1: none), its passage, and what was said before."""

    text: str
    right: int
    passage: int
    before: str = ""


@dataclass(frozen=True)
class Shop:
    """Its sentences, and what customers ask of it."""

    name: str
    units: tuple[Unit, ...]
    questions: tuple["Question", ...]


def shops() -> Iterator[Shop]:
    """All shops of all files. Raises ValueError at a line that is none of the kinds above."""
    for name in FILES:
        for block in (HERE / name).read_text(encoding="utf-8").split("## ")[1:]:
            yield _shop(block)


def _shop(block: str) -> Shop:
    head, *lines = block.strip().splitlines()
    units: list[Unit] = []
    questions: list[Question] = []
    passage, first = -1, 0
    for line in lines:
        if line.startswith("= "):
            title, text = line[2:].split(" | ", 1)
            passage, first = passage + 1, len(units)
            units += [Unit(title.strip(), sentence.strip(), passage) for sentence in text.split("||")]
        elif asked := re.match(r"(?:[+~](\d)|-) (?:(.+) \|\| )?(.+)", line):
            right = first + int(asked[1]) - 1 if asked[1] else -1
            said = asked[2] or ""
            questions += [Question(question.strip(), right, passage, said) for question in asked[3].split(" / ")]
        else:
            raise ValueError(line)
    return Shop(head, tuple(units), tuple(questions))


class Typist:
    """Makes the errors that customers make: homophones in Chinese, slips of letters in English."""

    def __init__(self, letters: str) -> None:
        """`letters` is text whose characters stand in for each other when they sound alike."""
        self._alike: dict[str, list[str]] = {}
        for letter in sorted({one for one in letters if "\u4e00" <= one <= "\u9fff"}):
            self._alike.setdefault(lazy_pinyin(letter)[0], []).append(letter)

    def mistype(self, text: str, dice: random.Random) -> str:
        """The text with one or two errors, if it has a place for one."""
        for _ in range(dice.randint(1, 2)):
            han = [i for i, letter in enumerate(text) if "\u4e00" <= letter <= "\u9fff"]
            words = [(word.start(), word[0]) for word in _WORD.finditer(text)]
            if len(han) > len(words) * 2:
                place = dice.choice(han)
                alike = [one for one in self._alike.get(lazy_pinyin(text[place])[0], ()) if one != text[place]]
                if alike:
                    text = text[:place] + dice.choice(alike) + text[place + 1 :]
            elif words:
                start, word = dice.choice(words)
                text = text[:start] + self._slip(word, dice) + text[start + len(word) :]
        return text

    def _slip(self, word: str, dice: random.Random) -> str:
        place = dice.randrange(1, len(word) - 1)
        left, here, right = word[:place], word[place], word[place + 1 :]
        return dice.choice((left + right, left + here + here + right, left + right[0] + here + right[1:]))
