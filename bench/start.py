"""Seconds from `make run` to the sample answers: `python -m bench.start [STARTS]` (or `make bench-start`).

Starts this clone STARTS times (five), one after the other, with a data folder of its own that a first start fills; each
start is ended by Ctrl-C's signal. Prints every start, the median, and how long ending took.
"""

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARK = "Sample answers after"


def start_once(var: str) -> tuple[float, float]:
    """Seconds until the sample answers are there, and until all is ended again; SystemExit when they never come."""
    variables = os.environ | {"KEFU_VAR": var}
    command = ["make", "run"]
    begun = time.monotonic()
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=variables,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        assert process.stdout
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith(MARK):
                break
        else:
            sys.exit("".join(said) + "\nKefu did not start.")
        ready = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        process.stdout.read()
        process.wait()
    return ready - begun, time.monotonic() - ready


def main() -> None:
    starts = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory(prefix="kefu-bench-") as var:
        first, _ = start_once(var)
        print(f"first start, with an empty database: {first:.1f} s", flush=True)
        seconds = []
        for number in range(1, starts + 1):
            up, down = start_once(var)
            seconds.append(up)
            print(f"start {number}: {up:.1f} s to the sample answers, {down:.1f} s to end", flush=True)
    print(f"median {statistics.median(seconds):.1f} s, slowest {max(seconds):.1f} s")


if __name__ == "__main__":
    main()
