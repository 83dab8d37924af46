"""The terms that a text is found by: words, Han character bigrams, whole codes. Knows nothing of scores."""

import re
import unicodedata
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import opencc
import rjieba
import Stemmer

from knowledge.language import HAN

if TYPE_CHECKING:
    from Stemmer import Stemmer as EnglishStemmer

_RUN = re.compile(rf"[{HAN}]+|[a-z]+(?:['’][a-z]+)?|\d+(?:[.,:]\d+)*")
_HAN_RUN = re.compile(rf"[{HAN}]+")
_CODE = re.compile(r"(?<![a-z0-9])[a-z][a-z0-9]*(?:[-_/.][a-z0-9]+)*(?![a-z0-9])")
_SPACED_CODE = re.compile(r"(?<![a-z0-9-])([a-z]{1,6}) (\d{2,})(?![a-z0-9])")

_STOP_EN = (
    "a an the of to in on at by for with from and or is are was be been am do does did can could will would shall "
    "should may might i my me mine we us our you your it its this that these those there please hi hello thanks thank "
    "have has had get got if so just any some about as what which i'm i'd i'll i've it's what's that's you're"
)
_STOP_ZH = (
    "的 了 吗 呢 啊 吧 呀 嘛 么 哦 是 在 有 我 我们 你 你们 您 他 她 它 这 那 这个 那个 请 请问 想 想要 要 "
    "可以 能 能不能 会 和 与 或 及 就 都 也 还 什么 哪些 一下 问 知道 告诉 麻烦 谢谢 你好 您好 把 给 让 被 "
    "对 对于 关于 个 需要 如果"
)
STOP = frozenset((*_STOP_EN.split(), *_STOP_ZH.split()))
_SAME = {
    "怎么": "如何",
    "怎样": "如何",
    "怎么样": "如何",
    "怎么办": "如何",
    "咋": "如何",
    "多长时间": "多久",
    "什么时候": "何时",
    "几时": "何时",
}


@cache
def _to_simplified() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


@cache
def _stemmer() -> "EnglishStemmer":
    return Stemmer.Stemmer("english")


@lru_cache(maxsize=65536)
def _stem(word: str) -> str:
    stem: str = _stemmer().stemWord(word)
    return stem


def fold(text: str) -> str:
    """The text as it is compared: half-width, lower case, simplified Chinese."""
    return simplified(unicodedata.normalize("NFKC", text).lower())


def simplified(text: str) -> str:
    """The text with traditional characters simplified, and `?` for lone surrogates."""
    converted: str = _to_simplified().convert(text.encode("utf-8", "replace").decode())
    return converted


def words(folded: str) -> list[str]:
    """The words of a folded text in order: Chinese ones segmented, English ones stemmed, numbers whole."""
    found: list[str] = []
    for run in _RUN.findall(folded):
        if _HAN_RUN.match(run):
            found.extend(_SAME.get(word, word) for word in rjieba.cut(run))
        elif run in STOP:
            found.append(run)
        else:
            found.append(_stem(run.removesuffix("'s").removesuffix("’s")))
    return found


def bigrams(folded: str) -> list[str]:
    """Every two neighbouring Han characters; a character that stands alone is itself."""
    return [run[i : i + 2] for run in _HAN_RUN.findall(folded) for i in range(max(len(run) - 1, 1))]


def codes(folded: str) -> list[str]:
    """Model, order and part numbers without their separators: `PPR-9087` is `ppr9087`."""
    compact = (re.sub(r"[-_/.]", "", code) for code in _CODE.findall(folded) if "://" not in code)
    return [code for code in compact if sum(map(str.isdigit, code)) >= 2]


def search_terms(text: str) -> list[str]:
    """All terms of a raw text, each with its kind before it (`w:`, `b:`, `c:`), so that a word never counts as a bigram
    too.
    """
    folded = fold(text)
    return [
        *(f"w:{word}" for word in words(folded) if word not in STOP),
        *(f"b:{bigram}" for bigram in bigrams(folded) if bigram not in STOP),
        *(f"c:{code}" for code in codes(folded)),
        *(f"c:{letters}{digits}" for letters, digits in _SPACED_CODE.findall(folded)),
    ]


def content_words(text: str) -> list[str]:
    """The words of a raw text that carry its meaning, in order."""
    return [word for word in words(fold(text)) if word not in STOP]
