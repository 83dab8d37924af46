"""Ways to write a word so that a list does not find it; each is what customers have been seen to do. Pure.

Written without sight of the normaliser that is to see through them, and without chance: a run can be repeated.
"""

import base64
import codecs
from collections.abc import Callable

import opencc

Disguise = Callable[[str], str]

_LEET = str.maketrans("aeiost", "4310$7")
_CYRILLIC = str.maketrans("aceopx", "асеорх")
_CIRCLED = {chr(ord("a") + n): chr(0x24D0 + n) for n in range(26)}


def _traditional(text: str) -> str:
    converted: str = opencc.OpenCC("s2t").convert(text)
    return converted


DISGUISES: dict[str, Disguise] = {
    "plain": lambda text: text,
    "spaced": lambda text: " ".join(text.replace(" ", "")),
    "dotted": lambda text: ".".join(text.replace(" ", "")),
    "starred": lambda text: "*".join(text) if len(text) < 4 else f"{text[:2]}*{text[2:]}",
    "dashed": lambda text: "-".join(text.replace(" ", "")),
    "zero_width": "\u200b".join,
    "soft_hyphen": "\u00ad".join,
    "full_width": lambda text: "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in text),
    "upper": str.upper,
    "mixed_case": lambda text: "".join(one.upper() if n % 2 else one for n, one in enumerate(text)),
    "leet": lambda text: text.translate(_LEET),
    "repeated": lambda text: text[0] + text[1] * 4 + text[2:],
    "cyrillic": lambda text: text.translate(_CYRILLIC),
    "circled": lambda text: "".join(_CIRCLED.get(one, one) for one in text),
    "traditional": _traditional,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "rot13": lambda text: codecs.encode(text, "rot13"),
    "reversed": lambda text: text[::-1],
}
