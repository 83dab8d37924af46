"""Several engines as one, best first: who is down, full or too slow for the time left is passed over.

Knows nothing of any engine but its protocol. Until an engine has said its first word, the next one can take over.
"""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Literal

from chatbot.engines import Draft, Engine, EngineFailed, Kind, Prompt
from chatbot.engines.breaker import Breaker, State
from chatbot.engines.limit import Limit

Result = Literal["written", "cut", "cancelled", "open", "full", "late"] | Kind
"""How it went: written, ended by who read it (long enough, or withheld), given up by the customer, not tried (breaker,
limit, time left), or why it failed.
"""

_SICK = frozenset[Result](("connect", "timeout", "dropped", "server", "protocol", "failed"))


@dataclass(frozen=True)
class Attempt:
    """One engine's part in one reply. `first_seconds` is None when no text came; then it wrote no tokens."""

    engine: str
    result: Result
    first_seconds: float | None = None
    prompt_tokens: int = 0
    reply_tokens: int = 0
    breaker: State = "closed"
    limit: int = 0


@dataclass(frozen=True, eq=False)
class Rung:
    """An engine with its breaker and its limit; None for what neither fails nor fills up. With less than `seconds` left
    to the deadline it is not asked. `healthy` is asked before it is tried again after it was down.
    """

    engine: Engine
    breaker: Breaker | None = None
    limit: Limit | None = None
    seconds: float = 0.0
    healthy: Callable[[], bool] | None = None

    @property
    def title(self) -> str:
        """Its name in metrics and in the ledger."""
        return f"{self.engine.name}:{self.engine.model}"


class Ladder:
    """Tries its rungs in order, and goes by the first one's name. `observe` is told of every rung that was tried or
    passed over.
    """

    def __init__(self, rungs: Sequence[Rung], observe: Callable[[Attempt], None] = lambda _: None) -> None:
        self._rungs, self._observe = tuple(rungs), observe
        best = self._rungs[0].engine
        self.name, self.model, self.prompt_version = best.name, best.model, best.prompt_version

    def stream(self, prompt: Prompt, cancelled: Callable[[], bool]) -> Draft:
        """Yields the reply of the first rung that can give one; the draft's writer is that rung. `degraded` when it is
        not the first. Raises `EngineFailed` when none can, or when one fails after its first word.
        """
        return Draft(self, lambda draft: self._climb(prompt, cancelled, draft))

    def close(self) -> None:
        """Frees all rungs."""
        for rung in self._rungs:
            rung.engine.close()

    def _climb(self, prompt: Prompt, cancelled: Callable[[], bool], draft: Draft) -> Generator[str, None, None]:
        failure: EngineFailed | None = None
        for number, rung in enumerate(self._rungs):
            draft.writer, draft.degraded = rung.title, number > 0
            draft.prompt_version = rung.engine.prompt_version
            obstacle = _obstacle(rung, prompt.deadline - time.monotonic())
            if obstacle:
                self._tell(rung, obstacle, draft, None)
                continue
            try:
                yield from self._write(rung, prompt, cancelled, draft)
                return
            except _Passed as passed:
                failure = passed.failure
            if cancelled():
                return
        raise failure or EngineFailed("every engine is down or full", retryable=True, kind="busy")

    def _write(
        self, rung: Rung, prompt: Prompt, cancelled: Callable[[], bool], draft: Draft
    ) -> Generator[str, None, None]:
        """One rung's reply. Raises _Passed when the next rung may take over, else what the engine raises."""
        started, first = time.monotonic(), None
        result: Result = "failed"  # whatever else is raised
        inner = rung.engine.stream(prompt, cancelled)
        draft.bounded = inner.bounded
        try:
            with closing(inner):
                for text in inner:
                    if first is None:
                        first = time.monotonic() - started
                        _well(rung, first)
                    yield text
            if first is None and not cancelled():
                raise EngineFailed(f"{rung.title} said nothing", retryable=False, kind="empty")
            result = "cancelled" if cancelled() else "written"
        except EngineFailed as failure:
            result = failure.kind
            if first is None:
                raise _Passed(failure) from None
            raise
        except GeneratorExit:
            result = "cancelled" if cancelled() else "cut"
            raise
        finally:
            draft.prompt_tokens, draft.reply_tokens = inner.prompt_tokens, inner.reply_tokens
            draft.cut = inner.cut
            _ended(rung, result, spoke=first is not None)
            self._tell(rung, result, draft, first)

    def _tell(self, rung: Rung, result: Result, draft: Draft, first: float | None) -> None:
        state = rung.breaker.state if rung.breaker is not None else "closed"
        limit = rung.limit.now if rung.limit is not None else 0
        tokens = (draft.prompt_tokens, draft.reply_tokens) if first is not None else (0, 0)
        self._observe(Attempt(rung.title, result, first, *tokens, state, limit))


class _Passed(Exception):
    """A rung failed before its first word."""

    def __init__(self, failure: EngineFailed) -> None:
        super().__init__(str(failure))
        self.failure = failure


def _obstacle(rung: Rung, left: float) -> Literal["", "late", "full", "open"]:
    """Why the rung is not even asked, or "": then its limit and its breaker count on being told how it went."""
    if left < rung.seconds:
        return "late"
    if rung.limit is not None and not rung.limit.enter():
        return "full"
    passes = False
    try:
        passes = rung.breaker is None or _lets_pass(rung.breaker, rung.healthy)
    finally:
        if not passes and rung.limit is not None:
            rung.limit.leave()
    return "" if passes else "open"


def _lets_pass(breaker: Breaker, healthy: Callable[[], bool] | None) -> bool:
    if not breaker.admits():
        return False
    if breaker.state != "half-open" or healthy is None:
        return True
    well = False
    try:
        well = healthy()
    finally:
        if not well:
            breaker.failed()
    return well


def _well(rung: Rung, seconds: float) -> None:
    if rung.breaker is not None:
        rung.breaker.succeeded()
    if rung.limit is not None:
        rung.limit.began(seconds)


def _ended(rung: Rung, result: Result, *, spoke: bool) -> None:
    if rung.limit is not None:
        rung.limit.leave()
        if result in ("busy", "timeout"):
            rung.limit.overloaded()
    if rung.breaker is None:
        return
    if result in _SICK:
        rung.breaker.failed()
    elif result == "cancelled" and not spoke:
        rung.breaker.undecided()
    elif result not in ("written", "cut", "cancelled"):  # it answers; of these the breaker knows since the first word
        rung.breaker.succeeded()
