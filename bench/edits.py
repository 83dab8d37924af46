"""From the edit of a word to another process that judges by it: `python -m bench.edits [--words 100000]`.

A list of that many words is live, every transform on; each edit puts, changes or removes one word of it. Two
other processes watch, as web and worker do; meanwhile `--busy` processes do nothing but use a core. Seconds from the
edit's commit until the last of the watchers judges by it. Exits with 1 when the 95th percentile is 2 s or more.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

WATCHERS = 2
NAME = "bench"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--words", type=int, default=100_000)
    parser.add_argument("--edits", type=int, default=40)
    parser.add_argument("--busy", type=int, default=2, help="processes that use a core each")
    parser.add_argument("--watch", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.watch:
        watch()
        return 0
    with tempfile.TemporaryDirectory() as var:
        os.environ["KEFU_VAR"] = var
        return measure(options.words, options.edits, options.busy)


def measure(size: int, number: int, busy: int) -> int:
    set_up()
    from django.core.management import call_command

    from bench.release import synthetic_words
    from guardrails import lists
    from guardrails.normalizer import ALL

    call_command("migrate", interactive=False, verbosity=0)
    words = [(word.text, word.level, word.category) for word in synthetic_words(size)]
    lists.add(NAME, words, who="bench", what="bench", transforms=ALL)
    seconds: list[float] = []
    with ExitStack() as stack:
        watchers = [stack.enter_context(_process("-m", "bench.edits", "--watch")) for _ in range(WATCHERS)]
        for each in watchers:
            _answer(each)
        for _ in range(busy):
            stack.enter_context(_process("-c", "while True: pass"))
        for turn in range(number):
            text, action = f"编辑第{turn // 3}号 wordlist", ("block", "review", "pass")[turn % 3]
            if action == "pass":
                lists.remove(NAME, text, who="bench")
            else:
                lists.put(NAME, text, action, "test", who="bench")
            committed = time.time()
            for each in watchers:
                print(f"{action}\t{text}", file=each.stdin, flush=True)
            seconds.append(max(float(_answer(each)) for each in watchers) - committed)
    seconds.sort()
    p95 = seconds[min(len(seconds) - 1, int(0.95 * len(seconds)))]
    print(f"| words | edits | busy processes | p50 s | p95 s | worst s |\n|{' --- |' * 6}")
    print(f"| {size:,} | {number} | {busy} | {statistics.median(seconds):.2f} | {p95:.2f} | {seconds[-1]:.2f} |")
    return int(p95 >= 2)


def watch() -> None:
    """Say when each verdict on a text that is read from standard input has come true."""
    set_up()
    from guardrails import lists
    from guardrails.lexicon import LiveLexicon

    live = LiveLexicon(lists.Loader(), lists.newest)
    live()
    print("ready", flush=True)
    for line in sys.stdin:
        action, text = line.rstrip("\n").split("\t")
        while live().judge(text).action != action:
            time.sleep(0.005)
        print(time.time(), flush=True)


def set_up() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()


@contextmanager
def _process(*command: str) -> Iterator["subprocess.Popen[str]"]:
    root = Path(__file__).parent.parent
    process = subprocess.Popen(
        (sys.executable, *command),
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _answer(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


if __name__ == "__main__":
    sys.exit(main())
