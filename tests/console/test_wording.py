"""Staff's pages have words for everything they show, in both languages, and no word that nothing shows."""

import re
from pathlib import Path

import pytest

from console.rules import Role
from console.wording import TEXTS, language_of

ROOT = Path(__file__).resolve().parent.parent.parent / "console"
PAGES = "".join(path.read_text() for path in (ROOT / "templates").rglob("*.html"))
CODE = "".join((ROOT / name).read_text() for name in ("views.py", "forms.py", "consumers.py"))


def test_every_word_that_a_page_says_exists_and_every_word_is_said() -> None:
    said = set(re.findall(r"\bsay\.(\w+)", PAGES)) | {f"role_{role}" for role in Role}
    said |= set(re.findall(r'(?:words\(\)|texts)\["(\w+)"\]', CODE))
    assert said == set(TEXTS["en"])


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_word_is_empty(language: str) -> None:
    assert all(TEXTS[language].values())  # type: ignore[index]


@pytest.mark.parametrize(
    ("code", "language"), [("zh-hans", "zh"), ("zh", "zh"), ("en", "en"), ("en-gb", "en"), (None, "en"), ("", "en")]
)
def test_a_reader_gets_one_of_our_languages(code: str | None, language: str) -> None:
    assert language_of(code) == language
