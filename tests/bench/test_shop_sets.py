"""The retrieval sets say what they are: answers stand in the documents, ids are unique, languages even."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import docx
import openpyxl  # type: ignore[import-untyped]
import pptx
import pytest
from pdfminer.high_level import extract_text

from bench.shops.facts import holds, plain

BENCH = Path(__file__).resolve().parent.parent.parent / "bench"
BASES = {"demo": BENCH.parent / "demo" / "knowledge", "lantern": BENCH / "shops" / "lantern"}
SPLITS = ("dev", "held_out")
KINDS = {
    "direct",
    "paraphrase",
    "typo",
    "table_row",
    "two_facts",
    "follow_up",
    "cross_lingual",
    "unanswerable",
}
CHINESE = re.compile(r"[\u4e00-\u9fff]")
Row = dict[str, Any]


def rows(*path: str) -> list[Row]:
    return [json.loads(line) for line in BENCH.joinpath(*path).read_text("utf-8").splitlines()]


def document_text(path: Path) -> Iterator[str]:
    match path.suffix:
        case ".docx":
            document = docx.Document(str(path))
            yield from (paragraph.text for paragraph in document.paragraphs)
            yield from (cell.text for table in document.tables for row in table.rows for cell in row.cells)
        case ".xlsx":
            for sheet in openpyxl.load_workbook(path).worksheets:
                yield sheet.title
                yield from (str(cell) for row in sheet.values for cell in row)
        case ".pptx":
            for shape in (shape for slide in pptx.Presentation(str(path)).slides for shape in slide.shapes):
                if shape.has_text_frame:
                    yield shape.text_frame.text
                if shape.has_table:
                    yield from (cell.text for row in shape.table.rows for cell in row.cells)
        case ".pdf":
            yield extract_text(path).replace("\n", " ")
        case _:
            yield path.read_text("utf-8")


@cache
def base_text(base: str) -> str:
    return "\n".join(text for path in sorted(BASES[base].iterdir()) for text in document_text(path))


SETS: dict[str, Callable[[], list[Row]]] = {
    "dev": lambda: rows("shops", "questions.dev.jsonl"),
    "held_out": lambda: rows("shops", "questions.held_out.jsonl"),
    "passages": lambda: [{"id": row["ref"], **row} for row in rows("cross_lingual", "passages.jsonl")],
    "cross_lingual": lambda: rows("cross_lingual", "questions.jsonl"),
    "pairs": lambda: rows("contradictions", "pairs.jsonl"),
}


@pytest.mark.parametrize("name", SETS)
def test_ids_and_texts_are_unique_and_written_in_the_language_they_name(name: str) -> None:
    found = SETS[name]()
    texts = [(row.get("base"), row.get("question") or row.get("text") or (row["a"], row["b"])) for row in found]
    assert max(Counter(row["id"] for row in found).values()) == 1
    if name not in SPLITS:  # "And for jackets?" may well be asked in two conversations
        assert max(Counter(texts).values()) == 1
    for row, (_, text) in zip(found, texts, strict=True):
        assert bool(CHINESE.search("".join(text))) == (row["language"] == "zh"), row


@pytest.mark.parametrize(
    ("text", "fact", "expected"),
    [
        ("运费 8 元。", "8元", True),
        ("运费18元", "8元", False),
        ("每公斤2.8元", "8元", False),
        ("shipping is $9, or more", "$9", True),
        ("shipping is $9.50", "$9", False),
        ("Within 3 Days of delivery", "3 days", True),
        ("within 13 days", "3 days", False),
        ("10:00–21:00", "21:00", True),
    ],
)
def test_a_number_is_held_only_when_it_stands_alone(text: str, fact: str, *, expected: bool) -> None:
    assert holds(text, fact) is expected


@pytest.mark.parametrize("split", SPLITS)
def test_each_fact_stands_in_the_documents_of_its_base(split: str) -> None:
    for row in rows("shops", f"questions.{split}.jsonl"):
        for fact in row["facts"]:
            assert any(holds(base_text(row["base"]), alternative) for alternative in fact), (row["id"], fact)


@pytest.mark.parametrize("split", SPLITS)
def test_questions_are_even_over_bases_and_languages(split: str) -> None:
    questions = rows("shops", f"questions.{split}.jsonl")
    unanswerable = [row for row in questions if row["kind"] == "unanswerable"]
    assert len(questions) >= 110
    assert len(unanswerable) >= 30
    assert {row["kind"] for row in questions} == KINDS
    for some in (questions, unanswerable):
        by_cell = Counter((row["base"], row["language"]) for row in some)
        assert min(by_cell.values()) >= 0.8 * max(by_cell.values()), by_cell
        assert len(by_cell) == 4
    for row in questions:
        assert bool(row["facts"]) == (row["kind"] != "unanswerable"), row
        assert bool(row["history"]) == (row["kind"] == "follow_up"), row
        assert row["kind"] != "two_facts" or len(row["facts"]) == 2, row


def test_no_question_is_in_both_halves() -> None:
    dev, held_out = ({(*row["history"], row["question"]) for row in SETS[split]()} for split in SPLITS)
    assert not dev & held_out


def test_the_made_documents_hold_every_cell_and_sentence_of_their_sources() -> None:
    for source in (BENCH / "shops" / "sources").glob("*.md"):
        (made,) = BASES["lantern"].glob(f"{source.stem}.*")
        text = plain("".join(document_text(made)))
        for piece in re.split(r"\s*\|\s*|^#+ |\n", source.read_text("utf-8"), flags=re.M):
            assert piece == "---" or plain(piece) in text, (made.name, piece)


def test_cross_lingual_questions_are_in_the_other_language_than_their_passage() -> None:
    passages = {row["ref"]: row for row in rows("cross_lingual", "passages.jsonl")}
    questions = rows("cross_lingual", "questions.jsonl")
    assert len(passages) >= 420
    assert len({ref.split("-")[0] for ref in passages}) >= 20
    assert len(questions) >= 110
    for languages in (Counter(row["language"] for row in passages.values()), Counter(q["language"] for q in questions)):
        assert min(languages.values()) >= 0.45 * languages.total(), languages
    for question in questions:
        assert passages[question["ref"]]["language"] != question["language"], question
    assert max(Counter(question["ref"] for question in questions).values()) == 1


def test_paraphrases_spread_over_the_file_they_ask_about() -> None:
    questions = rows("esun_paraphrases", "questions.jsonl")
    assert len(questions) >= 100
    assert len({row["question"] for row in questions}) == len(questions)
    assert len({row["ref"] for row in questions}) == len(questions)
    by_hundred = Counter(int(row["ref"]) // 100 for row in questions)
    assert min(by_hundred[hundred] for hundred in range(6)) >= 12, by_hundred


def test_a_third_of_the_pairs_contradict_in_each_language() -> None:
    labels = Counter((row["language"], row["label"]) for row in rows("contradictions", "pairs.jsonl"))
    assert labels == {
        ("zh", "contradiction"): 20,
        ("en", "contradiction"): 20,
        ("zh", "compatible"): 40,
        ("en", "compatible"): 40,
    }
