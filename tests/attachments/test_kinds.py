"""Which files are taken: honest ones of every type, and what somebody who means harm could send instead."""

import io
import warnings
import zipfile

import docx
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attachments.kinds import KINDS, PICTURES, prove
from attachments.names import clean_name
from attachments.refusals import FileRefused, Reason
from tests.attachments import samples
from tests.attachments.samples import archive, office, office_parts, pdf, picture

PIXELS = 1_000_000


def real_docx() -> bytes:
    document, out = docx.Document(), io.BytesIO()
    document.add_paragraph("退货单")
    document.save(out)
    return out.getvalue()


def real_xlsx() -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["order", 17])
    book.save(out)
    return out.getvalue()


GOOD = {
    "photo.jpg": (picture("JPEG"), "image/jpeg"),
    "photo.JPEG": (picture("JPEG"), "image/jpeg"),
    "grey.jpg": (picture("JPEG", mode="L"), "image/jpeg"),
    "screen.png": (picture("PNG"), "image/png"),
    "palette.png": (picture("PNG", mode="P"), "image/png"),
    "clear.png": (picture("PNG", mode="RGBA"), "image/png"),
    "still.gif": (picture("GIF"), "image/gif"),
    "moving.gif": (samples.animation("GIF"), "image/gif"),
    "still.webp": (picture("WEBP"), "image/webp"),
    "moving.webp": (samples.animation("WEBP"), "image/webp"),
    "invoice.pdf": (pdf(), "application/pdf"),
    "report.docx": (real_docx(), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "table.xlsx": (real_xlsx(), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "note.txt": ("你好, my order is 17.\r\n\tThanks".encode(), "text/plain"),
    "old.txt": ("你好，订单".encode("gb18030"), "text/plain"),
    "windows.txt": ("\ufeff你好".encode("utf-16-le"), "text/plain"),
    "mark.txt": ("\ufeff你好".encode(), "text/plain"),
    "less.txt": (b"3 < 5 and <b> is bold", "text/plain"),
}


@pytest.mark.parametrize("name", GOOD)
def test_an_honest_file_is_taken(name: str) -> None:
    data, media_type = GOOD[name]
    proved = prove(clean_name(name), data, most_pixels=PIXELS)
    assert proved.media_type == media_type
    assert proved.media_type in PICTURES or proved.data == data


def locked_zip() -> bytes:
    data = bytearray(office())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the flag "encrypted" of every entry
        at = -1
        while (at := data.find(mark, at + 1)) >= 0:
            data[at + place] |= 1
    return bytes(data)


def lying_zip() -> bytes:
    """An entry that claims to be small."""
    data = bytearray(office(word__media="x" * 100_000))
    at = data.find(b"PK\x01\x02", data.find(b"PK\x01\x02", data.find(b"PK\x01\x02") + 1) + 1)
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")
    return bytes(data)


def twice_the_same() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target, warnings.catch_warnings(action="ignore"):
        for name, content in [*office_parts().items(), *office_parts().items()]:
            target.writestr(name, content)
    return out.getvalue()


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
GIFAR = picture("GIF") + archive({"Evil.class": "x"})
OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)
EXE = b"MZ\x90\0" + bytes(200)
DTD = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'

HOSTILE: dict[str, tuple[str, bytes, Reason]] = {
    "nothing": ("a.png", b"", "file_empty"),
    "blanks alone": ("a.txt", b" \r\n\t ", "file_empty"),
    "no extension": ("README", b"hello", "file_type"),
    "a picture that runs: SVG": ("a.svg", SVG, "file_type"),
    "SVG as PNG": ("a.png", SVG, "file_mismatch"),
    "SVG as text": ("a.txt", SVG, "file_mismatch"),
    "SVG as text, after blanks": ("a.txt", b"\n\n  " + SVG, "file_mismatch"),
    "SVG as text, after a mark": ("a.txt", b"\xef\xbb\xbf" + SVG, "file_mismatch"),
    "a page": ("a.html", HTML, "file_type"),
    "a page as PDF": ("a.pdf", HTML, "file_mismatch"),
    "a page as text": ("a.txt", HTML, "file_mismatch"),
    "a page as text in UTF-16": ("a.txt", HTML.decode().encode("utf-16"), "file_mismatch"),
    "a page as JPEG": ("a.jpg", HTML, "file_mismatch"),
    "XML as text": ("a.txt", DTD.encode(), "file_mismatch"),
    "a shell script as text": ("a.txt", b"#!/bin/sh\nrm -rf /\n", "file_mismatch"),
    "PHP as text": ("a.txt", b"<?php system($_GET[0]);", "file_mismatch"),
    "PHP": ("a.php", b"<?php", "file_type"),
    "a program": ("a.exe", EXE, "file_type"),
    "a program as PNG": ("a.png", EXE, "file_mismatch"),
    "a program as text": ("a.txt", EXE, "file_mismatch"),
    "two extensions": ("a.png.exe", picture("PNG"), "file_type"),
    "JavaScript": ("a.js", b"alert(1)", "file_type"),
    "an archive": ("a.zip", archive({"a": "b"}), "file_type"),
    "an archive as docx": ("a.docx", archive({"a": "b"}), "file_mismatch"),
    "an archive as text": ("a.txt", archive({"a": "b"}), "file_mismatch"),
    "xlsx as docx": ("a.docx", office(samples.EXCEL), "file_mismatch"),
    "docx as xlsx": ("a.xlsx", office(samples.WORD), "file_mismatch"),
    "macros as docx": (
        "a.docx",
        archive({"[Content_Types].xml": "application/vnd.ms-word.document.macroEnabled.main+xml"}),
        "file_mismatch",
    ),
    "macros in docx": ("a.docx", office(word__vbaProject=b"x", word__a="b"), "file_unsafe"),
    "a docm": ("a.docm", office(), "file_type"),
    "an old Word file": ("a.doc", OLE, "file_type"),
    "an encrypted Word file": ("a.docx", OLE, "file_mismatch"),
    "encrypted entries": ("a.docx", locked_zip(), "file_locked"),
    "a zip bomb": ("a.docx", office(word__media=bytes(101_000_000)), "file_unsafe"),
    "a size that is not so": ("a.docx", lying_zip(), "file_damaged"),
    "bzip2 in docx": ("a.docx", archive(office_parts(), zipfile.ZIP_BZIP2), "file_unsafe"),
    "LZMA in docx": ("a.docx", archive(office_parts(), zipfile.ZIP_LZMA), "file_unsafe"),
    "ten thousand parts": ("a.docx", archive({f"{i}": "" for i in range(10_000)}), "file_unsafe"),
    "two parts of a name": ("a.docx", twice_the_same(), "file_unsafe"),
    "a path out of the archive": ("a.docx", archive(office_parts() | {"../../evil": "x"}), "file_unsafe"),
    "a path from the root": ("a.docx", archive(office_parts() | {"/etc/evil": "x"}), "file_unsafe"),
    "an external entity": ("a.docx", office(**{"word__document.xml.rels": DTD}), "file_unsafe"),
    "docx with a page behind it": ("a.docx", office() + HTML, "file_unsafe"),
    "docx with half its end": ("a.docx", office()[:-30], "file_damaged"),
    "a picture that is an archive, too, as docx": ("a.docx", GIFAR, "file_mismatch"),
    "PDF that is an archive, too": ("a.pdf", pdf() + archive({"a": "b"}), "file_unsafe"),
    "PDF that is a page, too": ("a.pdf", pdf(b"<script>alert(1)</script>"), "file_unsafe"),
    "PDF after something else": ("a.pdf", b"MZ" + pdf(), "file_mismatch"),
    "half a PDF": ("a.pdf", pdf()[:-20] + bytes(2000), "file_damaged"),
    "PDF as text": ("a.txt", pdf(), "file_mismatch"),
    "PNG as JPEG": ("a.jpg", picture("PNG"), "file_mismatch"),
    "only a PNG's beginning": ("a.png", picture("PNG")[:8], "file_damaged"),
    "half a PNG": ("a.png", picture("PNG", (64, 64))[:-60], "file_damaged"),
    "half a JPEG": ("a.jpg", picture("JPEG", (64, 64))[:300], "file_damaged"),
    "a GIF with JavaScript": ("a.gif", b"GIF89a/*" + bytes(20) + b"*/=alert(1)//", "file_damaged"),
    "BMP as PNG": ("a.png", picture("BMP"), "file_mismatch"),
    "a picture bomb": ("a.png", samples.huge_png(50_000, 50_000), "file_pixels"),
    "a larger picture bomb": ("a.png", samples.huge_png(2**31 - 1, 2**31 - 1), "file_pixels"),
    "just too many pixels": ("a.png", picture("PNG", (1001, 1000)), "file_pixels"),
    "too many frames": ("a.gif", samples.animation("GIF", 301, (2, 2)), "file_pixels"),
    "frames with too many pixels": ("a.webp", samples.animation("WEBP", 11, (320, 320)), "file_pixels"),
    "bytes of no encoding": ("a.txt", b"\xff\x00\xfe\x80" * 50, "file_mismatch"),
    "NUL in a text": ("a.txt", b"hello\0world", "file_mismatch"),
    "terminal codes in a text": ("a.txt", b"hello\x1e\x07 world", "file_mismatch"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused_for_what_it_is(case: str) -> None:
    name, data, reason = HOSTILE[case]
    with pytest.raises(FileRefused) as refused:
        prove(clean_name(name), data, most_pixels=PIXELS)
    assert refused.value.reason == reason, refused.value.detail


@pytest.mark.parametrize("appendix", [HTML, archive({"Evil.class": "x"}), b"<?php ?>"])
@pytest.mark.parametrize("format_", ["PNG", "JPEG", "GIF", "WEBP"])
def test_what_hides_behind_a_picture_is_not_kept(format_: str, appendix: bytes) -> None:
    proved = prove(f"a.{format_.lower()}", picture(format_) + appendix, most_pixels=PIXELS)
    assert appendix not in proved.data
    assert not zipfile.is_zipfile(io.BytesIO(proved.data))


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(GOOD)),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=20),
    st.integers(1, 10_000),
)
def test_a_damaged_file_is_taken_or_refused_and_nothing_else(
    name: str, changes: list[tuple[int, int]], length: int
) -> None:
    data = bytearray(GOOD[name][0])
    for place, byte in changes:
        data[place % len(data)] = byte
    try:
        proved = prove(clean_name(name), bytes(data[:length]), most_pixels=PIXELS)
    except FileRefused:
        return
    assert proved.data


def test_no_two_types_share_an_extension() -> None:
    extensions = [extension for kind in KINDS for extension in kind.extensions]
    assert len(extensions) == len(set(extensions))
