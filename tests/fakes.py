"""Stand-ins made by hand: each plays from a queue and remembers what it was asked."""

import re
import time
import uuid
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import orjson

from chatbot.by_rule import by_rule
from chatbot.engines import Draft, EngineFailed, Prompt
from chatbot.events import Event, LogUnavailable, Writer
from chatbot.selectors import drops_running_reply
from chatbot.turn import Conclusion, Interruption, Outcome, Part, Turn, TurnEvent
from chatbot.understanding import Listener
from guardrails.lexicon import Lexicon, Word
from guardrails.personal_data.finding import Finding
from guardrails.release import Release, Released
from guardrails.verdict import PASS, Verdict
from knowledge.filters import Filters
from knowledge.followup import standalone
from knowledge.passages import Passage, Retrieved, Sentence
from tests.patience import PATIENCE
from understanding.intents.routing import Behaviour, Understood

WORDS = (Word("badword", "block", "abuse"), Word("riskword", "review", "politics"))


class Clock:
    """A clock that moves when told."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def lexicon() -> Lexicon:
    """Blocks "badword", sends "riskword" to review."""
    return Lexicon(WORDS)


def released(*texts: str) -> tuple[Released, ...]:
    """Harmless units, one a text."""
    units = tuple(unit for text in texts for unit in Release(lambda: Lexicon(())).stream((text,)))
    assert all(isinstance(unit, Released) for unit in units)
    return units  # type: ignore[return-value]


def passage(text: str, *, chunk_id: int = 1, question: str = "", document: str = "returns.md") -> Passage:
    """A passage of one sentence."""
    return Passage(
        chunk_id=chunk_id,
        document=document,
        ref=f"r{chunk_id}",
        heading="Returns",
        text=text,
        question=question,
        language="en",
        sentences=(Sentence(text),),
        sentence_vectors=np.ones((1, 2), dtype=np.float32),
        score=0.9,
    )


def retrieved(
    *passages: Passage, answerable: bool = True, exact: bool = False, confidence: float | None = None
) -> Retrieved:
    """What a search finds."""
    return Retrieved(
        question="",
        question_vector=np.ones(2, dtype=np.float32),
        passages=passages,
        answerable=answerable,
        confidence=confidence if confidence is not None else 0.8 if answerable else 0.1,
        exact=exact,
        knowledge_version=3,
    )


class FakeSearch:
    """Finds the same for every question."""

    def __init__(self, found: Retrieved) -> None:
        self.found = found
        self.asked: list[tuple[str, str]] = []
        self.filters: Filters | None = None

    def __call__(self, question: str, base: str, *, filters: Filters | None = None) -> Retrieved:
        self.asked.append((question, base))
        self.filters = filters
        return self.found


def understanding(intent: str = "other", sentiment: str = "neutral", does: Behaviour | None = None) -> Listener:
    """Real rules and follow-ups before a classifier that always finds this intent, and moods that never change."""
    wants = Understood(intent, 0.9, does or Behaviour())
    return Listener(by_rule, standalone, lambda _: (wants, "fake"), lambda texts: [(sentiment, 0.9) for _ in texts])


class FakeEngine:
    """Plays deltas; an exception among them is raised, a callable is called. Ends when cancelled, as engines must."""

    name, model, prompt_version = "fake", "none", "v1"

    def __init__(self, *deltas: str | EngineFailed | Callable[[], None]) -> None:
        self.deltas: Iterable[str | EngineFailed | Callable[[], None]] = deltas
        self.prompts: list[Prompt] = []
        self.said: list[str] = []
        self.closed = False
        self.degraded = False

    def stream(self, prompt: Prompt, cancelled: Callable[[], bool]) -> Draft:
        self.prompts.append(prompt)
        return Draft(self, lambda draft: self._write(cancelled, draft), degraded=self.degraded)

    def _write(self, cancelled: Callable[[], bool], draft: Draft) -> Generator[str, None, None]:
        try:
            for delta in self.deltas:
                if cancelled():
                    return
                if isinstance(delta, EngineFailed):
                    raise delta
                if isinstance(delta, str):
                    self.said.append(delta)
                    draft.reply_tokens += 1
                    yield delta
                else:
                    delta()
        finally:
            self.closed = True

    def close(self) -> None:
        self.closed = True


Step = TurnEvent | str | Exception | Callable[[], None]


class FakeAnswer:
    """Plays one script a turn, the last one again and again.

    A text is shown as a part, an exception is raised, a callable is called. A script without a conclusion is concluded
    with what it has shown.
    """

    def __init__(self, *scripts: Sequence[Step]) -> None:
        self.scripts = list(scripts) or [["Hello."]]
        self.turns: list[Turn] = []
        self.bases: list[str] = []
        self.interruptions: list[Interruption] = []
        self.interrupted: Callable[[], Interruption] = lambda: ""

    def __call__(
        self, turn: Turn, base: str, interrupted: Callable[[], Interruption]
    ) -> Generator[TurnEvent, None, None]:
        self.turns.append(turn)
        self.bases.append(base)
        self.interrupted = interrupted
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        shown: list[Released] = []
        for step in script:
            if isinstance(step, Exception):
                raise step
            if isinstance(step, str):
                for unit in released(step):
                    shown.append(unit)
                    yield Part(unit)
            elif isinstance(step, TurnEvent):
                yield step
                if isinstance(step, Conclusion):
                    return
            else:
                step()
            self.interruptions.append(interrupted())
        yield conclusion(*(unit.text for unit in shown))


def conclusion(*texts: str, outcome: Outcome = "answered", reason: str = "") -> Conclusion:
    """A conclusion with these units."""
    return Conclusion(outcome, reason, released(*texts))


@dataclass
class FakeFind:
    """Finds mainland mobile numbers; raises `failure` when there is one."""

    failure: Exception | None = None
    asked: list[str] = field(default_factory=list)

    def __call__(self, text: str) -> list[Finding]:
        self.asked.append(text)
        if self.failure is not None:
            raise self.failure
        return [Finding("CN_MOBILE", m.start(), m.end(), 1.0) for m in re.finditer(r"1[3-9]\d{9}", text)]


class FakeJudging:
    """A worker's verdicts on texts of staff: "rudeword" blocks, "roughword" is for review, `failure` is raised."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.asked: list[str] = []

    def ask(self, text: str) -> Verdict:
        self.asked.append(text)
        if self.failure is not None:
            raise self.failure
        for word, action in (("rudeword", "block"), ("roughword", "review")):
            if word in text:
                return Verdict(action, "classifier", ("toxicity",), 0.9)  # type: ignore[arg-type]
        return PASS


class FakeQueue:
    """Takes message ids to be answered."""

    def __init__(self) -> None:
        self.ids: list[uuid.UUID] = []

    def __call__(self, message_id: uuid.UUID) -> None:
        self.ids.append(message_id)


class LandsAndFails(LogUnavailable):
    """The event is in the log, but the caller does not learn it."""


class FakeLog:
    """An event log in memory. `failures` are raised by the next appends, one each; None lets an append pass."""

    def __init__(self, failures: Sequence[Exception | None] = (), clock: Callable[[], float] = lambda: 0.0) -> None:
        self.failures = list(failures)
        self.clock = clock
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.times: list[float] = []

    @property
    def replies(self) -> list[dict[str, Any]]:
        return [payload for type_, payload in self.events if type_ == "reply"]

    def append(self, writer: Writer, type_: str, payload: dict[str, Any], **_: Any) -> int:
        failure = self.failures.pop(0) if self.failures else None
        if failure is None or isinstance(failure, LandsAndFails):
            self.events.append((type_, payload))
            self.times.append(self.clock())
        if failure is not None:
            raise failure
        return len(self.events)


DOWN = LogUnavailable("ConnectionError")


def shown_text(events: Sequence[tuple[str, dict[str, Any]]]) -> str:
    """What a customer sees of one reply after these events; asserts that its parts come without a gap."""
    text, parts = "", 0
    for type_, payload in events:
        if type_ == "reply":
            if payload["replace"]:
                text, parts = "", 0
            assert payload["part"] == parts, events
            text, parts = text + payload["text"], parts + 1
    return text


class Reader:
    """A customer's widget: applies events, and fails where one is lost, doubled, out of order or left hanging."""

    def __init__(self) -> None:
        self.cursor = 0
        self.seen: dict[str, dict[str, Any]] = {}
        self.replies: dict[str, list[str]] = {}

    @property
    def messages(self) -> list[str]:
        """The ids of the finished messages, in the order in which they came first."""
        return list(self.seen)

    @property
    def history(self) -> list[tuple[str, str, bool]]:
        """(id, text, withdrawn) of the finished messages, in the order in which they are shown."""
        shown = sorted(self.seen.values(), key=lambda m: (datetime.fromisoformat(m["at"]), m["id"]))
        return [(m["id"], m["text"], m["deleted"]) for m in shown]

    def apply(self, event: Event) -> None:
        assert event.seq > self.cursor, event
        self.cursor = event.seq
        data = event.data()
        if event.type == "message":
            message = data["message"]
            assert self.seen.get(message["id"]) != message, f"seen twice: {event}"
            self.seen[message["id"]] = message
            self.replies.pop(message["id"], None)
            if drops_running_reply(message):
                self.replies.clear()
        elif event.type == "reply":
            assert data["reply"] not in self.seen, f"a part after its end: {event}"
            if data["replace"]:
                self.replies[data["reply"]] = []
            parts = self.replies.setdefault(data["reply"], [])
            assert data["part"] == len(parts), f"a part is missing before {event}"
            parts.append(data["text"])

    def see(self, frame: dict[str, Any]) -> None:
        """Apply a numbered frame of the socket."""
        rest = {name: value for name, value in frame.items() if name not in ("type", "seq")}
        self.apply(Event(frame["seq"], frame["type"], orjson.dumps(rest)))

    def shown(self, reply: uuid.UUID) -> str:
        return "".join(self.replies.get(str(reply), []))


def until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Return as soon as the condition holds; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.002)
