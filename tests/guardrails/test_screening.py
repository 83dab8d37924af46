from collections.abc import Sequence

import pytest

from guardrails.lexicon import Lexicon, Word
from guardrails.screening import Screened, ScreenedMessage, screen, screen_message
from guardrails.verdict import PASS, Verdict

LEXICON = Lexicon([Word("大麻", "block", "drugs"), Word("自杀", "review", "self_harm")], ["大麻烦"])


@pytest.mark.parametrize(
    ("text", "direction", "document", "action", "release"),
    [
        ("你好。", "in", False, "pass", "你好。"),
        ("你好。大麻烦。", "out", False, "pass", "你好。大麻烦。"),
        ("你好。大麻。", "in", False, "block", ""),
        ("你好。自杀。", "in", False, "review", ""),
        ("自杀。大麻。", "in", False, "block", ""),
        ("你好。自杀。再见。", "out", False, "review", "你好。"),
        ("你好。大麻。再见。", "out", False, "block", ""),
        ("你好。大麻。自杀。再见。", "in", True, "block", "你好。再见。"),
        ("你好。大麻。再见。", "out", True, "block", "你好。再见。"),
        ("大麻", "in", True, "block", ""),
        ("", "in", False, "pass", ""),
    ],
)
def test_what_may_be_shown_follows_from_the_verdict(
    text: str, direction: str, document: bool, action: str, release: str
) -> None:
    screened = screen(text, direction, document, lexicon=LEXICON)  # type: ignore[arg-type]
    assert (screened.verdict, screened.release) == (action, release)


def test_checks_judge_a_message_as_a_whole_and_a_document_unit_by_unit() -> None:
    def check(unit: str, _evidence: Sequence[str]) -> Verdict:
        found = unit in ("二。", "一。二。自杀。")
        return Verdict("block", "injection", ("jailbreak",), 0.9) if found else PASS

    screened = screen("一。二。自杀。", "in", lexicon=LEXICON, checks=(check,))
    assert screened == Screened("block", "injection", ("jailbreak",), 0.9, "")
    assert screen("一。二。三。", "in", True, lexicon=LEXICON, checks=(check,)).release == "一。三。"


def test_a_line_that_is_repeated_is_judged_once() -> None:
    seen: list[str] = []

    def check(unit: str, _evidence: Sequence[str]) -> Verdict:
        seen.append(unit)
        return PASS

    screen_message("多久到账？\n多久到账？\n在吗\n多久到账？", LEXICON, (check,))
    assert seen == ["多久到账？\n在吗"]


def test_a_failing_check_blocks() -> None:
    def broken(_unit: str, _evidence: Sequence[str]) -> Verdict:
        raise RuntimeError

    for direction in ("in", "out"):
        screened = screen("一。", direction, lexicon=LEXICON, checks=(broken,))
        assert (screened.verdict, screened.categories, screened.release) == ("block", ("guard_failed",), "")


def test_leaving_sentences_out_never_joins_a_new_word() -> None:
    screened = screen("大\n自杀\n麻", "in", True, lexicon=LEXICON)
    assert "大麻" not in screened.release.replace("\n", "")


def test_a_message_keeps_its_text_and_gets_its_verdict() -> None:
    assert screen_message("你好", LEXICON) == ScreenedMessage("你好", PASS)
    assert screen_message("大麻", LEXICON).verdict.action == "block"
