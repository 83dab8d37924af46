"""The parts of a worker: the model, the indexes, the engine, and the assistant made of them; built once a process.

Nothing here imports torch by itself: the embedder does on a GPU, the transformers engine everywhere.
"""

import contextlib
import logging
import math
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, Literal

from chatbot import metrics, wording
from chatbot.answer_cache import AnswerCache, NoCache, Versions
from chatbot.answer_store import StoredAnswers
from chatbot.by_rule import by_rule
from chatbot.encoder import SEARCH, mood_encoder, search_encoder, with_mood
from chatbot.engines import Engine
from chatbot.engines.breaker import Breaker
from chatbot.engines.extractive import ExtractiveEngine
from chatbot.engines.ladder import Ladder, Rung
from chatbot.engines.limit import Limit
from chatbot.engines.openai_engine import OpenAIEngine, Patience
from chatbot.events import LogUnavailable
from chatbot.guards import Guards, ask_model, document_guards
from chatbot.knowledge_bases import KnowledgeBases
from chatbot.once import Once
from chatbot.pipeline import Assistant
from chatbot.prompts import CANARIES
from chatbot.pulse import Pulse
from chatbot.turn import Conclusion, Language
from chatbot.understanding import Listener
from chatbot.wiring import answer_store, event_log, lexicon, secret
from config.environment import ROOT, config
from guardrails.levels import services as level_services
from guardrails.live import Live
from guardrails.release import Release, Released, Withheld
from guardrails.screening import screen_message
from knowledge.batching import Batcher
from knowledge.embedding import Embedder, as_query
from knowledge.followup import standalone
from knowledge.loading import Loader, VectorStore
from knowledge.milvus_store import MilvusStore
from knowledge.passages import Vectors
from knowledge.reranking import CrossEncoder, Rerank, patient
from knowledge.retrieval import Retriever
from understanding import services as intent_services
from understanding.intents.routing import Understood
from understanding.sentiment.model import SentimentModel

logger = logging.getLogger(__name__)

REPORT_SECONDS = 2
REMEMBERED = 1_024
"""Vectors of questions that are kept, 1.5 kB each."""


def answer_seconds() -> float:
    """Deadline of one answer."""
    return config().answer_seconds


def idle_seconds() -> float:
    """How long nothing may happen in a conversation until it rests."""
    return config().idle_minutes * 60


def review_seconds() -> float:
    """How long a reviewer has."""
    return config().review_seconds


def vault_days() -> int:
    """How long personal data is kept in the vault; 0: as long as its conversation."""
    return config().vault_days


@Once
def embedder() -> Embedder:
    """The embedding model, on the GPU where there is one; not on that of an engine, which would lose a third of its
    speed.
    """
    device = config().device
    return search_encoder(config().models, "cpu" if device == "auto" and "openai" in config().engine else device)


@Once
def embed_query() -> Callable[[str], Vectors]:
    """Embeds one question; questions of concurrent turns are embedded together, and none twice in a row: intent, mood,
    cache and search all ask for its vector, which nobody may change.
    """

    def run(questions: list[str]) -> list[Vectors]:
        vectors = embedder().embed([as_query(question) for question in questions])
        vectors.setflags(write=False)
        return list(vectors)

    def observe(size: int, seconds: float) -> None:
        metrics.BATCH_SIZE.observe(size)
        metrics.BATCH_QUEUE.observe(seconds)

    return lru_cache(REMEMBERED)(Batcher(run, max_batch=32, waiting=256, observe=observe, name="embed"))


@Once
def vector_store() -> VectorStore | None:
    """Where vectors of large bases are; None: in the snapshots' own files."""
    return MilvusStore(config().milvus_url) if config().vector_store == "milvus" else None


@Once
def knowledge_loader() -> Loader:
    """Loads knowledge as the embedding model sees it."""
    return Loader(embedder().model_id, config().var / "index", vector_store())


@Once
def rerank() -> Rerank | None:
    """What orders passages once more, if anything does."""
    folder = config().reranker
    return patient(CrossEncoder(folder), lambda result: metrics.RERANKED.labels(result).inc()) if folder else None


@Once
def knowledge_bases() -> KnowledgeBases:
    """The knowledge bases of this process."""
    return KnowledgeBases(
        knowledge_loader,
        lambda index, threshold: Retriever(index, embed_query(), threshold=threshold, rerank=rerank()),
        make_snapshot_apart,
    )


def make_snapshot_apart(base: str) -> None:
    """Have a process of low priority make the snapshot of a base; it ends at once when another one is at it."""
    command = ["nice", "-n", "10", sys.executable, str(ROOT / "manage.py"), "snapshot", "--", base]
    subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # noqa: S603


levels = Live(level_services.load, level_services.newest, what="levels")
"""From which scores the classifiers act, as people's decisions have moved it."""


@Once
def guards() -> Guards:
    """What stands around messages and replies beside the word lists."""
    o = config()
    model = ask_model(o.guard_model, o.guard_labels, o.guard_seconds) if o.guard_model else None
    return Guards(embedder(), o.models, levels, model)


def guard_version() -> str:
    """Return a version of all that judges messages and replies; at most 64 characters."""
    words, moved = lexicon().version, levels().version
    return f"{words[:55]}-{moved:08}" if moved else words


def judge_passages(texts: list[str]) -> list[dict[str, Any]]:
    """Return {"action", "tier", "categories", "score"} for each sentence of a document; neighbours belong together."""
    return guards().judge_passages(texts, lexicon())


def document_guard_version() -> str:
    """Return a version of all that judges documents: word lists, classifiers, thresholds; at most 81 characters."""
    return f"{lexicon().version}-{_document_guards()}"


@Once
def _document_guards() -> str:
    return document_guards()


@Once
def release() -> Release:
    """The only way out for text that the bot says."""
    return Release(lexicon=lexicon, checks=guards().on_units)


intents = Live(lambda _: intent_services.load(SEARCH), intent_services.newest, every=0.5, what="intents")
"""What tells intents now: what staff have trained and activated, or what ships."""


@Once
def understand() -> Listener:
    """What is understood before anything is looked up."""
    moods, both = SentimentModel.load(), with_mood(embed_query(), mood_encoder(config().models, embedder()))

    def wanted(text: str) -> tuple[Understood, str]:
        now = intents()
        return now(text, embed_query()(text)), now.version

    def judge(texts: Sequence[str]) -> list[tuple[str, float]]:
        return moods.judge(texts, both(texts))

    return Listener(by_rule, standalone, wanted, judge)


_own_words = Release(lexicon=lexicon)
"""The bot's own sentences are known: the word list alone judges them, in every process, whatever the guards do."""


def say(code: str, language: Language, *, after: bool = False, before: bool = False) -> tuple[Released, ...]:
    """Return the bot's own sentence for a code, released like any other text; `after` other text as a new paragraph,
    `before` other text in one with it.
    """
    space = " " if before and language == "en" else ""
    released = _own_words.whole("\n\n" * after + wording.say(code, language) + space)
    if not isinstance(released, Withheld):
        return released
    logger.error("the word list forbids the bot's own sentence %s: it is left out", code)
    if code.startswith(("opening.", "closing.")):
        return ()
    wordless = _own_words.whole("…")  # whoever waits must hear that there is an end
    assert not isinstance(wordless, Withheld)
    return wordless


def apology(language: Language) -> Conclusion:
    """What is said when no answer could be made."""
    return Conclusion("handed_off", "failed", say("apology", language))


def build_engine(names: Sequence[str]) -> Engine:
    """Build the engines of these names (`KEFU_ENGINE`), best first, as one."""
    CANARIES.share(secret(f"canaries {date.today()}"))  # all workers begin their prompts with the same words
    return Ladder([_rung(name) for name in names], metrics.count_attempt)


def _rung(name: str) -> Rung:
    if name == "openai":
        engine = OpenAIEngine(
            config().engine_url,
            config().engine_model,
            key=config().engine_key,
            extras=config().engine_extras,
            thinking=config().engine_thinking,
            prompt_tokens=config().prompt_tokens,
            max_new_tokens=config().reply_tokens,
            patience=Patience(first=config().engine_first_seconds),
        )
        limit = Limit(config().engine_at_once, target=config().engine_target_seconds)
        return Rung(engine, Breaker(), limit, seconds=2.0, healthy=engine.healthy)
    if name == "transformers":
        from chatbot.engines.transformers_engine import TransformersEngine

        model = config().model
        return Rung(TransformersEngine(str(config().models / "smollm2") if model in ("", "smollm2") else model))
    return Rung(ExtractiveEngine(), seconds=-math.inf)


def build_cache(engine: Engine) -> AnswerCache:
    """Build the cache of what that engine answers."""
    if not config().cache_hours:
        return NoCache()

    def versions(base: str) -> Versions:
        release, knowledge = knowledge_bases().stamp(base)
        return Versions(
            knowledge=knowledge,
            release=release,
            guards=f"{document_guard_version()} {levels().version}",
            prompt=engine.prompt_version,
            engine=f"{engine.name}:{engine.model}",
        )

    def report(what: Literal["look", "keep"], result: str, seconds: float) -> None:
        (metrics.ANSWER_LOOKS if what == "look" else metrics.ANSWERS_KEPT).labels(result).inc()
        metrics.ANSWER_SECONDS_SAVED.inc(seconds)

    embed = embed_query() if config().cache_semantic else None
    return StoredAnswers(answer_store(), versions, embed=embed, report=report)


def build_assistant(engine: Engine, cache: AnswerCache | None = None) -> Assistant:
    """Build the pipeline with its real stages; without a cache it answers everything anew."""
    return Assistant(
        screen=lambda text: screen_message(text, lexicon(), guards().on_messages),
        understand=understand(),
        search=knowledge_bases().search,
        engine=engine,
        release=release(),
        say=say,
        cache=cache or NoCache(),
    )


@Once
def assistant() -> Assistant:
    """The assistant of this worker."""
    engine = build_engine(config().engine)
    return build_assistant(engine, build_cache(engine))


@Once
def pulse() -> Pulse:
    """The pulse of this worker."""
    return Pulse(event_log())


def warm_worker(name: str) -> None:
    """Load everything that an answer needs, then report every two seconds that this worker is ready."""
    metrics.forget_dead_processes()
    assistant().screen("warm")
    intents()
    warm = False
    while not warm:  # a worker that gave up here would run on without ever answering
        with contextlib.suppress(TimeoutError):
            embed_query()("warm")
            warm = True
    knowledge_bases().watch()

    def report() -> None:
        while True:
            try:
                event_log().report_worker(name, seconds=5 * REPORT_SECONDS)
            except LogUnavailable:
                logger.warning("the event log cannot be reached; this worker cannot report")
            time.sleep(REPORT_SECONDS)

    threading.Thread(target=report, name="report", daemon=True).start()
