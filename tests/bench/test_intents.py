"""The sets of intents say what they are: labels and languages even, nothing twice, the held-out part apart."""

import json
import re
from collections import Counter, defaultdict
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SUPPORT = ROOT / "understanding" / "data"
HELD_OUT = ROOT / "bench" / "understanding" / "intents.held_out.jsonl"
LANGUAGES = ("zh", "en")
LABELS = {
    "order_status",
    "return_refund",
    "shipping",
    "payment",
    "invoice",
    "product_question",
    "account",
    "complaint",
    "human_agent",
    "greeting",
    "thanks_goodbye",
    "other",
}
NEAR = 0.6
CHINESE = re.compile(r"[\u4e00-\u9fff]")
TRADITIONAL = re.compile("[請這們嗎幾麼沒煩帳號訂單錢貨謝點還會寫幫歡說樣員無給長時間來問開發讓擾]")
PERSONAL = re.compile(r"\d{7,}|\S@\S+\.\S")
Row = dict[str, str]


def read(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@cache
def support(language: str) -> list[Row]:
    return read(SUPPORT / f"intents.{language}.jsonl")


@cache
def held_out() -> list[Row]:
    return read(HELD_OUT)


def every() -> list[Row]:
    return [*support("zh"), *support("en"), *held_out()]


def trigrams(text: str) -> frozenset[str]:
    padded = f"  {' '.join(text.lower().split())} "
    return frozenset(padded[at : at + 3] for at in range(len(padded) - 2))


def alike(one: str, other: str) -> float:
    a, b = trigrams(one), trigrams(other)
    return len(a & b) / len(a | b)


def opening(row: Row) -> str:
    text = row["text"].lower()
    return re.sub(r"[\W_]+", "", text)[:3] if row["language"] == "zh" else " ".join(re.findall(r"[\w']+", text)[:3])


def test_a_row_has_a_trimmed_text_a_known_label_and_a_language() -> None:
    for row in every():
        assert set(row) == {"text", "label", "language"}
        assert row["text"]
        assert row["text"] == row["text"].strip()
        assert row["label"] in LABELS
        assert row["language"] in LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_support_set_has_at_least_seventy_sentences_per_label(language: str) -> None:
    assert {row["language"] for row in support(language)} == {language}
    counts = Counter(row["label"] for row in support(language))
    assert set(counts) == LABELS
    assert min(counts.values()) >= 70


def test_the_held_out_part_has_twenty_sentences_per_label_and_language() -> None:
    counts = Counter((row["label"], row["language"]) for row in held_out())
    assert counts == {(label, language): 20 for label in LABELS for language in LANGUAGES}


def test_no_english_row_has_chinese_letters_and_few_chinese_rows_have_none() -> None:
    assert not [row for row in every() if row["language"] == "en" and CHINESE.search(row["text"])]
    chinese = [row for row in every() if row["language"] == "zh"]
    assert sum(not CHINESE.search(row["text"]) for row in chinese) <= 0.02 * len(chinese)


def test_some_of_the_chinese_rows_are_traditional() -> None:
    assert 0.05 <= sum(bool(TRADITIONAL.search(row["text"])) for row in support("zh")) / len(support("zh")) <= 0.12


def test_no_sentence_stands_twice_in_all_files_whatever_its_case_and_punctuation() -> None:
    plain = Counter(re.sub(r"[\W_]+", "", row["text"].lower()) or row["text"] for row in every())
    assert not [text for text, times in plain.items() if times > 1]


def test_no_two_sentences_of_a_label_are_near_duplicates_in_or_across_the_files() -> None:
    texts = defaultdict(list)
    for row in every():
        texts[row["label"], row["language"]].append(row["text"])
    assert not [pair for group in texts.values() for pair in combinations(group, 2) if alike(*pair) >= NEAR]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_opening_begins_more_than_a_tenth_of_a_labels_sentences(language: str) -> None:
    sizes = Counter(row["label"] for row in support(language))
    openings = Counter((row["label"], opening(row)) for row in support(language))
    assert not [(key, times) for key, times in openings.items() if times > 0.1 * sizes[key[0]]]


def test_no_sentence_holds_a_long_number_or_an_address_of_mail() -> None:
    assert not [row["text"] for row in every() if PERSONAL.search(row["text"])]


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("where is my package", "Where is my  package?", True),
        ("where is my package", "do you ship to PO boxes?", False),
        ("我的快递到哪了", "我的快递到哪了呀", True),
        ("我的快递到哪了", "运费多少", False),
    ],
)
def test_near_duplicates_are_told_from_other_sentences(one: str, other: str, near: bool) -> None:
    assert (alike(one, other) >= NEAR) is near
