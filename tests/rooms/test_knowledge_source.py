"""Which part of a file each chunk was made of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.blocks import Block, Heading, Paragraph, Table
from rooms.knowledge.source import around, marked

BLOCKS: list[Block] = [
    Heading(1, "Fees", "page 1"),
    Paragraph("A parcel costs 12 yuan. To islands it costs 30.", "page 1"),
    Table(("Region", "Fee", "No."), (("Tibet", "20 yuan", "1"), ("Hainan", "8 yuan", "2")), "", "page 2"),
    Paragraph("退货须在七天内寄出。超过七天请联系客服。", "page 3"),
]
SAID = {
    0: "Fees A parcel  costs 12 yuan!\nTo islands it costs 30.",
    1: "Region: Tibet; Fee: 20 yuan",
    2: "Region: Hainan; Fee: 8 yuan",
    3: "退货须在七天内寄出",
    4: "超过七天，请联系客服。",
}


def where(text: str) -> tuple[int, ...]:
    pieces = [piece for part in marked(BLOCKS, SAID) for piece in part.pieces]
    return next(piece.chunks for piece in pieces if piece.text.startswith(text))


@pytest.mark.parametrize(
    ("text", "chunks"),
    [("A parcel", (0,)), ("To islands", (0,)), ("Tibet", (1,)), ("Hainan", (2,)), ("退货", (3,)), ("超过", (4,))],
)
def test_each_sentence_and_row_is_found_in_the_chunk_that_it_went_into(text: str, chunks: tuple[int, ...]) -> None:
    assert where(text) == chunks


def test_what_went_nowhere_is_marked_with_nothing() -> None:
    [part] = marked([Paragraph("This was left out.")], SAID)
    assert part.chunks == frozenset()


def test_windows_that_overlap_share_a_sentence_and_a_long_sentence_is_in_every_window_of_it() -> None:
    [shared] = marked([Paragraph("One. Two two two. Three.")], {0: "One. Two two two.", 1: "Two two two. Three."})
    assert [piece.chunks for piece in shared.pieces] == [(0,), (0, 1), (1,)]
    [long] = marked([Paragraph("abcdefgh" * 20)], {0: "abcdefgh" * 10, 1: "abcdefgh" * 5})
    assert long.pieces[0].chunks == (0, 1)


def test_a_page_of_chunks_stands_beside_its_own_part_of_the_file_with_the_heading_above_it() -> None:
    parts = marked(BLOCKS, SAID)
    assert [part.kind for part in around(parts, 0, 0)] == ["heading", "text"]
    assert [part.source for part in around(parts, 1, 2)] == ["page 2"]
    assert around(parts, 90, 99) == parts


@given(st.lists(st.text(max_size=30), max_size=12))
def test_every_chunk_that_is_named_is_there_and_no_text_is_lost(texts: list[str]) -> None:
    blocks = [Paragraph(text) for text in texts]
    said = dict(enumerate(texts))
    for block, part in zip(blocks, marked(blocks, said), strict=True):
        assert part.chunks <= said.keys()
        assert "".join("".join(piece.text for piece in part.pieces).split()) == "".join(block.text.split())
