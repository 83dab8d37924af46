import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.broken.same_table import FILES, is_found
from knowledge.blocks import Heading, Paragraph, Table, Unreadable
from knowledge.chunking import OVERLAP, WHOLE_TOKENS, chunk
from knowledge.language import tokens_of
from knowledge.readers import read_document
from tests.patience import PATIENCE


def test_a_section_is_one_chunk_under_the_headings_above_it() -> None:
    drafts = chunk(
        [Heading(1, "退货"), Heading(2, "运费"), Paragraph("由我们承担。"), Heading(2, "时限"), Paragraph("七天。")]
    )
    assert [(draft.heading, draft.ref, draft.text) for draft in drafts] == [
        ("退货 › 运费", "运费", "由我们承担。"),
        ("退货 › 时限", "时限", "七天。"),
    ]


def test_a_deeper_heading_ends_with_the_next_one_of_its_level() -> None:
    blocks = [
        Heading(1, "A"),
        Heading(3, "B"),
        Paragraph("x"),
        Heading(2, "C"),
        Paragraph("y"),
        Heading(1, "D"),
        Paragraph("z"),
    ]
    assert [draft.heading for draft in chunk(blocks)] == ["A › B", "A › C", "D"]


def test_a_table_of_questions_and_answers_gives_whole_pairs_with_their_refs() -> None:
    table = Table(("id", "question", "answer"), (("F1", "How long?", "Three days. " * 300), ("F2", "多久？", "三天。")))
    first, second = chunk([table])
    assert (first.ref, first.question, first.language) == ("F1", "How long?", "en")
    assert first.text == "Three days. " * 300
    assert (second.ref, second.question, second.text, second.language) == ("F2", "多久？", "三天。", "zh")


def test_a_pair_without_its_half_is_refused_with_its_row() -> None:
    with pytest.raises(Unreadable, match="row 3 has a question or an answer only"):
        chunk([Table(("问题", "答案"), (("a", "b"), ("c", "")))])


def test_every_row_of_another_table_carries_the_header() -> None:
    drafts = chunk([Heading(1, "运费"), Table(("地区", "运费"), (("西藏", "20元"), ("上海", "免费")))])
    assert [draft.text for draft in drafts] == ["地区：西藏；运费：20元", "地区：上海；运费：免费"]
    assert {draft.heading for draft in drafts} == {"运费"}
    assert chunk([Table(("Region", "Fee"), (("Tibet", "20"),))])[0].text == "Region: Tibet; Fee: 20"


def test_a_heading_that_asks_makes_its_section_an_answer() -> None:
    (draft,) = chunk([Heading(1, "Help"), Heading(2, "Can I return it?"), Paragraph("Yes.")])
    assert (draft.question, draft.heading, draft.text) == ("Can I return it?", "Help", "Yes.")


def test_without_ref_or_heading_the_chunk_has_its_number() -> None:
    assert [draft.ref for draft in chunk([Table(("a", "b"), (("1", "2"), ("3", "4")))])] == ["1", "2"]


def test_headings_alone_are_refused() -> None:
    with pytest.raises(Unreadable, match="no text"):
        chunk([Heading(1, "Empty")])


def test_a_long_section_goes_in_overlapping_windows_that_end_at_sentences() -> None:
    sentences = [f"第{number}条规定说明了退货的办法和时间要求。" for number in range(200)]
    drafts = chunk([Paragraph("".join(sentences))])
    assert len(drafts) > 3
    for before, after in pairwise(drafts):
        assert before.text.endswith("。")
        shared = next(size for size in range(len(after.text), -1, -1) if before.text.endswith(after.text[:size]))
        assert 0 < tokens_of(after.text[:shared]) <= WHOLE_TOKENS * OVERLAP


@settings(max_examples=50)
@given(
    st.lists(
        st.sampled_from(["七天内可以退货。", "Refunds take three days. ", "x" * 3000, "7 " * 900]),
        min_size=1,
        max_size=60,
    )
)
def test_no_window_is_too_large_and_no_sentence_is_lost(parts: list[str]) -> None:
    drafts = chunk([Paragraph("\n".join(parts))])
    assert all(tokens_of(draft.text) <= WHOLE_TOKENS for draft in drafts)
    whole = "".join(draft.text for draft in drafts)
    assert all(part.strip() in whole for part in parts if len(part) < 100)


def test_a_markdown_file_becomes_chunks() -> None:
    text = "# Shipping\n\nWe ship daily.\n\n| Region | Fee |\n| --- | --- |\n| Tibet | 20 |\n"
    assert [draft.text for draft in chunk(read_document("a.md", text.encode()))] == [
        "We ship daily.",
        "Region: Tibet; Fee: 20",
    ]


def count_words(text: str) -> int:
    return len(text.split())


def test_windows_leave_room_for_the_headings_above_and_count_as_they_are_told() -> None:
    sentence = "one two three four five six seven eight nine ten. "
    drafts = chunk([Heading(1, "Rules of the house"), Paragraph(sentence * 30)], count_words, window=60)
    assert all(count_words(f"{draft.heading} {draft.text}") <= 60 for draft in drafts)
    assert len(drafts) > 6


def test_a_table_title_or_the_line_before_it_stands_above_every_row() -> None:
    table = Table(("Region", "Fee"), (("Tibet", "20"),), "Fees of 2026", "sheet Fees", (7,))
    (draft,) = chunk([Heading(1, "Shipping"), table])
    assert (draft.heading, draft.ref, draft.source) == ("Shipping › Fees of 2026", "Shipping", "sheet Fees, row 7")
    _, row = chunk([Paragraph("All prices in yuan.\nTable 1 Fees by region"), Table(table.header, table.rows)])
    assert row.heading == "Table 1 Fees by region"
    _, row = chunk([Paragraph("We ship daily."), Table(table.header, table.rows)])
    assert row.heading == ""


def test_a_row_too_long_for_a_window_goes_in_parts_that_begin_with_its_first_cell() -> None:
    table = Table(("Model", *(f"Feature {i}" for i in range(40))), (("K1", *("a b c d e" for _ in range(40))),))
    drafts = chunk([table], count_words, window=100)
    assert len(drafts) > 2
    assert all(draft.text.startswith("Model: K1; Feature") and count_words(draft.text) <= 100 for draft in drafts)
    assert "Feature 39" in drafts[-1].text


def test_pairs_written_as_question_and_answer_stay_whole() -> None:
    text = "常见问题如下。\n问：多久发货？\n答：当天。\n节假日顺延。\n问：运费多少？\n答：西藏20元。"
    assert [(draft.question, draft.text) for draft in chunk([Heading(1, "帮助"), Paragraph(text)])] == [
        ("", "常见问题如下。"),
        ("多久发货？", "当天。\n节假日顺延。"),
        ("运费多少？", "西藏20元。"),
    ]
    (plain,) = chunk([Paragraph("Quality: good.\nAll: fine.")])
    assert plain.question == ""


def test_a_chunk_says_where_it_stands() -> None:
    blocks = [Heading(1, "A"), Paragraph("x", "page 1"), Heading(1, "B"), Paragraph("y")]
    assert [draft.source for draft in chunk(blocks)] == ["page 1", "B"]
    long = [Paragraph("First sentence of all. " * 40, "page 1"), Paragraph("Second sentence. " * 40, "page 2")]
    sources = [draft.source for draft in chunk(long, count_words, window=60)]
    assert (sources[0], sources[-1]) == ("page 1", "page 2")


def test_a_megabyte_on_one_line_is_cut_in_time() -> None:
    begun = time.perf_counter()
    drafts = chunk([Paragraph("Refunds take 3 days, e.g. by bank. 七天内可以退货。" * 12_000)])
    assert len(drafts) > 200
    assert time.perf_counter() - begun < PATIENCE


@pytest.mark.parametrize("name", FILES)
def test_a_row_is_found_by_its_cell_with_header_title_and_heading_in_every_format(name: str) -> None:
    assert is_found([f"{draft.heading}\n{draft.text}" for draft in chunk(read_document(name, FILES[name]()))])
