"""Quotes: what stands in a passage in the same words, and what only seems to."""

import pytest

from guardrails.grounding.evidence import Evidence

PASSAGES = (
    "## 退货\n- **15 天**内可无理由退货；定制商品不支持退货。\n1. 打开订单页面，点击“申请退货”。",
    "| Region | Fee | Free from | Note |\n| --- | --- | --- | --- |\n| Tibet | ¥25 | ¥599 | - | 5–8 days |",
    "Custom items cannot be returned. Orders above ¥1,299.50 ship free within mainland China, and all other customers "
    "bear the fee.",
)


@pytest.mark.parametrize(
    "unit",
    [
        "定制商品不支持退货。",
        "15天内可无理由退货[1]。",
        "打开订单页面，点击“申请退货”。",
        "Tibet, ¥25, ¥599, 5–8 days.",
        "Custom items cannot be returned [3].",
        "CUSTOM ITEMS CANNOT BE RETURNED.",
        "bear the fee.",
        "Orders above ¥1,299.50 ship free within mainland China,",
        "[1]",
        "  \n",
    ],
)
def test_a_quote_is_known(unit: str) -> None:
    assert Evidence(PASSAGES).quotes(unit)


@pytest.mark.parametrize(
    "unit",
    [
        "支持退货。",
        "定制商品支持退货。",
        "Items cannot be returned.",
        "Be returned.",
        "Orders above ¥1,299.50 ship free within China.",
        "Orders above ¥1299.5 ship.",
        "150天内可无理由退货。",
        "Tibet, ¥25, ¥99.",
    ],
)
def test_what_is_cut_out_of_a_clause_is_no_quote(unit: str) -> None:
    assert not Evidence(PASSAGES).quotes(unit)


def test_sentences_are_taken_apart_once() -> None:
    evidence = Evidence(("Returns take 7 days. Returns take 7 days.",))
    assert len(evidence.sentences) == 1
    assert evidence.sentences is evidence.sentences
    assert [fact.kind for fact in evidence.facts] == ["duration"]
