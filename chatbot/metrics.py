"""Every metric of Kefu, in one table; the README's table is tested against it. Recorded at the edges only.

With PROMETHEUS_MULTIPROC_DIR set, all processes of a machine write there and any web process serves the sum.
"""

import os
from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram, multiprocess

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
WORD_LISTS = Counter("kefu_word_lists", "Word lists loaded anew after a change, or not", ["result"])
SWEPT = Counter("kefu_swept", "What the sweeper found", ["what"])
OPEN_SOCKETS = Gauge("kefu_open_sockets", "Websockets that are open", multiprocess_mode="livesum")
RUNNING_TURNS = Gauge("kefu_running_turns", "Turns being answered", multiprocess_mode="livesum")
QUEUE_LENGTH = Gauge("kefu_queue_length", "Tasks that wait in the broker", ["queue"], multiprocess_mode="mostrecent")

ALL = (
    FIRST_TEXT, WHOLE_ANSWER, STAGE, RECEIVE, OUTCOMES, VERDICTS, JUDGING, REFUSED_FRAMES, UPLOADS, BATCH_SIZE,
    BATCH_QUEUE, WORD_LISTS, SWEPT, OPEN_SOCKETS, RUNNING_TURNS, QUEUE_LENGTH,
)  # fmt: skip


def forget_dead_processes() -> None:
    """Take what killed processes left out of the gauges; called when a process starts."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    for path in Path(folder).glob("gauge_live*_*.db") if folder else ():
        pid = int(path.stem.rsplit("_", 1)[1])
        if not Path(f"/proc/{pid}").exists():
            multiprocess.mark_process_dead(pid)
