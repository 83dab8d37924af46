"""The sentiment sets: enough of each label, nothing twice, no phrase both in training and in measuring."""

import json
import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
MEASURING = ROOT / "bench" / "understanding"
TRAINING = ROOT / "understanding" / "data"
LANGUAGES = ("en", "zh")
KINDS_OF = {
    "neutral": {"question", "fact", "request"},
    "positive": {"thanks", "praise", "relief", "mixed", "understatement"},
    "negative": {"complaint", "sarcasm", "polite_negative", "mixed", "understatement"},
}
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def read(folder: Path, language: str) -> list[dict[str, str]]:
    lines = (folder / f"sentiment.{language}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def texts(language: str) -> list[str]:
    return [row["text"] for folder in (MEASURING, TRAINING) for row in read(folder, language)]


def trigrams(text: str) -> set[str]:
    plain = " ".join(text.casefold().split())
    return {plain[i : i + 3] for i in range(max(1, len(plain) - 2))}


def are_alike(one: set[str], other: set[str]) -> bool:
    short, long = sorted((len(one), len(other)))
    return short >= 0.6 * long and len(one & other) >= 0.6 * len(one | other)


def phrases(text: str, language: str) -> set[tuple[str, ...]]:
    """Every five words in a row, or seven Chinese characters, without punctuation."""
    units, size = (re.findall(r"[a-z0-9']+", text.lower()), 5) if language == "en" else (re.findall(r"\w", text), 7)
    return {tuple(units[i : i + size]) for i in range(len(units) - size + 1)}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("folder", "least"), [(MEASURING, 120), (TRAINING, 100)])
def test_every_label_has_enough_messages(folder: Path, least: int, language: str) -> None:
    counts = Counter(row["label"] for row in read(folder, language))
    assert set(counts) == set(KINDS_OF)
    assert min(counts.values()) >= least


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("folder", [MEASURING, TRAINING])
def test_every_label_has_its_kinds_and_no_others(folder: Path, language: str) -> None:
    rows = read(folder, language)
    for label, kinds in KINDS_OF.items():
        assert {row["kind"] for row in rows if row["label"] == label} == kinds
    assert all(list(row) == ["text", "label", "kind"] and row["text"] == row["text"].strip() != "" for row in rows)


@pytest.mark.parametrize("folder", [MEASURING, TRAINING])
def test_messages_are_in_the_language_of_their_file_and_name_nobody(folder: Path) -> None:
    english, chinese = ([row["text"] for row in read(folder, language)] for language in LANGUAGES)
    assert not [text for text in english if CHINESE.search(text)]
    assert not [text for text in chinese if not CHINESE.search(text)]
    assert not [text for text in english + chinese if "@" in text or re.search(r"(?:\d[ -]?){8}", text)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_is_nearly_another_of_either_set(language: str) -> None:
    found = texts(language)
    grams = {text: trigrams(text) for text in found}
    assert len(grams) == len(found)
    assert not [pair for pair in combinations(found, 2) if are_alike(grams[pair[0]], grams[pair[1]])]


@pytest.mark.parametrize("language", LANGUAGES)
def test_training_messages_borrow_no_phrase_from_the_measuring_set(language: str) -> None:
    measured = set().union(*(phrases(row["text"], language) for row in read(MEASURING, language)))
    assert not [row["text"] for row in read(TRAINING, language) if phrases(row["text"], language) & measured]


def test_alike_means_six_tenths_of_the_trigrams() -> None:
    assert are_alike(trigrams("Where is my parcel?"), trigrams("where is my  parcel"))
    assert not are_alike(trigrams("Where is my parcel?"), trigrams("Where is the fridge?"))
