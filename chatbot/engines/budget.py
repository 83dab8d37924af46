"""Cuts a prompt to a number of tokens: question first, then evidence, then what fits of the history. Knows no model."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace

from chatbot.engines import Prompt
from chatbot.prompts import build_messages
from chatbot.turn import Utterance
from knowledge.passages import Passage

_PER_MESSAGE = 12  # tokens that a chat template, or the marks around a passage, add
_QUESTION_SHARE = 0.5

Count = Callable[[str], int]


def fit(prompt: Prompt, tokens: int, count: Count) -> Prompt:
    """`prompt` with less in it, so that its messages take about `tokens` at most, as `count` counts a text.

    The question keeps its beginning (at most half of what the rules leave), passages go best first and end at a
    sentence, the history loses its oldest utterances. Passages keep their numbers.
    """
    rules = build_messages(replace(prompt, question="", passages=(), history=()))
    left = tokens - sum(count(message["content"]) + _PER_MESSAGE for message in rules)
    question = _beginning(prompt.question, int(left * _QUESTION_SHARE), count)
    passages, left = _evidence(prompt.passages, left - count(question), count)
    return replace(prompt, question=question, passages=passages, history=_recent(prompt.history, left, count))


def _beginning(text: str, tokens: int, count: Count) -> str:
    if count(text) <= tokens:
        return text
    return text[: max(0, bisect_right(range(len(text) + 1), tokens, key=lambda size: count(text[:size])) - 1)]


def _evidence(passages: tuple[Passage, ...], left: int, count: Count) -> tuple[tuple[Passage, ...], int]:
    """As many passages, the last one shortened, as fit into `left` tokens; and the tokens that remain."""
    kept: list[Passage] = []
    for passage in passages:
        left -= count(passage.heading) + count(passage.question) + _PER_MESSAGE
        sizes = [count(sentence.text) + 1 for sentence in passage.sentences]
        if sum(sizes) <= left:
            kept.append(passage)
            left -= sum(sizes)
            continue
        fitting = sum(1 for end in range(1, len(sizes) + 1) if sum(sizes[:end]) <= left)
        if fitting:
            sentences = passage.sentences[:fitting]
            kept.append(
                replace(
                    passage,
                    text=" ".join(sentence.text for sentence in sentences),
                    sentences=sentences,
                    sentence_vectors=passage.sentence_vectors[:fitting],
                )
            )
        return tuple(kept), 0
    return tuple(kept), left


def _recent(history: tuple[Utterance, ...], left: int, count: Count) -> tuple[Utterance, ...]:
    kept = len(history)
    while kept and (left := left - count(history[kept - 1].text) - _PER_MESSAGE) >= 0:
        kept -= 1
    return history[kept:]
