"""Broken Word and PowerPoint files."""

import io
import struct
import zipfile
from collections.abc import Callable, Mapping

import docx
from pptx import Presentation

from bench.broken.cases import Case
from bench.broken.pdfs import PLAIN

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def saved(document: object) -> bytes:
    """What an Office library saves."""
    buffer = io.BytesIO()
    document.save(buffer)  # type: ignore[attr-defined]
    return buffer.getvalue()


def word(*paragraphs: str) -> bytes:
    """A Word file."""
    document = docx.Document()
    for text in paragraphs:
        document.add_paragraph(text)
    return saved(document)


def replaced(data: bytes, parts: Mapping[str, bytes | None]) -> bytes:
    """An Office file with other parts; None removes one."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name))
        for name, content in parts.items():
            if content is not None:
                new.writestr(name, content)
    return buffer.getvalue()


def body(xml: str, before: str = "") -> Callable[[], bytes]:
    """Makes a Word file with this body."""
    told = f'<?xml version="1.0" encoding="UTF-8"?>{before}<w:document {W}><w:body>{xml}</w:body></w:document>'
    return lambda: replaced(word("x"), {"word/document.xml": told.encode()})


def run(text: str, properties: str = "") -> str:
    """A run of text."""
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t>{text}</w:t></w:r>"


def _flipped() -> bytes:
    data = bytearray(word("We ship daily." * 500))
    place = data.index(b"word/document.xml") + 200
    data[place] ^= 0xFF
    return bytes(data)


def _lying_sizes() -> bytes:
    """Its directory says that the document unpacks to 10 bytes."""
    data = bytearray(word("We ship daily."))
    place = data.rindex(b"word/document.xml") - 46
    data[place + 24 : place + 28] = struct.pack("<I", 10)
    return bytes(data)


def _slides(*, hidden: bool = False) -> bytes:
    show = Presentation()
    for number in range(2):
        slide = show.slides.add_slide(show.slide_layouts[1])
        slide.shapes.title.text = "Shipping"
        slide.placeholders[1].text = "SECRET" if hidden and number else "We ship daily."
        if hidden and number:
            slide._element.set("show", "0")
    return saved(show)


_LAUGHS = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
_OUTSIDE = '<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
_TYPES = "[Content_Types].xml"


def _with_macros() -> bytes:
    plain = word("We ship daily.")
    with zipfile.ZipFile(io.BytesIO(plain)) as archive:
        types = archive.read(_TYPES)
    usual = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    types = types.replace(usual, b"application/vnd.ms-word.document.macroEnabled.main+xml")
    return replaced(plain, {_TYPES: types, "word/vbaProject.bin": OLE + b"Sub AutoOpen()"})


_WHITE = '<w:color w:val="FFFFFF"/>'
_NESTED = "<w:tbl><w:tr><w:tc>" * 60 + f"<w:p>{run('inside')}</w:p>" + "</w:tc></w:tr></w:tbl>" * 60

CASES = (
    Case("cut.docx", lambda: word("We ship daily.")[:9000], ("damaged",)),
    Case("flipped-bit.docx", _flipped, ("damaged",)),
    Case("text-as.docx", lambda: b"just text", ("wrong_type",)),
    Case("rtf-as.docx", lambda: rb"{\rtf1 hello}", ("wrong_type",)),
    Case("html-as.docx", lambda: b"<html><body><p>We ship daily.</p></body></html>", holds="daily"),
    Case("old-word.docx", lambda: OLE + b"\0" * 600 + "WordDocument".encode("utf-16-le"), ("old_office",)),
    Case("encrypted.docx", lambda: OLE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), ("encrypted",)),
    Case(
        "unpacks-to-500-mb.docx",
        lambda: replaced(word("x"), {"word/document.xml": b"0" * (500 * 2**20)}),
        ("unpacks_too_much",),
        slow=True,
    ),
    Case("lying-sizes.docx", _lying_sizes, ("content", "damaged")),
    Case("outside-entity.docx", body(f"<w:p>{run('&x;')}</w:p>", _OUTSIDE), ("entities",)),
    Case("billion-laughs.docx", body(f"<w:p>{run('&b;')}</w:p>", _LAUGHS), ("entities",)),
    Case("macros.docm", _with_macros, holds="We ship daily"),
    Case("no-styles.docx", lambda: replaced(word("We ship daily."), {"word/styles.xml": None}), holds="daily"),
    Case("no-document.docx", lambda: replaced(word("x"), {"word/document.xml": None}), ("damaged",)),
    Case("broken-xml.docx", body("<w:p><w:r><w:t>never closed"), ("content", "damaged")),
    Case("no-text.docx", body("<w:p/>"), ("no_text",)),
    Case("tables-60-deep.docx", body(_NESTED), ("content", "too_deep")),
    Case("sdt-5000-deep.docx", body("<w:sdt>" * 5000 + "</w:sdt>" * 5000), ("damaged", "too_deep", "no_text")),
    Case(
        "tracked-and-hidden.docx",
        body(
            f"<w:p>{run('We ship ')}<w:del>{run('SECRET')}</w:del><w:ins>{run('daily.')}</w:ins>"
            f"{run('SECRET', '<w:vanish/>')}{run('SECRET', _WHITE)}</w:p>"
        ),
        holds="We ship daily.",
        lacks="SECRET",
    ),
    Case("named-wrongly.pdf", lambda: word("We ship daily."), holds="We ship daily"),
    Case("cut.pptx", lambda: _slides()[:20_000], ("damaged",)),
    Case("no-slide-part.pptx", lambda: replaced(_slides(), {"ppt/slides/slide1.xml": None}), ("damaged",)),
    Case("no-slides.pptx", lambda: saved(Presentation()), ("no_text",)),
    Case("hidden-slide.pptx", lambda: _slides(hidden=True), holds="We ship daily", lacks="SECRET"),
    Case("pdf-as.pptx", lambda: PLAIN, holds="We ship daily"),
)
