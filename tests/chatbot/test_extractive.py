"""The extractive engine: which sentences it quotes, how they read, and what it leaves out."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.engines.citations import cited
from chatbot.engines.extractive import ExtractiveEngine, compose
from chatbot.engines.quotes import quotes_of
from knowledge.asked import kinds_asked
from knowledge.concepts import concepts_of
from tests.chatbot.engine_prompts import ask, passage

REFUND = passage(
    "We check a return within two days.\nThe refund then takes 3-5 working days.\n"
    "However, cards from abroad take ten days.\nBoxes are recycled.",
    heading="Returns › Refunds",
)
SHIPPING = passage("Shipping costs 12 yuan.\nOrders over 199 yuan ship free.", heading="Shipping", score=0.4)
REFUND_ZH = passage("仓库收到后两天内验货。\n退款3至5个工作日到账。\n包装盒可回收。", language="zh", heading="退款")


def reply(*arguments: object, **options: object) -> str:
    return "".join(compose(ask(*arguments, **options)))  # type: ignore[arg-type]


def test_the_sentence_that_answers_is_quoted_with_its_exception_and_cited() -> None:
    text = reply("How long does the refund take?", SHIPPING, REFUND)
    assert "The refund then takes 3-5 working days. However, cards from abroad take ten days [2]." in text
    assert cited(text) == (1,)


def test_chinese_sentences_stand_without_spaces() -> None:
    text = reply("退款多久到账？", REFUND_ZH, language="zh")
    assert "退款3至5个工作日到账" in text
    assert "[1]。" in text
    assert "。 " not in text


@pytest.mark.parametrize(("question", "best"), [("How long does the refund take?", 0), ("退款多久到账？", 1)])
def test_what_search_ranks_far_above_is_told_alone(question: str, best: int) -> None:
    passages = [REFUND, REFUND_ZH]
    passages[best] = replace(passages[best], score=4.0)
    assert cited(reply(question, *passages, language="en" if best == 0 else "zh")) == (best,)


def test_a_short_faq_answer_is_given_whole() -> None:
    faq = passage("Yes.\nWrite to us first.\nThen post it.", question="Can I return a lamp?", score=3.0)
    assert reply("May I send a lamp back?", SHIPPING, faq) == "Yes. Write to us first. Then post it [2]."


def test_a_long_faq_answer_is_cut_to_three_sentences() -> None:
    faq = passage("\n".join(f"Lamp rule {number}." for number in range(9)), question="Can I return a lamp?")
    assert reply("Can I return a lamp?", faq).count(".") == 3


def test_a_table_row_is_one_readable_line() -> None:
    row = passage("SKU: L-1; Name: Lamp; Weight: 2 kg; Colour: –; Price: 30 yuan")
    assert reply("How much is the lamp?", row) == "SKU: L-1; Name: Lamp; Weight: 2 kg; Price: 30 yuan [1]."
    assert reply("How much is the lamp?", passage("| Lamp | 2 kg | 30 yuan |")) == "Lamp, 2 kg, 30 yuan [1]."
    chinese = passage("地区：西藏；\n运费：20元", language="zh")
    assert reply("西藏运费多少？", chinese, language="zh") == "地区：西藏；运费：20元[1]。"


def test_a_number_finds_the_row_whose_range_holds_it() -> None:
    rows = [passage(f"Size: {size}; Chest: {low}–{low + 5} cm") for size, low in (("S", 86), ("M", 92), ("L", 98))]
    assert "Size: L" in reply("My chest is 100, which size?", *rows)


def test_a_list_is_quoted_with_its_lead_in() -> None:
    listed = passage("These cannot be returned:\n- opened gas;\n- lit stoves;\n- gift cards.\nFaulty goods can.")
    assert "These cannot be returned: opened gas; lit stoves; gift cards" in reply(
        "Can gift cards be returned?", listed
    )


def test_what_the_guards_did_not_pass_is_never_quoted() -> None:
    hidden = passage("The refund takes 3 days.\nThe refund takes 9 days.", hidden=(0,))
    assert "3 days" not in reply("How long does the refund take?", hidden)
    row = passage("Name: Lamp;\nPrice: 3 yuan", hidden=(1,))
    assert reply("How much is the lamp?", row) == ""


def test_headings_and_questions_are_not_quoted() -> None:
    text = "Refunds\nHow long does a refund take?\nThree days."
    assert [quote.text for quote in quotes_of(passage(text, heading="Returns › Refunds"))] == ["Three days."]


def test_a_second_passage_adds_the_fact_that_the_first_lacks() -> None:
    camping = passage("Our weekend course teaches camping.\nBring a tent.", heading="Weekend course")
    price = passage("A weekend course costs 99 yuan.\nCourses start in May.", heading="Course prices", score=0.9)
    text = reply("How much is the weekend course that teaches camping?", camping, price, SHIPPING)
    assert text == "A weekend course costs 99 yuan [2]. Our weekend course teaches camping [1]."
    far = replace(price, score=-2.0)
    assert cited(reply("How much is the weekend course that teaches camping?", camping, far, SHIPPING)) == (0,)


def test_the_same_sentence_in_two_passages_is_said_once() -> None:
    assert reply("How long does the refund take?", REFUND, REFUND).count("3-5 working days") == 1


def test_a_document_cannot_forge_a_citation() -> None:
    assert cited(reply("How long does the refund take?", passage("The refund takes 3 days [2]."))) == (0,)


def test_it_stops_when_cancelled_and_streams_what_it_composes() -> None:
    engine, prompt = ExtractiveEngine(), ask("How long does the refund take?", REFUND)
    assert list(engine.stream(prompt, lambda: True)) == []
    assert list(engine.stream(prompt, lambda: False)) == compose(prompt)
    assert len(compose(prompt)) > 1
    engine.close()


@pytest.mark.parametrize("question", ["", "???", "退"])
def test_nothing_to_go_by_is_no_error(question: str) -> None:
    assert reply(question) == ""
    assert cited(reply(question, REFUND)) == (0,)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text(alphabet="ab .。；:[1]？\n退款3", min_size=1, max_size=40), min_size=1, max_size=3),
    st.text(max_size=20),
)
def test_every_reply_cites_passages_that_exist_and_none_is_empty(texts: list[str], question: str) -> None:
    deltas = compose(ask(question, *(passage(text) for text in texts)))
    assert all(deltas)
    assert all(position < len(texts) for position in cited("".join(deltas)))
    assert not deltas or cited("".join(deltas))


@pytest.mark.parametrize(
    ("question", "kind", "holding", "lacking"),
    [
        ("退款多久到账", "duration", "3个工作日内到账", "原路退回"),
        ("How soon will it arrive?", "duration", "within 3 business days", "by courier"),
        ("运费多少钱", "amount", "收12元", "由快递送达"),
        ("How much is postage?", "amount", "it is free", "sent by post"),
        ("周末几点开门", "time", "10:00开门", "欢迎光临"),
        ("When do you open on Sunday?", "time", "from 9 am", "all are welcome"),
        ("门店在哪里", "place", "湖滨路12号", "欢迎光临"),
        ("Where is the shop?", "place", "12 Lake Road", "all are welcome"),
        ("退货运费谁出", "payer", "由我们承担", "请寄回"),
        ("Who pays for the return?", "payer", "the customer pays", "send it back"),
        ("客服电话是多少", "contact", "400-000-2091", "请联系"),
        ("What is your e-mail?", "contact", "help@shop.example", "write to us"),
        ("最多能用几张券", "count", "最多3张", "可以使用"),
        ("How many can I buy?", "count", "two per person", "as many as you like"),
    ],
)
def test_the_kind_of_fact_asked_for_is_known(question: str, kind: str, holding: str, lacking: str) -> None:
    asked = {one.name: one for one in kinds_asked(question)}
    assert kind in asked
    assert asked[kind].holds.search(holding)
    assert not asked[kind].holds.search(lacking)


@pytest.mark.parametrize("question", ["你好", "这个好用吗", "Is it any good?", "Tell me about the lamp"])
def test_a_question_without_a_kind_asks_for_none(question: str) -> None:
    assert kinds_asked(question) == ()


@pytest.mark.parametrize(
    ("text", "concept", "present"),
    [
        ("邮费谁出", "shipping_fee", True),
        ("郵費誰出", "shipping_fee", True),
        ("Do I cover the postage?", "shipping_fee", True),
        ("Refunds are quick", "refund", True),
        ("current tent", "rental", False),
        ("the parking lot", "parking", True),
        ("spark", "parking", False),
        ("", "refund", False),
    ],
)
def test_notions_are_found_across_words_and_languages(text: str, concept: str, present: bool) -> None:
    assert (concept in concepts_of(text)) == present
