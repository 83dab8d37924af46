"""Reads server-sent events from bytes, however they are cut. Knows nothing of what they carry."""

from collections.abc import Iterable, Iterator


class EventTooLong(Exception):
    """An event that is longer than anybody needs."""


def events(chunks: Iterable[bytes], most: int = 1 << 20) -> Iterator[bytes]:
    """The data of each event with data, in order; the last one also when the stream ends without a blank line.

    Raises EventTooLong for an event of more than `most` bytes.
    """
    held, data, size = b"", list[bytes](), 0
    for chunk in chunks:
        *lines, held = (held + chunk).split(b"\n") if held else chunk.split(b"\n")
        for line in lines:
            line = line.removesuffix(b"\r")
            if line.startswith(b"data:"):
                data.append(line[5:].removeprefix(b" "))
                size += len(line)
            elif not line and data:
                yield b"\n".join(data)
                data, size = [], 0
            if size > most:
                raise EventTooLong
        if size + len(held) > most:
            raise EventTooLong
    held = held.removesuffix(b"\r")
    if held.startswith(b"data:"):
        data.append(held[5:].removeprefix(b" "))
    if data:
        yield b"\n".join(data)
