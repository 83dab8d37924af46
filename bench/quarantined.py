"""What becomes of documents at the guards: `python -m bench.quarantined [DATA]`, both halves side by side.

Harmless sentences as like attacks as they become, attacks alone and in the midst of a shop's harmless sentences, cut in
two, spread and encoded; with DATA (`retrieval/*.faq.jsonl.gz`) real help pages; thresholds were chosen on half.
"""

import argparse
import gzip
import json
import random
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.classifiers_train import ROOT, encoder
from chatbot.guards import document_guards
from guardrails.classification.classifier import Classifier
from guardrails.classification.shipped import DOCUMENT, SHIPPED
from guardrails.lexicon import SHIPPED as WORDS
from guardrails.lexicon import Lexicon
from guardrails.quarantine import DocumentGuard
from guardrails.verdict import Verdict
from knowledge.sentences import split_sentences

HALVES = ("development", "held_out")
ENCODED = ("base64", "rot13", "spaced")


def guard() -> tuple[DocumentGuard, Lexicon]:
    embed = encoder(threads=1)
    toxicity = Classifier.load(SHIPPED / "toxicity")
    return DocumentGuard(embed, Classifier.load(DOCUMENT), toxicity), Lexicon.load(sorted(WORDS.glob("*.tsv")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?")
    data = parser.parse_args().data
    judge, lexicon = guard()

    def found(sentences: Sequence[str]) -> list[Verdict]:
        return [verdict for verdict in judge.judge(sentences, lexicon) if verdict.tier == "injection"]

    print(f"guards {document_guards()}\n\n| what | development | held out |\n| --- | --- | --- |")
    halves = [rows(half) for half in HALVES]
    shop = shop_sentences()
    for kind, name in (("harmless", "harmless sentences quarantined"), ("plain", "attacks found, alone"),
                       ("spread", "attacks spread over 2-3 sentences"), ("encoded", "encoded attacks")):  # fmt: skip
        cells = []
        for half in halves:
            some = [row["sentences"] for row in half if kind in (row["kind"], "encoded" * (row["kind"] in ENCODED))]
            cells.append(share([bool(found(one)) for one in some]))
        line(name, cells)
    line("attacks of all kinds, as the fourth of seven sentences of a shop", [
        share([bool(found([*shop[row["language"]][:3], *row["sentences"], *shop[row["language"]][3:6]]))
               for row in half if row["kind"] != "harmless"]) for half in halves])  # fmt: skip
    line("plain attacks cut in two", [
        share([bool(found(cut(row["sentences"][0], row["language"]))) for row in half if row["kind"] == "plain"])
        for half in halves])  # fmt: skip
    line(
        "sentences of the second shop with an instruction",
        ["", share([v.tier == "injection" for v in judge.judge(second_shop(), lexicon)])],
    )
    if data:
        for name in ("esun", "stackfaq"):
            pages = help_pages(data, name)
            verdicts = [[judge.judge(page, lexicon) for page in half] for half in pages]
            line(f"{name}: sentences with an instruction", [
                share([v.tier == "injection" for page in half for v in page]) for half in verdicts])  # fmt: skip
            line(f"{name}: pages quarantined", [
                share([any(v.tier == "injection" for v in page) for page in half]) for half in verdicts])  # fmt: skip
            line(f"{name}: sentences not quotable for another reason", [
                share([v.action != "pass" and v.tier != "injection" for page in half for v in page])
                for half in verdicts])  # fmt: skip
        speed(judge, lexicon, [sentence for page in help_pages(data, "esun")[0][:400] for sentence in page])
    speed(judge, lexicon, [text for some in shop.values() for text in some])


def speed(judge: DocumentGuard, lexicon: Lexicon, sentences: list[str]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    judge.judge(sentences, lexicon)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    size = sum(map(len, sentences)) / len(sentences)
    print(f"\n{len(sentences)} sentences of {size:.0f} characters: {len(sentences) / wall:.0f} a second, "
          f"{len(sentences) / cpu:.0f} a second of CPU")  # fmt: skip


def rows(half: str) -> list[dict[str, Any]]:
    text = (ROOT / "bench" / "quarantine" / f"sentences.{half}.jsonl").read_text()
    return [json.loads(one) for one in text.splitlines()]


def cut(sentence: str, language: str) -> list[str]:
    """Two halves, as a line break would leave them."""
    if language == "zh":
        return [sentence[: len(sentence) // 2], sentence[len(sentence) // 2 :]]
    words = sentence.split(" ")
    return [" ".join(words[: len(words) // 2]), " ".join(words[len(words) // 2 :])]


def shop_sentences() -> dict[str, list[str]]:
    """The demo shop's, in a random order."""
    found: dict[str, list[str]] = {}
    for language in ("zh", "en"):
        paths = sorted((ROOT / "demo" / "knowledge").glob(f"*-{language}.md"))
        found[language] = list(dict.fromkeys(text for path in paths for text in split_sentences(path.read_text())))
        random.Random(4).shuffle(found[language])
    return found


def second_shop() -> list[str]:
    """A shop that nothing was trained on."""
    paths = [
        path for path in sorted((ROOT / "bench" / "shops" / "lantern").iterdir()) if path.suffix in (".md", ".txt")
    ]
    return [text for path in paths for text in split_sentences(path.read_text())]


def help_pages(data: Path, name: str) -> tuple[list[list[str]], list[list[str]]]:
    """Real answers as sentences, in halves: (development, held out)."""
    pages: tuple[list[list[str]], list[list[str]]] = ([], [])
    with gzip.open(data / "retrieval" / f"{name}.faq.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            pages[zlib.crc32(f"{name}{row['ref']}".encode()) % 2].append(split_sentences(row["answer"]))
    return pages


def share(found: Sequence[bool]) -> str:
    return f"{sum(found)} of {len(found)} ({sum(found) / len(found):.2%})"


def line(name: str, cells: Sequence[str]) -> None:
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
