"""Broken PDFs."""

import zlib

from bench.broken.cases import Case
from bench.broken.pdf_writer import HEIGHT, WIDTH, assembled, document, grid, words
from bench.broken.texts import ENGLISH

_SCRIPT = b"/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>"
PLAIN = document([words(50, 700, "We ship daily.")])


def pages(count: int, *, table: bool = False) -> bytes:
    """A PDF of so many full pages."""
    return document((_page(number, table) for number in range(1, count + 1)), packed=True)


def _page(number: int, table: bool) -> bytes:
    lines = [words(50, 780, f"Chapter {number}", 18), words(280, 30, str(number), 9)]
    lines += [words(50, 740 - 14 * i, f"{ENGLISH}Rule {number}.{i} says more of it.") for i in range(40)]
    if table:
        lines.append(grid([50, 200, 350], [170 - 20 * i for i in range(5)]))
        lines += [words(55 + 150 * (i % 2), 155 - 20 * (i // 2), f"cell {i}") for i in range(8)]
    return b"".join(lines)


def _hidden() -> bytes:
    return document(
        [
            words(50, 700, "We ship daily.")
            + words(50, 650, "SECRET white", colour="1 1 1")
            + words(50, 600, "SECRET invisible", mode=3)
            + words(50, 550, "SECRET tiny", size=0.5)
            + words(5000, 500, "SECRET far away")
            + b"0.1 0.1 0.6 rg 40 440 300 30 re f\n"
            + words(50, 450, "White on blue", colour="1 1 1")
        ]
    )


def _picture_only() -> bytes:
    raw = zlib.compress(b"\xff" * (100 * 100))
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 5 0 R/Resources<</XObject<</I1 4 0 R>>>>>>"
    drawn = b"q 595 0 0 842 0 0 cm /I1 Do Q"
    return assembled(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            page,
            b"<</Type/XObject/Subtype/Image/Width 100/Height 100/ColorSpace/DeviceGray/BitsPerComponent 8"
            b"/Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(raw), raw),
            b"<</Length %d>>stream\n%s\nendstream" % (len(drawn), drawn),
        ]
    )


def _encrypted() -> bytes:
    from fpdf import FPDF

    made = FPDF()
    made.set_encryption(owner_password="owner", user_password="user")
    made.add_page()
    made.set_font("Helvetica", size=12)
    made.cell(text="We ship daily.")
    return bytes(made.output())


def _loop() -> bytes:
    return assembled([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 1000000>>"])


def _bomb() -> bytes:
    """A page whose content unpacks to 400 MB."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(b" " * 2**20) for _ in range(400)) + packer.flush()
    return assembled(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>",
            b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(packed), packed),
        ]
    )


def _many_words() -> bytes:
    """A single page with 200,000 words."""
    return document([b"".join(words(i % 500, i % 800, "word") for i in range(200_000))], packed=True)


CASES = (
    Case("cut-in-half.pdf", lambda: pages(5)[: len(pages(5)) // 2], ("content", "damaged", "no_text")),
    Case("header-only.pdf", lambda: b"%PDF-1.7\n", ("damaged",)),
    Case("noise-after-header.pdf", lambda: b"%PDF-1.7\n" + bytes(range(256)) * 50, ("damaged",)),
    Case("no-pages.pdf", lambda: document([]), ("damaged", "no_text")),
    Case("encrypted.pdf", _encrypted, ("encrypted",)),
    Case("hidden-text.pdf", _hidden, holds="White on blue", lacks="SECRET"),
    Case("picture-only.pdf", _picture_only, ("pictures_only", "no_text"), slow=True),
    Case("broken-xref.pdf", lambda: PLAIN.replace(b"startxref\n", b"startxref\n9"), ("content", "damaged")),
    Case("page-tree-loop.pdf", _loop, ("damaged", "pages", "no_text")),
    Case("unpacks-to-400-mb.pdf", _bomb, ("no_text", "damaged", "memory", "crashed", "time"), slow=True),
    Case("200000-words.pdf", _many_words, ("content", "time", "memory"), slow=True),
    Case("500-pages.pdf", lambda: pages(500), holds="Rule 500.39", slow=True),
    Case("500-pages-with-tables.pdf", lambda: pages(500, table=True), holds="Rule 500.39", slow=True),
    Case("3001-pages.pdf", lambda: document([b""] * 3001), ("pages",), slow=True),
    Case("script.pdf", lambda: document([words(50, 700, "We ship daily.")], catalogue=_SCRIPT), holds="daily"),
    Case("named-wrongly.docx", lambda: PLAIN, holds="We ship daily"),
    Case("junk-before.pdf", lambda: b"\n\njunk\n" + PLAIN, ("content", "damaged")),
    Case("a-page-of-miles.pdf", lambda: PLAIN.replace(b"%d %d]" % (WIDTH, HEIGHT), b"9999999 9999999]"), ("content",)),
)
