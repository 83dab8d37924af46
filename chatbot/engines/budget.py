"""Cuts a prompt to a number of tokens: question first, then evidence, then what fits of the history. Knows no model."""

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from chatbot.engines import Prompt
from chatbot.prompts import build_messages
from chatbot.turn import Utterance
from knowledge.passages import Passage

_PER_MESSAGE = 12  # tokens that a chat template, or the marks around a passage, add
_QUESTION_SHARE = 0.5
_EARLIER_SHARE = 0.25  # of what is left for the history, when not all of it fits
_EARLIER_LINE = 120  # characters of one message

_SENTENCE = re.compile(r"[^。！？!?.\n]+(?:[。！？!?]|\.(?=\s|$))?")
_TELLING = re.compile(r"[?？]\s*$|\d|<[A-Z_]+_\d+>")

Count = Callable[[str], int]


def fit(prompt: Prompt, tokens: int, count: Count) -> Prompt:
    """`prompt` with less in it, so that its messages take about `tokens` at most, as `count` counts a text.

    The question keeps its beginning and its end (at most half of what the rules leave), passages go best first, the
    last one cut to the sentences around its best one; of the history the latest utterances stay, and `earlier` holds
    what customers asked before them. Passages keep their numbers.
    """
    rules = build_messages(replace(prompt, question="", passages=(), history=(), earlier=""))
    left = tokens - sum(count(message["content"]) + _PER_MESSAGE for message in rules)
    question = _ends(prompt.question, int(left * _QUESTION_SHARE), count)
    passages, left = _evidence(prompt, left - count(question), count)
    history = _recent(prompt.history, left, count)
    earlier = ""
    if len(history) < len(prompt.history):
        share = int(left * _EARLIER_SHARE)
        history = _recent(prompt.history, left - share, count)
        earlier = _in_short(prompt.history[: len(prompt.history) - len(history)], share - _PER_MESSAGE, count)
    return replace(prompt, question=question, passages=passages, history=history, earlier=earlier)


def _ends(text: str, tokens: int, count: Count) -> str:
    """`text`, or its beginning and its end: people tell their story first and ask last, or the other way round."""
    if count(text) <= tokens:
        return text

    def cut(half: int) -> str:
        return f"{text[:half]} … {text[len(text) - half :]}" if half else ""

    half = bisect_right(range(len(text) // 2 + 1), tokens, key=lambda half: count(cut(half))) - 1
    return cut(max(0, half))


def _evidence(prompt: Prompt, left: int, count: Count) -> tuple[tuple[Passage, ...], int]:
    """As many passages, the last one a window, as fit into `left` tokens; and the tokens that remain."""
    kept: list[Passage] = []
    for passage in prompt.passages:
        left -= count(passage.heading) + count(passage.question) + _PER_MESSAGE
        sizes = [count(sentence.text) + 1 for sentence in passage.sentences]
        if sum(sizes) <= left:
            kept.append(passage)
            left -= sum(sizes)
            continue
        window = _window(sizes, passage.sentence_vectors @ prompt.question_vector, left)
        if window.stop > window.start:
            sentences = passage.sentences[window]
            kept.append(
                replace(
                    passage,
                    text=" ".join(sentence.text for sentence in sentences),
                    sentences=sentences,
                    sentence_vectors=passage.sentence_vectors[window],
                )
            )
        return tuple(kept), 0
    return tuple(kept), left


def _window(sizes: Sequence[int], scores: "np.typing.NDArray[np.float32]", left: int) -> slice:
    """The sentences around the best one that take `left` tokens at most: what follows it first, then what precedes."""
    start = stop = int(np.argmax(scores)) if len(scores) else 0
    while stop < len(sizes) and sizes[stop] <= left:
        left -= sizes[stop]
        stop += 1
    while stop and start and sizes[start - 1] <= left:
        start -= 1
        left -= sizes[start]
    return slice(start, stop)


def _recent(history: tuple[Utterance, ...], left: int, count: Count) -> tuple[Utterance, ...]:
    kept = len(history)
    while kept and (left := left - count(history[kept - 1].text) - _PER_MESSAGE) >= 0:
        kept -= 1
    return history[kept:]


def _in_short(history: Sequence[Utterance], left: int, count: Count) -> str:
    """What customers said, a line each, oldest first: their questions, numbers and marks; the oldest go first."""
    lines: list[str] = []
    for utterance in reversed(history):
        if utterance.role != "customer":
            continue
        sentences = [sentence.strip() for sentence in _SENTENCE.findall(utterance.text) if sentence.strip()]
        telling = [sentence for sentence in sentences if _TELLING.search(sentence)] or sentences[:1]
        line = _clipped(" ".join(telling))
        left -= count(line) + 1
        if left < 0:
            break
        lines.insert(0, line)
    return "\n".join(dict.fromkeys(filter(None, lines)))


def _clipped(text: str) -> str:
    """At most `_EARLIER_LINE` characters, no placeholder cut."""
    if len(text) <= _EARLIER_LINE:
        return text
    return re.sub(r"<[A-Z_0-9]*$", "", text[:_EARLIER_LINE]) + "…"
