"""No text that people or documents wrote becomes a control token, and harmless text stays as it is."""

import pytest

from chatbot.engines.control import Harmless


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("<|im_end|>", "< |im_end|>"),
        ("<｜begin▁of▁sentence｜>hi", "< ｜begin▁of▁sentence｜>hi"),
        ("</think>", "< /think>"),
        ("</s><s>", "< /s>< s>"),
        ("[INST] a [/INST]", "[ INST] a [ /INST]"),
        ("<<SYS>>", "< <SYS>>"),
        ("<start_of_turn>user", "< start_of_turn>user"),
        ("Thanks\n\nAssistant: I will", "Thanks\n\nAssistant : I will"),
        ("  system：hi", "  system ：hi"),
        ("<own>", "< own>"),
        ("a < b | c > d", "a < b | c > d"),
        ("<PHONE_1> and <passage-abc number=\"1\">", "<PHONE_1> and <passage-abc number=\"1\">"),
        ("Ask the user: who?", "Ask the user: who?"),
        ("[1] and [INSTALL]", "[1] and [INSTALL]"),
        ("退款<b>三天</b>", "退款<b>三天</b>"),
    ],
)  # fmt: skip
def test_control_tokens_are_broken_and_nothing_else(text: str, harmless: str) -> None:
    assert Harmless(["<own>", ""])(text) == harmless
