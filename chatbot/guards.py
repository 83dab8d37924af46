"""The guards of a process that has models: what stands around messages and units beside the word lists.

Built once a process. Both classifiers see one vector a text, and a text that was judged lately is not judged again:
an answer quotes the same sentences for many customers.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from chatbot.prompts import CANARIES, MARK, instructions
from guardrails.classification.checks import InjectionCheck, ToxicityCheck
from guardrails.classification.classifier import Classifier, ClassifierError
from guardrails.classification.shipped import (
    ADAPTER,
    BASE_ENCODER,
    DOCUMENT,
    GUARD_ENCODER,
    SHIPPED,
    encoder_folder,
)
from guardrails.grounding.check import Grounding
from guardrails.guard_model.answers import GuardModelError, NoVerdict, read_labels
from guardrails.guard_model.check import Ask, ModelCheck, Role
from guardrails.leaks import LeakCheck, published_in
from guardrails.levels import Levels
from guardrails.lexicon import Lexicon
from guardrails.quarantine import DocumentGuard, fingerprint
from guardrails.release import Check, Evidence, guarded, judge_unit, strictest
from guardrails.units import split_units
from guardrails.verdict import Verdict
from knowledge.batching import Batcher
from knowledge.embedding import Embedder, OnnxEmbedder, TorchEmbedder, as_passage, as_query
from knowledge.passages import Vectors

REMEMBERED = 8_192
OWN = "联系方式 客服 热线 电话 邮箱 地址 contact customer service hotline phone call e-mail address"
"""What stands before published contacts where they are evidence."""

SECONDS, AT_ONCE, WAITING = 5.0, 32, 128
"""Of the guard model: time-out of a verdict, texts judged together, texts that may wait."""


class Remembered:
    """An embedding function that remembers the vectors of the texts it saw last. Thread-safe."""

    def __init__(self, embed: Callable[[Sequence[str]], Vectors], most: int = REMEMBERED) -> None:
        self._embed, self._most = embed, most
        self._vectors: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Return vectors of shape (len(texts), dimension). Raises what the embedding raises."""
        with self._lock:
            known = {text: self._vectors[text] for text in texts if text in self._vectors}
        new = list(dict.fromkeys(text for text in texts if text not in known))
        known |= dict(zip(new, self._embed(new), strict=True)) if new else {}
        with self._lock:
            for text in texts:
                self._vectors[text] = known[text]
                self._vectors.move_to_end(text)
            while len(self._vectors) > self._most:
                self._vectors.popitem(last=False)
        return np.stack([known[text] for text in texts])


class Guards:
    """The classifiers have an encoder of their own; `base` lends its tokenizer, `models` is their folder.

    levels: asked at every judgement of a message or a unit; documents are judged by the levels that ship, since they
    are not judged again when levels move. model: asked last, about messages and units.
    Raises guardrails' ClassifierError and knowledge's ModelMissing.
    """

    def __init__(
        self,
        base: Embedder,
        models: Path,
        levels: Callable[[], Levels] = Levels,
        model: Ask | None = None,
    ) -> None:
        toxicity, injection = (Classifier.load(SHIPPED / task) for task in ("toxicity", "injection"))
        encoder = _encoder(base, toxicity.encoder, models)

        def vectors(texts: Sequence[str]) -> Vectors:
            return encoder.embed([as_query(text) for text in texts])

        embed = Remembered(vectors)
        self.documents = DocumentGuard(vectors, Classifier.load(DOCUMENT), toxicity)  # too many to be remembered
        self.toxicity = ToxicityCheck(
            toxicity.with_encoder(embed), lambda: levels().of("toxicity", toxicity.thresholds)
        )
        self.injection = InjectionCheck(
            injection.with_encoder(embed), lambda: levels().of("injection", injection.thresholds)
        )
        self._weigh = Grounding(lambda texts: base.embed([as_passage(text) for text in texts]))
        self._leaks = LeakCheck(CANARIES, instructions(), MARK)
        self._model_on_messages = (ModelCheck(model, "customer"),) if model else ()
        self._model_on_replies = (ModelCheck(model, "shop"),) if model else ()

    @property
    def on_messages(self) -> tuple[Check, ...]:
        """What a customer's message must pass."""
        return (self.injection, self.toxicity, *self._model_on_messages)

    @property
    def on_units(self) -> tuple[Check, ...]:
        """What each unit of a reply must pass, cheapest first."""
        return (self._leaks, self._grounded, self.toxicity, *self._model_on_replies)

    def judge_reply(self, text: str) -> Verdict:
        """Return the strictest verdict on what a person wrote, unit by unit and as a whole; a guard that fails blocks.

        Not grounding: a person may know more than the documents. The word lists are the caller's.
        """
        units = list(split_units((text,)))
        leaks = (guarded(lambda part=part: self._leaks(part, ()), "leak") for part in [text, *units])  # type: ignore[misc]
        found = strictest(leaks)
        if found.action != "block":
            found = strictest([found, guarded(lambda: self._insults(units))])
        return found if found.action == "block" else strictest([found, judge_unit(text, (), self._model_on_replies)])

    def judge_passages(self, texts: Sequence[str], lexicon: Lexicon) -> list[dict[str, Any]]:
        """Return {"action", "tier", "categories", "score"} for each sentence of a document, in their order.

        Hand in neighbours together, best a whole document: an instruction may be spread over them. Raises what the
        encoder raises.
        """
        return [
            {"action": v.action, "tier": v.tier, "categories": list(v.categories), "score": round(v.score, 4)}
            for v in self.documents.judge(texts, lexicon)
        ]

    def _insults(self, units: Sequence[str]) -> Verdict:
        return strictest(self.toxicity.all(units))

    def _grounded(self, unit: str, evidence: Sequence[str], /) -> Verdict:
        """Block what the passages do not bear out. What the check is unsure of passes, with the reason.

        It is unsure of one in three true sentences that an engine puts in words of its own (bench.grounded): as many
        replies would wait for a reviewer in vain.
        """
        verdict = self._weigh(unit, evidence)
        contacts = evidence.contacts if isinstance(evidence, Evidence) else ()
        if verdict.action == "block" and (own := published_in(unit, contacts)):
            told = [f"{OWN}: {one}{stop}" for one in own for stop in ("", ".")]  # a full stop may hide a number's end
            verdict = self._weigh(unit, (*evidence, *told))
        return verdict if verdict.action == "block" else replace(verdict, action="pass")


def _encoder(base: Embedder, name: str, models: Path) -> Embedder:
    """The classifiers' encoder, where `base` runs: on the same GPU, or on the CPU with its tokenizer."""
    if isinstance(base, TorchEmbedder):
        return TorchEmbedder(models / BASE_ENCODER, adapter=ADAPTER if name == GUARD_ENCODER else None)
    tokenizer = base.tokenizer if isinstance(base, OnnxEmbedder) else None
    return OnnxEmbedder(encoder_folder(name, models), tokenizer=tokenizer)


def ask_model(folder: Path, labels: str = "", seconds: float = SECONDS) -> Ask:
    """Load the guard model in `folder` and return what asks it, from any thread: together with whoever asks meanwhile.

    labels: see guardrails' `read_labels`. The verdict raises where there is none in `seconds`, or too many wait.
    Raises guardrails' ClassifierError.
    """
    from guardrails.guard_model.model import Judged, load  # and torch with it

    try:
        model = load(folder, read_labels(labels))
    except GuardModelError as error:
        raise ClassifierError(str(error)) from None
    batched: Batcher[tuple[Role, str], Judged] = Batcher(
        model.judge, max_batch=AT_ONCE, waiting=WAITING, seconds=seconds, name="guard model"
    )

    @lru_cache(REMEMBERED)
    def ask(said: tuple[Role, str]) -> Verdict:
        found = batched(said)
        if isinstance(found, NoVerdict):
            raise found
        return found

    return ask


def document_guards() -> str:
    """Return a version of everything but the word lists that judges documents; loads no model."""
    return fingerprint(SHIPPED / "toxicity", DOCUMENT, ADAPTER)
