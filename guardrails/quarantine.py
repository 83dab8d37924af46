"""Judges the sentences of a document, and says whether somebody must look at it before it may be quoted. Pure.

An instruction to the model may stand in one sentence, be spread over neighbours, or be encoded. One found quarantines
the document; a sentence that is forbidden or offensive merely cannot be quoted. Knows nothing of who embeds.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from guardrails.classification.checks import ToxicityCheck
from guardrails.classification.classifier import Classifier, Embed
from guardrails.classification.ngrams import Floats
from guardrails.classification.pieces import decoded, windows
from guardrails.lexicon import Lexicon
from guardrails.release import strictest
from guardrails.verdict import PASS, Tier, Verdict

VERSION = "1"
"""Raise it when the same sentences may be judged otherwise although no weight and no word has changed."""

LONG = 400
"""Characters; a longer sentence is judged in windows of that size."""

WORDS = 4
"""Letters that a sentence must have to instruct anybody."""

PAIR, TRIPLE = 0.005, 0.03
"""Scores of a sentence from which it is judged together with a neighbour, and with two."""

WIDE = 160
"""Characters of such a window: what is spread over longer sentences stands in one of them."""

AT_ONCE = 512
"""Texts embedded in one call, which sorts them by length."""

TIER: Tier = "injection"


@dataclass(frozen=True)
class Reason:
    """One sentence (its position among those judged, from 0) that holds an instruction, or a part of one."""

    sentence: int
    action: str
    score: float


@dataclass(frozen=True)
class Quarantine:
    """Why a document must not be quoted until a person has looked at it; reasons in the order of its sentences."""

    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class DocumentGuard:
    """Judges sentences in their order. `embed` makes the vectors that both classifiers take. Immutable."""

    embed: Embed
    injection: Classifier
    toxicity: Classifier

    def judge(self, sentences: Sequence[str], lexicon: Lexicon) -> list[Verdict]:
        """Return a verdict a sentence. One of tier "injection" is that whatever else is wrong with the sentence.

        Raises what the embedding raises: without a judgement nothing is known.
        """
        vectors = self._vectors(sentences)
        rude = self._toxicity(sentences, vectors)
        hidden = self._injection(sentences, vectors)
        return [
            _together(score, self.injection, (lexicon.judge(text), insult))
            for text, score, insult in zip(sentences, hidden, rude, strict=True)
        ]

    def _vectors(self, texts: Sequence[str]) -> dict[str, Floats]:
        new = [text for text in dict.fromkeys(texts) if sum(map(str.isalpha, text)) >= WORDS]
        found: dict[str, Floats] = {}
        for start in range(0, len(new), AT_ONCE):
            some = new[start : start + AT_ONCE]
            found |= dict(zip(some, self.embed(some), strict=True))
        return found

    def _toxicity(self, sentences: Sequence[str], vectors: Mapping[str, Floats]) -> list[Verdict]:
        texts = list(vectors)
        judged = self.toxicity.verdicts(texts, np.stack([vectors[text] for text in texts])) if texts else []
        found = {
            text: Verdict(action, ToxicityCheck.tier, (ToxicityCheck.category,), score)
            for text, (action, score) in zip(texts, judged, strict=True)
            if action != "pass"
        }
        return [found.get(text, PASS) for text in sentences]

    def _injection(self, sentences: Sequence[str], vectors: Mapping[str, Floats]) -> list[float]:
        """The score of the worst that each sentence is part of."""
        alone = self._scores(list(vectors), vectors)
        scores = [alone.get(text, 0.0) for text in sentences]
        parts: dict[str, list[int]] = {}
        for at, text in enumerate(sentences):
            for part in [*decoded(text), *(windows(text, LONG) if len(text) > LONG else ())]:
                parts.setdefault(part, []).append(at)
        self._raise(scores, parts, alone)
        for size, least in ((2, PAIR), (3, TRIPLE)):
            parts = {}
            for start in _neighbours(scores, size, least, self.injection.thresholds.review):
                window = joined(sentences[start : start + size])
                if len(window) > WIDE:
                    continue
                for part in (window, *decoded(window)):
                    parts.setdefault(part, []).extend(range(start, start + size))
            self._raise(scores, parts, alone)
        return scores

    def _raise(self, scores: list[float], parts: Mapping[str, Sequence[int]], known: dict[str, float]) -> None:
        """Give the sentences (by position) of which a part was made its score, where that is higher."""
        new = [part for part in parts if part not in known]
        known |= self._scores(new, self._vectors(new))
        for part, members in parts.items():
            for at in members:
                scores[at] = max(scores[at], known.get(part, 0.0))

    def _scores(self, texts: Sequence[str], vectors: Mapping[str, Floats]) -> dict[str, float]:
        some = [text for text in texts if text in vectors]
        if not some:
            return {}
        found = self.injection.probabilities(some, np.stack([vectors[text] for text in some]))[:, -1]
        return dict(zip(some, map(float, found), strict=True))


def _neighbours(scores: Sequence[float], size: int, least: float, enough: float) -> list[int]:
    """Where the windows of `size` sentences begin that hold a suspicious one, but none that is sure by itself."""
    starts = range(len(scores) - size + 1)
    return [start for start in starts if least <= max(scores[start : start + size]) < enough]


def joined(sentences: Sequence[str]) -> str:
    """Sentences as the text that they were: a blank after those that end as Latin script does."""
    return "".join(one if one[-1:] >= "\u2e80" else f"{one} " for one in sentences).rstrip()


def _together(score: float, injection: Classifier, others: tuple[Verdict, ...]) -> Verdict:
    worst, action = strictest(others), injection.thresholds.action(score)
    if action == "pass":
        return worst
    also = tuple(category for verdict in others if verdict.action != "pass" for category in verdict.categories)
    strict = strictest((Verdict(action), worst)).action
    return Verdict(strict, TIER, (TIER, *also), score)


def quarantined(verdicts: Sequence[Mapping[str, Any]]) -> Quarantine | None:
    """Say why a document with these verdicts (as `chatbot.guards` gives them, in order) is quarantined, or None."""
    reasons = tuple(
        Reason(at, verdict["action"], verdict["score"])
        for at, verdict in enumerate(verdicts)
        if verdict["tier"] == TIER
    )
    return Quarantine(reasons) if reasons else None


def fingerprint(*paths: Path) -> str:
    """Changes with the files (a folder's are all its own) and with this module's VERSION and thresholds; 16 digits."""
    digest = hashlib.sha256(f"{VERSION} {LONG} {WORDS} {PAIR} {TRIPLE} {WIDE}".encode())
    for path in paths:
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
