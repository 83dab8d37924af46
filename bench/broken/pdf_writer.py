"""Writes small PDFs by hand, so that each can be broken where one likes. Helvetica, and a Chinese font by its name."""

import zlib
from collections.abc import Iterable, Sequence

WIDTH, HEIGHT = 595, 842


def words(x: float, y: float, text: str, size: float = 11, colour: str = "0 0 0", mode: int = 0) -> bytes:
    """Shows a text; `y` counts from the foot of the page, `colour` is red, green, blue from 0 to 1."""
    if text.isascii():
        told = "(" + text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)") + ")"
        font = "F1"
    else:
        told, font = f"<{text.encode('utf-16-be').hex()}>", "F2"
    return f"BT {colour} rg {mode} Tr /{font} {size} Tf {x} {y} Td {told} Tj ET 0 g\n".encode()


def grid(xs: Sequence[float], ys: Sequence[float]) -> bytes:
    """Ruled lines through all of these places."""
    across = (f"{xs[0]} {y} m {xs[-1]} {y} l S" for y in ys)
    down = (f"{x} {ys[0]} m {x} {ys[-1]} l S" for x in xs)
    return "\n".join(("0.5 w", *across, *down, "")).encode()


def document(pages: Iterable[bytes], *, resources: bytes = b"", catalogue: bytes = b"", packed: bool = False) -> bytes:
    """A PDF of pages with these contents."""
    contents = list(pages)
    first = 5
    kids = " ".join(f"{first + 2 * i} 0 R" for i in range(len(contents)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R" + catalogue + b">>",
        f"<</Type/Pages/Kids[{kids}]/Count {len(contents)}>>".encode(),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        b"<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UTF16-H/DescendantFonts[<</Type/Font"
        b"/Subtype/CIDFontType0/BaseFont/STSong-Light/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 4>>"
        b"/DW 1000>>]>>",
    ]
    for number, content in enumerate(contents):
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]/Contents %d 0 R"
            b"/Resources<</Font<</F1 3 0 R/F2 4 0 R>>%s>>>>" % (WIDTH, HEIGHT, first + 2 * number + 1, resources)
        )
        kind = b"/Filter/FlateDecode" if packed else b""
        data = zlib.compress(content) if packed else content
        objects.append(b"<</Length %d%s>>stream\n%s\nendstream" % (len(data), kind, data))
    return assembled(objects)


def assembled(objects: Sequence[bytes], trailer: bytes = b"") -> bytes:
    """A PDF of these objects, the first being its catalogue."""
    body = bytearray(b"%PDF-1.4\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(body)
    body += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    body += b"".join(b"%010d 00000 n \n" % place for place in places)
    body += b"trailer<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, trailer, start)
    return bytes(body)
