"""Words that decide what a sentence claims: polar ideas, negation, small talk, deeds, content terms, names. zh and en.

Knows nothing of evidence.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path

import opencc
import rjieba
import Stemmer

_SIMPLIFIED = opencc.OpenCC("t2s")
_HAN = r"\u3400-\u9fff"
_RUN = re.compile(rf"[{_HAN}]+|[a-z]+(?:'[a-z]+)?")
_CITATION = re.compile(r"\s?\[\d{1,3}\]")
_LIST = Path(__file__).parent


def _lines(name: str) -> list[str]:
    lines = (_LIST / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


_STOP = frozenset(word for line in _lines("stopwords.txt") for word in line.split())
_SMALL_TALK = re.compile("|".join(_lines("courtesy.txt")))
_DEED = re.compile("|".join(_lines("deeds.txt")))
_CLAIMLESS = re.compile("|".join(_lines("claimless.txt")))
_BUT = re.compile(r"但|不过|然而|只是|;|\bbut\b|\bhowever\b|\bthough\b|\bstill\b")
_NOT_BEFORE = re.compile(
    r"(?:不|没有?|未|无|勿|别|免|并非|不再|not|n't|never|cannot|without|no)\s*"
    r"(?:be |been |to |得|会|用|需|是|再|能|可|要|必)?\s*$"
)
_CAPITAL = re.compile(r"(?<![.!?:]\s)(?<![.!?:])(?<!^)(?<![A-Za-z'’-])[A-Z][A-Za-z]{2,}(?:'s)?(?![A-Za-z@])")
_CALENDAR = re.compile(
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
    r"|january|february|march|april|may|june|july|august|september|october|november|december"
)
_NAME_TAGS = frozenset(("ns", "nt", "nz"))  # its "nr", persons, are mostly none
_CLAUSE = re.compile(r"[，,；;。！？!?：:（）()\n]+|\s[–—-]\s|\b(?:but|while|whereas|although)\b|但是?|不过|只是")


def fold(text: str) -> str:
    """Half-width, lower case, simplified, straight apostrophes, no citation marks."""
    plain = unicodedata.normalize("NFKC", _CITATION.sub("", text)).encode("utf-8", "replace").decode()
    folded: str = _SIMPLIFIED.convert(plain)
    return folded.lower().replace("’", "'")


@cache
def _english() -> "Stemmer.Stemmer":
    return Stemmer.Stemmer("english")


@lru_cache(maxsize=32768)
def _stem(word: str) -> str:
    stem: str = _english().stemWord(word)
    return stem


def terms_of(folded: str) -> frozenset[str]:
    """The content words of a folded text: Chinese ones of the dictionary, English stems; no numbers, no stop words."""
    found: set[str] = set()
    for run in _RUN.findall(folded):
        if run[0].isascii():
            if run not in _STOP and len(run) > 1:
                found.add(_stem(run))
        else:
            found.update(word for word in rjieba.cut(run) if word not in _STOP)
    return frozenset(found)


def characters_of(folded: str) -> frozenset[str]:
    """Han characters and English stems: a rougher likeness, in which 邮费 and 运费 share one half."""
    return frozenset(
        one for run in _RUN.findall(folded) for one in ([_stem(run)] if run[0].isascii() else run) if one not in _STOP
    )


def pairs_of(folded: str) -> frozenset[str]:
    """Neighbouring Han characters, and neighbouring Latin words: what copying keeps and rewording does not."""
    found: set[str] = set()
    for run in re.findall(rf"[{_HAN}]+|[a-z']+(?: [a-z']+)*", folded):
        parts = run.split() if run[0].isascii() else run
        found.update(a + " " + b if a.isascii() else a + b for a, b in pairwise(parts))
    return frozenset(found)


def names_of(text: str) -> frozenset[str]:
    """Proper names, folded: English words with a capital inside a sentence, Chinese ones that the dictionary knows."""
    found = {match[0].removesuffix("'s").lower() for match in _CAPITAL.finditer(text)}
    found = {name for name in found if not _CALENDAR.fullmatch(name)}
    if not text.isascii():
        found |= {word for word, tag in rjieba.tag(text) if tag in _NAME_TAGS and len(word) > 1 and word != "东西"}
    return frozenset(found)


def clauses_of(folded: str) -> tuple[str, ...]:
    """The parts of a folded sentence between commas and the like."""
    return tuple(part for one in _CLAUSE.split(folded) if (part := one.strip(" .")))


@dataclass(frozen=True, slots=True)
class _Idea:
    name: str
    says: re.Pattern[str]
    opposes: re.Pattern[str]


@cache
def _ideas() -> tuple[_Idea, ...]:
    rows = [line.split("\t") for line in _lines("concepts.txt")]
    return tuple(_Idea(name, re.compile(says), re.compile(opposes)) for name, says, opposes in rows)


def polarity_of(folded: str) -> dict[str, frozenset[int]]:
    """The polar ideas of a folded text: which of +1 and -1 are said of each. A negation before one side turns it."""
    found: dict[str, frozenset[int]] = {}
    for idea in _ideas():
        signs: set[int] = set()
        taken: list[tuple[int, int]] = []
        for sign, pattern in ((-1, idea.opposes), (1, idea.says)):
            for match in pattern.finditer(folded):
                if any(start <= match.start() < end for start, end in taken):
                    continue
                taken.append(match.span())
                turned = _NOT_BEFORE.search(folded, max(0, match.start() - 12), match.start()) is not None
                signs.add(-sign if turned else sign)
        if signs:
            found[idea.name] = frozenset(signs)
    return found


_NEGATION = re.compile(
    r"不(?!仅|但|过|错|同|足|满|超过|少于|客气|好意思)|没有?|未|无(?!线|论)|勿|别(?!的|人|处|墅)|并非|除外"
    r"|\bnot\b|n't\b|\bnever\b|\bcannot\b|\bno\b(?! more than| later than| less than)"
    r"|\bwithout\b|\bneither\b|\bnone\b|\bexcept\b"
)


def is_negated(folded: str) -> bool:
    """Whether a clause has an odd number of negations."""
    return len(_NEGATION.findall(folded)) % 2 == 1


def is_small_talk(folded: str) -> bool:
    """Whether a folded sentence has a phrase of courtesy in it."""
    return _SMALL_TALK.search(folded) is not None


def claims_nothing(folded: str) -> bool:
    """Whether a sentence without facts is courtesy alone, says that something is not known, or asks back."""
    if _CLAIMLESS.search(folded):
        return not _BUT.search(folded)
    return is_small_talk(folded) and len(terms_of(_SMALL_TALK.sub(" ", folded))) <= 3


def claims_a_deed(folded: str) -> bool:
    """Whether the sentence says that something was or is being done for the customer, which no document can say."""
    return _DEED.search(folded) is not None
