"""Keeps people and documents from writing control tokens: `<|im_end|>`, `[INST]`, or a role as a template writes it."""

import re
from collections.abc import Iterable

# What a server turns into control tokens: all usual forms, for its tokenizer is not known here.
_USUAL = (
    r"<[|｜][^<>\s]{0,40}?[|｜]>|</?(?:s|bos|eos|pad|unk|think|start_of_turn|end_of_turn|im_start|im_end)>"
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]|<</?SYS>>"
)
# DeepSeek-LLM's and DeepSeek-V2's templates tell turns apart by these words alone.
_ROLE = re.compile(r"(^|\n)([ \t]*(?:System|User|Human|Assistant|Bot))(?=[:：])", re.IGNORECASE)


class Harmless:
    """Makes text that is no order to a tokenizer. `tokens` are the control tokens known besides the usual ones."""

    def __init__(self, tokens: Iterable[str] = ()) -> None:
        known = [re.escape(token) for token in sorted(filter(None, tokens), key=len, reverse=True)]
        self._control = re.compile("|".join([*known, _USUAL]), re.IGNORECASE)

    def __call__(self, text: str) -> str:
        """`text` with a space inside of what was a control token: `<|im_end|>` becomes `< |im_end|>`."""
        return _ROLE.sub(r"\1\2 ", self._control.sub(lambda token: f"{token[0][0]} {token[0][1:]}", text))
