"""Writes guardrails/tables/pinyin.txt from pypinyin, whose own tables cost 60 MB: `python -m bench.pinyin_table`."""

from collections import Counter, defaultdict
from pathlib import Path

from pypinyin import Style, lazy_pinyin
from pypinyin.phrases_dict import phrases_dict
from pypinyin.style import convert

TABLE = Path(__file__).parent.parent / "guardrails" / "tables" / "pinyin.txt"
PHRASES = 3
SHARE = 0.1
"""A second reading counts when so many of pypinyin's phrases, and such a share of the character's, have it."""


def main() -> None:
    first, second = defaultdict(list), defaultdict(list)
    usual = {}
    for character in map(chr, range(0x4E00, 0x9FA6)):
        (syllable,) = lazy_pinyin(character, errors="ignore") or ("",)
        if syllable:
            usual[character] = _plain(syllable)
            first[_plain(syllable)].append(character)
    seen = Counter(
        (character, _plain(convert(syllables[0], Style.NORMAL, strict=False)))
        for phrase, readings in phrases_dict.items()
        for character, syllables in zip(phrase, readings, strict=False)
    )
    phrases = Counter[str]()
    for (character, _), number in seen.items():
        phrases[character] += number
    for (character, syllable), number in sorted(seen.items()):
        if number >= max(PHRASES, SHARE * phrases[character]) and usual.get(character, syllable) != syllable:
            second[syllable].append(character)
    lines = ["# Made from pypinyin 0.55.0 (MIT) by bench/pinyin_table.py: syllable, characters, less usual readings."]
    for syllable in sorted({*first, *second}):
        lines.append(f"{syllable}\t{''.join(first[syllable])}\t{''.join(second[syllable])}".rstrip("\t"))
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _plain(syllable: str) -> str:
    return syllable.replace("ü", "v")


if __name__ == "__main__":
    main()
