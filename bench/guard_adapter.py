"""Trains the low-rank adapter of the guards' encoder, on a GPU: `python -m bench.guard_adapter pack|train …`.

`pack DATA WORK` tokenises the rows of `bench.classifiers_train` into WORK, with the encoder's weights cut down to the
tokens that occur, so that the other step needs nothing but torch, transformers and that folder. `train WORK` writes
`adapter.safetensors`, and `logits.npz` with the logits of each row by an adapter that has not seen it.
"""

import argparse
import math
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

RANK, SCALE = 16, 2.0
EPOCHS, RATE, STEP_TOKENS, FOLDS = 4, 8e-4, 24_576, 3
SMOOTH = 0.05
LONGEST = 320
TASKS = ("toxicity", "injection")
LINEAR = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)


def pack(data: Path, work: Path) -> None:
    """Write `pack.npz`: tokens, labels (-1: none), weights and folds of each text, and the encoder."""
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    from bench.classifiers_train import ROOT, injection_rows, toxicity_rows
    from knowledge.embedding import as_query

    table: dict[str, list[float]] = {}
    for column, rows in enumerate((toxicity_rows(data), injection_rows(data))):
        for row in rows:
            entry = table.setdefault(row.text, [-1, 0, -1, 0, fold(row.family, row.text)])
            entry[2 * column : 2 * column + 2] = row.label != "safe", row.weight
    folder = ROOT / "models" / "e5-small"
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(LONGEST)
    tokenizer.no_padding()
    tokens = [encoding.ids for encoding in tokenizer.encode_batch([as_query(text) for text in table])]
    flat = np.concatenate(tokens)
    used = np.unique(np.append(flat, 1))
    weights = {name: array for name, array in load_file(folder / "model.safetensors").items() if "pooler" not in name}
    weights["embeddings.word_embeddings.weight"] = weights["embeddings.word_embeddings.weight"][used]
    work.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        work / "pack.npz",
        keys=np.array([key(text) for text in table], np.uint64),
        tokens=np.searchsorted(used, flat).astype(np.uint16),
        padding=np.searchsorted(used, 1),
        lengths=np.array([len(one) for one in tokens]),
        rows=np.array(list(table.values()), np.float32),
        **{f"weights.{name}": array for name, array in weights.items()},  # type: ignore[arg-type]
    )
    print(f"{len(table)} texts, {len(flat)} tokens, {len(used)} of them distinct")


def fold(family: str, text: str) -> int:
    """The fold of a text: rows of one family stay together."""
    return zlib.crc32(f"fold {family if family and not family.startswith('text ') else text[:80]}".encode()) % FOLDS


def key(text: str) -> int:
    """A number by which a text is found again."""
    return zlib.crc32(text.encode()) << 32 | zlib.crc32(text[::-1].encode())


@dataclass
class Pack:
    """What `pack` wrote, on the GPU where it is used there."""

    work: Path

    def __post_init__(self) -> None:
        import torch

        arrays = np.load(self.work / "pack.npz")
        self.keys = arrays["keys"]
        self.tokens = torch.from_numpy(arrays["tokens"].astype(np.int64)).cuda()
        self.padding = int(arrays["padding"])
        self.lengths = arrays["lengths"]
        self.starts = np.cumsum(self.lengths) - self.lengths
        self.folds = arrays["rows"][:, 4].astype(int)
        self.labels = torch.from_numpy(arrays["rows"][:, [0, 2]]).cuda()
        self.weights = torch.from_numpy(arrays["rows"][:, [1, 3]]).cuda()
        self.encoder = {
            name.removeprefix("weights."): torch.from_numpy(arrays[name].astype(np.float32))
            for name in arrays.files
            if name.startswith("weights.")
        }

    def batch(self, rows: np.ndarray) -> tuple[Any, Any]:
        import torch

        longest = -(-int(self.lengths[rows].max()) // 8) * 8
        place = torch.arange(longest, device="cuda")[None]
        start, length = (torch.from_numpy(one[rows]).cuda()[:, None] for one in (self.starts, self.lengths))
        mask = place < length
        tokens = self.tokens[start + torch.minimum(place, length - 1)]
        return torch.where(mask, tokens, self.padding), mask.long()

    def batches(self, rows: np.ndarray, dice: np.random.Generator | None) -> list[np.ndarray]:
        """Rows of like length together, in random order; without dice all in order of length."""
        rows = dice.permutation(rows) if dice else rows
        found: list[np.ndarray] = []
        for at in range(0, len(rows), 16_384):
            ordered = rows[at : at + 16_384]
            ordered = ordered[np.argsort(self.lengths[ordered], kind="stable")]
            current: list[int] = []
            for row in ordered:
                if len(current) >= 384 or (len(current) + 1) * self.lengths[row] > STEP_TOKENS:
                    found.append(np.array(current))
                    current = []
                current.append(row)
            found.append(np.array(current))
        if dice:
            dice.shuffle(found)  # type: ignore[arg-type]
        return found


def network(pack: Pack) -> Any:
    """The frozen encoder with an adapter in every linear layer, and a head for each task."""
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
            config = BertConfig(
                vocab_size=words,
                hidden_size=wide,
                num_hidden_layers=12,
                num_attention_heads=12,
                intermediate_size=1536,
                pad_token_id=pack.padding,
            )
            self.encoder = BertModel(config, add_pooling_layer=False)
            self.encoder.load_state_dict(pack.encoder)
            self.encoder.requires_grad_(False)
            for layer in self.encoder.encoder.layer:
                for name in LINEAR:
                    parent, _, last = name.rpartition(".")
                    holder = layer.get_submodule(parent)
                    setattr(holder, last, Adapted(getattr(holder, last)))
            self.head = nn.Linear(wide, len(TASKS))

        def forward(self, tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            states = self.encoder(input_ids=tokens, attention_mask=mask).last_hidden_state.float()
            weights = mask[:, :, None].float()
            vectors = nn.functional.normalize((states * weights).sum(1) / weights.sum(1), dim=1)
            logits: torch.Tensor = self.head(vectors * math.sqrt(vectors.shape[1]))
            return logits

    return Network().cuda()


def fit(pack: Pack, rows: np.ndarray, seed: int) -> Any:
    """Train on these rows; a text counts for the tasks that it has labels of."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits

    torch.manual_seed(seed)
    dice, started = np.random.default_rng(seed), time.monotonic()
    model = network(pack).train()
    adapter = [one for name, one in model.named_parameters() if one.requires_grad and not name.startswith("head")]
    groups = [{"params": adapter, "lr": RATE}, {"params": model.head.parameters(), "lr": 2 * RATE}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.02, betas=(0.9, 0.98))
    plan = [batch for _ in range(EPOCHS) for batch in pack.batches(rows, dice)]
    warm = 0.06 * len(plan)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda n: min(1, (n + 1) / warm) * max(0.02, 0.5 * (1 + math.cos(math.pi * n / len(plan)))),
    )
    for batch in plan:
        tokens, mask = pack.batch(batch)
        places = torch.from_numpy(batch).cuda()
        with torch.autocast("cuda", dtype=torch.bfloat16):
            logits = model(tokens, mask)
        labels, weights = pack.labels[places], pack.weights[places]
        weights = weights * (labels >= 0)
        targets = labels.clamp(0, 1) * (1 - 2 * SMOOTH) + SMOOTH
        losses = binary_cross_entropy_with_logits(logits.float(), targets, reduction="none") * weights
        optimizer.zero_grad(set_to_none=True)
        (losses.sum() / weights.sum().clamp(min=1)).backward()
        torch.nn.utils.clip_grad_norm_([*adapter, *model.head.parameters()], 1.0)
        optimizer.step()
        schedule.step()
    print(f"  {len(rows)} rows, {len(plan)} steps, {time.monotonic() - started:.0f} s", flush=True)
    return model.eval()


def predict(pack: Pack, model: Any, rows: np.ndarray) -> np.ndarray:
    """(len(rows), tasks)."""
    import torch

    logits = np.zeros((len(pack.lengths), len(TASKS)), np.float32)
    with torch.no_grad(), torch.autocast("cuda", dtype=torch.bfloat16):
        for batch in pack.batches(rows, None):
            logits[batch] = model(*pack.batch(batch)).float().cpu().numpy()
    return logits[rows]


def train(work: Path, out: Path) -> None:
    """Train on all rows, then once a fold on the others."""
    from safetensors.numpy import save_file

    pack = Pack(work)
    rows = np.arange(len(pack.lengths))
    model = fit(pack, rows, seed=7)
    tensors = {}
    for name, value in model.named_parameters():
        if value.requires_grad:
            tensors[name.removeprefix("encoder.")] = value.detach().cpu().numpy().astype(np.float16)
    save_file(tensors, out / "adapter.safetensors")
    logits = np.zeros((len(rows), len(TASKS)), np.float32)
    for number in range(FOLDS):
        held_out = rows[pack.folds == number]
        logits[held_out] = predict(pack, fit(pack, rows[pack.folds != number], seed=10 + number), held_out)
    np.savez(out / "logits.npz", keys=pack.keys, folds=pack.folds, logits=logits.astype(np.float16))
    labels = pack.labels.cpu().numpy()
    for column, task in enumerate(TASKS):
        some = labels[:, column] >= 0
        right = (logits[some, column] > 0) == labels[some, column]
        print(f"{task}: {right.mean():.4f} of {some.sum()} held-out rows right")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)
    packing = steps.add_parser("pack")
    packing.add_argument("data", type=Path)
    training = steps.add_parser("train")
    training.add_argument("--out", type=Path, required=True)
    for step in (packing, training):
        step.add_argument("work", type=Path)
    options = parser.parse_args()
    if options.step == "pack":
        pack(options.data, options.work)
    else:
        train(options.work, options.out)


if __name__ == "__main__":
    main()
