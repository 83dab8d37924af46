from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.sentences import sentence_spans, split_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("七天内可退。超过七天不可退！为什么？", ["七天内可退。", "超过七天不可退！", "为什么？"]),
        ("他说：“可以退。”然后走了。", ["他说：“可以退。”", "然后走了。"]),
        ("Refunds take 3 days. Shipping is free.", ["Refunds take 3 days.", "Shipping is free."]),
        ("Really?! Yes.", ["Really?!", "Yes."]),
        ("Is it free?可以。", ["Is it free?", "可以。"]),
        ("真的吗?Yes, it is.", ["真的吗?", "Yes, it is."]),
        ("满99元包邮.其他地区10元", ["满99元包邮.", "其他地区10元"]),
        ("first line\nsecond line", ["first line", "second line"]),
        ("We stop at 5 p.m. Orders wait.", ["We stop at 5 p.m.", "Orders wait."]),
        ("Wait... what?", ["Wait...", "what?"]),
        ("1. Open it.\n2. Press Return. Then wait.", ["1. Open it.", "2. Press Return.", "Then wait."]),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


@pytest.mark.parametrize(
    "text",
    [
        "It costs 3.50 yuan a piece.",
        "运费为 12.5 元起。",
        "See No. 5 of the list.",
        "Dr. Li and Mr. J. Wong answer.",
        "Bring fuel, e.g. white gas, or buy it here.",
        "Open at 9 a.m. and 5 p.m. every day.",
        "Go to https://kefu.example/help?id=1.2 for more.",
        "Go to https://kefu.example/?id=1 for more.",
        "Go to https://kefu.example/a-b/!draft for more.",
        "Write to a.b@kefu.example now.",
        "1. Open the app",
        "Version v2.0.1 is out",
    ],
)
def test_what_only_looks_like_an_end_is_none(text: str) -> None:
    assert split_sentences(text) == [text]


@given(st.text(alphabet='退货。！? .\n"”)A1v5é ', max_size=80))
def test_the_spans_are_in_order_and_hold_all_but_white_space(text: str) -> None:
    spans = sentence_spans(text)
    assert all(start < end for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    assert "".join("".join(text[start:end].split()) for start, end in spans) == "".join(text.split())
