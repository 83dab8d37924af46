import datetime
import io
import json
from contextlib import suppress

import docx
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont
from pptx import Presentation

from bench.broken.archives import archive
from bench.broken.office import body, replaced, run, saved
from bench.broken.office import word as word_of
from bench.broken.pdf_writer import document, grid, words
from knowledge.blocks import Block, Heading, Notice, Paragraph, Table, Unreadable, as_json, content_key, from_json
from knowledge.readers import READERS, packages, pictures, read, read_document
from knowledge.readers.text import decode

FEES = Table(("Region", "Fee"), (("Tibet", "20"), ("Shanghai", "0")))


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
    return archive(("readme.txt", b"hello"))


def slides() -> bytes:
    show = Presentation()
    slide = show.slides.add_slide(show.slide_layouts[1])
    slide.shapes.title.text = "Shipping"
    slide.placeholders[1].text = "We ship daily."
    return saved(show)


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
        ("a.csv", b"q,a\nwhen, soon, maybe", "row 2 has more cells than the header"),
        ("a.csv", b'q,a\n"open,b', "damaged"),
        ("a.csv", b"question,answer\n", "no rows"),
        ("a.jsonl", b'{"question": "q", "answer": "a"}\n{broken', "line 2 is not valid JSON"),
        ("a.jsonl", b"[1]", "line 1 is not a JSON object"),
        ("a.jsonl", b'{"a": ""}', "no fields with content"),
        ("a.docx", b"PK\x03\x04 broken", "damaged"),
        ("a.docx", b"just text", "not a real .docx file"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "Workbook".encode("utf-16-le"), "an old .xls file"),
        ("a.pptx", b"x", "not a real .pptx file"),
        ("a.docx", renamed(), "archive inside an archive"),
        ("a.pdf", b"%PDF-1.4 broken", "damaged"),
        ("a.pdf", b"hello", "not a real .pdf file"),
        ("a.html", b"<script>only()</script>", "no text"),
        ("a.md", b"", "empty"),
        ("a.exe", b"MZ", "files of type .exe are not supported"),
        ("noextension", b"x", "files of type ? are not supported"),
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
    assert read_document("a.xlsx", sheet(FEES.header, *FEES.rows)) == (FEES,)
    assert read_document("a.pptx", slides()) == (Heading(1, "Shipping"), Paragraph("We ship daily."))
    assert read_document("a.pdf", document([words(50, 700, "We ship daily.")])) == (Paragraph("We ship daily."),)


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
    assert read_document("a.xlsx", data) == (
        Table(("Region", "Fee"), (("Tibet", "20"), ("Shanghai", "")), "Fees of 2026"),
    )


def test_a_zip_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "MOST_UNPACKED", 1000)
    with pytest.raises(Unreadable, match="too much"):
        read_document("a.docx", word())


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([".md", ".txt", ".csv", ".jsonl", ".docx", ".xlsx"]), st.binary(max_size=200))
def test_any_bytes_end_in_blocks_or_a_refusal(extension: str, data: bytes) -> None:
    assert extension in READERS
    with suppress(Unreadable):
        assert read_document(f"a{extension}", data)


def one_table(name: str, data: bytes) -> Table:
    (table,) = (block for block in read_document(name, data) if isinstance(block, Table))
    return table


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.docx", document([words(50, 700, "We ship daily.")]), ".pdf"),
        ("a.pdf", word(), ".docx"),
        ("a.xlsx", b"<!DOCTYPE html><html><body>We ship daily.</body></html>", ".html"),
        ("a", word(), ".docx"),
    ],
)
def test_a_wrong_extension_is_read_by_its_content_and_told(name: str, data: bytes, kind: str) -> None:
    found = read(name, data)
    assert Paragraph("We ship daily.") in found.blocks
    assert Notice("wrong_extension", kind) in found.notices


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("退貨政策：簽收後七天內可以申請退貨，運費由我們承擔。", "big5"),
        ("退貨政策：簽收後七天內可以申請退貨，運費由我們承擔。", "gb18030"),
        ("退货政策：签收后七天内可以申请退货。", "gb18030"),
        ("fee for 西藏 is 20 yuan, and nobody else on this long line of a list pays as much as they do", "gb18030"),
        ("签收后七天，\n运费由我们承担。", "utf-16-le"),
    ],
)
def test_encodings_are_told_apart(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


def test_a_text_cut_within_a_character_keeps_the_rest() -> None:
    whole = "签收后七天内可以申请退货，运费由我们承担。" * 3
    assert decode(whole.encode()[:-1]) == whole[:-1]


def test_what_a_page_hides_is_left_out_and_told() -> None:
    page = (
        "<style>.a, b.c { display:none }</style><p>Shown.</p><p class='a'>one</p><p style='visibility: hidden'>two</p>"
        "<p style='color:#FFF'>three</p><p hidden>four</p><div style='font-size:1px'>five</div>"
        "<p style='color:#fff;background:#333'>White on grey.</p><noscript>six</noscript>"
    )
    found = read("a.html", page.encode())
    assert found.blocks == (Paragraph("Shown."), Paragraph("White on grey."))
    assert found.notices == (Notice("hidden_text", "one"),)


def test_html_spans_are_filled_and_lists_keep_their_marks() -> None:
    page = (
        "<table><caption>Fees</caption><tr><th rowspan=2>Region</th><th colspan=2>Fee</th></tr>"
        "<tr><th>slow</th><th>fast</th></tr><tr><td rowspan=2>Tibet</td><td>1</td><td>2</td></tr>"
        "<tr><td>3</td><td>4</td></tr></table><ol start=2><li>two<li>three<ul><li>inner</ul></ol>"
    )
    assert read_document("a.html", page.encode()) == (
        Table(("Region", "Fee slow", "Fee fast"), (("Tibet", "1", "2"), ("Tibet", "3", "4")), "Fees"),
        Paragraph("2. two\n3. three\n- inner"),
    )


def test_html_within_markdown_gives_its_table() -> None:
    text = "# A\n\n<table><tr><td>Region</td><td>Fee</td></tr><tr><td>Tibet</td><td>20</td></tr></table>\n"
    assert one_table("a.md", text.encode()) == Table(("Region", "Fee"), (("Tibet", "20"),))


def test_a_word_file_is_read_as_its_reader_sees_it() -> None:
    box = (
        '<w:r><w:pict><v:textbox xmlns:v="urn:schemas-microsoft-com:vml"><w:txbxContent>'
        f"<w:p>{run('In a box.')}</w:p></w:txbxContent></v:textbox></w:pict></w:r>"
    )
    inner = f"<w:tbl><w:tr><w:tc><w:p>{run('a')}</w:p></w:tc><w:tc><w:p>{run('b')}</w:p></w:tc></w:tr>"
    inner += f"<w:tr><w:tc><w:p>{run('1')}</w:p></w:tc><w:tc><w:p>{run('2')}</w:p></w:tc></w:tr></w:tbl>"
    outer = (
        f"<w:tbl><w:tr><w:tc><w:p>{run('Region')}</w:p></w:tc><w:tc><w:p>{run('Fee')}</w:p></w:tc></w:tr>"
        f"<w:tr><w:tc><w:tcPr><w:vMerge w:val='restart'/></w:tcPr><w:p>{run('Tibet')}</w:p></w:tc>"
        f"<w:tc><w:p>{run('20')}</w:p></w:tc></w:tr>"
        f"<w:tr><w:tc><w:tcPr><w:vMerge/></w:tcPr><w:p/></w:tc><w:tc><w:p>{run('30')}</w:p>{inner}</w:tc></w:tr></w:tbl>"
    )
    data = body(
        f"<w:p><w:ins>{run('We ship')}</w:ins><w:del>{run(' never')}</w:del>{run(' daily.')}"
        f"<w:r><w:footnoteReference w:id='2'/></w:r>{run('hidden', '<w:vanish/>')}{box}</w:p>{outer}"
    )()
    notes = (
        '<w:footnotes xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        f"<w:footnote w:id='2'><w:p>{run('Not on Sundays.')}</w:p></w:footnote></w:footnotes>"
    )
    found = read("a.docx", replaced(data, {"word/footnotes.xml": notes.encode()}))
    assert found.blocks == (
        Paragraph("We ship daily. [Not on Sundays.]"),
        Paragraph("In a box."),
        Table(("Region", "Fee"), (("Tibet", "20"), ("Tibet", "30"))),
        Table(("a", "b"), (("1", "2"),)),
    )
    assert found.notices == (Notice("hidden_text", "hidden"),)


def test_macros_are_told_and_the_text_is_read() -> None:
    found = read("a.docm", replaced(word_of("We ship daily."), {"word/vbaProject.bin": b"Sub AutoOpen"}))
    assert (found.blocks, found.notices) == ((Paragraph("We ship daily."),), (Notice("macros"),))


def test_a_sheet_shows_numbers_as_they_are_formatted_and_fills_merged_cells() -> None:
    book = openpyxl.Workbook()
    fees = book.active
    fees.title = "Fees"
    for row in (("Region", "Fee", "Share", "Since", "Free"), ("Tibet", 20, 0.125, datetime.date(2026, 3, 1), True)):
        fees.append(row)
    fees.append((None, 25.5, 1, None, False))
    fees["B2"].number_format, fees["B3"].number_format = '"¥"#,##0.00', "0"
    fees["C2"].number_format = fees["C3"].number_format = "0.0%"
    fees.merge_cells("A2:A3")
    fees.append(("x", 1, 1, None, None))
    fees.row_dimensions[4].hidden = True
    secret = book.create_sheet("Secret")
    secret.append(("a", "b"))
    secret.sheet_state = "hidden"
    found = read("a.xlsx", saved(book))
    assert found.blocks == (
        Heading(2, "Fees"),
        Table(
            ("Region", "Fee", "Share", "Since", "Free"),
            (("Tibet", "¥20.00", "12.5%", "2026-03-01", "TRUE"), ("Tibet", "25.5", "100.0%", "", "FALSE")),
        ),
    )
    assert found.notices == (Notice("hidden_sheets", "Secret"),)


def test_two_tables_on_a_sheet_are_two_and_formulas_without_results_are_told() -> None:
    data = sheet(("Region", "Fee"), ("Tibet", "=4*5"), ("Hainan", 3), (), ("Shops",), ("Town", "Hours"), ("Lhasa", "9"))
    found = read("a.xlsx", data)
    assert found.blocks == (
        Table(("Region", "Fee"), (("Tibet", ""), ("Hainan", "3"))),
        Table(("Town", "Hours"), (("Lhasa", "9"),), "Shops"),
    )
    assert found.notices == (Notice("formulas"),)


def test_slides_give_tables_and_notes_but_no_hidden_slides() -> None:
    show = Presentation()
    first, second = (show.slides.add_slide(show.slide_layouts[5]) for _ in range(2))
    first.shapes.title.text, second.shapes.title.text = "Fees", "Secret"
    table = first.shapes.add_table(2, 2, 0, 3_000_000, 100, 100).table
    for place, text in enumerate(("Region", "Fee", "Tibet", "20")):
        table.cell(place // 2, place % 2).text = text
    first.notes_slide.notes_text_frame.text = "Say hello."
    second._element.set("show", "0")
    found = read("a.pptx", saved(show))
    assert found.blocks == (Heading(1, "Fees"), Table(("Region", "Fee"), (("Tibet", "20"),)), Paragraph("Say hello."))
    assert [block.source for block in found.blocks] == ["slide 1", "slide 1", "slide 1, notes"]
    assert found.notices == (Notice("hidden_slides", "2"),)


def test_pdf_lines_are_joined_and_larger_ones_are_headings() -> None:
    page = words(50, 780, "Returns", 20) + words(
        50, 740, "You may return whatever you have bought from us within seven"
    )
    page += words(50, 726, "days. We pay for it.") + words(50, 680, "七天以内可以退货", 11) + words(50, 20, "1", 9)
    assert read_document("a.pdf", document([page])) == (
        Heading(1, "Returns"),
        Paragraph("You may return whatever you have bought from us within seven days. We pay for it."),
        Paragraph("七天以内可以退货"),
    )


def test_a_pdf_table_goes_on_over_the_page_with_its_header() -> None:
    def page(*rows: tuple[str, str]) -> bytes:
        lines = grid([50, 200, 350], [790 - 20 * i for i in range(len(rows) + 1)])
        return lines + b"".join(
            words(55 + 150 * x, 776 - 20 * y, cell) for y, row in enumerate(rows) for x, cell in enumerate(row)
        )

    found = read_document("a.pdf", document([page(FEES.header, FEES.rows[0]), page(*FEES.rows[1:], ("Hainan", "5"))]))
    assert found == (
        Table(FEES.header, FEES.rows[:1]),
        Table(FEES.header, (*FEES.rows[1:], ("Hainan", "5"))),
    )
    assert [block.source for block in found] == ["page 1", "page 2"]


def test_prose_in_two_columns_is_no_table() -> None:
    left = b"".join(words(50, 700 - 14 * i, "These words go on and on in one column") for i in range(6))
    right = b"".join(words(310, 700 - 14 * i, "and these words go on in the other one") for i in range(6))
    assert not any(isinstance(block, Table) for block in read_document("a.pdf", document([left + right])))


def test_headers_footers_and_unseen_text_of_a_pdf_are_left_out() -> None:
    pages = [
        words(50, 815, "Lantern Lane Ltd.", 9) + words(50, 700, f"Rule {name}.") + words(280, 20, f"- {number} -", 9)
        for number, name in enumerate(("one", "two", "three"), 1)
    ]
    pages[0] += words(50, 500, "SECRET", colour="1 1 1") + words(50, 480, "SECRET", mode=3)
    found = read("a.pdf", document(pages))
    assert found.blocks == (Paragraph("Rule one."), Paragraph("Rule two."), Paragraph("Rule three."))
    assert [notice.code for notice in found.notices] == ["hidden_text"]


def test_the_same_content_has_the_same_key_in_another_format_and_spacing() -> None:
    text = "# Shipping\n\nWe  ship\ndaily.\n\n| Region | Fee |\n|---|---|\n| Tibet | 20 |\n| Shanghai | 0 |\n"
    same = content_key(read_document("a.md", text.encode()))
    assert same == content_key(read_document("a.docx", word()))
    assert same == content_key(read_document("a.md", text.upper().replace("\n\n", "\n\n\n").encode()))
    assert same != content_key(read_document("a.md", text.replace("20", "21").encode()))


TEXTS = st.text(max_size=20)
BLOCKS = st.one_of(
    st.builds(Heading, st.integers(1, 6), TEXTS, TEXTS),
    st.builds(Paragraph, TEXTS, TEXTS),
    st.builds(Table, st.tuples(TEXTS, TEXTS), st.lists(st.tuples(TEXTS, TEXTS), max_size=3).map(tuple), TEXTS, TEXTS),
)


@settings(max_examples=60)
@given(BLOCKS)
def test_blocks_survive_the_way_from_the_child(block: Block) -> None:
    again = from_json(json.loads(json.dumps(as_json(block))))
    assert again == block
    assert again.source == block.source


def picture_of(*lines: str) -> Image.Image:
    picture = Image.new("RGB", (900, 60 + 70 * len(lines)), "white")
    pen = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        pen.text((40, 30 + 70 * number), line, fill="black", font=ImageFont.load_default(36))
    return picture


def packed(picture: Image.Image, format_: str) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format_)
    return buffer.getvalue()


@pytest.mark.parametrize(("name", "format_"), [("a.png", "PNG"), ("a.pdf", "PDF")])
def test_pictures_are_refused_with_the_package_that_would_read_them(
    name: str, format_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "recogniser", lambda: None)
    with pytest.raises(Unreadable, match="install the optional package rapidocr"):
        read_document(name, packed(picture_of("Shipping costs 20 yuan."), format_))


def test_a_scan_is_read_where_rapidocr_is_installed() -> None:
    pytest.importorskip("rapidocr")
    found = read("a.pdf", packed(picture_of("Shipping costs 20 yuan.", "Refunds take 3 days."), "PDF"))
    assert found.blocks == (Paragraph("Shipping costs 20 yuan.\nRefunds take 3 days."),)
    assert [notice.code for notice in found.notices] == ["recognised"]
