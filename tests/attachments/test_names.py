"""Names that customers' files come under."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attachments.names import LONGEST, clean_name, extension_of

NAMES = {
    "photo.jpg": "photo.jpg",
    "退货 照片（正面）.PNG": "退货 照片（正面）.png",
    "résumé.pdf": "résumé.pdf",
    "../../etc/passwd": "passwd",
    "..\\..\\windows\\a.txt": "a.txt",
    "/a/b/c.pdf": "c.pdf",
    "a.png/": "file",
    "": "file",
    "...": "file",
    ".png": "file.png",
    " .png ": "file.png",
    "a.": "a",
    "a.png.": "a.png",
    "a\0.png": "a.png",
    "a.png\0.exe": "a.png.exe",
    "a\r\nSet-Cookie: b.png": "a Set-Cookie_ b.png",
    "invoice\u202egnp.exe": "invoicegnp.exe",
    "a\u200b\ufeff\u2066b.png": "ab.png",
    "\u202e\u200b": "file",
    '"><img src=x onerror=alert(1)>.png': "___img src=x onerror=alert(1)_.png",
    "<script>alert(1)</script>.txt": "script_.txt",
    "a;b|c&d`e$f%.txt": "a_b_c_d_e_f_.txt",
    "a   \t b.txt": "a b.txt",
    "e\u0301.txt": "é.txt",
    "a" * 300 + ".png": "a" * (LONGEST - 4) + ".png",
    "a" * 300: "a" * LONGEST,
    "a." + "b" * 300: "a." + "b" * 10,
    "\ud800.png": "file.png",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_clean(name: str) -> None:
    assert clean_name(name) == NAMES[name]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_name_becomes_one_that_can_be_shown_and_saved(name: str) -> None:
    clean = clean_name(name)
    assert 0 < len(clean) <= LONGEST
    assert not set(clean) & set('/\\<>:"|?*\0')
    assert all(unicodedata.category(c)[0] != "C" for c in clean)
    assert clean == clean.strip(" .")
    assert clean_name(clean) == clean


def test_the_extension_is_what_stands_last() -> None:
    assert [extension_of(name) for name in ("a.png", "a.png.exe", "a", "file")] == ["png", "exe", "", ""]
