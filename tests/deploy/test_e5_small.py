"""deploy.e5_small: the weights' file format, and the prepared folder."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.e5_small import Archive


def archive(tensors: dict[str, bytes], pieces: list[tuple[str, float]] = [("<s>", 0.0)]) -> bytes:  # noqa: B006
    """A small file of the format, with the given raw tensors."""
    text = "".join(piece for piece, _ in pieces).encode()
    ends = np.cumsum([0] + [len(piece.encode()) for piece, _ in pieces]).astype("<u4")
    head = b"E5S1" + struct.pack("<I7ifii4iQ", 1, 32, 1, 2, 64, 8, 16, 2, 1e-12, 32, len(pieces), 0, 2, 1, 3, len(text))
    head += ends.tobytes() + np.array([score for _, score in pieces], "<f4").tobytes() + text
    head += struct.pack("<iI", 0, 3) + b"map" + struct.pack("<i", len(tensors))
    size = sum(2 + len(name.encode()) + 5 + 16 for name in tensors)
    at, directory = len(head) + size, b""
    for name, raw in tensors.items():
        encoded = name.encode()
        directory += struct.pack("<H", len(encoded)) + encoded + struct.pack("<BIQQ", 0, 0, at, len(raw))
        at += len(raw)
    return head + directory + b"".join(tensors.values())


def read(folder: Path, data: bytes) -> Archive:
    (folder / "weights.bin").write_bytes(data)
    return Archive.read(folder / "weights.bin")


def test_sizes_pieces_and_special_tokens_are_read(tmp_path: Path) -> None:
    found = read(tmp_path, archive({}, [("<s>", 0.0), ("▁退款", -3.5), ("", -1.0)]))
    assert (found.hidden, found.layers, found.heads, found.inner, found.vocabulary) == (32, 1, 2, 64, 8)
    assert (found.bos, found.eos, found.pad, found.unknown) == (0, 2, 1, 3)
    assert found.pieces == [("<s>", 0.0), ("▁退款", -3.5), ("<unused2>", -1.0)]


def test_float_tensors_come_back_as_they_were(tmp_path: Path) -> None:
    values = np.arange(32, dtype="<f4")
    assert (read(tmp_path, archive({"b": values.tobytes()})).tensor("b", 4, 8).ravel() == values).all()


@settings(max_examples=50)
@given(
    nibbles=st.lists(st.integers(0, 15), min_size=32, max_size=32),
    scale=st.floats(-4, 4, width=16),
)
def test_four_bit_blocks_are_scale_times_nibble_less_eight(
    tmp_path_factory: pytest.TempPathFactory, nibbles: list[int], scale: float
) -> None:
    packed = bytes(low | high << 4 for low, high in zip(nibbles[:16], nibbles[16:], strict=True))
    raw = np.array([scale], "<f2").tobytes() + packed
    found = read(tmp_path_factory.mktemp("archive"), archive({"w": raw})).tensor("w", 1, 32)
    assert found.ravel().tolist() == [(nibble - 8) * scale for nibble in nibbles]


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="E5S1"):
        read(tmp_path, b"GGUF" + bytes(100))
