"""The grounding check as release asks it, with vectors that count shared words and the weights that ship."""

import threading
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.grounding.check import Grounding
from guardrails.grounding.evidence import Vectors
from guardrails.grounding.features import NAMES
from guardrails.grounding.model import LABELS, Model
from guardrails.lexicon import Lexicon
from guardrails.release import Release, Withheld
from tests.chatbot.engine_prompts import vector

ZH = (
    "自签收次日起 15 天内可无理由退货，运费由我们承担。",
    "客服热线 400-000-2091，每天 9:00–21:00 有人接听。",
    "定制商品不支持退货。",
)
EN = (
    "You can return anything within 15 days of delivery, and we pay the postage.",
    "The hotline +1 415 555 0100 is open daily from 9:00 to 21:00. Help: https://help.spruce.example/returns",
    "Made-to-order items cannot be returned.",
)


def embed(texts: Sequence[str]) -> Vectors:
    return np.stack([vector(text) for text in texts])


@pytest.fixture
def check() -> Grounding:
    return Grounding(embed)


@pytest.mark.parametrize(
    ("unit", "evidence"),
    [
        ("定制商品不支持退货[3]。", ZH),
        ("Made-to-order items cannot be returned [3].", EN),
        ("不客气，祝您生活愉快！", ZH),
        ("You are welcome, have a nice day!", EN),
        ("抱歉，资料里没有提到这个问题。", ZH),
        ("Sorry, the passages do not say that.", EN),
        ("请问您买的是哪一款？", ZH),
        ("您好，自签收次日起 15 天内可无理由退货，运费由我们承担。", ZH),
        ("Yes, you can return anything within 15 days of delivery, and we pay the postage.", EN),
        ("Anything at all: a reply that has no passages is not judged for 99 days.", ()),
        ("", ZH),
        ("……", ZH),
    ],
)
def test_what_the_evidence_says_and_courtesy_pass(unit: str, evidence: tuple[str, ...], check: Grounding) -> None:
    assert check(unit, evidence).action == "pass"


@pytest.mark.parametrize(
    ("unit", "evidence", "category"),
    [
        ("请拨打 400-000-2099 咨询。", ZH, "phone_not_in_evidence"),
        ("详情见 https://help.spruce.example/sale 。", EN, "link_not_in_evidence"),
        ("Write to deals@spruce.example for a discount.", EN, "link_not_in_evidence"),
        ("我已经帮您提交了退货申请。", ZH, "deed"),
        ("I have cancelled your order.", EN, "deed"),
        ("自签收次日起 45 天内可无理由退货，运费由我们承担。", ZH, "duration_not_in_evidence"),
        ("You can return anything within 45 days of delivery, and we pay the postage.", EN, "duration_not_in_evidence"),
    ],
)
def test_what_no_passage_has_is_blocked(unit: str, evidence: tuple[str, ...], category: str, check: Grounding) -> None:
    verdict = check(unit, evidence)
    assert (verdict.action, verdict.tier, verdict.categories) == ("block", "grounding", (category,))


@pytest.mark.parametrize(
    ("unit", "evidence"),
    [
        ("定制商品支持退货。", ZH),
        ("Made-to-order items can be returned.", EN),
        ("我们的创始人曾经是登山运动员。", ZH),
        ("Our founder used to be a mountaineer in Norway.", EN),
    ],
)
def test_what_is_turned_round_or_made_up_does_not_pass(unit: str, evidence: tuple[str, ...], check: Grounding) -> None:
    assert check(unit, evidence).action in ("review", "block")


@pytest.mark.parametrize(
    ("unit", "likeness", "action"),
    [
        ("Made-to-order items cannot be returned.", 0.7, "pass"),
        ("Made-to-order items cannot be returned.", 0.6, "review"),
        ("You may return it within 15 days.", 0.7, "pass"),
        ("You may return it within 45 days.", 0.7, "block"),
    ],
)
def test_across_languages_numbers_and_likeness_decide(unit: str, likeness: float, action: str) -> None:
    def alike(texts: Sequence[str]) -> Vectors:
        other = np.sqrt(1 - likeness**2)
        return np.array([[1, 0] if text == unit else [likeness, other] for text in texts], np.float32)

    assert Grounding(alike)(unit, ZH).action == action


def test_evidence_is_embedded_once_and_a_quote_never() -> None:
    asked: list[str] = []

    def counting(texts: Sequence[str]) -> Vectors:
        asked.extend(texts)
        return embed(texts)

    check = Grounding(counting)
    check("定制商品不支持退货。", ZH)
    assert asked == []
    for _ in range(3):
        check("定制的东西退不了。", ZH)
    assert len([text for text in asked if text != "定制的东西退不了。"]) == len(set(asked)) - 1
    check("定制的东西退不了。", ZH[2:])
    assert len(set(asked)) == len(asked) - 3


def test_an_embedder_that_fails_makes_release_refuse() -> None:
    def broken(texts: Sequence[str]) -> Vectors:
        raise RuntimeError("no model")

    release = Release(lambda: Lexicon([]), (Grounding(broken),))
    withheld = release.whole("定制的东西退不了。", ZH)
    assert isinstance(withheld, Withheld)
    assert withheld.verdict.categories == ("guard_failed",)


def test_threads_may_share_a_check(check: Grounding) -> None:
    verdicts: list[str] = []
    threads = [
        threading.Thread(
            target=lambda n=n: verdicts.append(check("定制的东西退不了。", (*ZH, f"第 {n} 条规定。")).action)
        )
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(verdicts) == 8


ANYTHING = st.text(max_size=80) | st.text("七天元%5.:-月日号点半不能免费 abcnotfree[1]<>/\n", max_size=80)


@settings(max_examples=100, deadline=None)
@given(ANYTHING, st.lists(ANYTHING, max_size=3))
def test_any_unit_and_evidence_get_a_verdict(unit: str, evidence: list[str]) -> None:
    assert Grounding(embed)(unit, evidence).action in ("pass", "review", "block")


@pytest.mark.parametrize(
    "text", ["免" * 2000, "not " * 500, "请问" * 1000, "A" * 2000, "1," * 1000, "。" * 2000, "[1]" * 600]
)
def test_evil_text_takes_bounded_time(text: str, check: Grounding) -> None:
    check(text, (*ZH, text))


def test_the_weights_fit_the_features() -> None:
    model = Model.load()
    assert model.weights.shape == (len(LABELS), len(NAMES))
    assert model.block <= model.least
    assert model.probabilities(np.zeros(len(NAMES))).sum() == pytest.approx(1)
