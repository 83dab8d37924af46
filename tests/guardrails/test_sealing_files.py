"""Files sealed with a conversation's key: they open whole, in order, in their own place, and nowhere else."""

import io
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.sealing import DataKey, VaultError

CONVERSATION = uuid.uuid4()
CHUNK = 65_536
FIRST, SECOND = 7 + CHUNK + 16, 7 + 2 * (CHUNK + 16)  # where the first chunk ends, and the second
KEY = DataKey(CONVERSATION, b"s" * 32)


def sealed(data: bytes, place: str = "a", key: DataKey = KEY) -> bytes:
    return b"".join(key.seal_file(place, data))


def opened(data: bytes, place: str = "a", key: DataKey = KEY) -> bytes:
    return b"".join(key.open_file(place, io.BytesIO(data)))


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 5])
def test_a_file_of_any_size_opens_again(size: int) -> None:
    data = bytes(number % 251 for number in range(size))
    assert opened(sealed(data)) == data


def test_the_same_file_is_sealed_differently_each_time() -> None:
    assert sealed(b"a") != sealed(b"a")


@pytest.mark.parametrize(
    "changed",
    [
        lambda s: b"",
        lambda s: s[:3],
        lambda s: s[:7],
        lambda s: s[:-1],
        lambda s: s[:FIRST],  # cut at a chunk's end
        lambda s: s + b"\0",
        lambda s: s + s[7:],
        lambda s: s[:7] + s[FIRST:SECOND] + s[7:FIRST] + s[SECOND:],
        lambda s: s[:7] + s[FIRST:],
    ],
)  # fmt: skip
def test_what_was_cut_moved_or_added_does_not_open(changed: object) -> None:
    whole = sealed(bytes(2 * CHUNK) + b"end")
    with pytest.raises(VaultError):
        opened(changed(whole))  # type: ignore[operator]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 255))
def test_a_changed_byte_anywhere_is_noticed(place: int, change: int) -> None:
    data = bytearray(sealed(b"x" * 1000))
    data[place % len(data)] ^= change
    with pytest.raises(VaultError):
        opened(bytes(data))


def test_it_opens_in_no_other_place_and_with_no_other_key() -> None:
    data = sealed(b"secret")
    for place, key in (("b", KEY), ("a", DataKey(CONVERSATION, b"t" * 32))):
        with pytest.raises(VaultError):
            opened(data, place, key)
