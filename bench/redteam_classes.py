"""The classes of cases that the red team once failed, with cases of our own: `python -m bench.redteam_classes`.

A class is a file of bench/redteam_classes, `{"language", "text", "stop"}` a line: written before anything was mended,
then mended on. What carries over is told by the files of the same names in `written_after`: nothing was changed for
them. Both are by one writer, who knew the word lists by then. A message is stopped when word lists or classifiers
review or block it. --show: print the failures of those that may be mended.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from chatbot.encoder import search_encoder
from chatbot.guards import Guards
from guardrails.lexicon import Lexicon
from guardrails.lexicon.words import shipped
from guardrails.screening import screen_message
from guardrails.verdict import Verdict

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(__file__).parent / "redteam_classes"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--show", action="store_true")
    show: bool = parser.parse_args().show
    judge = judging()
    print(f"| class | cases | to stop | stopped % | to pass | stopped by mistake % |\n|{' --- |' * 6}")
    for file in sorted(FOLDER.glob("*.jsonl")):
        for kind, path in (("mended on", file), ("written after", FOLDER / "written_after" / file.name)):
            rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            stopped = [judge(row["text"]).action != "pass" for row in rows]
            bad = [one for one, row in zip(stopped, rows, strict=True) if row["stop"]]
            good = [one for one, row in zip(stopped, rows, strict=True) if not row["stop"]]
            print(
                f"| {file.stem} | {kind} | {len(bad)} | {_percent(bad)} | {len(good)} | {_percent(good)} |", flush=True
            )
            for one, row in zip(stopped, rows, strict=True):
                if show and path == file and one != row["stop"]:
                    print(f"    {row['text']}")


def judging() -> Callable[[str], Verdict]:
    """The guards of a customer's message as they ship."""
    models = ROOT / "models"
    guards = Guards(search_encoder(models), models)
    lexicon = Lexicon.of([shipped()])
    return lambda text: screen_message(text, lexicon, guards.on_messages).verdict


def _percent(stopped: list[bool]) -> str:
    return f"{100 * sum(stopped) / len(stopped):.0f}" if stopped else "–"


if __name__ == "__main__":
    main()
