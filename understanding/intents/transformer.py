"""A transformer fine-tuned on labelled texts, for whoever has a checkpoint at hand. Needs torch, no sentence vectors.

Its folder is a transformers folder (safetensors, tokenizer) with an `intents.json` that says how to read its scores.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from understanding.errors import CannotTrain, ModelUnreadable
from understanding.intents import evaluation
from understanding.intents.classifier import ABOUT, FORMAT, read_about
from understanding.intents.decision import Decision, Intent
from understanding.intents.evaluation import Codes, Report
from understanding.intents.letters import Floats
from understanding.intents.training import code

KIND = "transformer"
TOKENS, BATCH, RATE = 64, 16, 1e-4
FOLDS = 5
"""One of so many parts of the rows is held out first, to report and to fit the thresholds on."""


@dataclass(frozen=True)
class FineTuned:
    """A fine-tuned transformer; calls may come from any thread."""

    labels: tuple[str, ...]
    decision: Decision
    model: Any
    tokenizer: Any

    def scores(self, texts: Sequence[str]) -> Floats:
        """(n, labels), logits."""
        import torch

        parts = [np.empty((0, len(self.labels)), np.float32)]
        with torch.inference_mode():
            for at in range(0, len(texts), BATCH):
                parts.append(self.model(**_tokens(self.tokenizer, texts[at : at + BATCH])).logits.float().numpy())
        return np.concatenate(parts)

    def classify(self, texts: Sequence[str]) -> list[Intent]:
        """What each text wants."""
        return self.decision.read(self.scores(texts), self.labels)

    def save(self, folder: Path, report: Mapping[str, Any]) -> None:
        """Write the folder, over what it held."""
        self.model.save_pretrained(folder, safe_serialization=True)
        self.tokenizer.save_pretrained(folder)
        about = {
            "format": FORMAT,
            "kind": KIND,
            "labels": self.labels,
            "decision": asdict(self.decision),
            "report": dict(report),
        }
        (folder / ABOUT).write_text(json.dumps(about, ensure_ascii=False, indent=2) + "\n", "utf-8")

    @classmethod
    def load(cls, folder: Path) -> "FineTuned":
        """Read a folder that `save` wrote. Raises ModelUnreadable."""
        about = read_about(folder)
        if (about.get("format"), about.get("kind")) != (FORMAT, KIND):
            raise ModelUnreadable(f"{folder} holds no fine-tuned transformer")
        model, tokenizer = _open(folder)
        return cls(tuple(about["labels"]), Decision(**about["decision"]), model.eval(), tokenizer)


def train(
    texts: Sequence[str],
    labels: Sequence[str],
    checkpoint: Path,
    groups: Mapping[str, str] = MappingProxyType({}),
    epochs: int = 6,
    seed: int = 1,
) -> tuple[FineTuned, Report]:
    """Fine-tune the transformer in the local folder `checkpoint`, once to measure and once on all rows.

    Rows labelled `oos` only decide the threshold. Raises CannotTrain and ModelUnreadable.
    """
    started = time.monotonic()
    names, codes = code(labels)
    fold = np.empty(len(codes), np.int64)
    dice = np.random.default_rng(seed)
    for label in np.unique(codes):
        rows = np.flatnonzero(codes == label)
        fold[dice.permutation(rows)] = np.arange(len(rows)) % FOLDS
    held = [int(row) for row in np.flatnonzero((fold == 0) | (codes < 0))]
    inside = np.flatnonzero((fold > 0) & (codes >= 0))
    if not len(inside):
        raise CannotTrain("too few rows to hold some out")
    draft = _tune(checkpoint, names, texts, codes, inside, epochs, seed)
    unseen = draft.scores([texts[row] for row in held])
    decision = evaluation.fit(unseen, codes[held], names, groups)
    found = evaluation.report(unseen, codes[held], names, decision, [texts[row] for row in held])
    tuned = _tune(checkpoint, names, texts, codes, np.flatnonzero(codes >= 0), epochs, seed)
    return replace(tuned, decision=decision), replace(found, seconds=round(time.monotonic() - started, 3))


def _tune(
    checkpoint: Path, names: tuple[str, ...], texts: Sequence[str], codes: Codes, rows: Codes, epochs: int, seed: int
) -> FineTuned:
    import torch

    torch.manual_seed(seed)
    model, tokenizer = _open(checkpoint, names)
    model.train()
    steps = epochs * -(-len(rows) // BATCH)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=max(steps, 2), pct_start=0.1)
    dice = np.random.default_rng(seed)
    for _ in range(epochs):
        order = dice.permutation(rows)
        for at in range(0, len(order), BATCH):
            batch = [int(row) for row in order[at : at + BATCH]]
            wanted = torch.tensor(codes[batch])
            loss = model(**_tokens(tokenizer, [texts[row] for row in batch]), labels=wanted).loss
            loss.backward()
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
    return FineTuned(names, Decision(1.0, 1.0, 0.0, 0.0), model.eval(), tokenizer)


def _open(folder: Path, names: tuple[str, ...] = ()) -> tuple[Any, Any]:
    """The model and tokenizer of a local folder with safetensors; nothing is downloaded, no code in it is run."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    if not any(folder.glob("*.safetensors")):
        raise ModelUnreadable(f"no weights as safetensors in {folder}")
    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    named = {"num_labels": len(names), "id2label": dict(enumerate(names))} if names else {}
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **options)
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, use_safetensors=True, ignore_mismatched_sizes=True, **options, **named
        )
    except (OSError, ValueError, KeyError) as error:
        raise ModelUnreadable(f"no transformer that can be loaded in {folder}: {type(error).__name__}") from None
    return model, tokenizer


def _tokens(tokenizer: Any, texts: Sequence[str]) -> Any:
    return tokenizer(list(texts), padding=True, truncation=True, max_length=TOKENS, return_tensors="pt")
