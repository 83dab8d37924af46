"""Citation markers: `[n]` in a reply names the n-th passage of its prompt, counted from 1. Knows nothing of engines."""

import re

_MARKER = re.compile(r"\[(\d{1,2})\]")
_END = re.compile(r"\s*(?P<stop>[。！？!?；;]+|\.+)\s*$")
_ABBREVIATION = re.compile(r"(?:\b[A-Za-z]\.[A-Za-z]|\b(?:etc|Inc|Ltd|Co|No|Mr|Mrs|Dr))\.$")
_CJK = re.compile(r"[\u3400-\u9fff）」』”]\s*$")


def cited(text: str) -> tuple[int, ...]:
    """The positions (from 0) in `prompt.passages` that `text` cites, by first citation; a model may cite too high."""
    return tuple(dict.fromkeys(int(number) - 1 for number in _MARKER.findall(text) if int(number) > 0))


def cite(sentence: str, number: int) -> str:
    """`sentence` with `[number]` before its final stop: the marker stays in the sentence's own unit of release."""
    sentence = sentence.rstrip()
    end = None if _ABBREVIATION.search(sentence) else _END.search(sentence)
    body, stop = (sentence[: end.start()], end["stop"]) if end else (sentence, "")
    return f"{body}{'' if _CJK.search(body) else ' '}[{number}]{stop}"


def without_markers(text: str) -> str:
    """`text` in which no `[n]` of its own can be taken for a citation: `[1]` becomes `(1)`."""
    return _MARKER.sub(r"(\1)", text)
