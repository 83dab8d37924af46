"""A cross-encoder that reads the question together with each passage, to put the best first. Knows nothing of how they
were found.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from knowledge.batching import Batcher, BatcherFull
from knowledge.embedding import MAX_TOKENS, ModelMissing, has_cuda

logger = logging.getLogger(__name__)

SECONDS = 1.0  # of waiting, after which the passages stay as they are
_PAIRS = 32  # at once
_QUESTIONS = 4  # of concurrent turns, at once
_WAITING = 32

Rerank = Callable[[str, Sequence[str]], list[float] | None]
"""Takes a question and texts; gives a score a text, higher is better, or None when there is none in time."""


class CrossEncoder:
    """The sequence classifier of a transformers folder, on the GPU where there is one. For one thread at a time."""

    def __init__(self, folder: Path) -> None:
        """Loads the model (seconds: it imports torch); safetensors only, and no code of the folder's is run.

        Raises ModelMissing unless it is a classifier with one label (a score) or two (no, yes).
        """
        from sentence_transformers import CrossEncoder as Model

        if not (folder / "config.json").is_file():
            raise ModelMissing(f"no transformers model in {folder}")
        try:
            self._model = Model(
                str(folder),
                device="cuda" if has_cuda() else "cpu",
                max_length=MAX_TOKENS,
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
        except (OSError, ValueError) as error:
            raise ModelMissing(f"no model that can be loaded in {folder}: {error}") from None
        if self._model.num_labels not in (1, 2):
            raise ModelMissing(f"the model in {folder} has {self._model.num_labels} labels, not one or two")

    def score(self, asked: Sequence[tuple[str, Sequence[str]]]) -> list[list[float]]:
        """The scores of the texts of each question."""
        from torch import nn

        pairs = [(question, text) for question, texts in asked for text in texts]
        if not pairs:
            return [[] for _ in asked]
        made = self._model.predict(pairs, batch_size=_PAIRS, activation_fn=nn.Identity(), show_progress_bar=False)
        logits = np.asarray(made, np.float64)
        scores = iter((logits if logits.ndim == 1 else logits[:, 1] - logits[:, 0]).tolist())
        return [[next(scores) for _ in texts] for _, texts in asked]


def patient(
    model: CrossEncoder, observe: Callable[[str], None] = lambda result: None, *, seconds: float = SECONDS
) -> Rerank:
    """Reranks questions of concurrent turns together, and gives up after `seconds`.

    `observe` is told of each question: "done", "late" (too slow, or too many wait), "failed" (whatever the
    model raises: its memory is full, say).
    """
    batcher = Batcher(model.score, max_batch=_QUESTIONS, waiting=_WAITING, seconds=seconds, name="rerank")

    def rerank(question: str, texts: Sequence[str]) -> list[float] | None:
        try:
            scores = batcher((question, texts))
        except (TimeoutError, BatcherFull):
            result, scores = "late", None
        except Exception as error:  # whatever is wrong with it, the passages in the search's own order are an answer
            result, scores = "failed", None
            logger.warning("the reranker: %s", type(error).__name__)
        else:
            result = "done"
        if scores is None:
            logger.warning("not reranked (%s): the passages stay in the search's own order", result)
        observe(result)
        return scores

    return rerank
