"""Verdicts on what staff write: asked of a worker, in two seconds or not at all.

Without a verdict there is no passing: `GuardsUnavailable`. Knows nothing of what the guards are or of who writes.
"""

import logging
import time
from collections.abc import Callable

import orjson
import redis

from chatbot import asking
from chatbot.asking import Asking, Unanswered
from guardrails.verdict import GUARD_FAILED, Verdict

logger = logging.getLogger(__name__)

SECONDS = 2.0


class GuardsUnavailable(Exception):
    """There is no verdict, so the text must not be sent; `why` is "redis", "busy", "late" or "failed"."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Judging:
    """Asks for verdicts (asking.Asking) and has `report` hear what came of each text, and after how many seconds:

    "pass", "review", "block", or `GuardsUnavailable.why`. Thread-safe.
    """

    def __init__(
        self,
        client: redis.Redis,
        queue: Callable[[str], None],
        *,
        queue_name: str,
        seconds: float = SECONDS,
        report: Callable[[str, float], None] = lambda result, seconds: None,
    ) -> None:
        self._asking = Asking(client, queue, queue_name=queue_name, seconds=seconds)
        self._report = report

    def ask(self, text: str) -> Verdict:
        """Return the worker's verdict on a masked text; blocks for at most `seconds`. Raises GuardsUnavailable."""
        started = time.monotonic()
        try:
            verdict = self._ask(text)
        except GuardsUnavailable as error:
            self._report(error.why, time.monotonic() - started)
            logger.warning("an agent's text was not judged, so it is not sent: %s", error.why)
            raise
        self._report(verdict.action, time.monotonic() - started)
        return verdict

    def _ask(self, text: str) -> Verdict:
        try:
            found = orjson.loads(self._asking.ask(text.encode("utf-8", "replace")))
        except Unanswered as error:
            raise GuardsUnavailable(error.why) from None
        verdict = Verdict(found["action"], found["tier"], tuple(found["categories"]), found["score"])
        if GUARD_FAILED in verdict.categories:
            raise GuardsUnavailable("failed")
        return verdict


def answer(id_: str, judge: Callable[[str], Verdict], *, client: redis.Redis) -> bool:
    """Judge the text behind an id; False when nobody waits for it any more. Raises what redis' client raises."""
    return asking.answer(id_, lambda text: orjson.dumps(judge(text.decode())), client=client, seconds=SECONDS)
