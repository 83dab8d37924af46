"""Every metric of Kefu, in one table; the README's table is tested against it. Recorded at the edges only.

With PROMETHEUS_MULTIPROC_DIR set, all processes of a machine write there and any web process serves the sum.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram, multiprocess

if TYPE_CHECKING:
    from chatbot.engines.ladder import Attempt

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30)

FIRST_TEXT = Histogram(
    "kefu_first_text_seconds", "From a message's arrival in the database to the first text shown", buckets=_SECONDS
)
WHOLE_ANSWER = Histogram(
    "kefu_whole_answer_seconds", "From a message's arrival in the database to its recorded answer", buckets=_SECONDS
)
STAGE = Histogram("kefu_stage_seconds", "Time of one stage of a turn", ["stage"], buckets=(0.001, 0.005, *_SECONDS))
RECEIVE = Histogram("kefu_receive_seconds", "Masking, storing and queueing one message in web", buckets=_SECONDS)
OUTCOMES = Counter("kefu_outcomes", "Finished turns", ["outcome", "reason"])
VERDICTS = Counter("kefu_verdicts", "Verdicts of the guards", ["tier", "action"])
JUDGING = Histogram(
    "kefu_judging_seconds",
    "Time until a worker's verdict on a text of staff; redis, busy, late, failed: there was none, so it was not sent",
    ["result"],
    buckets=_SECONDS,
)
REFUSED_FRAMES = Counter("kefu_refused_frames", "Frames that web answered with an error", ["code"])
BATCH_SIZE = Histogram("kefu_batch_size", "Texts embedded at once", buckets=(1, 2, 4, 8, 16, 32, 64))
BATCH_QUEUE = Histogram(
    "kefu_batch_queue_seconds", "Time a text waits to be embedded", buckets=(0.001, 0.005, *_SECONDS)
)
UPLOADS = Counter("kefu_uploads", "Files that customers sent, by what became of them", ["result"])
ENGINE_REPLIES = Counter(
    "kefu_engine_replies", "Replies asked of an engine, by how it went; open, full, late: it was passed over",
    ["engine", "result"],
)  # fmt: skip
ENGINE_FIRST_TEXT = Histogram(
    "kefu_engine_first_text_seconds", "From asking an engine to its first text", ["engine"], buckets=_SECONDS
)
ENGINE_TOKENS = Counter("kefu_engine_tokens", "Tokens that an engine read and wrote", ["engine", "kind"])
ENGINE_OPEN = Gauge(
    "kefu_engine_open", "1 while an engine is left alone because it keeps failing", ["engine"],
    multiprocess_mode="livemax",
)  # fmt: skip
ENGINE_LIMIT = Gauge(
    "kefu_engine_limit", "Replies that an engine may write at once, as the load allows", ["engine"],
    multiprocess_mode="livesum",
)  # fmt: skip
WORD_LISTS = Counter("kefu_word_lists", "Word lists loaded anew after a change, or not", ["result"])
ANSWER_LOOKS = Counter(
    "kefu_answer_looks",
    "Turns by what the answer cache had for them: exact, semantic, miss, away (no redis), withheld, or why none looked",
    ["result"],
)
ANSWERS_KEPT = Counter("kefu_answers_kept", "Finished answers: kept in the answer cache, or why not", ["result"])
ANSWER_SECONDS_SAVED = Counter(
    "kefu_answer_seconds_saved", "Seconds of searching and writing that the answer cache spared"
)
RERANKED = Counter(
    "kefu_reranked", "Questions put to the reranker; late, failed: passages keep the search's order", ["result"]
)
SWEPT = Counter("kefu_swept", "What the sweeper found", ["what"])
OPEN_SOCKETS = Gauge("kefu_open_sockets", "Websockets that are open", multiprocess_mode="livesum")
RUNNING_TURNS = Gauge("kefu_running_turns", "Turns being answered", multiprocess_mode="livesum")
QUEUE_LENGTH = Gauge("kefu_queue_length", "Tasks that wait in the broker", ["queue"], multiprocess_mode="mostrecent")

ALL = (
    FIRST_TEXT, WHOLE_ANSWER, STAGE, RECEIVE, OUTCOMES, VERDICTS, JUDGING, REFUSED_FRAMES, UPLOADS, BATCH_SIZE,
    BATCH_QUEUE, ENGINE_REPLIES, ENGINE_FIRST_TEXT, ENGINE_TOKENS, ENGINE_OPEN, ENGINE_LIMIT, WORD_LISTS,
    ANSWER_LOOKS, ANSWERS_KEPT, ANSWER_SECONDS_SAVED, RERANKED, SWEPT, OPEN_SOCKETS, RUNNING_TURNS, QUEUE_LENGTH,
)  # fmt: skip


def count_attempt(attempt: "Attempt") -> None:
    """What one engine did for one reply."""
    ENGINE_REPLIES.labels(attempt.engine, attempt.result).inc()
    if attempt.first_seconds is not None:
        ENGINE_FIRST_TEXT.labels(attempt.engine).observe(attempt.first_seconds)
        ENGINE_TOKENS.labels(attempt.engine, "read").inc(attempt.prompt_tokens)
        ENGINE_TOKENS.labels(attempt.engine, "written").inc(attempt.reply_tokens)
    ENGINE_OPEN.labels(attempt.engine).set(attempt.breaker != "closed")
    if attempt.limit:
        ENGINE_LIMIT.labels(attempt.engine).set(attempt.limit)


def forget_dead_processes() -> None:
    """Take what killed processes left out of the gauges; called when a process starts."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    for path in Path(folder).glob("gauge_live*_*.db") if folder else ():
        pid = int(path.stem.rsplit("_", 1)[1])
        if not Path(f"/proc/{pid}").exists():
            multiprocess.mark_process_dead(pid)
