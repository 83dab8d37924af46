"""The flight simulator: what a list that is not live yet would do to texts that were written. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace

import rjieba

from guardrails.lexicon.matching import Hit, Lexicon
from guardrails.lexicon.words import LEVELS, Level, WordList
from guardrails.normalizer import CJK, Transforms

_SHOWN = 20


@dataclass(frozen=True)
class Collision:
    """A word that was found across the borders of other words: `phrase` is what stood there, borders marked by |."""

    word: str
    phrase: str
    texts: int


@dataclass
class Simulated:
    """What the words of one level do: in how many texts each is found, where by accident, and what to allow."""

    level: Level
    words: int
    texts: int
    hits: int = 0
    hit_rate: float = 0.0
    worst: list[tuple[str, int]] = field(default_factory=list)
    collisions: list[Collision] = field(default_factory=list)
    allow: list[str] = field(default_factory=list)


@dataclass
class Added:
    """The texts in which something is found only because of one transform, and what it was read from."""

    transform: str
    texts: int
    found: list[tuple[str, str]]


def simulate(
    new: WordList, texts: Iterable[str], beside: Sequence[WordList] = ()
) -> tuple[list[Simulated], list[Added]]:
    """Return what `new` would do to `texts`, by level, and what each of its transforms adds.

    beside: the live lists; their allowed phrases excuse words of the new one, their words are not counted.
    """
    allow = tuple(dict.fromkeys(phrase for each in (*beside, new) for phrase in each.allow))
    lexicon = Lexicon.of([replace(new, allow=allow)])
    found: list[tuple[str, tuple[Hit, ...]]] = []
    number = 0
    for text in texts:
        number += 1
        if hits := lexicon.match(text):
            found.append((text, hits))
    levels = [_level(level, new, number, found) for level in LEVELS]
    return levels, _added(replace(new, allow=allow), found)


def _level(level: Level, new: WordList, number: int, found: list[tuple[str, tuple[Hit, ...]]]) -> Simulated:
    result = Simulated(level, sum(word.level == level for word in new.words), number)
    words: Counter[str] = Counter()
    accidents: Counter[tuple[str, str]] = Counter()
    for text, hits in found:
        own = {(hit.word, hit.start, hit.end) for hit in hits if hit.level == level}
        if not own:
            continue
        result.hits += 1
        words.update({word for word, _, _ in own})
        accidents.update({(word, phrase) for word, start, end in own if (phrase := _crossed(text, start, end))})
    result.hit_rate = round(result.hits / number, 5) if number else 0.0
    result.worst = words.most_common(_SHOWN)
    result.collisions = [Collision(word, phrase, texts) for (word, phrase), texts in accidents.most_common(_SHOWN)]
    phrases: dict[str, None] = {}
    for (_, phrase), _ in accidents.most_common(5 * _SHOWN):
        phrases.setdefault(phrase.replace("|", ""))
    result.allow = list(phrases)[: 2 * _SHOWN]
    return result


def _crossed(text: str, start: int, end: int) -> str:
    """Return the words that a hit lies across or inside of, "" where its borders are those of words."""
    if all(letter < CJK for letter in text[start:end]):
        return ""
    at, touched = 0, []
    for token in rjieba.cut(text, False):
        if at < end and at + len(token) > start:
            touched.append((at, token))
        at += len(token)
    first, (last, token) = touched[0][0], touched[-1]
    if (first, last + len(token)) == (start, end):
        return ""
    return "|".join(token for _, token in touched)


def _added(new: WordList, found: list[tuple[str, tuple[Hit, ...]]]) -> list[Added]:
    """Look at the texts with hits once more, without one transform at a time; only the words found matter now."""
    seen = {(hit.word, hit.level, hit.category) for _, hits in found for hit in hits}
    words = tuple(word for word in new.words if (word.text, word.level, word.category) in seen)
    results = []
    for transform in fields(Transforms):
        if not asdict(new.transforms)[transform.name]:
            continue
        without = Lexicon.of([replace(new, words=words, transforms=replace(new.transforms, **{transform.name: False}))])
        number, forms = 0, defaultdict[tuple[str, str], int](int)
        for text, hits in found:
            still = {(hit.word, hit.start, hit.end) for hit in without.match(text)}
            lost = {
                (hit.word, text[hit.start : hit.end]) for hit in hits if (hit.word, hit.start, hit.end) not in still
            }
            number += not still
            for each in lost:
                forms[each] += 1
        common = sorted(forms, key=lambda each: -forms[each])[:_SHOWN]
        results.append(Added(transform.name, number, common))
    return results
