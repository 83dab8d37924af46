"""Server-sent events: read alike however the bytes are cut, and bounded."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.engines.sse import EventTooLong, events


@pytest.mark.parametrize(
    ("raw", "data"),
    [
        (b"data: one\n\ndata: two\n\n", [b"one", b"two"]),
        (b"data:one\r\n\r\ndata: two\r\n\r\n", [b"one", b"two"]),
        (b"data:  padded\n\n", [b" padded"]),
        (b"data: two\ndata: lines\n\n", [b"two\nlines"]),
        (b": a comment\n\nevent: x\nid: 7\ndata: one\n\n", [b"one"]),
        (b"data: one\n\ndata: cut off", [b"one", b"cut off"]),
        (b"data: one\n", [b"one"]),
        (b"data:\n\n", [b""]),
        (b"\n\n\n", []),
        (b"", []),
        (b"dat", []),
        ("data: 退款\n\n".encode(), ["退款".encode()]),
    ],
)
def test_events_are_their_data(raw: bytes, data: list[bytes]) -> None:
    assert list(events([raw])) == data


@settings(max_examples=150)
@given(st.text(alphabet="data: x\r\n", max_size=60), st.lists(st.integers(0, 60), max_size=8))
def test_where_the_bytes_are_cut_makes_no_difference(text: str, cuts: list[int]) -> None:
    raw = text.encode()
    edges = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    assert list(events(raw[start:end] for start, end in pairwise(edges))) == list(events([raw]))


@pytest.mark.parametrize("raw", [b"data: " + b"x" * 100, b"y" * 100, b"data: x\n" * 30])
def test_an_event_without_end_is_not_kept(raw: bytes) -> None:
    with pytest.raises(EventTooLong):
        list(events((raw[at : at + 1] for at in range(len(raw))), most=64))


def test_many_short_events_are_no_long_one() -> None:
    assert len(list(events([b"data: x\n\n" * 100], most=64))) == 100
