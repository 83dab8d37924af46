"""What of a chunk is embedded, and how vectors are stored. Knows nothing of the database."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Protocol

import numpy as np

from knowledge.chunking import HEADING_SEPARATOR
from knowledge.embedding import as_passage, as_query
from knowledge.passages import Vectors

_STORED = np.dtype("<f2")


class Embeddable(Protocol):
    """A chunk as far as its vectors go; `sentences` are {"start", "end"} in code points of `text`."""

    heading: str
    question: str
    questions: list[str]
    text: str
    sentences: list[dict[str, Any]]


def title_of(question: str, heading: str) -> str:
    """What a customer's question is compared with besides the text: an FAQ pair's question, else the last heading
    above, else "".
    """
    return question or heading.rsplit(HEADING_SEPARATOR, 1)[-1]


def titles_of(chunk: Embeddable) -> list[str]:
    """Everything that a customer's question is compared with besides the text: its title, and the questions added."""
    title = title_of(chunk.question, chunk.heading)
    return [*([title] if title else []), *chunk.questions]


def searched_texts(chunk: Embeddable) -> list[str]:
    """What a chunk is found by: its text led by its question or headings, and its titles.

    Titles are embedded as a customer would ask them, the text as a passage.
    """
    led = "\n".join(part for part in (chunk.question or chunk.heading, chunk.text) if part)
    return [as_passage(led), *map(as_query, titles_of(chunk))]


def embedded_texts(chunk: Embeddable) -> list[str]:
    """All that is embedded of a chunk: what it is found by, and its sentences as passages."""
    sentences = [as_passage(chunk.text[sentence["start"] : sentence["end"]]) for sentence in chunk.sentences]
    return [*searched_texts(chunk), *sentences]


def text_hash(embedded: str) -> bytes:
    """The key of a vector."""
    return sha256(embedded.encode()).digest()


def pack(vector: Vectors) -> bytes:
    """A vector as stored, in half precision: cosines keep three decimals."""
    return vector.astype(_STORED).tobytes()


def unpack(stored: Sequence[bytes], dimension: int) -> Vectors:
    """Stored vectors as an array of shape (len(stored), dimension)."""
    return np.frombuffer(b"".join(stored), _STORED).reshape(len(stored), dimension).astype(np.float32)


def dimension_of(stored: bytes) -> int:
    """The dimension of a stored vector."""
    return len(stored) // _STORED.itemsize
