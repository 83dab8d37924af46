"""What wishes are called, for people: the names that ship, and those that staff gave."""

import json
from functools import cache
from pathlib import Path

import understanding
from understanding.models import Label

_SHIPPED = Path(understanding.__file__).parent / "data" / "labels.json"


def topics(language: str) -> dict[str, str]:
    """Return the name of each kind of wish by its slug, in this language (zh or en)."""
    names = dict(_shipped(language))
    for slug, chinese, english in Label.objects.values_list("slug", "name_zh", "name_en"):
        names[slug] = (chinese if language == "zh" else english) or names.get(slug, slug)
    return names


@cache
def _shipped(language: str) -> dict[str, str]:
    return {row["slug"]: row[f"name_{language}"] for row in json.loads(_SHIPPED.read_text("utf-8"))}
