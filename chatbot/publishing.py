"""Publishes a reply while it grows: at most one event per 50 ms, nothing twice, whole again when redis lost its memory.

Knows nothing of how the reply is made.
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable

from chatbot.events import LOG_LENGTH, EventLog, LogUnavailable, Stale, StateLost, Writer
from chatbot.turn import Stage
from guardrails.release import Released

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 0.05
MOST_PARTS = LOG_LENGTH // 2
"""After so many parts the whole reply is sent again: the log drops old events, and must hold a reply's beginning."""


class ReplyPublisher:
    """Sends what one turn shows before it is finished. Thread-safe: the turn adds, the pulse flushes.

    Released units that come faster than the interval travel together. `restore` puts a conversation's numbers back into
    redis (services.restore_state); the whole reply is then sent again, because nobody knows which parts arrived.
    `first_text` is the wall-clock time of the first text, `lost` is true once another writer has taken the turn.
    """

    def __init__(self, *, log: EventLog, writer: Writer, reply: uuid.UUID, restore: Callable[[], None]) -> None:
        self._log, self._writer, self._reply, self._restore = log, writer, str(reply), restore
        self._lock = threading.Lock()
        self._replace = True  # an earlier attempt may have shown something
        self._shown: list[str] = []
        self._waiting: list[str] = []
        self._stage: Stage | None = None
        self._parts = 0
        self._beginning = ""
        self._last = 0.0
        self.lost = False
        self.first_text: float | None = None

    def stage(self, stage: Stage) -> None:
        """Show a stage, unless text is shown already."""
        with self._lock:
            if not self._shown and not self._waiting:
                self._stage = stage
                self._send_if_due()

    def add(self, unit: Released) -> None:
        """Show one more unit."""
        with self._lock:
            self._waiting.append(unit.text)
            self._stage = None
            self._send_if_due()

    def flush(self) -> None:
        """Send what waits, if the interval has passed. Called by the pulse."""
        with self._lock:
            self._send_if_due()

    def close(self) -> None:
        """Drop what waits: the finished message says it all."""
        with self._lock:
            self._waiting.clear()
            self._stage = None

    def _send_if_due(self) -> None:
        if not (self._waiting or self._stage) or time.monotonic() - self._last < INTERVAL_SECONDS or self.lost:
            return
        try:
            self._send()
        except Stale:
            self.lost = True
        except (StateLost, LogUnavailable):
            self._replace = True  # parts may be missing: send all of it as soon as redis is back
            logger.warning("the event log cannot be reached; the reply goes on")
        self._last = time.monotonic()

    def _send(self) -> None:
        try:
            self._append()
        except StateLost:
            self._restore()
            self._replace = True
            self._append()

    def _append(self) -> None:
        if not self._waiting and not (self._replace and self._shown):
            if self._stage:
                self._log.append(self._writer, "status", {"reply": self._reply, "stage": self._stage})
                self._stage = None
            return
        text = "".join([*(self._shown if self._replace else []), *self._waiting])
        part = 0 if self._replace else self._parts
        payload = {"reply": self._reply, "part": part, "text": text, "replace": self._replace}
        if part == 0:
            self._beginning = uuid.uuid4().hex
            self._log.append(self._writer, "reply", payload, once=self._beginning)
        else:
            self._log.append(self._writer, "reply", payload, follows=self._beginning)
        if self.first_text is None:
            self.first_text = time.time()
        self._shown += self._waiting
        self._waiting.clear()
        self._parts = part + 1
        self._replace = self._parts >= MOST_PARTS
