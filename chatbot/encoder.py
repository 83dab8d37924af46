"""The models that texts are embedded with: multilingual-e5-small with the search's own adapter for questions and
documents, and a smaller one, with another adapter, that sees the mood of a message.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from guardrails.classification.adapter import prepare
from knowledge.embedding import Device, Embedder, OnnxEmbedder, TorchEmbedder, as_query, has_cuda, model_id
from knowledge.passages import Vectors
from understanding.sentiment.model import ADAPTER as MOOD_ADAPTER

ADAPTER = Path(__file__).resolve().parent.parent / "knowledge" / "adapter" / "adapter.safetensors"
BASE = "e5-small"
SEARCH, MOOD = "e5-search", "e5-mood"
BOTH = f"{SEARCH}+{MOOD}"
"""What the model of sentiment is trained on: both vectors of a text in one."""

REMEMBERED = 256
"""Messages whose mood's vector is at hand: the last few of a conversation are judged with each new one."""


def search_folder(models: Path) -> Path:
    """The folder of the search's model in `models`, made of the base model's where it is missing (two seconds).

    Raises guardrails' ClassifierError.
    """
    return prepare(models / BASE, ADAPTER, models / SEARCH)


def search_encoder(models: Path, device: Device = "auto") -> Embedder:
    """The search's embedder. Raises knowledge's ModelMissing and guardrails' ClassifierError."""
    folder = search_folder(models)
    if device == "cuda" or (device == "auto" and has_cuda()):
        embedder = TorchEmbedder(models / BASE, adapter=ADAPTER)
        embedder.model_id = model_id(folder)  # the same vectors, so rows made by one serve questions of the other
        return embedder
    return OnnxEmbedder(folder)


def mood_folder(models: Path) -> Path:
    """The folder of the moods' model, made as the search's is."""
    return prepare(models / BASE, MOOD_ADAPTER, models / MOOD)


def mood_encoder(models: Path, base: Embedder | None = None) -> OnnxEmbedder:
    """The moods' embedder, 33 MB on the CPU; `base` lends its tokenizer. Raises as `search_encoder` does."""
    tokenizer = base.tokenizer if isinstance(base, OnnxEmbedder) else None
    return OnnxEmbedder(mood_folder(models), tokenizer=tokenizer)


def with_mood(search: Callable[[str], Vectors], mood: Embedder) -> Callable[[Sequence[str]], Vectors]:
    """Embeds texts for the model of sentiment: the vector that `search` makes of each, and behind it the moods' own.

    One by one, as messages come: neighbours in a batch move an int8 vector by a hundredth.
    """

    @lru_cache(REMEMBERED)
    def both(text: str) -> Vectors:
        vector: Vectors = np.concatenate([search(text), mood.embed([as_query(text)])[0]])
        vector.setflags(write=False)
        return vector

    return lambda texts: np.stack([both(text) for text in texts])
