"""Where a personal datum stands in a text, and which entities there are. Knows nothing of how they are found."""

from bisect import bisect_left
from dataclasses import dataclass

ENTITIES = (
    "CN_ID_CARD",
    "EMAIL",
    "IBAN",
    "BANK_CARD",
    "CREDIT_CARD",
    "US_SSN",
    "CN_MOBILE",
    "CN_LANDLINE",
    "US_PHONE",
    "INTL_PHONE",
    "IP_ADDRESS",
    "CN_PASSPORT",
    "CN_LICENSE_PLATE",
    "WECHAT_ID",
    "ADDRESS",
    "PERSON",
)
"""Every entity, the most exact first: where two findings are otherwise equal, the earlier entity wins."""


@dataclass(frozen=True)
class Finding:
    """One personal datum: `text[start:end]`, code points of the original text; score from 0 to 1."""

    entity: str
    start: int
    end: int
    score: float


def without_overlaps(findings: list[Finding]) -> list[Finding]:
    """Return the findings without overlaps, in text order: the surest wins, then the longest, then ENTITIES' order.

    A name, which is a guess more often than the others, gives way to all of them.
    """
    kept: list[Finding] = []
    for finding in sorted(findings, key=_rank):
        at = bisect_left(kept, finding.start, key=lambda other: other.end - 1)  # the first that ends behind its start
        if at == len(kept) or finding.end <= kept[at].start:
            kept.insert(at, finding)
    return kept


def _rank(finding: Finding) -> tuple[bool, float, int, int, int]:
    is_name = finding.entity == "PERSON"
    return is_name, -finding.score, finding.start - finding.end, ENTITIES.index(finding.entity), finding.start
