"""A worker to be measured with an engine that writes chance: its release runs every guard on every unit, notes what
it says and how long it took, and acts on nothing. For bench/gpu_stack.py alone; no option does the same. Nobody is sent
away because first tokens come late, either: alone, the engine would be asked all the same.

`celery -A bench.gpu_worker worker …`; KEFU_BENCH_FOLDER is where what the engine is asked is written down.
"""

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

import django
import orjson
from prometheus_client import Counter, Histogram

from config.celery import app

django.setup()

from chatbot import worker_wiring  # noqa: E402  Django must be set up first
from chatbot.engines import Prompt  # noqa: E402
from chatbot.engines.limit import Limit  # noqa: E402
from chatbot.engines.openai_engine import OpenAIEngine  # noqa: E402
from chatbot.once import Once  # noqa: E402
from chatbot.wiring import lexicon  # noqa: E402
from guardrails.release import Check, Release, Released, Withheld, guarded  # noqa: E402
from guardrails.verdict import PASS, Verdict  # noqa: E402

__all__ = ["app"]

FOLDER = Path(os.environ["KEFU_BENCH_FOLDER"])
UNITS = (FOLDER / f"units-{os.getpid()}.jsonl").open("ab", buffering=0)

SECONDS = Histogram("kefu_bench_guard_seconds", "What a guard takes for a unit", ["guard"])
VERDICTS = Counter("kefu_bench_verdicts", "What guards say of units", ["guard", "action", "category"])


class Recording(Release):
    """Lets everything pass once every guard has judged it; notes when the first unit of a reply came and left."""

    def __init__(self, checks: Sequence[Check]) -> None:
        super().__init__(lexicon, [_noted(check) for check in checks])

    def stream(
        self, deltas: Iterable[str], evidence: Sequence[str] = (), *, cut: bool = True
    ) -> Iterator[Released | Withheld]:
        came: list[float] = []

        def noted() -> Iterator[str]:
            for delta in deltas:
                came.append(time.monotonic())
                yield delta

        for number, unit in enumerate(super().stream(noted(), evidence, cut=cut)):
            if not number and isinstance(unit, Released):
                UNITS.write(orjson.dumps([unit.text, came[0], time.monotonic()]) + b"\n")
            yield unit

    def _by_lexicon(self, before: str, held: str, final: bool) -> tuple[Verdict, int]:
        start = time.perf_counter()
        verdict, safe = super()._by_lexicon(before, held, final)
        _note("lexicon", verdict, start)
        return PASS, safe if verdict.action == "pass" else len(held)


def _noted(check: Check) -> Check:
    name = getattr(check, "__name__", type(check).__name__).strip("_").lower()

    def noted(unit: str, evidence: Sequence[str], /) -> Verdict:
        start = time.perf_counter()
        _note(name, guarded(lambda: check(unit, evidence)), start)
        return PASS

    return noted


def _note(guard: str, verdict: Verdict, start: float) -> None:
    SECONDS.labels(guard).observe(time.perf_counter() - start)
    VERDICTS.labels(guard, verdict.action, next(iter(verdict.categories), "")).inc()


class Asked(OpenAIEngine):
    """An engine that is never to end by itself; what it is asked is written down, to be asked again without Kefu."""

    _file = (FOLDER / f"asked-{os.getpid()}.jsonl").open("ab", buffering=0)
    _lock = threading.Lock()

    def _body(self, prompt: Prompt, tokens: int) -> bytes:
        body = orjson.dumps(orjson.loads(super()._body(prompt, tokens)) | {"ignore_eos": True})
        with self._lock:
            self._file.write(body + b"\n")
        return body


def _release() -> Release:
    return Recording(worker_wiring.guards().on_units)


_instead: dict[str, Callable[..., object]] = {
    "release": Once(_release),
    "OpenAIEngine": Asked,
    "Limit": partial(Limit, target=60.0),
}
vars(worker_wiring).update(_instead)
