"""Puts golden questions to a release in a shadow of the real thing: its own index, the worker's model and engine.

For the desk worker and the shell: loads the model.
"""

from collections.abc import Iterable

from chatbot import worker_wiring
from chatbot.engines import Prompt
from chatbot.engines.extractive import compose
from chatbot.language import language_of
from knowledge import examining
from knowledge.calibrating import Threshold, threshold_for
from knowledge.golden import Search
from knowledge.models import Examination, KnowledgeBase, Release
from knowledge.passages import Retrieved
from knowledge.retrieval import Retriever


def examine_draft(base_slug: str) -> Examination | None:
    """Examine the draft of a base beside what is published; None when there is none. Raises knowledge's errors."""
    return examining.examine_draft(base_slug, searcher=searcher, answer=answer)


def examine_published(base_slug: str) -> Examination | None:
    """Examine what answers now beside what answered before it: for what was published in a hurry."""
    base = KnowledgeBase.objects.select_related("published__base", "published__parent__base").get(slug=base_slug)
    if base.published is None:
        return None
    return examining.examine_release(base.published, base.published.parent, searcher=searcher, answer=answer)


def searcher(release: Release) -> Search:
    """Return the search of a release, published or not."""
    index = worker_wiring.knowledge_loader().load(release.base.slug, number=release.number)
    return Retriever(index, worker_wiring.embed_query(), threshold=release.base.threshold).search


def calibrate(base: KnowledgeBase, questions: Iterable[tuple[str, bool]], *, error: float) -> Threshold:
    """Have a base answer from that probability on at which no more than the share `error` of the questions that it
    cannot answer is answered, by what is published; `questions` say whether it can. Raises TooFew, ValueError, and
    knowledge's errors.
    """
    if base.published is None:
        raise ValueError("nothing is published")
    search = searcher(base.published)
    confidences: dict[bool, list[float]] = {True: [], False: []}
    for question, answerable in questions:
        confidences[answerable].append(search(question).confidence)
    found = threshold_for(confidences[True], confidences[False], error=error)
    KnowledgeBase.objects.filter(pk=base.pk).update(threshold=found.value)
    return found


def answer(found: Retrieved) -> str:
    """Return what the extractive engine would say, whatever engine answers customers: it is the same every time."""
    if found.exact:
        return found.passages[0].text
    language = language_of(found.question, "zh")
    return "".join(compose(Prompt(found.question, found.question_vector, found.passages, language)))
