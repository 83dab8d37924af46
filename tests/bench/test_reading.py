"""The texts that the search's adapter was trained on are well-formed, and none of them is measured with."""

import json
import random
from pathlib import Path

from bench.reading.tables import tables
from bench.reading.texts import Typist, shops
from bench.shops.facts import plain

ROOT = Path(__file__).resolve().parent.parent.parent
MEASURED = (
    "bench/shops/questions.dev.jsonl",
    "bench/shops/questions.held_out.jsonl",
    "demo/questions.dev.jsonl",
    "demo/questions.held_out.jsonl",
    "bench/cross_lingual/questions.jsonl",
    "bench/esun_paraphrases/questions.jsonl",
)


def test_each_question_points_to_a_sentence_of_its_own_passage_or_to_none() -> None:
    found = list(shops())
    assert len(found) == 39
    for shop in found:
        for question in shop.questions:
            assert question.right == -1 or shop.units[question.right].passage == question.passage, question


def test_no_question_that_is_measured_with_was_trained_on() -> None:
    trained = {plain(question.text) for shop in shops() for question in shop.questions}
    trained |= {plain(asked.question) for asked in tables(1500, 5)}
    for name in MEASURED:
        lines = (ROOT / name).read_text("utf-8").splitlines()
        assert not trained & {plain(json.loads(line)["question"]) for line in lines}, name


def test_tables_are_the_same_every_time_and_some_questions_have_no_answer() -> None:
    some = list(tables(40, 5))
    assert some == list(tables(40, 5))
    unanswered = [asked for asked in some if not asked.right]
    assert 0.2 < len(unanswered) / len(some) < 0.5
    assert all(0 <= row < len(asked.units) for asked in some for row in asked.right)


def test_a_typing_error_is_a_small_one() -> None:
    typist = Typist("退款多久到账，推宽夺酒倒帐")
    for seed in range(50):
        wrong = typist.mistype("退款多久到账", random.Random(seed))
        assert len(wrong) == 6
        assert sum(a != b for a, b in zip(wrong, "退款多久到账", strict=True)) <= 2
