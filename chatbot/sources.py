"""From the citation markers of a finished reply to the sources that the customer sees."""

from chatbot.engines.citations import cited
from chatbot.turn import Source
from knowledge.passages import Passage, Retrieved

EXCERPT_CHARACTERS = 300


def sources_of(text: str, found: Retrieved) -> tuple[Source, ...]:
    """Return the passages that `text` cites, numbered as its markers; for an FAQ's own words, that FAQ."""
    if found.exact:
        return (_source(1, found.passages[0]),)
    return tuple(_source(n + 1, found.passages[n]) for n in cited(text) if n < len(found.passages))


def _source(number: int, passage: Passage) -> Source:
    excerpt = passage.text if len(passage.text) <= EXCERPT_CHARACTERS else passage.text[:EXCERPT_CHARACTERS] + "…"
    return Source(number, passage.document, passage.ref, passage.question or passage.heading, excerpt)
