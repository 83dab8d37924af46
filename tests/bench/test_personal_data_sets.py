"""The measuring sets say what they are: checksums are computed here again, by other code than the makers'."""

import datetime
import ipaddress
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import phonenumbers
import pytest

from bench.personal_data import Example, generate, glued
from bench.personal_data.examples import SLOT, templates
from bench.personal_data.names import FIRST_NAMES, GIVEN, LAST_NAMES, LONG_SURNAMES, SURNAMES
from bench.personal_data.neutral import is_mistakable
from bench.personal_data.places import DISTRICTS
from bench.personal_data.values import MAKERS

GROUNDING = Path(__file__).resolve().parent.parent.parent / "bench" / "grounding"
LABELS = {"supported", "unsupported", "contradicted"}
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def compact(value: str) -> str:
    return re.sub(r"[\s·()+-]", "", unicodedata.normalize("NFKC", value)).upper()


def is_luhn(number: str) -> bool:
    doubled = "0246813579"
    return sum(int(doubled[int(d)] if i % 2 else d) for i, d in enumerate(reversed(number))) % 10 == 0


def is_chinese_id(value: str) -> bool:
    number = compact(value)
    if not re.fullmatch(r"[1-6]\d{16}[\dX]", number):
        return False
    datetime.datetime.strptime(number[6:14], "%Y%m%d")
    remainder = 0
    for digit in number:
        remainder = (remainder * 2 + (10 if digit == "X" else int(digit))) % 11
    return remainder == 1


def is_iban(value: str) -> bool:
    number = compact(value)
    remainder = 0
    for character in number[4:] + number[:4]:
        figure = int(character, 36)
        remainder = (remainder * (100 if figure > 9 else 10) + figure) % 97
    return remainder == 1 and 15 <= len(number) <= 34


def is_ssn(value: str) -> bool:
    area, group, serial = re.split("[- ]", value)
    return (
        len(area + group + serial) == 9 and area not in ("000", "666") and area < "900" and group != "00" != serial[2:]
    )


def is_phone(region: str, value: str) -> bool:
    plain = unicodedata.normalize("NFKC", value)
    return phonenumbers.is_possible_number(phonenumbers.parse(re.sub("^00", "+", plain), region))


def is_person(value: str) -> bool:
    surname = next((s for s in LONG_SURNAMES if value.startswith(s)), value[0])
    chinese = surname in {*SURNAMES, *LONG_SURNAMES} and 1 <= len(value.removeprefix(surname)) <= 2
    return chinese or re.fullmatch(r"[A-Z][A-Za-z'-]*( [A-Z]\.)?( [A-Z][A-Za-z'-]+)?", value) is not None


PLATE = re.compile(r"[\u4e00-\u9fff][A-HJ-NP-Z](?:[A-HJ-NP-Z\d]{5}|[A-HJ-NP-Z\d]{6})")
CHECKS: dict[str, Callable[[str], bool]] = {
    "CN_ID_CARD": is_chinese_id,
    "CN_MOBILE": lambda v: re.fullmatch(r"(?:0086|86)?1[3-9]\d{9}", compact(v)) is not None,
    "CN_LANDLINE": lambda v: is_phone("CN", re.sub(r"-\w{4}$", "", v) if v.count("-") == 2 and "+" not in v else v),
    "CN_PASSPORT": lambda v: re.fullmatch(r"[EG]\d{8}|E[A-HJ-NP-Z]\d{7}", v) is not None,
    "CN_LICENSE_PLATE": lambda v: PLATE.fullmatch(compact(v)) is not None,
    "BANK_CARD": lambda v: compact(v).startswith("62") and 16 <= len(compact(v)) <= 19 and is_luhn(compact(v)),
    "CREDIT_CARD": lambda v: compact(v)[0] in "2345" and len(compact(v)) in (15, 16) and is_luhn(compact(v)),
    "WECHAT_ID": lambda v: re.fullmatch(r"[A-Za-z][\w-]{5,19}", v, re.ASCII) is not None,
    "PERSON": is_person,
    "ADDRESS": lambda v: re.search(r"\d", v) is not None and len(v) >= 5,
    "EMAIL": lambda v: re.fullmatch(r"[\w.+]+@(?:[\w-]+\.)+[a-z]{2,}", v, re.ASCII) is not None,
    "US_PHONE": lambda v: phonenumbers.is_valid_number(phonenumbers.parse(v, "US")),
    "INTL_PHONE": lambda v: v[0] in "+0" and is_phone("US", v),
    "US_SSN": is_ssn,
    "IBAN": is_iban,
    "IP_ADDRESS": lambda v: ipaddress.ip_address(v).is_global,
}


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return [*generate(11, 6000), *(example for seed in range(10) for example in glued(seed))]


def test_every_span_is_what_it_says(examples: list[Example]) -> None:
    wrong = [
        (entity, example.text[start:end])
        for example in examples
        for entity, start, end in example.spans
        if not CHECKS[entity](example.text[start:end])
    ]
    assert not wrong


def test_spans_are_in_order_and_inside_the_text(examples: list[Example]) -> None:
    for example in examples:
        position = 0
        for _, start, end in example.spans:
            assert position <= start < end <= len(example.text)
            position = end
        for _, start, end in example.spans:
            value = example.text[start:end]
            assert value == value.strip()
        assert not SLOT.search(example.text)


def test_a_seed_gives_the_same_messages_again() -> None:
    assert list(generate(5, 500)) == list(generate(5, 500))
    assert list(generate(5, 500)) != list(generate(6, 500))
    assert list(glued(5)) == list(glued(5))


def test_the_halves_share_no_template_and_both_hold_every_entity() -> None:
    halves = {half: templates(half) for half in ("development", "held_out")}
    wordings = {half: {t.text for t in found} for half, found in halves.items()}
    assert not wordings["development"] & wordings["held_out"]
    assert len(wordings["development"]) + len(wordings["held_out"]) == len(templates())
    for half, found in halves.items():
        messages = {e.template for e in generate(1, 2 * len(found), half=half)}
        assert messages == {t.number for t in found}
        counts = Counter(entity for t in found for entity in set(t.entities))
        assert set(counts) == set(MAKERS)
        assert min(counts.values()) >= 6
        for language in ("zh", "en"):
            assert sum(not t.entities for t in found if t.language == language) >= 20


def test_an_unknown_half_is_refused() -> None:
    with pytest.raises(ValueError, match="held_out"):
        list(generate(1, 1, half="test"))


def test_there_are_enough_templates_and_words() -> None:
    found = templates()
    assert len({t.number for t in found}) == len({t.text for t in found}) == len(found)
    assert min(Counter(t.language for t in found).values()) >= 160
    assert len({*SURNAMES, *LONG_SURNAMES}) >= 100
    assert len(set(GIVEN)) >= 200
    assert len(set(FIRST_NAMES)) >= 150
    assert len(set(LAST_NAMES)) >= 200
    assert len(set(DISTRICTS)) >= 60


def test_glued_values_touch_chinese_characters_on_both_sides() -> None:
    counts: Counter[str] = Counter()
    for example in glued(3):
        ((entity, start, end),) = example.spans
        counts[entity] += 1
        assert CHINESE.fullmatch(example.text[start - 1])
        assert CHINESE.fullmatch(example.text[end])
    assert set(counts) == set(MAKERS)


def test_numbers_that_are_nobodys_are_no_valid_card_id_or_mobile(examples: list[Example]) -> None:
    for example in examples:
        if not example.spans:
            assert not [n for n in re.findall(r"(?<![A-Z\d])\d{11,19}(?!\d)", example.text) if is_mistakable(n)]
    assert is_mistakable("13800138000")
    assert is_mistakable("4111 1111 1111 1111")
    assert not is_mistakable("20260318004417")


def grounding(name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (GROUNDING / name).read_text("utf-8").splitlines()]


@pytest.mark.parametrize(("name", "least"), [("sentences.jsonl", 260), ("sentences.held_out.jsonl", 120)])
def test_grounding_rows_are_well_formed_and_balanced(name: str, least: int) -> None:
    rows = grounding(name)
    assert len(rows) >= least
    assert len({row["id"] for row in rows}) == len({row["sentence"] for row in rows}) == len(rows)
    for row in rows:
        assert set(row) == {"id", "language", "passages", "sentence", "label"}
        passages = row["passages"]
        assert isinstance(passages, list)
        assert 1 <= len(set(passages)) == len(passages) <= 3
        assert row["label"] in LABELS
        assert bool(CHINESE.search(str(row["sentence"]))) == (row["language"] == "zh")
    for language in ("zh", "en"):
        labels = Counter(row["label"] for row in rows if row["language"] == language)
        assert sum(labels.values()) >= 0.45 * len(rows)
        assert all(0.28 <= labels[label] / sum(labels.values()) <= 0.4 for label in LABELS)


def test_the_grounding_files_share_no_passage() -> None:
    development, held_out = (
        {str(p) for row in grounding(name) for p in row["passages"]}  # type: ignore[attr-defined]
        for name in ("sentences.jsonl", "sentences.held_out.jsonl")
    )
    assert not development & held_out
