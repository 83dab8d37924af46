"""Whether a text holds a fact, as README.md says. Knows nothing of questions."""

import re
import unicodedata


def plain(text: str) -> str:
    """The text in which width, case and spaces tell nothing apart."""
    return re.sub(r"[^\S\n]", "", unicodedata.normalize("NFKC", text)).lower()


def holds(text: str, fact: str) -> bool:
    """Whether the fact stands in the text: "8元" stands in "运费8元", but not in "18元" nor in "2.8元"."""
    fact = plain(fact)
    before = r"(?<!\d)(?<!\d[.,])" if fact[0].isdigit() else ""
    after = r"(?!\d|[.,]\d)" if fact[-1].isdigit() else ""
    return re.search(f"{before}{re.escape(fact)}{after}", plain(text)) is not None


def holds_all(texts: list[str], facts: list[list[str]]) -> bool:
    """Whether each fact stands in one of the texts, in one of its alternatives."""
    return all(any(holds(text, one) for text in texts for one in fact) for fact in facts)
