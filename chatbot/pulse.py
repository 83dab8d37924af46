"""The pulse of a worker: one thread that renews all running turns' leases, looks for stop requests and flushes replies.

One redis call for all turns, not one a turn. Sleeps while nothing runs.
"""

import logging
import threading
import time
import uuid
from dataclasses import dataclass, field

from chatbot.events import LEASE_MILLISECONDS, EventLog, LogUnavailable
from chatbot.publishing import ReplyPublisher
from chatbot.turn import Interruption

logger = logging.getLogger(__name__)

BEAT_SECONDS = 0.05
STOP_SECONDS = 0.1
LEASE_SECONDS = LEASE_MILLISECONDS / 4000


@dataclass(eq=False)
class RunningTurn:
    """A turn that this worker is answering. `deadline` is on the monotonic clock."""

    conversation: uuid.UUID
    attempt: int
    holder: str
    deadline: float
    publisher: ReplyPublisher
    stopped: threading.Event = field(default_factory=threading.Event)

    def interrupted(self) -> Interruption:
        """Return why the answer should end now, or ""."""
        if self.publisher.lost:
            return "lost"
        if self.stopped.is_set():
            return "stopped"
        return "timeout" if time.monotonic() > self.deadline else ""


class Pulse:
    """Holds the running turns of one process."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._turns: dict[uuid.UUID, RunningTurn] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def __len__(self) -> int:
        return len(self._turns)

    def add(self, turn: RunningTurn) -> None:
        """Care for a turn until it is removed."""
        with self._changed:
            self._turns[turn.conversation] = turn
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)
                self._thread.start()
            self._changed.notify()

    def remove(self, turn: RunningTurn) -> None:
        """Let go of a turn."""
        with self._changed:
            if self._turns.get(turn.conversation) is turn:  # not a later attempt
                del self._turns[turn.conversation]

    def _run(self) -> None:
        next_stop = next_lease = 0.0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._turns)
                turns = list(self._turns.values())
            for turn in turns:
                self._flush(turn)
            now = time.monotonic()
            try:
                if now >= next_stop:
                    next_stop = now + STOP_SECONDS
                    self._look_for_stops(turns)
                if now >= next_lease:
                    next_lease = now + LEASE_SECONDS
                    self._renew_leases()
            except LogUnavailable:
                logger.warning("the event log cannot be reached; leases and stops wait")
            except Exception:  # the outermost frame of this thread, which must not end
                logger.exception("a beat failed")
            time.sleep(BEAT_SECONDS)

    def _flush(self, turn: RunningTurn) -> None:
        try:
            turn.publisher.flush()
        except Exception:  # one reply's trouble must not stop the pulse of the others
            logger.exception("a reply could not be flushed")

    def _renew_leases(self) -> None:
        with self._changed:  # a turn that ends meanwhile must not get back the lease that it drops
            self._log.renew_leases({turn.conversation: turn.holder for turn in self._turns.values()})

    def _look_for_stops(self, turns: list[RunningTurn]) -> None:
        for turn, attempt in zip(turns, self._log.stops([t.conversation for t in turns]), strict=True):
            if attempt == turn.attempt:
                turn.stopped.set()
