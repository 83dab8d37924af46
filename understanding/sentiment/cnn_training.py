"""Trains a TextCNN on a CPU, in minutes. Needs torch, which nothing else of sentiment does.

Its embeddings begin as the first principal components of multilingual-e5-small's: begun by chance they would know
nothing of a word that the training lacks.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors import safe_open
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from torch import nn

from understanding.intents.letters import Floats
from understanding.sentiment.cnn import WIDTHS, TextCnn, load_tokenizer, numbers, padded

FILTERS, DIMENSION, DROPOUT, WORD_DROPOUT = 64, 64, 0.5, 0.2
BATCH, RATE = 32, 1e-3
SEEN, EPOCHS = 30_000, (2, 10)
"""How many rows are gone through, within these epochs."""

VOCABULARY = 14_000
"""Word pieces at most: the commonest in Latin and Chinese letters, digits and marks."""

_PIECE = re.compile(r"▁?(?:[a-z']+|[\u4e00-\u9fff]+|\d|[!?.,。，！？…~～:：;；()（）“”\"'-]+)|▁")

Codes = npt.NDArray[np.int64]


class Network(nn.Module):
    """Logits, (n, labels), of padded rows of piece numbers. pieces: their embeddings; the last is the padding."""

    def __init__(self, pieces: Floats, labels: int) -> None:
        super().__init__()
        self.pieces = nn.Embedding(len(pieces), DIMENSION, len(pieces) - 1, _weight=torch.from_numpy(pieces))
        self.convolutions = nn.ModuleList(nn.Conv1d(DIMENSION, FILTERS, width) for width in WIDTHS)
        self.dropout = nn.Dropout(DROPOUT)
        self.out = nn.Linear(FILTERS * len(WIDTHS), labels)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        states = nn.functional.dropout(self.pieces(rows), WORD_DROPOUT, self.training).transpose(1, 2)
        found = [convolution(states).relu().amax(dim=2) for convolution in self.convolutions]
        logits: torch.Tensor = self.out(self.dropout(torch.cat(found, dim=1)))
        return logits


def train(texts: Sequence[str], codes: Codes, base: Path, seed: int = 1) -> TextCnn:
    """Fit a TextCNN; `codes` are the columns of the texts' labels, `base` is multilingual-e5-small's folder."""
    torch.manual_seed(seed)
    tokenizer, pieces = begin(base)
    rows = numbers(tokenizer, texts)
    network = Network(pieces, int(codes.max()) + 1).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE)
    dice = np.random.default_rng(seed)
    for _ in range(int(np.clip(SEEN // len(rows), *EPOCHS))):
        for batch in batches(rows, dice):
            longest = max(len(rows[row]) for row in batch)
            fill = len(pieces) - 1
            numbered = [padded([*rows[row], *[fill] * (longest - len(rows[row]))], fill) for row in batch]
            loss = nn.functional.cross_entropy(network(torch.tensor(numbered)), torch.from_numpy(codes[batch]))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return with_numpy(tokenizer, network)


def with_numpy(tokenizer: Tokenizer, network: Network) -> TextCnn:
    """The network without torch."""

    def plain(tensor: torch.Tensor) -> Floats:
        return np.ascontiguousarray(tensor.detach().numpy(), np.float32)

    convolutions = [one for one in network.convolutions if isinstance(one, nn.Conv1d)]
    return TextCnn(
        tokenizer,
        plain(network.pieces.weight),
        tuple(plain(one.weight.permute(2, 1, 0).reshape(-1, FILTERS)) for one in convolutions),
        tuple(plain(one.bias) for one in convolutions if one.bias is not None),
        plain(network.out.weight.T),
        plain(network.out.bias),
    )


def batches(rows: Sequence[Sequence[int]], dice: np.random.Generator) -> list[list[int]]:
    """All rows in random order, alike lengths together, which wastes no padding."""
    order = dice.permutation(len(rows))
    found: list[list[int]] = []
    for start in range(0, len(order), 50 * BATCH):
        near = sorted(order[start : start + 50 * BATCH].tolist(), key=lambda row: len(rows[row]))
        found += [near[at : at + BATCH] for at in range(0, len(near), BATCH)]
    return [found[number] for number in dice.permutation(len(found))]


def begin(base: Path) -> tuple[Tokenizer, Floats]:
    """A small tokenizer made of the base model's, and the embeddings of its pieces with a row of zeros as padding."""
    vocabulary = json.loads((base / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    chosen = [number for number, (piece, _) in enumerate(vocabulary) if _PIECE.fullmatch(piece)]
    single = [number for number in chosen if len(vocabulary[number][0].lstrip("▁")) <= 1]
    kept = sorted({*single[: VOCABULARY // 2], *chosen[: VOCABULARY - VOCABULARY // 2]})
    unigram = models.Unigram([("<unk>", -20.0), *(tuple(vocabulary[number]) for number in kept)], unk_id=0)
    tokenizer = Tokenizer(unigram)
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    with safe_open(base / "model.safetensors", "numpy") as weights:
        pieces = weights.get_tensor("embeddings.word_embeddings.weight")[kept].astype(np.float32)
    pieces -= pieces.mean(axis=0)
    pieces = pieces @ np.linalg.eigh(pieces.T @ pieces)[1][:, ::-1][:, :DIMENSION]
    none = np.zeros((1, DIMENSION), np.float32)
    return load_tokenizer(tokenizer.to_str()), np.concatenate([none, pieces / (3 * pieces.std()), none])
