"""From the citation markers of a finished reply to the sources that the customer sees; release passes them, too."""

from chatbot.engines.citations import cited
from chatbot.turn import Source
from guardrails.release import Release, Withheld
from knowledge.passages import Passage, Retrieved

EXCERPT_CHARACTERS = 300


def sources_of(text: str, found: Retrieved, release: Release) -> tuple[Source, ...]:
    """Return the passages that `text` cites, numbered as its markers; for an FAQ's own words, that FAQ.

    What of a source release withholds is left out: a passage may hold more than the sentence that was quoted.
    """
    if found.exact:
        return (_source(1, found.passages[0], release),)
    return tuple(_source(n + 1, found.passages[n], release) for n in cited(text) if n < len(found.passages))


def _source(number: int, passage: Passage, release: Release) -> Source:
    def shown(text: str) -> str:
        released = release.whole(text)
        return "" if isinstance(released, Withheld) else "".join(unit.text for unit in released)

    excerpt = passage.text if len(passage.text) <= EXCERPT_CHARACTERS else passage.text[:EXCERPT_CHARACTERS] + "…"
    title = passage.question or passage.heading
    return Source(number, shown(passage.document), shown(passage.ref), shown(title), shown(excerpt))
