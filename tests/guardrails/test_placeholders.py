import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails import placeholders
from guardrails.personal_data.finding import ENTITIES, Finding
from guardrails.personal_data.masking import replaced
from guardrails.placeholders import escape_lookalikes, restore

VALUES = {
    "<PHONE_1>": "13812345678",
    "<PHONE_12>": "13900000012",
    "<PERSON_1>": "张伟",
    "<CN_MOBILE_1>": r"\1 & <PERSON_1>",
}
EVERY_VALUE = {placeholders.name(entity, number): "LEAKED" for entity in ENTITIES for number in range(100)}

RESTORED = [
    ("您的电话<PHONE_1>已登记", "您的电话13812345678已登记"),
    ("<phone_1>", "13812345678"),
    ("< PHONE_1 >", "13812345678"),
    ("＜PHONE_1＞", "13812345678"),
    ("call PHONE_1, ok", "call 13812345678, ok"),
    ("电话PHONE_1在", "电话13812345678在"),
    ("<PHONE_12><PHONE_1>", "1390000001213812345678"),
    ("<<PHONE_1>>", "<13812345678>"),
    ("**<PERSON_1>**", "**张伟**"),
    ("<CN_MOBILE_1>", r"\1 & <PERSON_1>"),
    ("见 https://example.com/a，电话<PHONE_1>", "见 https://example.com/a，电话13812345678"),
    ("Tel:<PHONE_1>", "Tel:13812345678"),
]
KEPT = [
    "<PHONE_2>",
    "<PHONE_123>",
    "PHONE_10",
    "<PHONE_01>",
    "phone_1",
    "MYPHONE_1",
    "PHONE_1x",
    "<EMAIL_1>",
    "[REDACTED_PERSON_1]",
    "https://example.com/?q=<PHONE_1>",
    "HTTP://EXAMPLE.COM/PHONE_1",
    "www.example.com/<PHONE_1>",
    "mailto:<PHONE_1>@example.com",
    "[x](https://example.com/<PHONE_1>)",
    "example.com/?q=<PHONE_1>",
    "https://example.com/查/＜PHONE_1＞",
    "//example.com:80/<PHONE_1>",
    "‹PHONE-1›",
    "<PHONE 1>",
    "",
]


@pytest.mark.parametrize(("text", "restored"), RESTORED)
def test_an_issued_placeholder_is_restored_even_when_damaged(text: str, restored: str) -> None:
    assert restore(text, VALUES) == restored


@pytest.mark.parametrize("text", KEPT)
def test_nothing_else_is_restored_and_never_inside_a_link(text: str) -> None:
    assert restore(text, VALUES) == text


def test_a_link_that_began_in_the_part_before_is_still_a_link() -> None:
    assert restore("<PHONE_1> ok <PHONE_1>", VALUES, before="see https://example.com/?q=") == "<PHONE_1> ok 13812345678"
    assert restore("<PHONE_1>", VALUES, before="see https://example.com/ ") == "13812345678"


ESCAPED = [
    ("<PHONE_1>", "‹PHONE-1›"),
    ("我是<person_12>吗", "我是‹person-12›吗"),
    ("＜ＰＨＯＮＥ＿１＞", "‹PHONE-1›"),
    ("< CN_MOBILE_1 >", "‹CN-MOBILE-1›"),
    ("<CN_MO\u200bBILE_1>", "‹CN-MOBILE-1›"),
    ("PERSON_1", "PERSON-1"),
    ("𝐏𝐄𝐑𝐒𝐎𝐍_1", "PERSON-1"),
    ("<ANY_THING_7>", "‹ANY-THING-7›"),
]
UNTOUCHED = [
    "我的订单_1",
    "snake_case_name",
    "SKU_12",
    "<b>bold</b>",
    "a < b_1 and c > d",
    "PERSON 1",
    "①②㎏ <>",
    "",
    "ﬁ_ne",
]


@pytest.mark.parametrize(("text", "escaped"), ESCAPED)
def test_what_looks_like_a_placeholder_is_respelled_readably(text: str, escaped: str) -> None:
    assert escape_lookalikes(text) == escaped


@pytest.mark.parametrize("text", UNTOUCHED)
def test_other_text_is_not_touched_by_escaping(text: str) -> None:
    assert escape_lookalikes(text) == text


_PIECES = st.sampled_from(
    [
        "<",
        ">",
        "＜",
        "＞",
        "_",
        "＿",
        "1",
        "２",
        "PERSON",
        "person",
        "CN_MOBILE",
        "CN",
        "MOBILE",
        " ",
        "\u200b",
        "‹",
        "PHONE_1",
        "<EMAIL_1>",
        "x",
        "张",
        "，",
    ]
)
hostile = st.lists(_PIECES | st.characters(), max_size=14).map("".join)


@settings(max_examples=150, deadline=None)
@given(hostile)
def test_escaped_text_can_never_be_restored_however_it_is_normalised(text: str) -> None:
    import unicodedata

    escaped = escape_lookalikes(text)
    assert escape_lookalikes(escaped) == escaped
    for spelling in (escaped, unicodedata.normalize("NFKC", escaped), escaped.replace("\u200b", ""), escaped.upper()):
        assert "LEAKED" not in restore(spelling, EVERY_VALUE)


@settings(max_examples=150, deadline=None)
@given(
    hostile, st.lists(st.tuples(st.sampled_from(ENTITIES), st.text(min_size=1, max_size=8)), max_size=4), st.randoms()
)
def test_what_was_masked_comes_back_whole_however_the_stream_is_cut(text, values, random) -> None:  # type: ignore[no-untyped-def]
    text = escape_lookalikes(text)
    pieces: list[str] = []
    findings: list[Finding] = []
    known: dict[str, str] = {}
    for entity, value in values:
        gap = escape_lookalikes(text[: random.randint(0, len(text))])
        at = len("".join(pieces)) + len(gap)
        pieces += [gap, value]
        findings.append(Finding(entity, at, at + len(value), 1.0))
    original = "".join(pieces)
    numbers = itertools.count(1)

    def issue(entity: str, value: str) -> str:
        known[name := placeholders.name(entity, next(numbers))] = value
        return name

    masked, used = replaced(original, findings, issue)
    assert set(used) == set(known)
    inside = {at for found in placeholders.PLACEHOLDER.finditer(masked) for at in range(found.start() + 1, found.end())}
    cuts = sorted({0, len(masked)} | {at for at in range(len(masked)) if at not in inside and random.random() < 0.5})
    units = [masked[start:end] for start, end in itertools.pairwise(cuts)]
    if not re.search(r"[/.:]", masked):  # within a link nothing comes back, on purpose
        assert "".join(restore(unit, known) for unit in units) == original


issued = st.dictionaries(
    st.builds(placeholders.name, st.sampled_from(ENTITIES), st.integers(1, 30)),
    st.text(st.characters(exclude_characters="‹›"), min_size=1, max_size=12),
    max_size=4,
)
damage = st.sampled_from(
    [
        str,
        str.lower,
        str.title,
        lambda name: name.replace("<", "< ").replace(">", " >"),
        lambda name: name.translate({ord("<"): "＜", ord(">"): "＞"}),
        lambda name: name.strip("<>"),
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(ENTITIES), st.integers(1, 99), damage, st.booleans())
def test_a_damaged_placeholder_is_restored_only_where_it_was_issued(entity, number, damage, known) -> None:  # type: ignore[no-untyped-def]
    name = placeholders.name(entity, number)
    text = f"您的信息 {damage(name)} 已登记"
    values = {name: "13812345678"} if known else {placeholders.name(entity, number + 1): "LEAKED"}
    assert restore(text, values) == ("您的信息 13812345678 已登记" if known else text)


@settings(max_examples=150, deadline=None)
@given(
    issued, damage, st.sampled_from(["https://a.cn/", "www.a.cn/x?", "mailto:", "a.cn/#", "ftp://u:p@", "HTTPS://A"])
)
def test_within_a_link_nothing_is_restored_whatever_its_form(values, damage, link) -> None:  # type: ignore[no-untyped-def]
    text = link + "&".join(damage(name).replace(" ", "") for name in values)
    assert restore(text, values) == text
    assert restore(text[len(link) :], values, before=link) == text[len(link) :]


@settings(max_examples=150, deadline=None)
@given(issued, st.lists(_PIECES | st.sampled_from(["<PERSON_3>", "<email_1>", "IBAN_2"]), max_size=10).map("".join))
def test_only_values_of_this_conversation_come_out(values, text) -> None:  # type: ignore[no-untyped-def]
    marked = {name: f"‹{at}›" for at, name in enumerate(values)}
    back = restore(text.replace("‹", "").replace("›", ""), marked)
    for at, name in enumerate(values):
        back = back.replace(f"‹{at}›", "")
        assert marked[name] not in back
    assert "‹" not in back


@settings(max_examples=100, deadline=None)
@given(st.text(), st.text())
def test_without_issued_values_restoring_changes_nothing(text: str, before: str) -> None:
    assert restore(text, {}, before) == text


@pytest.mark.parametrize(
    "evil",
    ["<" * 100_000, "a." * 50_000, "PHONE_" * 20_000, "http:" * 20_000, "< " * 50_000, "A_" * 50_000, "a-" * 50_000],
)
def test_restoring_and_escaping_take_bounded_time(evil: str) -> None:
    restore(evil, VALUES)
    escape_lookalikes(evil)
