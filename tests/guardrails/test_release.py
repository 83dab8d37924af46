import dataclasses
import logging
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.lexicon import Lexicon, Word
from guardrails.release import HOLD_LIMIT, Release, Released, Withheld, guarded
from guardrails.units import Coming
from guardrails.verdict import PASS, Verdict

LEXICON = Lexicon(
    [
        Word("fuck", "block", "abuse"),
        Word("ass", "block", "abuse"),
        Word("kill yourself", "block", "self_harm"),
        Word("大麻", "block", "drugs"),
        Word("自杀", "review", "self_harm"),
        Word("法轮功", "block", "test"),
        Word("强奸", "block", "sexual"),
        Word("垃圾", "count", "profanity"),
    ],
    ["大麻烦", "亲自杀鱼"],
)
# fmt: off
FORBIDDEN = st.sampled_from([
    "fuck", "ＦＵＣＫ", "f.u.c.k", "f\u200buck", "fuuuck", "a$$", "kill yourself",
    "kill\u00a0yourself", "k.i.l.l yourself", "大麻", "大 麻", "大\u200b麻", "自殺", "自-杀", "法 轮 功", "法輪功",
    "fu\u0441k", "ki1l yourse|f", "kiIl yourself", "弓虽女干", "强女干", "弓虽奸", "氵去车仑工力", "自sha", "da麻",
    "falungong", "fa lun gong", "法抡攻", "珐轮工", "𝖋uck",
])
HARMLESS = st.sampled_from([
    "您好", "。", "，", " ", "\n", "it is", "class", "kill ", "your", "self", "大", "麻烦", "自", "亲自杀鱼",
    "大麻烦", "fu", "assets", "垃圾", "法轮", "[1]", "<PHONE_1>", "https://a.example/ass", "3.5", "f",
    "👨\u200d👩", "e\u0301", ". ", "!", "弓", "女", "干", "虽", "强", "工力", "氵", "大妈", "答嘛", "发", "论", "da",
    "ma", "zi", "falun", "gong", "沙拉", "字", "I", "1",
])
# fmt: on
CAPS = st.sampled_from([1, 3, 8, 30])


def release(*checks: object, cap: int = 120) -> Release:
    return Release(lambda: LEXICON, checks, cap)  # type: ignore[arg-type]


def chunks(text: str, cuts: Sequence[int]) -> Iterator[str]:
    places = sorted(cut % (len(text) + 1) for cut in cuts)
    yield from (text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True))


def texts(units: Sequence[object]) -> list[str]:
    return [unit.text for unit in units if isinstance(unit, Released)]


@given(st.lists(HARMLESS | FORBIDDEN, max_size=12).map("".join), st.lists(st.integers(0, 500), max_size=6), CAPS)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_what_is_released_holds_no_forbidden_word_and_does_not_depend_on_chunks(
    text: str, cuts: list[int], cap: int
) -> None:
    units = list(release(cap=cap).stream(chunks(text, cuts)))
    shown = "".join(texts(units))
    assert LEXICON.judge(shown) == PASS
    assert text.startswith(shown)
    assert units == list(release(cap=cap).stream([text])) == list(release(cap=cap).stream(text))
    whole = release(cap=cap).whole(text)
    if LEXICON.judge(text) == PASS:
        assert shown == text
        assert whole == tuple(units)
    else:
        assert whole == units[-1]
        assert isinstance(whole, Withheld)


@given(st.lists(HARMLESS, max_size=6).map("".join), FORBIDDEN, st.lists(HARMLESS, max_size=6).map("".join), CAPS)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_a_planted_word_never_leaves_nor_does_its_beginning(before: str, word: str, after: str, cap: int) -> None:
    text = f"{before}。{word}。{after}"
    units = list(release(cap=cap).stream(text))
    assert isinstance(units[-1], Withheld)
    assert len("".join(texts(units))) <= len(before) + 1


@pytest.mark.parametrize(
    ("deltas", "shown"),
    [
        (["好的。我想自", "杀了"], ["好的。"]),
        (["第一句。", "fu", "ck", " you"], ["第一句。"]),
        (["第一句。第二句大", "麻。"], ["第一句。"]),
    ],
)
def test_the_stream_ends_at_the_first_word(deltas: list[str], shown: list[str]) -> None:
    units = list(release().stream(deltas))
    assert texts(units) == shown
    assert isinstance(units[-1], Withheld)


def test_a_word_across_units_is_caught_before_its_first_part_leaves() -> None:
    units = list(release(cap=4).stream("我想说大麻好"))
    assert texts(units) == ["我想说"]
    assert units[-1] == Withheld(Verdict("block", "lexicon", ("drugs",), 1.0))


def test_held_text_leaves_when_it_is_known_to_be_harmless() -> None:
    assert texts(list(release(cap=4).stream("我想说大家好"))) == ["我想说", "大家好"]
    assert texts(list(release(cap=4).stream("我想说大麻烦了"))) == ["我想说", "大麻烦了"]
    assert texts(list(release(cap=4).stream("我想说大"))) == ["我想说", "大"]


def test_a_count_word_is_released() -> None:
    assert texts(list(release().stream("真垃圾。"))) == ["真垃圾。"]


def test_a_long_invisible_tail_is_refused_instead_of_held_for_ever() -> None:
    units = list(release().stream("f" + "\u200b" * (2 * HOLD_LIMIT)))
    assert units[-1] == Withheld(Verdict("block", "lexicon", ("obfuscation",)))


def test_checks_see_every_unit_with_its_evidence_and_the_first_objection_ends_the_stream() -> None:
    seen: list[tuple[str, Sequence[str]]] = []

    def objecting(unit: str, evidence: Sequence[str]) -> Verdict:
        seen.append((unit, evidence))
        return Verdict("review", "grounding", ("unsupported",), 0.7) if "二" in unit else PASS

    def never(unit: str, evidence: Sequence[str]) -> Verdict:
        assert "二" not in unit
        return PASS

    units = list(release(objecting, never).stream("一。二。三。", ("passage",)))
    assert texts(units) == ["一。"]
    assert units[-1] == Withheld(Verdict("review", "grounding", ("unsupported",), 0.7))
    assert isinstance(units[-1], Withheld)
    assert units[-1].text == "二。"
    assert "二" not in repr(units[-1])
    assert seen == [("一。", ("passage",)), ("二。", ("passage",))]


def test_what_a_check_is_unsure_of_leaves_with_the_reason() -> None:
    reason = Verdict("pass", "grounding", ("unsupported",), 0.6)

    def unsure(unit: str, _evidence: Sequence[str]) -> Verdict:
        return reason if "二" in unit else PASS

    def sure(_unit: str, _evidence: Sequence[str]) -> Verdict:
        return PASS

    units = list(release(unsure, sure).stream("一。二。三。二。f"))  # an f may begin a word: it waits for the end
    assert [unit.verdict for unit in units] == [PASS, reason, PASS, reason, PASS]
    assert [unit.verdict for unit in release(unsure).stream("二f")] == [reason, reason]


def test_what_is_coming_is_judged_at_once_and_not_again_when_it_comes() -> None:
    happened: list[str] = []

    def judge(unit: str, _evidence: Sequence[str]) -> Verdict:
        happened.append(f"judged {unit}")
        return Verdict("block", "grounding", ("unsupported",)) if "四" in unit else PASS

    def units() -> Iterator[str]:
        for unit in (Coming("一。"), "一。\n", Coming("二。"), "二。[1]", "三。", Coming("四。"), "四五。"):
            happened.append(f"came {unit.strip()}")
            yield unit

    found = list(release(judge).stream(units(), cut=False))
    assert texts(found) == ["一。\n", "二。[1]", "三。"]
    assert isinstance(found[-1], Withheld)
    assert found[-1].text == "四五。"
    assert happened == [
        *("came 一。", "judged 一。", "came 一。"),
        *("came 二。", "judged 二。", "came 二。[1]", "judged 二。[1]"),
        *("came 三。", "judged 三。"),
        *("came 四。", "judged 四。", "came 四五。", "judged 四五。"),
    ]


def test_what_was_coming_and_did_not_come_is_never_shown() -> None:
    units = list(release().stream(iter([Coming("It is 3."), "It is 3.5 euros."]), cut=False))
    assert texts(units) == ["It is 3.5 euros."]


def test_a_check_that_fails_refuses_and_keeps_the_text_out_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def broken(unit: str, _evidence: Sequence[str]) -> Verdict:
        raise RuntimeError(unit)

    with caplog.at_level(logging.ERROR):
        assert release(broken).whole("秘密。") == Withheld(Verdict("block", None, ("guard_failed",)))
    assert "RuntimeError" in caplog.text
    assert "秘密" not in caplog.text


def test_a_lexicon_that_fails_refuses() -> None:
    def missing() -> Lexicon:
        raise OSError

    assert Release(missing).whole("好。") == Withheld(Verdict("block", "lexicon", ("guard_failed",)))
    assert guarded(lambda: PASS) == PASS


@pytest.mark.parametrize("word", ["大麻", "好的"])
def test_the_deltas_are_closed_when_the_stream_ends(word: str) -> None:
    closed: list[bool] = []

    def deltas() -> Iterator[str]:
        try:
            yield from ("一。", word, "。", "三。")
        finally:
            closed.append(True)

    stream = release().stream(deltas())
    last = [unit for unit in stream if closed or not isinstance(unit, Withheld)]
    assert closed == [True]
    assert isinstance(last[-1], Withheld if word == "大麻" else Released)


def test_the_deltas_are_closed_when_the_reader_leaves() -> None:
    closed: list[bool] = []

    def deltas() -> Iterator[str]:
        try:
            yield from ("一。", "二。", "三。")
        finally:
            closed.append(True)

    stream = release().stream(deltas())
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert closed == [True]


def test_an_engine_that_fails_is_not_taken_for_a_guard() -> None:
    def deltas() -> Iterator[str]:
        yield "一。二"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        list(release().stream(deltas()))


def test_nothing_else_can_make_released_text() -> None:
    with pytest.raises(TypeError):
        Released("大麻", PASS)
    unit = release().whole("好。")
    assert not isinstance(unit, Withheld)
    with pytest.raises((TypeError, ValueError)):
        dataclasses.replace(unit[0], text="大麻")
    with pytest.raises(dataclasses.FrozenInstanceError):
        unit[0].text = "大麻"  # type: ignore[misc]


def test_a_word_added_while_an_answer_streams_stops_it() -> None:
    lists = iter([Lexicon([]), *[LEXICON] * 5])
    units = list(Release(lambda: next(lists)).stream("大麻。大麻。"))
    assert texts(units) == ["大麻。"]
    assert isinstance(units[-1], Withheld)
