import io
import zipfile
from contextlib import suppress

import docx
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pptx import Presentation

from knowledge.blocks import Heading, Paragraph, Table, Unreadable
from knowledge.readers import READERS, office, read_document
from knowledge.readers.text import decode

FEES = Table(("Region", "Fee"), (("Tibet", "20"), ("Shanghai", "0")))


def saved(document: object) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)  # type: ignore[attr-defined]
    return buffer.getvalue()


def word() -> bytes:
    document = docx.Document()
    document.add_heading("Shipping", 1)
    document.add_paragraph("We ship daily.")
    table = document.add_table(rows=0, cols=2)
    for row in (FEES.header, *FEES.rows):
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    return saved(document)


def sheet(*rows: tuple[object, ...]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    return saved(book)


def renamed() -> bytes:
    """A zip of something else."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("readme.txt", "hello")
    return buffer.getvalue()


def slides() -> bytes:
    show = Presentation()
    slide = show.slides.add_slide(show.slide_layouts[1])
    slide.shapes.title.text = "Shipping"
    slide.placeholders[1].text = "We ship daily."
    return saved(show)


def pdf(text: str) -> bytes:
    stream = f"BT /F1 12 Tf 50 700 Td ({text}) Tj ET".encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    body = b"%PDF-1.4\n"
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % len(body)
    return body + b"xref\n0 6\n0000000000 65535 f \n" + table + trailer


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
def test_text_is_read_in_any_of_its_encodings(encoding: str) -> None:
    text = "退货政策\n签收后七天内可以申请退货，运费由我们承担。Refunds take 3 days."
    assert decode(text.encode(encoding)) == text


def test_western_quotes_are_not_taken_for_chinese() -> None:
    assert decode("We don’t charge for returns within seven days.".encode("cp1252")) == (
        "We don’t charge for returns within seven days."
    )


@pytest.mark.parametrize(
    "data", [b"", b"  \n ", b"\xff\xfe", bytes(range(256)) * 4, b"\x00\x01\x02\x03" * 50, b"\x80\xff\xff\x80" * 9]
)
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        decode(data)


def test_markdown_becomes_plain_blocks() -> None:
    text = (
        "---\ntitle: x\n---\n"
        "# Returns\n\n**Free** within [7 days](https://kefu.example/r).<br>Ask us.\n\n<!-- note -->\n\n"
        "- first\n- second\n\n1. one\n2. two\n\n| Region | Fee |\n|---|---|\n| Tibet | 20 |\n| Shanghai | 0 |\n"
    )
    assert read_document("a.MD", text.encode()) == (
        Heading(1, "Returns"),
        Paragraph("Free within 7 days (https://kefu.example/r).\nAsk us."),
        Paragraph("- first\n- second"),
        Paragraph("1. one\n2. two"),
        FEES,
    )


def test_text_files_fall_into_paragraphs() -> None:
    assert read_document("a.txt", "一。\r\n二。\r\n\r\n三。".encode("gb18030")) == (
        Paragraph("一。\n二。"),
        Paragraph("三。"),
    )


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_is_read_with_its_separator_and_quotes(separator: str) -> None:
    rows = [("id", "问题", "答案"), ("F1", '"多久, 几天; 到账？"', "三天"), ("", "", "")]
    text = "\n".join(separator.join(row) for row in rows)
    assert read_document("a.csv", text.encode()) == (
        Table(("id", "问题", "答案"), (("F1", "多久, 几天; 到账？", "三天"),)),
    )


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.csv", b"q,a\nwhen, soon, maybe", "row 2 has 3 cells, the header has 2"),
        ("a.csv", b'q,a\n"open,b', "damaged"),
        ("a.csv", b"question,answer\n", "no rows"),
        ("a.jsonl", b'{"question": "q", "answer": "a"}\n{broken', "line 2 is not valid JSON"),
        ("a.jsonl", b"[1]", "line 1 is not a JSON object"),
        ("a.jsonl", b'{"a": ""}', "no fields with content"),
        ("a.docx", b"PK\x03\x04 broken", "damaged"),
        ("a.docx", b"just text", "not a real .docx file"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0" * 100, "not a real .xlsx file"),
        ("a.pptx", b"x", "not a real .pptx file"),
        ("a.docx", renamed(), "not a real .docx file"),
        ("a.pdf", b"%PDF-1.4 broken", "damaged"),
        ("a.pdf", b"hello", "not a real .pdf file"),
        ("a.html", b"<script>only()</script>", "no text"),
        ("a.md", b"", "empty"),
        ("a.exe", b"MZ", "files of type .exe are not supported"),
        ("noextension", b"x", "(none)"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_plain_reason(name: str, data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_document(name, data)
    assert reason in str(refused.value)
    assert "Traceback" not in str(refused.value)


def test_jsonl_lines_are_rows_of_one_table() -> None:
    data = '{"ref": 7, "question": "q", "answer": "a"}\n\n{"question": "r", "answer": "b", "tags": ["x"]}\n'
    assert read_document("a.jsonl", data.encode()) == (
        Table(("ref", "question", "answer", "tags"), (("7", "q", "a", ""), ("", "r", "b", '["x"]'))),
    )


def test_office_files_give_headings_text_and_tables() -> None:
    assert read_document("a.docx", word()) == (Heading(1, "Shipping"), Paragraph("We ship daily."), FEES)
    assert read_document("a.xlsx", sheet(FEES.header, *FEES.rows))[1:] == (FEES,)
    assert read_document("a.pptx", slides()) == (Heading(1, "Shipping"), Paragraph("We ship daily."))
    assert read_document("a.pdf", pdf("We ship daily.")) == (Paragraph("We ship daily."),)


def test_html_gives_text_without_scripts_in_its_own_encoding() -> None:
    table = "<table><tr><th>地区</th><th>费</th></tr><tr><td>西藏</td><td>20</td></tr></table>"
    page = f"<h1>运费</h1><script>steal()</script><p>全国包邮。</p>{table}"
    assert read_document("a.html", page.encode("gb18030")) == (
        Heading(1, "运费"),
        Paragraph("全国包邮。"),
        Table(("地区", "费"), (("西藏", "20"),)),
    )


def test_a_sheet_with_a_title_row_and_gaps_keeps_its_header_and_whole_numbers() -> None:
    data = sheet(("Fees of 2026", None), ("Region", "Fee"), ("Tibet", 20), ("Shanghai", None))
    assert Table(("Region", "Fee"), (("Tibet", "20"), ("Shanghai", ""))) in read_document("a.xlsx", data)


def test_a_zip_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(office, "UNPACKED_BYTES", 1000)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", "0" * 5000)
    with pytest.raises(Unreadable, match="too much"):
        read_document("a.docx", buffer.getvalue())


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([".md", ".txt", ".csv", ".jsonl", ".docx", ".xlsx"]), st.binary(max_size=200))
def test_any_bytes_end_in_blocks_or_a_refusal(extension: str, data: bytes) -> None:
    assert extension in READERS
    with suppress(Unreadable):
        assert read_document(f"a{extension}", data)
