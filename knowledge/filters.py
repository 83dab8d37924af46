"""Which passages may be found, by what is known of their documents. Knows nothing of searching."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

Filters = Mapping[str, Collection[str]]
"""A passage may be found when for every key its document has one of the values; without keys, every passage may."""

LANGUAGE = "language"  # of the passage: zh or en
DOCUMENT = "document"  # its name
MOST_KEYS = 20
MOST_CHARACTERS = 200

_KEY = re.compile(r"[a-z][a-z0-9_-]{0,39}")


class Catalogue(Mapping[int, Mapping[str, str]]):
    """What is known of the documents of an index, by document version: metadata and name (`DOCUMENT`). Never changes.

    `described` is the base's number of what is said of its documents, that this was read at.
    """

    def __init__(self, about: Mapping[int, Mapping[str, str]], described: int = 0) -> None:
        """`about` is not copied."""
        self._about = about
        self.described = described

    def __getitem__(self, version: int) -> Mapping[str, str]:
        return self._about[version]

    def __iter__(self) -> Iterator[int]:
        return iter(self._about)

    def __len__(self) -> int:
        return len(self._about)

    def changed(self, gone: Iterable[int], came: Mapping[int, Mapping[str, str]]) -> "Catalogue":
        """The same without those versions and with others."""
        about = dict(self._about)
        for version in gone:
            about.pop(version, None)
        about.update(came)
        return Catalogue(about, self.described)

    def versions(self, filters: Filters) -> list[int] | None:
        """The versions whose documents fit, None for all; the language, a passage's own, does not count here."""
        wanted = [(key, frozenset(values)) for key, values in filters.items() if key != LANGUAGE]
        if not wanted:
            return None
        return [
            version for version, about in self._about.items() if all(about.get(key) in values for key, values in wanted)
        ]


def checked(metadata: Mapping[str, str]) -> dict[str, str]:
    """Metadata of a document as it is kept. Raises ValueError, in words for people."""
    if len(metadata) > MOST_KEYS:
        raise ValueError(f"a document has at most {MOST_KEYS} keys")
    for key, value in metadata.items():
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} is no key: 1 to 40 of a-z, 0-9, _ and -, a letter first")
        if key in (LANGUAGE, DOCUMENT):
            raise ValueError(f"{key!r} is known anyway")
        if not isinstance(value, str) or not 0 < len(value) <= MOST_CHARACTERS:
            raise ValueError(f"the value of {key!r} is not 1 to {MOST_CHARACTERS} characters")
    return dict(metadata)


def parsed(pairs: Iterable[str]) -> dict[str, list[str]]:
    """Filters, or what is to be said of a document, from KEY=VALUE texts; a key that comes again has both values.

    Raises ValueError.
    """
    found: dict[str, list[str]] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not (key and equals):
            raise ValueError(f"{pair!r} is not KEY=VALUE")
        found.setdefault(key, []).append(value)
    return found
