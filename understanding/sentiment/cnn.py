"""A TextCNN over word pieces (Kim 2014), run with numpy: embeddings, kernels of several widths, the highest of each.

Reads and gives plain arrays. Knows nothing of training, for which see `cnn_training`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from tokenizers import Tokenizer

from understanding.intents.letters import Floats, plain

WIDTHS = (2, 3, 4, 5)
PIECES = 96
"""Word pieces of a text that count."""


@dataclass(frozen=True)
class TextCnn:
    """pieces: (vocabulary + 1, d), the last being the padding. kernels: of each width (width * d, filters), and biases
    (filters,). out: (filters of all, labels), and its bias.
    """

    tokenizer: Tokenizer
    pieces: Floats
    kernels: tuple[Floats, ...]
    biases: tuple[Floats, ...]
    out: Floats
    out_bias: Floats

    def logits(self, texts: Sequence[str]) -> Floats:
        """(n, labels)."""
        rows = np.stack([self._highest(ids) for ids in numbers(self.tokenizer, texts)])
        logits: Floats = rows @ self.out + self.out_bias
        return logits

    def _highest(self, ids: Sequence[int]) -> Floats:
        """How strongly each filter answers where it does most, (filters of all,)."""
        states = self.pieces[padded(ids, len(self.pieces) - 1)]
        found = []
        for width, kernel, bias in zip(WIDTHS, self.kernels, self.biases, strict=True):
            windows = sliding_window_view(states, width, axis=0).transpose(0, 2, 1).reshape(-1, kernel.shape[0])
            found.append(np.maximum((windows @ kernel).max(axis=0) + bias, 0))
        return np.concatenate(found)

    def arrays(self) -> dict[str, Floats]:
        """What is kept beside the tokenizer, by name."""
        named = {"cnn.pieces": self.pieces, "cnn.out": self.out, "cnn.out_bias": self.out_bias}
        for width, kernel, bias in zip(WIDTHS, self.kernels, self.biases, strict=True):
            named |= {f"cnn.kernel{width}": kernel, f"cnn.bias{width}": bias}
        return named

    @classmethod
    def of(cls, arrays: Mapping[str, Floats], tokenizer: str) -> "TextCnn":
        """What `arrays` gave, with the tokenizer's JSON. Raises KeyError and Exception of tokenizers."""
        return cls(
            load_tokenizer(tokenizer),
            arrays["cnn.pieces"],
            tuple(arrays[f"cnn.kernel{width}"] for width in WIDTHS),
            tuple(arrays[f"cnn.bias{width}"] for width in WIDTHS),
            arrays["cnn.out"],
            arrays["cnn.out_bias"],
        )


def load_tokenizer(text: str) -> Tokenizer:
    """The tokenizer of that JSON, which cuts at `PIECES`."""
    tokenizer = Tokenizer.from_str(text)
    tokenizer.enable_truncation(PIECES)
    return tokenizer


def numbers(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    """The numbers of each text's pieces."""
    return [one.ids for one in tokenizer.encode_batch([plain(text) for text in texts])]


def padded(ids: Sequence[int], padding: int) -> list[int]:
    """The pieces between paddings, so that the widest kernel has room."""
    return [padding, *ids, *[padding] * (1 + max(0, max(WIDTHS) - len(ids)))]
