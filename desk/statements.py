"""A sentence of a document taken apart, and two of them compared: what they share, what differs, what sets them apart.

Facts, polar ideas and terms are those of grounding, in one notation for both languages; word lists are in radar_words/.
Knows nothing of documents, vectors or findings.
"""

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import rjieba

from guardrails.grounding import wording
from guardrails.grounding.facts import LITERAL, Fact, facts_of, same
from guardrails.grounding.features import Floats
from guardrails.grounding.numerals import digits

NAMES = (
    "cosine", "terms shared", "pairs shared", "specific on both", "specific on one", "subjects differ", "conflicts",
    "kinds in conflict", "facts agreed", "conflict, none agreed", "conflict of days", "facts of one alone",
    "codes differ", "ideas opposed", "negation differs", "opposed and alike", "opposed, no conflict",
    "opposed, specific on one", "cases differ", "case of one alone", "names differ", "name of one alone",
    "exception of one alone", "ideas agreed", "negation alone", "words swapped", "parallel", "swapped in a parallel",
    "topics differ",
    "conflict of a bare number", "several conflict, none agreed", "meanings on both",
    "least share alone", "greatest share alone", "nothing apart", "condition of one alone", "deeds on both", "tiers",
    "narrowed",
)  # fmt: skip

_WORDS = Path(__file__).parent / "radar_words"
_HAN = r"\u3400-\u9fff"
_MEASURES = {
    **{name: ("g", by) for name, by in (("kg", 1e3), ("kilo", 1e3), ("kilogram", 1e3), ("公斤", 1e3), ("千克", 1e3),
                                        ("斤", 500), ("g", 1), ("gram", 1), ("克", 1))},
    **{name: ("ml", by) for name, by in (("l", 1e3), ("litre", 1e3), ("liter", 1e3), ("升", 1e3), ("ml", 1),
                                         ("millilitre", 1), ("milliliter", 1), ("毫升", 1))},
    **{name: ("m", by) for name, by in (("km", 1e3), ("kilometre", 1e3), ("kilometer", 1e3), ("公里", 1e3),
                                        ("千米", 1e3), ("m", 1), ("metre", 1), ("meter", 1), ("米", 1), ("cm", 1e-2),
                                        ("厘米", 1e-2), ("公分", 1e-2), ("mm", 1e-3), ("毫米", 1e-3))},
}  # fmt: skip
_MEASURE = re.compile(
    r"(?<![\d.])(\d+(?:\.\d+)?)[\s-]*("
    + "|".join(rf"{name}s?\b" if name.isascii() else name for name in sorted(_MEASURES, key=len, reverse=True))
    + ")"
)
_RUN = re.compile(rf"[{_HAN}]+|[a-z]+(?:'[a-z]+)?|#")
_PARTICLE = re.compile("[之的起后前内]")  # no part of a name: the dictionary takes 之日起 for one
_CONDITION = re.compile(
    r"时[,，]|的[,，]|(?:以上|以下|不足|未满|超过|满).{1,10}的|^(?:如|若|凭|持|逢|满|经|在.{1,12}[,，])|购物满|期间"
    r"|\b(?:if|when|unless|during|bought|without a)\b"
    r"|^(?:for|in|on|at|after|outside|above|with)\b"
)
_NUMBERED = tuple(
    (name, re.compile(written))
    for name, written in (
        ("*floor", r"(?<![\d.])(\d+) ?(?:楼|层|号楼|号馆|号厅|号店|号线)|\b(?:floor|hall|gate|row|zone) (\d+)\b"
                   r"|\b(\d+)(?:st|nd|rd|th) (?:floor|row)|\b(first|second|third|fourth|fifth|top|ground) floor"),
        ("*party", r"(?<![\d.])(\d+) ?人(?:会议室|间|房|桌|座|套餐|帐|份|床|位)"
                   r"|\bfor (\d+)(?= (?:people|persons|guests|adults|costs?|seats?|is\b|are\b))"),
        ("*sized", r"(?<![\d.])(\d+(?:\.\d+)?) ?(?:公斤|千克|斤|厘米|寸|英寸|升|毫升)(?:级|装)?的(?![^,。]{0,2}重)"
                   r"|\b(?:weighing|of) (\d+(?:\.\d+)?) ?(?:kg|g|l|cm|inch)\b"
                   r"|\b(\d+(?:\.\d+)?)[ -](?:inch|litre|liter)\b"),
    )
)  # fmt: skip
"""Numbers that say which one is spoken of, not how much of it."""

_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_MEANING = re.compile(r"q[a-z]+q")
_NAMING = ("n", "s", "t", "b", "j", "l", "i", "a", "z", "eng", "vn", "f")
"""Chinese parts of speech that can say which one is spoken of; verbs, adverbs, pronouns and numbers do not."""

_MONTH = re.compile(r"(?<![个\d])(1[0-2]|[1-9])\s*月(?:份|底|初)?(?!\s*\d+\s*[日号]|\d|以?内)")
_MONTH_NAMES = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
                "November", "December")  # fmt: skip
_MONTH_NAME = re.compile(rf"(?<!\d )\b({'|'.join(_MONTH_NAMES)})\b(?! \d)")
_PLAINER = (
    ("free of charge", "free"), ("at no charge", "free"), ("not free", "paid"), ("欢迎", "可以"), ("无法", "不能"),
    ("excluded from", "cannot have"), ("refused", "not accepted"), ("declined", "not accepted"), ("拒绝", "不接受"),
    ("offline", "without internet"), ("离线", "没有网络"), ("不受限", "不限"), ("不适合", "不能"), ("不宜", "不能"),
    ("不予", "不"),
)  # fmt: skip
_IN_NUMBERS = tuple(
    (re.compile(written, re.IGNORECASE), plain)
    for written, plain in (
        ("一半", "50%"), ("立即|马上|当场|即时|立刻", "0天"), ("次日|第二天", "1天"),
        (r"\b(?:immediately|at once|on the spot|instantly)\b", "0 days"),
        (r"\b(?:the )?(?:next|following) day\b|\bthe day after\b", "1 day"), (r"\ba dozen\b", "12 pieces"),
        ("一打", "12个"), (r"\bweekly\b", "every 1 week"), (r"\bmonthly\b|\ba month\b", "1 month"),
        (r"\b(?:yearly|annual(?:ly)?|a year)\b", "1 year"), (r"\b(?:half-yearly|every six months)\b", "6 months"),
        ("周岁", "岁"), (r"\b(?:a|per|each|every) day\b", "daily"),
        ("每天|每日", "天天"), ("三磅", "3磅"), ("[两二]磅", "2磅"),
        (r"\bfirst year\b", "first 1 year"), (r"\bfirst month\b", "first 1 month"), ("首年|第一年", "1年"),
        ("每个?月(?!\\d)|按月", "1个月"), ("每年|按年", "1年"), ("每周(?![一二三四五六日天末])", "1周"),
    )
)  # fmt: skip
_ONE_COUNT = dict.fromkeys(("个", "件", "只", "台", "份", "套", "款", "张", "本", "piece", "pc"), "件")
_NO_UNITS = frozenset(("to", "or", "and", "of", "in", "for", "at", "with", "year old", "by", "on", "may", "can", "day"))
_NTH_DAY = re.compile(r"第\s*(\d+)\s*天")
_DAYS = frozenset(("date", "weekday"))
_SCOPES = frozenset(("above", "day"))
"""Ideas that say for whom or when: statements that oppose each other in them speak of different cases."""

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_CENTRE = {True: 0.90, False: 0.95}
"""Cosine of statements about one thing, by whether they are English; Chinese sentences are nearer to each other."""


@dataclass(frozen=True)
class Statement:
    """`context` is what stands above: headings, or the question of an FAQ pair. `words` are the content words in order,
    one for a meaning of alike.txt; `specific` those that are none of these and may say which one is spoken of.
    `deeds` are the rest: verbs, mostly.
    """

    text: str
    context: str
    facts: tuple[Fact, ...]
    words: tuple[str, ...]
    specific: frozenset[str]
    deeds: frozenset[str]
    above: frozenset[str]
    pairs: frozenset[str]
    ideas: dict[str, frozenset[int]]
    negated: bool
    cases: dict[str, frozenset[int]]
    names: frozenset[str]
    codes: frozenset[str]
    conditional: bool
    exceptions: frozenset[int]

    @classmethod
    def of(cls, text: str, context: str = "") -> "Statement":
        """Take a sentence apart."""
        folded, over = wording.fold(text), wording.fold(context)
        plain = _meant(_NUMBER.sub("#", digits(folded)))
        words = tuple(_words(plain))
        facts = facts_of(_measured(_MONTH.sub(" ; ", text)))
        ideas = wording.polarity_of(_plainer(folded)) | _opposites_in(folded)
        if any(fact.kind == "money" for fact in facts):
            ideas.setdefault("fee", frozenset((1,)))
        if any(fact.kind == "duration" for fact in facts):
            ideas.setdefault("lasting", frozenset((-1,)))
        return cls(
            text=text,
            context=context,
            facts=facts,
            words=tuple(word.text for word in words),
            specific=frozenset(word.text for word in words if word.specific),
            deeds=frozenset(word.text for word in words if not word.specific and not _MEANING.fullmatch(word.text)),
            above=frozenset(word.text for word in _words(_meant(digits(over)))),
            pairs=wording.pairs_of(plain),
            ideas=ideas,
            negated=wording.is_negated(folded),
            cases=_cases(f"{over}\n{folded}", f"{context}\n{text}"),
            names=frozenset(
                name
                for name in wording.names_of(text)
                if name not in _meanings().phrases and not _PARTICLE.search(name)
            ),
            codes=frozenset(fact.text for fact in facts_of(f"{context}\n{text}") if fact.kind == "code"),
            conditional=_CONDITION.search(folded) is not None,
            exceptions=frozenset(n for n, pattern in enumerate(_exceptions()) if pattern.search(folded)),
        )


@dataclass(frozen=True)
class Difference:
    """What two statements say differently: values of one kind of fact, or a polar idea (kind `idea`, `negation`)."""

    kind: str
    values: tuple[str, str]


class _Word(NamedTuple):
    text: str
    specific: bool


def conflicts(one: Statement, other: Statement) -> list[tuple[Fact, Fact]]:
    """Pairs of facts of one kind of which neither is in the other statement."""
    alone = [fact for fact in one.facts if not any(same(fact, known) for known in other.facts)]
    against = [fact for fact in other.facts if not any(same(fact, known) for known in one.facts)]
    found = []
    for fact in alone:
        match = next((known for known in against if _comparable(fact, known)), None)
        if match is not None:
            against.remove(match)
            found.append((fact, match))
    return found


def opposed(one: Statement, other: Statement) -> list[str]:
    """Polar ideas of which the statements say opposite things."""
    return [name for name in _against(one, other) if name not in _SCOPES]


def _against(one: Statement, other: Statement) -> list[str]:
    return [name for name, signs in one.ideas.items() if name in other.ideas and not signs & other.ideas[name]]


def _agreed(one: Statement, other: Statement) -> int:
    """Of how many polar ideas both say the same."""
    return sum(bool(signs & other.ideas.get(name, frozenset())) for name, signs in one.ideas.items())


def may_differ(one: Statement, other: Statement) -> bool:
    """Whether there is anything that they could contradict each other in; a "not" in one of two alike is."""
    if opposed(one, other) or conflicts(one, other):
        return True
    shared = len(frozenset(one.words) & frozenset(other.words))
    return one.negated != other.negated and 2 * shared >= min(len(one.words), len(other.words))


def differences(one: Statement, other: Statement) -> list[Difference]:
    """What differs, the facts first, for a manager to read."""
    found = [Difference(a.kind, (told(a), told(b))) for a, b in conflicts(one, other)]
    found += [
        Difference("idea", (f"{name}: {_signs(one.ideas[name])}", f"{name}: {_signs(other.ideas[name])}"))
        for name in opposed(one, other)
    ]
    if not found and one.negated != other.negated:
        found.append(Difference("negation", ("not" if one.negated else "", "not" if other.negated else "")))
    return found


def compare(one: Statement, other: Statement, cosine: float) -> Floats:
    """The numbers called `NAMES`; the same for (one, other) and (other, one)."""
    pairs = conflicts(one, other)
    kinds = {a.kind for a, _ in pairs}
    units = {(a.kind, a.unit or b.unit) for a, b in pairs}
    units -= {("count", "")} if len(units) > 1 else set()
    values = kinds - _DAYS
    agreed = sum(fact.kind != "weekday" and any(same(fact, known) for known in other.facts) for fact in one.facts)
    single = max(0, len(one.facts) + len(other.facts) - 2 * len(pairs) - 2 * agreed)
    codes = bool(one.codes and other.codes and one.codes != other.codes)
    against = len(opposed(one, other))
    terms, others = frozenset(one.words), frozenset(other.words)
    shared = len(terms & others) / max(1, len(terms | others))
    alike = 2 * len(one.pairs & other.pairs) / max(1, len(one.pairs) + len(other.pairs))
    left, right = _alone(one.specific, others | other.above), _alone(other.specific, terms | one.above)
    apart, case_alone = _apart(one.cases, other.cases)
    apart += len(_SCOPES & set(_against(one, other)))
    names_left, names_right = one.names - other.names, other.names - one.names
    swapped, parallel = _swapped(one, other)
    first, second = _alone(one.above, others | other.above), _alone(other.above, terms | one.above)
    topics = 2 * min(first, second) / (len(one.above) + len(other.above)) if one.above and other.above else 0.0
    one_thing = not (left or right or apart or case_alone or names_left or names_right or swapped or topics)
    shares = sorted((left / max(1, len(terms)), right / max(1, len(others))))
    numbers = (
        (cosine - _CENTRE[one.text.isascii()]) * 20, shared, alike * (not one_thing), min(left, right, 3),
        min(abs(left - right), 3),
        _subjects_differ(one, other), min(len(pairs), 2), min(len(kinds), 3), min(agreed, 2) * (not pairs),
        bool(values) and not agreed, bool(kinds & _DAYS), min(single, 3), codes, min(against, 2),
        one.negated != other.negated, min(against, 2) * alike, against > 0 and not pairs,
        (against > 0 and not pairs) * min(abs(left - right) + case_alone, 3), min(apart, 2), min(case_alone, 2),
        bool(names_left and names_right), bool(names_left) != bool(names_right),
        min(len(one.exceptions ^ other.exceptions), 2), min(_agreed(one, other), 2),
        one.negated != other.negated and not against and not pairs, min(swapped, 3),
        parallel * (not one_thing),
        parallel * (swapped > 0), topics,
        any(a.kind == "count" and not a.unit for a, _ in pairs), len(units) > 1 and not agreed,
        min(len(terms - one.specific - others - other.above), len(others - other.specific - terms - one.above), 3),
        *shares, one_thing, one.conditional != other.conditional,
        min(_alone(one.deeds, others | other.above), _alone(other.deeds, terms | one.above), 3), _are_tiers(pairs),
        min(_narrowed(one, other) + _narrowed(other, one), 2),
    )  # fmt: skip
    return np.array(numbers, np.float64)


def told(fact: Fact) -> str:
    """A fact as a person would write it: `30 days`, `12 CNY`, `18:00`."""
    if fact.text:
        return fact.text
    value = fact.values[0]
    if fact.kind == "duration":
        days = value / 1440
        for name, size in (("years", 365), ("months", 30), ("days", 1), ("hours", 1 / 24)):
            if days >= size * (1.5 if name == "months" else 1) and not days / size % 0.5:
                return f"{days / size:g} {name}"
        return f"{value:g} minutes"
    if fact.kind == "percent":
        return " / ".join(f"{one:g} %" for one in fact.values)
    if fact.kind == "clock":
        return " / ".join(f"{int(one) // 60 % 24}:{int(one) % 60:02}" for one in fact.values)
    if fact.kind == "date":
        return f"{int(value) % 100} {_MONTH_NAMES[(int(value) // 100 - 1) % 12]}"
    return _WEEKDAYS[int(value)] if fact.kind == "weekday" else f"{value:g} {fact.unit}".strip()


def _comparable(one: Fact, other: Fact) -> bool:
    if one.kind != other.kind or one.kind in LITERAL:
        return False
    units = ["" if fact.unit in _NO_UNITS else _ONE_COUNT.get(fact.unit, fact.unit) for fact in (one, other)]
    return units[0] == units[1] or (one.kind == "count" and "" in units)


def _signs(signs: frozenset[int]) -> str:
    return "/".join("yes" if sign > 0 else "no" for sign in sorted(signs, reverse=True))


def _alone(words: frozenset[str], known: frozenset[str]) -> int:
    """How many of the words are not known; a Chinese one is known by one of its characters: 运费 by 邮费."""
    characters = {character for one in known if not one.isascii() for character in one}
    return sum(word.isascii() or characters.isdisjoint(word) for word in words - known)


def _apart(one: dict[str, frozenset[int]], other: dict[str, frozenset[int]]) -> tuple[int, int]:
    """In how many ways they name different cases, and in how many one alone names a case."""
    alone = sum(name in _narrowing() for name in one.keys() ^ other.keys())
    return sum(not one[name] & other[name] for name in one.keys() & other.keys()), alone


def _are_tiers(pairs: Sequence[tuple[Fact, Fact]]) -> bool:
    """Whether one statement has more of everything: "spend 50, save 5" and "spend 100, save 15"."""
    more = {a.values[0] > b.values[0] for a, b in pairs if a.values and b.values}
    return len(pairs) > 1 and len(more) == 1


def _narrowed(one: Statement, other: Statement) -> int:
    """How many words of both stand after one, in `one`, that may say which and that `other` has not: wedding cakes."""
    known = frozenset(other.words) | other.above
    return sum(
        after in other.words and before in one.specific and bool(_alone(frozenset((before,)), known))
        for before, after in pairwise(one.words)
    )


def _subjects_differ(one: Statement, other: Statement) -> bool:
    """Whether each begins with a word that the other has not."""
    first, second = frozenset(one.words[:1]), frozenset(other.words[:1])
    return bool(_alone(first, frozenset(other.words)) and _alone(second, frozenset(one.words)))


def _swapped(one: Statement, other: Statement) -> tuple[int, float]:
    """In how many places a specific word stands where the other has another, and how parallel the two are (0 to 1)."""
    matcher = SequenceMatcher(None, one.words, other.words, autojunk=False)
    swaps = sum(
        code == "replace"
        and _is_specific(one.words[a:b], one.specific)
        and _is_specific(other.words[c:d], other.specific)
        for code, a, b, c, d in matcher.get_opcodes()
    )
    return swaps, matcher.ratio()


def _is_specific(words: Sequence[str], specific: frozenset[str]) -> bool:
    return any(word in specific for word in words)


def _opposites_in(folded: str) -> dict[str, frozenset[int]]:
    """As wording.polarity_of, of the ideas of opposites.txt; what says the opposite counts first."""
    found = {}
    for name, says, opposes in _opposites():
        if opposes.search(folded):
            found[name] = frozenset((-1,))
        elif says.search(folded):
            found[name] = frozenset((1,))
    return found


def _plainer(folded: str) -> str:
    """The text with words that the polar ideas know in the place of some that they do not."""
    for written, plain in _PLAINER:
        folded = folded.replace(written, plain)
    return folded


def _measured(text: str) -> str:
    """Numbers as digits; weights in g, volumes in ml, lengths in m."""

    def replaced(match: re.Match[str]) -> str:
        unit, factor = _MEASURES[match[2] if match[2] in _MEASURES else match[2].removesuffix("s")]
        return f"{float(match[1]) * factor:.12g} {unit} "

    for written, plain in _IN_NUMBERS:
        text = written.sub(plain, text)
    return _MEASURE.sub(replaced, _NTH_DAY.sub(r" \1天", digits(text)))


def _cases(folded: str, text: str) -> dict[str, frozenset[int]]:
    found = {}
    for name, patterns in _case_rows():
        if values := frozenset(number for number, pattern in enumerate(patterns) if pattern.search(folded)):
            found[name] = values
    written = digits(folded)
    for name, pattern in _NUMBERED:
        if which := frozenset(zlib.crc32(match[match.lastindex or 0].encode()) for match in pattern.finditer(written)):
            found[name] = which
    months = {int(match[1]) for match in _MONTH.finditer(text)}
    months |= {_MONTH_NAMES.index(match[1]) + 1 for match in _MONTH_NAME.finditer(text)}
    return found | ({"month": frozenset(months)} if months else {})


def _words(plain: str) -> Iterator[_Word]:
    """The content words of a text that `_meant` was made of, in order."""
    names = _meanings().words
    for run in _RUN.findall(plain):
        if _MEANING.fullmatch(run):
            yield _Word(run, False)
            continue
        known = wording.terms_of(run)
        for word, tag in ((stem, "eng") for stem in known) if run.isascii() else rjieba.tag(run):
            if word in known and (meaning := names.get(word, word)):
                yield _Word(meaning, meaning == word and tag.startswith(_NAMING))


def _meant(folded: str) -> str:
    """The text with a word of its own for each of the phrases of alike.txt, without those that say nothing."""
    meanings = _meanings()
    return meanings.pattern.sub(lambda match: f" {meanings.phrases[match[0].replace('-', ' ')]} ", folded)


class _Meanings(NamedTuple):
    """`pattern` finds the `phrases`: several words, or a Chinese word of more than one character. The `words` are
    English stems and Chinese words as they are cut out of a text. Each has its meaning, "" for none.
    """

    pattern: re.Pattern[str]
    phrases: dict[str, str]
    words: dict[str, str]


@cache
def _meanings() -> _Meanings:
    phrases: dict[str, str] = {}
    stems: dict[str, str] = {}
    for line in _lines("alike.txt"):
        name, words = line.split(" | ")
        meaning = "" if name == "-" else "q" + name.replace("_", "") + "q"
        for word in words.split():
            if word.isalpha() and word.isascii():
                stems.update({stem: meaning for stem in wording.terms_of(word) if stem not in stems})
            elif len(word) == 1:
                stems.setdefault(word, meaning)
            else:
                phrases.setdefault(re.sub("[_-]", " ", word), meaning)
    ordered = sorted(phrases, key=len, reverse=True)
    latin = "|".join(phrase.replace(" ", "[ -]") for phrase in ordered if phrase.isascii())
    han = "|".join(phrase for phrase in ordered if not phrase.isascii())
    return _Meanings(re.compile(rf"\b(?:{latin})\b|(?:{han})"), phrases, stems)


@cache
def _case_rows() -> tuple[tuple[str, tuple[re.Pattern[str], ...]], ...]:
    rows = [line.split(" | ") for line in _lines("apart.txt")]
    return tuple((name, tuple(re.compile(value.strip()) for value in values)) for name, *values in rows)


@cache
def _narrowing() -> frozenset[str]:
    """The rows of which a value that one statement alone names makes it one about fewer cases."""
    return frozenset(name for name, _ in (*_case_rows(), *_NUMBERED) if name.startswith("*"))


@cache
def _opposites() -> tuple[tuple[str, re.Pattern[str], re.Pattern[str]], ...]:
    rows = [line.split("\t") for line in _lines("opposites.txt")]
    return tuple((name, re.compile(says), re.compile(opposes)) for name, says, opposes in rows)


@cache
def _exceptions() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(line) for line in _lines("exceptions.txt"))


def _lines(name: str) -> list[str]:
    lines = (_WORDS / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]
