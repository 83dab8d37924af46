"""Sentences of documents made from templates, to train what finds instructions to a model in them.

Harmless ones are what manuals, policies and FAQs say, the more like an attack the better; attacks speak to whoever
reads the document by machine. The writer of the cases in `bench/quarantine/` is the same.
"""

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

from guardrails.classification.training import Row

TEMPLATES = Path(__file__).parent / "quarantine" / "templates.json"
EACH = 26
"""Tries to fill a template anew: so many sentences of it, at most."""

_SLOT = re.compile(r"\{([^{}]+)\}")


def rows(seed: int = 1) -> list[Row]:
    """Every template's sentences; those of one template are a family."""
    dice, tables = random.Random(seed), json.loads(TEMPLATES.read_text())
    labelled = [
        (line, label) for label, name in (("safe", "harmless"), ("injection", "attacks")) for line in tables[name]
    ]
    return [
        Row(text, label, family=f"{label} {number}")
        for number, (line, label) in enumerate(labelled)
        for text in dict.fromkeys(_filled(line, tables["slots"], dice))
    ]


def _filled(line: str, slots: dict[str, list[str]], dice: random.Random) -> Iterator[str]:
    for _ in range(EACH if "{" in line else 1):
        text = line
        while match := _SLOT.search(text):
            text = text[: match.start()] + dice.choice(slots[match[1]]) + text[match.end() :]
        yield text[0].upper() + text[1:]
