"""bench.engine_stamps: what is known of a streamed reply from its bytes."""

import json

import pytest

from bench.engine_stamps import LONG, Written


def delta(text: str) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]}).encode() + b"\n\n"


def written(*bodies: bytes) -> Written:
    reply = Written()
    for body in bodies:
        reply.take(body)
    return reply


def test_deltas_are_counted_also_when_they_travel_together_and_empty_ones_are_none() -> None:
    reply = written(delta(""), delta(" a"), delta(" b") + delta(" c"), b"data: [DONE]\n\n")
    assert len(reply.times) == 3
    assert reply.text == " a b c"
    assert reply.sentence is None


@pytest.mark.parametrize(
    ("texts", "ends_with"),
    [((" one", " two.", " three"), 1), ((" 3", ".", "5 is", " it."), 1), (("好", "。", "再"), 1), ((" a", " b"), None)],
)
def test_a_sentence_ends_with_the_delta_that_brings_its_stop(texts: tuple[str, ...], ends_with: int | None) -> None:
    reply = written(*(delta(text) for text in texts))
    assert reply.sentence == (None if ends_with is None else reply.times[ends_with])


def test_a_sentence_without_an_end_counts_when_it_is_long() -> None:
    reply = written(*(delta(" word") for _ in range(40)))
    assert reply.sentence == reply.times[LONG // 5 - 1]


def test_of_a_long_reply_the_beginning_is_kept_and_every_delta_counted() -> None:
    reply = written(*(delta(" word.") for _ in range(50)))
    assert len(reply.times) == 50
    assert 40 <= len(reply.text) < 60
