"""The path of one customer message, top to bottom. The page to read first.

    Turn -> screened message -> route -> passages -> draft -> released units -> Conclusion

Knows nothing of Django, Celery, redis or torch: every stage is handed in by worker_wiring.py. A `Part` and a
`Conclusion` take only what release has passed, so an unscreened draft cannot leave this page.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from chatbot.answer_cache import AnswerCache, Look, NoCache
from chatbot.engines import Draft, Engine, EngineFailed, Prompt
from chatbot.engines.decoding import decoding_for
from chatbot.routing import Route
from chatbot.sources import sources_of
from chatbot.stopwatch import Stopwatch
from chatbot.turn import Conclusion, Interruption, Language, Outcome, Part, Progress, Record, Turn, TurnEvent
from guardrails.release import Release, Released, Withheld
from guardrails.screening import ScreenedMessage
from knowledge.passages import Retrieved


class Search(Protocol):
    """Finds passages for a standalone question in the base of that slug. Raises knowledge's BaseMissing."""

    def __call__(self, question: str, base: str) -> Retrieved: ...


class Standalone(Protocol):
    """Makes a follow-up question stand alone, given the customer's earlier messages in order."""

    def __call__(self, question: str, asked_before: Sequence[str], /) -> str: ...


class Say(Protocol):
    """Returns the bot's own sentence for a wording code; `after` other text, as a new paragraph."""

    def __call__(self, code: str, language: Language, *, after: bool = False) -> tuple[Released, ...]: ...


@dataclass(frozen=True)
class Assistant:
    """Answers one turn at a time. Holds the stages, never a conversation."""

    screen: Callable[[str], ScreenedMessage]
    route: Callable[[str, Language], Route]
    standalone: Standalone
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
        record = Record(language=turn.language, milliseconds=watch.milliseconds)

        with watch("screen"):
            message = self.screen(turn.text)
        record = replace(record, verdicts=(message.verdict,))
        if message.verdict.action == "block" or (message.verdict.action == "review" and not turn.approved):
            outcome: Outcome = "refused" if message.verdict.action == "block" else "review"
            yield self._saying(outcome, f"message_{message.verdict.action}", turn.language, record)
            return

        if turn.files:  # the bot cannot look at them
            yield self._saying("handed_off", "file", turn.language, record)
            return

        with watch("understand"):
            route = self.route(message.text, turn.language)
            earlier = tuple(u.text for u in turn.history if u.role == "customer")
            question = self.standalone(route.question, earlier)
        record = replace(record, intent=route.intent, question=question)
        if route.intent in ("greeting", "thanks_goodbye"):
            yield self._saying("chitchat", route.intent, turn.language, record)
            return
        if route.intent == "human_agent":
            yield self._saying("handed_off", "requested", turn.language, record)
            return

        with watch("cache"):
            look = self.cache.look(turn, base, question, route.intent)
            cached = self._cached(look, record)
        if cached is not None:
            yield from map(Part, cached.units)
            yield cached
            return

        yield Progress("searching")
        with watch("search"):
            found = self.search(question, base)
        passages = tuple((p.chunk_id, round(p.score, 4)) for p in found.passages)
        record = replace(
            record, knowledge_version=found.knowledge_version, confidence=found.confidence, passages=passages
        )
        if not found.answerable:
            yield self._saying("handed_off", "no_answer", turn.language, record)
            return

        yield Progress("checking" if found.exact else "writing")  # an FAQ's own words are only checked
        yield from self._write(turn, found, look, record, interrupted, watch)

    def _cached(self, look: Look, record: Record) -> Conclusion | None:
        """Return a kept answer, released anew; None when there is none, or today's release withholds it."""
        if look.answer is None:
            return None
        found = look.answer.found
        units = self.release.whole(look.answer.text, evidence_of(found))
        if isinstance(units, Withheld):
            self.cache.withhold(look)
            return None
        sources = sources_of(look.answer.text, found, self.release)
        return Conclusion(
            "faq" if found.exact else "answered", "", units, sources=sources, record=look.answer.record(record)
        )

    def _write(
        self,
        turn: Turn,
        found: Retrieved,
        look: Look,
        record: Record,
        interrupted: Callable[[], Interruption],
        watch: Stopwatch,
    ) -> Generator[TurnEvent, None, None]:
        """Yield the reply unit by unit as release passes it: an FAQ's own words, or what the engine writes."""
        prompt = Prompt(
            found.question,
            found.question_vector,
            found.passages,
            turn.language,
            turn.history,
            turn.persona,
            decoding=decoding_for(record.intent, found.confidence),
            deadline=turn.deadline,
        )
        draft = None if found.exact else self.engine.stream(prompt, lambda: bool(interrupted()))
        evidence = evidence_of(found)
        shown: list[Released] = []
        try:
            with watch("write"):
                for unit in self.release.stream(draft or (found.passages[0].text,), evidence):
                    if isinstance(unit, Withheld):
                        record = _written_by(draft, replace(record, verdicts=(*record.verdicts, unit.verdict)))
                        yield self._withheld(unit, shown, found, turn.language, record)
                        return
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
        sources = sources_of("".join(unit.text for unit in shown), found, self.release)
        outcome: Outcome = "faq" if found.exact else "answered"
        if record.degraded:  # not kept: the next customer may get a better one
            shown.extend(() if reason else self.say("degraded", turn.language, after=True))
            yield Conclusion(outcome, reason, tuple(shown), sources=sources, record=record)
            return
        conclusion = Conclusion(outcome, reason, tuple(shown), sources=sources, record=record)
        self.cache.keep(look, found, conclusion)
        yield conclusion

    def _withheld(
        self, unit: Withheld, shown: list[Released], found: Retrieved, language: Language, record: Record
    ) -> Conclusion:
        """A block takes back what was shown; for review, the safe beginning stays and the rest waits for a person."""
        if unit.verdict.action == "block" and unit.verdict.tier == "grounding":  # the passages do not say so
            return self._saying("handed_off", "no_answer", language, record)
        if unit.verdict.action == "block":
            return self._saying("refused", "reply_block", language, record)
        units = (*shown, *self.say("handed_off.review", language, after=True))
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


def evidence_of(found: Retrieved) -> tuple[str, ...]:
    """Return the passages as what a reply must rest on."""
    return tuple("\n".join(filter(None, (p.heading, p.question, p.text))) for p in found.passages)


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
