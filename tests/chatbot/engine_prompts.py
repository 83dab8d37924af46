"""Prompts and passages made by hand, with vectors that count shared words: enough meaning for tests, and no model."""

import re
import zlib

import numpy as np

from chatbot.engines import Prompt
from chatbot.turn import Language, Utterance
from knowledge.passages import Passage, Sentence, Vectors

_DIMENSION = 256
_TERM = re.compile(r"[a-z0-9]+|[\u4e00-\u9fff]")


def vector(text: str) -> Vectors:
    """A unit vector of shape (256,) of the words (Chinese: characters) in `text`."""
    counts = np.zeros(_DIMENSION, dtype=np.float32)
    for term in _TERM.findall(text.lower()):
        counts[zlib.crc32(term.encode()) % _DIMENSION] += 1
    return np.asarray(counts / max(1.0, float(np.linalg.norm(counts))), dtype=np.float32)


def passage(
    text: str,
    *,
    language: Language = "en",
    heading: str = "",
    question: str = "",
    hidden: tuple[int, ...] = (),
    score: float = 1.0,
) -> Passage:
    """A passage cut at the lines of `text`; the sentences numbered in `hidden` may not be quoted."""
    lines = text.split("\n")
    return Passage(
        chunk_id=zlib.crc32(text.encode()),
        document="shop.md",
        ref="1",
        heading=heading,
        text=" ".join(lines) if language == "en" else "".join(lines),
        question=question,
        language=language,
        sentences=tuple(Sentence(line, index not in hidden) for index, line in enumerate(lines)),
        sentence_vectors=np.stack([vector(line) for line in lines]),
        score=score,
    )


def ask(
    question: str,
    *passages: Passage,
    language: Language = "en",
    history: tuple[Utterance, ...] = (),
    persona: str = "",
) -> Prompt:
    """A prompt for `question`."""
    return Prompt(question, vector(question), passages, language, history, persona)
