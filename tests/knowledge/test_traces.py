import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.traces import Finder, strings, trace, traces

ZH = "退货请寄到杭州的三号仓库，并写明订单号。"
EN = "Send the parcel to warehouse three and write the order number on it."


@pytest.mark.parametrize(
    "text",
    [
        ZH,
        f"您好！{ZH}祝好。",
        "退货请寄到杭州的三号仓库 并写明订单号",
        "退货请寄到杭州的三号仓库，并写明订单号！[1]",
        f'{{"text":"{EN}"}}',
        EN.upper(),
        EN.replace(" ", "  "),
    ],
)
def test_a_sentence_is_found_wherever_and_however_it_stands(text: str) -> None:
    assert Finder(traces([ZH, EN])).find(text)


@pytest.mark.parametrize("text", ["", "退货请寄到杭州", "退货请寄到杭州的二号仓库，并写明订单号。", EN[:40], "x" * 300])
def test_what_is_not_it_is_not_found(text: str) -> None:
    assert not Finder(traces([ZH, EN])).find(text)


@pytest.mark.parametrize(
    ("sentence", "leaves"), [("免费。", False), ("Free of charge.", False), ("13912345678", True), (ZH, True)]
)
def test_only_what_is_long_enough_to_be_somebodys_own_leaves_a_trace(sentence: str, leaves: bool) -> None:
    assert (trace(sentence) is not None) == leaves


def test_it_is_replaced_with_its_full_stop() -> None:
    assert Finder(traces([ZH])).without(f"您好！{ZH}祝好。", "…") == "您好！…祝好。"
    assert Finder(traces([EN])).cleaned({"a": [EN, 1, None]}, "…") == {"a": ["…", 1, None]}
    assert list(strings({"a": [EN, 1, {"b": ZH}]})) == [EN, ZH]


@given(st.text(), st.text())
def test_around_it_nothing_changes(before: str, after: str) -> None:
    finder = Finder(traces([EN]))
    assert finder.without(f"{before}\n{EN}\n{after}", "…") == f"{before}\n…\n{after}"
