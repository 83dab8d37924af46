"""Takes a reasoning model's thoughts, `<think>…</think>`, out of its stream. Knows nothing of models."""

from collections.abc import Iterable, Iterator

_OPEN, _CLOSE = "<think>", "</think>"


def without_thoughts(deltas: Iterable[str], *, thinking: bool = False) -> Iterator[str]:
    """`deltas` less thoughts and the white space before the first word; where the deltas are cut makes no difference.

    `thinking`: the prompt has opened a thought already. A thought never closed takes the rest. Yields nothing empty.
    """
    speaking = False
    for text in _spoken(deltas, thinking):
        text = text if speaking else text.lstrip()
        if text:
            speaking = True
            yield text


def _spoken(deltas: Iterable[str], thinking: bool) -> Iterator[str]:
    held = ""
    for delta in deltas:
        held += delta
        while (at := held.find(_CLOSE if thinking else _OPEN)) >= 0:
            if not thinking:
                yield held[:at]
            held = held[at + len(_CLOSE if thinking else _OPEN) :]
            thinking = not thinking
        safe = len(held) - _beginning_of(_CLOSE if thinking else _OPEN, held)
        if not thinking:
            yield held[:safe]
        held = held[safe:]
    if not thinking:
        yield held


def _beginning_of(tag: str, text: str) -> int:
    """How many characters at the end of `text` may be the beginning of `tag`."""
    return next((size for size in range(len(tag) - 1, 0, -1) if text.endswith(tag[:size])), 0)
