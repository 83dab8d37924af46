"""Tools for making documents without models: personal data is a mobile number, "IGNORE ALL" is an injection."""

import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from knowledge import importing, readers, stages
from knowledge.findings import Found
from knowledge.models import Document, DocumentVersion
from knowledge.stages import Tools
from tests.knowledge.fakes import PASS, FakeEmbedder

MOBILE = re.compile(r"1[3-9]\d{9}")
OWN = "13900000000"
"""The shop's own number."""


def judge(sentences: list[str]) -> list[dict[str, Any]]:
    """Blocks sentences with "IGNORE ALL" as injections."""
    return [
        {"action": "block", "tier": "injection", "categories": []} if "IGNORE ALL" in s else PASS for s in sentences
    ]


def find(text: str) -> list[Found]:
    """Finds mobile numbers."""
    return [Found("CN_MOBILE", m.start(), m.end(), f"key {m[0]}") for m in MOBILE.finditer(text)]


def publishes(text: str, found: Sequence[Found]) -> list[bool]:
    """Shows the shop's own."""
    return [text[one.start : one.end] == OWN for one in found]


def read_here(name: str, data: bytes, cancelled: Callable[[], bool]) -> Any:
    """Reads in this process: these files can be trusted."""
    found = readers.read(name, data)
    return found.blocks, found.notices


def tools(embedder: FakeEmbedder | None = None, **more: Any) -> Tools:
    """All of them."""
    given: dict[str, Any] = {
        "embedder": embedder or FakeEmbedder(),
        "judge": judge,
        "guard_version": "g1",
        "is_injection": lambda verdict: verdict["tier"] == "injection",
        "find": find,
        "publishes": publishes,
        "stand_in": lambda entity, language: "[number]",
        "read": read_here,
    }
    return Tools(**(given | more))


def bring(text: str, name: str = "a.md", base: str = "shop", then: str = "", **more: Any) -> DocumentVersion:
    """Take a file in and make it."""
    taken = importing.take_in(base, name, text.encode(), then=then, **more)
    assert taken.version is not None, taken
    return made(taken.version)


def made(version: DocumentVersion, using: Tools | None = None) -> DocumentVersion:
    """Make a version that waits."""
    claimed = stages.claim(version.pk)
    if claimed is not None:
        stages.make(claimed, using or tools())
    importing.publish_due()
    version.refresh_from_db()
    return version


def expire_leases() -> None:
    """Let everybody who makes something be dead for long."""
    DocumentVersion.objects.filter(beat__isnull=False).update(beat=timezone.now() - timedelta(hours=1))


def texts(version: DocumentVersion) -> list[str]:
    """What its chunks say."""
    return list(version.chunks.order_by("position").values_list("text", flat=True))


def answers(document: Document) -> list[str]:
    """What of it answers now."""
    document.base.refresh_from_db()
    live = importing.live_version(document)
    return list(live.chunks.filter(enabled=True).order_by("position").values_list("text", flat=True)) if live else []
