"""Reading documents: `python -m bench.parsing` compares the readers with markitdown and measures a batch,
`python -m bench.parsing broken` reads broken files; status 1 when one of them ends in anything but a clear outcome.
"""

import argparse
import io
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bench.broken import CASES
from bench.broken.cases import Case
from bench.broken.pdfs import pages
from bench.broken.same_table import FILES, REGION, is_found
from knowledge.blocks import Block, Heading, Table, Unreadable
from knowledge.chunking import chunk
from knowledge.parsing import DEFAULT, Parser, members, parse
from knowledge.readers import read_document
from knowledge.readers.markdown import blocks_of_markdown

if TYPE_CHECKING:
    from markitdown import MarkItDown

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = (ROOT / "demo" / "knowledge", ROOT / "bench" / "shops" / "lantern")
MOST_SECONDS = 60.0


@dataclass(frozen=True)
class Outcome:
    """What came of a broken file: "content" or a refusal's code, whether that is right, seconds, MB at the peak."""

    name: str
    outcome: str
    right: bool
    seconds: float
    peak_mb: float


def read_broken(case: Case, parser: Parser | None = None) -> Outcome:
    """Read one, an archive member by member, in a child process of its own unless one is given."""
    data = case.make()
    own = parser or Parser()
    begun = time.perf_counter()
    outcome, blocks = _outcome(case.name, data, own)
    seconds = time.perf_counter() - begun
    peak = own.peak_mb
    if parser is None:
        own.close()
    texts = "\n".join(_texts(blocks))
    right = outcome in case.expected and (
        outcome != "content" or (case.holds in texts and (not case.lacks or case.lacks not in texts))
    )
    return Outcome(case.name, outcome, right, seconds, peak)


def _outcome(name: str, data: bytes, parser: Parser) -> tuple[str, list[Block]]:
    codes: list[str] = []
    blocks: list[Block] = []
    try:
        for path, content in members(name, data) if name.endswith(".zip") else [(name, data)]:
            try:
                blocks += parser.parse(path, content).blocks
            except Unreadable as error:
                codes.append(error.code)
    except Unreadable as error:
        return error.code, []
    return ("content", blocks) if blocks else (codes[0], [])


def _texts(blocks: Sequence[Block]) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, Table):
            yield from (block.title, *block.header, *(cell for row in block.rows for cell in row))
        else:
            yield block.text


def broken(names: Sequence[str]) -> int:
    """Print what came of every broken file, or of those whose names hold one of `names`."""
    print("| file | outcome | seconds | peak MB | |\n| --- | --- | ---: | ---: | --- |")
    outcomes = []
    for case in CASES:
        if not names or any(name in case.name for name in names):
            found = read_broken(case)
            outcomes.append(found)
            right = "" if found.right and found.seconds <= MOST_SECONDS else "WRONG"
            print(
                f"| {found.name} | {found.outcome} | {found.seconds:.2f} | {found.peak_mb:.0f} | {right} |", flush=True
            )
    slowest = max(outcomes, key=lambda one: one.seconds)
    largest = max(outcomes, key=lambda one: one.peak_mb)
    wrong = [one.name for one in outcomes if not one.right]
    print(
        f"\n{len(outcomes)} files, {len(outcomes) - len(wrong)} clear outcomes, "
        f"{sum(one.outcome == 'crashed' for one in outcomes)} crashes; slowest {slowest.name} {slowest.seconds:.1f} s, "
        f"largest {largest.name} {largest.peak_mb:.0f} MB (limit {DEFAULT.memory_mb} MB)"
    )
    return int(bool(wrong) or slowest.seconds > MOST_SECONDS or largest.peak_mb > DEFAULT.memory_mb)


def compare() -> int:
    """Print what markitdown and the readers make of the demo documents and of one table in five formats."""
    print("| file | markitdown: headings, tables (rows), s | here: headings, tables (rows), s |\n| --- | --- | --- |")
    for file in (file for folder in FOLDERS for file in sorted(folder.iterdir())):
        if file.suffix not in (".md", ".txt", ".csv", ".jsonl"):
            data = file.read_bytes()
            theirs, ours = (_measured(read, file.name, data) for read in (_markitdown, read_document))
            print(f"| {file.name} | {theirs} | {ours} |")
    print(f"\nThe row of {REGION} with its header and its table's title:\n")
    print("| format | markitdown | here |\n| --- | --- | --- |")
    right = True
    for name, make in FILES.items():
        theirs, ours = ((is_found(_chunks(read, name, make()))) for read in (_markitdown, read_document))
        right = right and ours
        print(f"| {name} | {'yes' if theirs else 'no'} | {'yes' if ours else 'NO'} |")
    print("\nText that the file hides from its reader:\n\n| file | markitdown | here |\n| --- | --- | --- |")
    for case in (one for one in CASES if one.lacks == "SECRET"):
        data = case.make()
        leaks = [case.lacks in "\n".join(_texts(read(case.name, data))) for read in (_markitdown, read_document)]
        right = right and not leaks[1]
        print(f"| {case.name} | {' | '.join('let in' if leak else 'left out' for leak in leaks)} |")
    _pages()
    _batch()
    return int(not right)


def _chunks(read: Callable[[str, bytes], Sequence[Block]], name: str, data: bytes) -> list[str]:
    return [f"{one.heading}\n{one.text}" for one in chunk(read(name, data))]


def _markitdown(name: str, data: bytes) -> Sequence[Block]:
    """The blocks that markitdown's Markdown holds; () for what it refuses."""
    from markitdown import MarkItDownException, StreamInfo

    info = StreamInfo(extension=Path(name).suffix, charset="utf-8")
    try:
        return blocks_of_markdown(_converter().convert_stream(io.BytesIO(data), stream_info=info).markdown)
    except MarkItDownException:
        return ()


@cache
def _converter() -> "MarkItDown":
    from markitdown import MarkItDown

    return MarkItDown()


def _measured(read: Callable[[str, bytes], Sequence[Block]], name: str, data: bytes) -> str:
    read(name, data)  # imports
    begun = time.perf_counter()
    blocks = read(name, data)
    seconds = time.perf_counter() - begun
    tables = [len(block.rows) for block in blocks if isinstance(block, Table)]
    headings = sum(isinstance(block, Heading) for block in blocks)
    return f"{headings}, {len(tables)} ({sum(tables)}), {seconds:.2f}"


def _pages(count: int = 20) -> None:
    """Print how long PDF libraries take for pages of 40 lines; PyMuPDF is left out for its licence (AGPL)."""
    import pdfplumber

    data = pages(count, table=True)
    begun = time.perf_counter()
    with pdfplumber.open(io.BytesIO(data)) as document:
        for page in document.pages:
            page.extract_text()
            page.extract_tables()
    theirs = time.perf_counter() - begun
    begun = time.perf_counter()
    read_document("a.pdf", data)
    ours = time.perf_counter() - begun
    print(f"\nA PDF page with a table: pdfplumber {theirs / count * 1000:.0f} ms, here {ours / count * 1000:.0f} ms")


def _batch() -> None:
    """Print what a batch of 200 small files costs a file, children kept and not."""
    files = [(file.name, file.read_bytes()) for folder in FOLDERS for file in sorted(folder.iterdir())]
    files = (files * (200 // len(files) + 1))[:200]
    warm = []
    for name, data in files:
        begun = time.perf_counter()
        parse(name, data)
        warm.append(time.perf_counter() - begun)
    cold = []
    for name, data in files[:10]:
        parser = Parser()
        begun = time.perf_counter()
        parser.parse(name, data)
        cold.append(time.perf_counter() - begun)
        parser.close()
    print(
        f"\n200 small files: {sum(warm):.1f} s in kept children (median {statistics.median(warm) * 1000:.0f} ms, worst "
        f"{max(warm) * 1000:.0f} ms a file); in a child of its own {statistics.median(cold) * 1000:.0f} ms a file"
    )


def main() -> int:
    """Status 1 when something is not as it must be."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("what", nargs="?", choices=("compare", "broken"), default="compare")
    arguments.add_argument("names", nargs="*", help="parts of the names of broken files; all without")
    chosen = arguments.parse_args()
    return broken(chosen.names) if chosen.what == "broken" else compare()


if __name__ == "__main__":
    sys.exit(main())
