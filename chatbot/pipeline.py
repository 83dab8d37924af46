"""A turn, from the customer's masked words to what is said to them. The page to read first.

    Turn -> screened message -> what it wants -> kept answer, or passages -> draft -> shaped -> released -> Conclusion

Knows nothing of Django, Celery, redis or torch: every stage is handed in by worker_wiring.py. A `Part` and a
`Conclusion` take only what release has passed, so an unscreened draft cannot leave this page.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from chatbot.answer_cache import AnswerCache, Look, NoCache
from chatbot.engines import Draft, Engine, EngineFailed, Prompt
from chatbot.engines.citations import cited
from chatbot.engines.decoding import decoding_for
from chatbot.shaping import TONES, Manner, Shaped, manner_of
from chatbot.sources import sources_of
from chatbot.stopwatch import Stopwatch
from chatbot.turn import Conclusion, Interruption, Language, Outcome, Part, Progress, Record, Turn, TurnEvent
from chatbot.understanding import Heard
from guardrails.release import Evidence, Release, Released, Withheld
from guardrails.screening import ScreenedMessage
from guardrails.verdict import GUARD_FAILED
from knowledge.batching import BatcherFull
from knowledge.errors import BaseMissing, VectorsMissing
from knowledge.filters import Filters
from knowledge.passages import Retrieved

SURELY = 0.7
"""Least probability that documents answer what sounds like a wish for a person: of 134 utterances that teach the
classifier this wish, six reach it, and all ask for a number, an address or hours."""


class Search(Protocol):
    """Finds passages for a standalone question in the base of that slug, of those that `filters` let through.

    Raises knowledge's BaseMissing.
    """

    def __call__(self, question: str, base: str, *, filters: Filters | None = None) -> Retrieved: ...


class Say(Protocol):
    """Returns the bot's own sentence for a wording code; `after` other text it is a new paragraph, `before` other text
    its first words.
    """

    def __call__(
        self, code: str, language: Language, *, after: bool = False, before: bool = False
    ) -> tuple[Released, ...]: ...


@dataclass(frozen=True)
class Asked:
    """A turn on its way: what was heard, how to speak, and what the cache had."""

    turn: Turn
    heard: Heard
    manner: Manner
    look: Look

    @property
    def said(self) -> tuple[str, ...]:
        """What the bot has said so far."""
        return said_by_bot(self.turn)


class Known:
    """The record of a turn as far as it has come: what breaks off in the middle is recorded with what was known."""

    def __init__(self, record: Record) -> None:
        self.record = record

    def add(self, **changes: Any) -> Record:
        """Return the record with these fields."""
        self.record = replace(self.record, **changes)
        return self.record


@dataclass(frozen=True)
class Assistant:
    """Answers one turn at a time. Holds the stages, never a conversation."""

    screen: Callable[[str], ScreenedMessage]
    understand: Callable[[str, Turn], Heard]
    search: Search
    engine: Engine
    release: Release
    say: Say
    cache: AnswerCache = field(default_factory=NoCache)

    def answer(
        self, turn: Turn, base: str, interrupted: Callable[[], Interruption]
    ) -> Generator[TurnEvent, None, None]:
        """Yield what the customer sees, in order; the last event is a Conclusion."""
        watch = Stopwatch()
        known = Known(Record(milliseconds=watch.milliseconds))
        try:
            yield from self._answer(turn, base, known, interrupted, watch)
        except (BatcherFull, TimeoutError):  # the model that all turns share has too much to do
            yield self._saying("handed_off", "timeout", turn.language, known.record)

    def _answer(
        self,
        turn: Turn,
        base: str,
        known: "Known",
        interrupted: Callable[[], Interruption],
        watch: Stopwatch,
    ) -> Generator[TurnEvent, None, None]:
        with watch("screen"):
            message = self.screen(turn.text)
        record = known.add(verdicts=(message.verdict,))
        if GUARD_FAILED in message.verdict.categories:
            yield self._saying("handed_off", GUARD_FAILED, turn.language, record)
            return
        if message.verdict.action == "block" or (message.verdict.action == "review" and not turn.approved):
            outcome: Outcome = "refused" if message.verdict.action == "block" else "review"
            yield self._saying(outcome, f"message_{message.verdict.action}", turn.language, record)
            return

        if turn.files:  # the bot cannot look at them
            yield self._saying("handed_off", "file", turn.language, record)
            return

        with watch("understand"):
            heard = self.understand(message.text, turn)
        record = known.add(
            intent=heard.intent,
            sentiment=heard.sentiment,
            question=heard.question,
            understanding=heard.version,
        )
        match heard.does.route:
            case "small_talk":
                yield self._small_talk(heard, turn.language, record)
                return
            case "human" if not (heard.version and self._is_told(heard.question, base, watch)):
                yield self._saying("handed_off", "requested", turn.language, record)
                return
            case "refuse":
                yield self._saying("refused", "intent", turn.language, record)
                return
        if heard.trend.hand_off == "make":
            yield self._saying("handed_off", "upset", turn.language, record)
            return

        manner = manner_of(
            heard.intent,
            heard.sentiment,
            heard.trend,
            turn.language,
            said_by_bot(turn),
            turn.persona,
            heard.does.tone,
        )
        with watch("cache"):
            spoken = f"{manner.tone} {heard.does.temperature} {sorted(heard.filters.items())}"
            look = self.cache.look(turn, base, heard.question, heard.intent, spoken)
            asked = Asked(turn, heard, manner, look)
            cached = self._cached(asked, record)
        if cached is not None:
            yield from map(Part, cached.units)
            yield cached
            return

        yield Progress("searching")
        with watch("search"):
            filters = {key: (value,) for key, value in heard.filters.items()}
            found = self.search(heard.question, base, filters=filters)
        passages = tuple((p.chunk_id, round(p.score, 4)) for p in found.passages)
        record = known.add(knowledge_version=found.knowledge_version, confidence=found.confidence, passages=passages)
        if not found.answerable:
            yield self._saying("handed_off", "no_answer", turn.language, record)
            return

        yield Progress("checking" if found.exact else "writing")  # an FAQ's own words are only checked
        yield from self._write(asked, found, record, interrupted, watch)

    def _is_told(self, question: str, base: str, watch: Stopwatch) -> bool:
        """Whether documents surely answer what a classifier takes for a wish for a person: a hotline's hours, say."""
        with watch("search"):
            try:
                found = self.search(question, base)
            except (BaseMissing, VectorsMissing):
                return False
        return found.answerable and (found.exact or found.confidence >= SURELY)

    def _small_talk(self, heard: Heard, language: Language, record: Record) -> Conclusion:
        """Say what staff want said to that intent, or the bot's own words."""
        reply = heard.does.replies.get(language, "")
        units = self.release.whole(reply) if reply else ()
        if not units or isinstance(units, Withheld):
            code = "thanks_goodbye" if heard.intent == "thanks_goodbye" else "greeting"
            return self._saying("chitchat", code, language, record)
        return Conclusion("chitchat", "small_talk", units, record=record)

    def _cached(self, asked: Asked, record: Record) -> Conclusion | None:
        """Return a kept answer, released anew; None when there is none, or today's release withholds it."""
        kept, language = asked.look.answer, asked.turn.language
        if kept is None:
            return None
        units = self.release.whole(kept.text, evidence_of(kept.found))
        if isinstance(units, Withheld):
            self.cache.withhold(asked.look)
            return None
        sources = sources_of(kept.text, kept.found, self.release)
        whole = (*self._opening(asked.manner.opening, language), *units, *self._closing(asked.manner, language))
        return Conclusion(
            "faq" if kept.found.exact else "answered", "", whole, sources=sources, record=kept.record(record)
        )

    def _write(
        self,
        asked: Asked,
        found: Retrieved,
        record: Record,
        interrupted: Callable[[], Interruption],
        watch: Stopwatch,
    ) -> Generator[TurnEvent, None, None]:
        """Yield the reply unit by unit as release passes it: an FAQ's own words, or what the engine writes."""
        turn, manner = asked.turn, asked.manner
        prompt = Prompt(
            found.question,
            found.question_vector,
            found.passages,
            turn.language,
            turn.history,
            "\n".join(filter(None, (TONES[manner.tone], turn.persona))),
            decoding=decoding_for(asked.heard.does.temperature, found.confidence),
            deadline=turn.deadline,
        )
        draft = None if found.exact else self.engine.stream(prompt, lambda: bool(interrupted()))
        reply = Shaped(draft or (found.passages[0].text,), manner, asked.said, whole=found.exact)
        opening: tuple[Released, ...] = ()
        shown: list[Released] = []
        try:
            with watch("write"), closing(reply):
                for unit in self.release.stream(reply, evidence_of(found), cut=False):
                    if isinstance(unit, Withheld):
                        record = _written_by(draft, replace(record, verdicts=(*record.verdicts, unit.verdict)))
                        yield self._withheld(unit, opening, shown, found, turn.language, record)
                        return
                    if not shown:
                        opening = self._opening(reply.opening, turn.language)
                        yield from map(Part, opening)
                    shown.append(unit)
                    yield Part(unit)
        except EngineFailed:
            yield self._saying("handed_off", "engine_failed", turn.language, _written_by(draft, record))
            return
        record = _written_by(draft, record)
        reason = interrupted()
        nothing = not any(unit.text.strip() for unit in shown)
        if reason == "stopped" and nothing:
            yield self._saying("answered", reason, turn.language, record)
            return
        if reason == "timeout" or nothing:
            yield self._saying("handed_off", "timeout" if reason == "timeout" else "no_answer", turn.language, record)
            return
        if draft and not reason and _rests_on_nothing(shown):
            record = replace(record, verdicts=(*record.verdicts, shown[-1].verdict))
            yield self._saying("handed_off", "no_answer", turn.language, record)
            return
        sources = sources_of("".join(unit.text for unit in shown), found, self.release)
        outcome: Outcome = "faq" if found.exact else "answered"
        answer = Conclusion(outcome, reason, tuple(shown), sources=sources, record=record)
        if not record.degraded and not (draft and draft.cut):  # else the next customer may get a better one
            self.cache.keep(asked.look, found, answer)
        after: tuple[Released, ...] = ()
        if not reason:
            degraded = self.say("degraded", turn.language, after=True) if record.degraded else ()
            after = (*degraded, *self._closing(manner, turn.language))
        yield replace(answer, units=(*opening, *shown, *after))

    def _opening(self, code: str, language: Language) -> tuple[Released, ...]:
        return self.say(code, language, before=True) if code else ()

    def _closing(self, manner: Manner, language: Language) -> tuple[Released, ...]:
        return self.say(manner.closing, language, after=True) if manner.closing else ()

    def _withheld(
        self,
        unit: Withheld,
        opening: tuple[Released, ...],
        shown: list[Released],
        found: Retrieved,
        language: Language,
        record: Record,
    ) -> Conclusion:
        """A block takes back what was shown; for review, the safe beginning stays and the rest waits for a person."""
        if unit.verdict.action == "block" and unit.verdict.tier == "grounding":  # the passages do not say so
            return self._saying("handed_off", "no_answer", language, record)
        if GUARD_FAILED in unit.verdict.categories:
            return self._saying("handed_off", GUARD_FAILED, language, record)
        if unit.verdict.action == "block":
            return self._saying("refused", "reply_block", language, record)
        units = (*opening, *shown, *self.say("handed_off.review", language, after=True))
        said = "".join(unit.text for unit in shown)
        held = found.passages[0].text[len(said) :] if found.exact else unit.text  # an FAQ's words are known to the end
        sources = sources_of(said + held, found, self.release)
        return Conclusion("review", "reply_review", units, sources=sources, record=record, held=held)

    def _saying(self, outcome: Outcome, reason: str, language: Language, record: Record) -> Conclusion:
        code = {
            "refused": "refused",
            "review": "handed_off.review",
            "handed_off": f"handed_off.{reason}",
        }.get(outcome, reason)
        return Conclusion(outcome, reason, self.say(code, language), record=record)


def _rests_on_nothing(reply: Sequence[Released]) -> bool:
    """Whether a reply cites no passage, and the guards were unsure of all that it says."""
    said = [unit for unit in reply if unit.text.strip()]
    return not cited("".join(unit.text for unit in said)) and all(unit.verdict.tier == "grounding" for unit in said)


def said_by_bot(turn: Turn) -> tuple[str, ...]:
    """Return what the bot has said so far, oldest first."""
    return tuple(said.text for said in turn.history if said.role == "bot")


def evidence_of(found: Retrieved) -> Evidence:
    """Return the passages as what a reply must rest on, with the contacts that their base publishes."""
    passages = ("\n".join(filter(None, (p.heading, p.question, p.text))) for p in found.passages)
    return Evidence.of(passages, found.contacts)


def _written_by(draft: Draft | None, record: Record) -> Record:
    """The record with who wrote the reply, as the draft knows it by now."""
    if draft is None:
        return record
    return replace(
        record,
        engine=draft.writer,
        prompt_version=draft.prompt_version,
        degraded=draft.degraded,
        prompt_tokens=draft.prompt_tokens,
        reply_tokens=draft.reply_tokens,
    )
