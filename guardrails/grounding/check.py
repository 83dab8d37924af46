"""Grounding as a check of `guardrails.release`: does the evidence say what a unit of a reply says?

Knows nothing of engines or of how sentences are embedded.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from guardrails.grounding import wording
from guardrails.grounding.evidence import Embed, Evidence, Vectors
from guardrails.grounding.features import features
from guardrails.grounding.model import Model
from guardrails.verdict import PASS, Action, Verdict

TURNS = 64
"""Evidence of so many turns is kept taken apart."""

SENTENCES = 4_096
"""Vectors of so many sentences are kept: popular passages are embedded once."""


SURE = 0.5
"""Least probability to be supported of a unit with a number that the evidence has not."""

COPIED = 0.5
"""A unit that is copied to this share, with a number that the evidence has not, is a quote gone wrong."""


ACROSS = 0.65
"""Least cosine to evidence in the other language, where there are no words to compare (`python -m bench.grounded`)."""


class Grounding:
    """A check for each unit of a reply that is written from passages. Thread-safe.

    embed: see `Embed`; called once a unit and once for the sentences of passages that are new. What has no evidence at
    all is not judged: the bot's own sentences are not written from passages.
    """

    def __init__(self, embed: Embed, model: Model | None = None) -> None:
        self._embed = embed
        self._model = model or Model.load()
        self._lock = threading.Lock()
        self._turns: OrderedDict[tuple[str, ...], Evidence] = OrderedDict()
        self._vectors: OrderedDict[str, Vectors] = OrderedDict()

    def __call__(self, unit: str, evidence: Sequence[str], /) -> Verdict:
        """Pass what a passage says in the same words, and courtesy; weigh the rest.

        Blocks a link, number or name that no passage has, what the model holds for contradicted or unsupported, and
        deeds ("I have booked …"). Raises what `embed` raises.
        """
        if not evidence or not any(one.isalnum() for one in unit):
            return PASS
        known = self.taken_apart(tuple(evidence))
        if known.quotes(unit):
            return PASS
        return self.weigh(unit, known)

    def weigh(self, unit: str, evidence: Evidence) -> Verdict:
        """The verdict on a unit that is no quote."""
        if not evidence.sentences:
            return _verdict("block", "unsupported", 1.0)
        values, found = features(unit, evidence, self._embed([unit])[0], self.vectors(evidence))
        folded = wording.fold(unit)
        if not (found.facts or found.names or found.deed) and wording.claims_nothing(folded):
            return PASS
        if found.literal:
            return _verdict("block", f"{found.literal[0].kind}_not_in_evidence", 1.0)
        if found.deed:
            return _verdict("block", "deed", 1.0)
        if found.across:
            if found.unheard:
                return _verdict("block", f"{found.unheard[0].kind}_not_in_evidence", 1.0)
            return PASS if found.cosine >= ACROSS else _verdict("review", "unsupported", 0.5)
        supported, unsupported, contradicted = map(float, self._model.probabilities(values))
        if supported >= (SURE if found.unheard else self._model.least):
            return PASS
        if found.unheard and found.copied >= COPIED:
            return _verdict("block", f"{found.unheard[0].kind}_not_in_evidence", 1 - supported)
        category = "contradicted" if contradicted > unsupported else "unsupported"
        return _verdict("block" if supported < self._model.block else "review", category, 1 - supported)

    def taken_apart(self, passages: tuple[str, ...]) -> Evidence:
        """The evidence of these passages, from the turns before if it was there."""
        with self._lock:
            known = self._turns.get(passages) or Evidence(passages)
            self._turns[passages] = known
            self._turns.move_to_end(passages)
            if len(self._turns) > TURNS:
                self._turns.popitem(last=False)
        return known

    def vectors(self, evidence: Evidence) -> Vectors:
        """(sentences, d): vectors of the evidence's sentences."""
        texts = [sentence.text for sentence in evidence.sentences]
        with self._lock:
            have = {text: self._vectors[text] for text in texts if text in self._vectors}
        new = [text for text in texts if text not in have]
        if new:
            have.update(zip(new, self._embed(new), strict=True))
        with self._lock:
            for text in texts:
                self._vectors[text] = have[text]
                self._vectors.move_to_end(text)
            while len(self._vectors) > SENTENCES:
                self._vectors.popitem(last=False)
        return np.stack([have[text] for text in texts])


def _verdict(action: Action, category: str, score: float) -> Verdict:
    return Verdict(action, "grounding", (category,), score)
