"""Reads knowledge: which version, which documents, and the index made of them."""

from collections.abc import Iterable

import numpy as np
from django.db.models import QuerySet

from knowledge import vectors
from knowledge.index import Entry, Index
from knowledge.models import Chunk, Document, Embedding, KnowledgeBase, ReleaseItem
from knowledge.passages import Passage, Sentence, Vectors

_KEYS_AT_ONCE = 5000


class BaseMissing(Exception):
    """There is no knowledge base of that name."""


class VectorsMissing(Exception):
    """The base was embedded with another model; its documents have to be imported again."""


def current_version(base_slug: str) -> int:
    """The number of the release that answers, 0 before the first. Raises `BaseMissing`."""
    found = KnowledgeBase.objects.filter(slug=base_slug).values_list("published__number").first()
    if found is None:
        raise BaseMissing(f"there is no knowledge base {base_slug!r}")
    return found[0] or 0


def documents(base_slug: str) -> QuerySet[Document]:
    """The documents of a base by name, live or not."""
    return Document.objects.filter(base__slug=base_slug).order_by("name")


def load_index(base_slug: str, model_id: str) -> Index:
    """The index of a base at its newest version, from the stored vectors of a model. Raises `BaseMissing`,
    `VectorsMissing`.

    Takes no lock: when the base changes while it is read, it is read again.
    """
    while True:
        version = current_version(base_slug)
        chunks = list(
            Chunk.objects.filter(
                enabled=True,
                version__in=ReleaseItem.objects.filter(release__base__slug=base_slug, release__number=version).values(
                    "version"
                ),
            )
            .select_related("version__document")
            .order_by("version__document__name", "position")
        )
        stored = _stored(
            {key for chunk in chunks for key in map(vectors.text_hash, vectors.embedded_texts(chunk))}, model_id
        )
        if current_version(base_slug) == version:
            return _index(chunks, stored, version)


def _stored(keys: Iterable[bytes], model_id: str) -> dict[bytes, bytes]:
    ordered = sorted(keys)
    found: dict[bytes, bytes] = {}
    for start in range(0, len(ordered), _KEYS_AT_ONCE):
        rows = Embedding.objects.filter(model=model_id, text_hash__in=ordered[start : start + _KEYS_AT_ONCE])
        found.update((bytes(key), bytes(vector)) for key, vector in rows.values_list("text_hash", "vector"))
    return found


def _index(chunks: list[Chunk], stored: dict[bytes, bytes], version: int) -> Index:
    texts = [vectors.embedded_texts(chunk) for chunk in chunks]
    try:
        packed = [stored[vectors.text_hash(text)] for one in texts for text in one]
    except KeyError:
        raise VectorsMissing("the documents were embedded with another model: import them again") from None
    dimension = vectors.dimension_of(packed[0]) if packed else 0
    every = vectors.unpack(packed, dimension)
    entries: list[Entry] = []
    start = 0
    for chunk, one in zip(chunks, texts, strict=True):
        own = every[start : start + len(one)]
        start += len(one)
        titles = 1 + len(vectors.titles_of(chunk))
        entries.append(Entry(_passage(chunk, own[titles:]), own[0], own[1:titles]))
    return Index(entries, version=version, dimension=dimension)


def _passage(chunk: Chunk, sentence_vectors: Vectors) -> Passage:
    return Passage(
        chunk_id=chunk.pk,
        document=chunk.version.document.name,
        ref=chunk.ref,
        heading=chunk.heading,
        text=chunk.text,
        question=chunk.question,
        language=chunk.language,
        sentences=tuple(
            Sentence(chunk.text[sentence["start"] : sentence["end"]], sentence["verdict"]["action"] == "pass")
            for sentence in chunk.sentences
        ),
        sentence_vectors=np.ascontiguousarray(sentence_vectors),
    )
