"""Puts placeholders where findings are, and says when two spellings are one value. Knows no vault and no model."""

import re
import unicodedata
from collections.abc import Callable, Sequence

from guardrails import placeholders
from guardrails.personal_data.finding import Finding
from guardrails.placeholders import escape_lookalikes

_NUMBERS = {"CN_ID_CARD", "BANK_CARD", "CREDIT_CARD", "CN_MOBILE", "CN_LANDLINE", "US_PHONE", "INTL_PHONE", "US_SSN"}
_CODES = {"IBAN", "CN_LICENSE_PLATE", "CN_PASSPORT"}


def same_value(entity: str, value: str) -> str:
    """Return the spelling that all spellings of one value share: digits alone, e-mail in lower case, names stripped."""
    plain = unicodedata.normalize("NFKC", value)
    if entity in _NUMBERS:
        digits = re.sub(r"[^0-9Xx]", "", plain).upper()
        return re.sub(r"^(?:00)?86(?=1[0-9]{10}$)", "", digits) if entity == "CN_MOBILE" else digits
    if entity in _CODES:
        return re.sub(r"[\W_]", "", plain).upper()
    return plain.lower() if entity in ("EMAIL", "IP_ADDRESS") else " ".join(plain.split())


def replaced(
    text: str, findings: Sequence[Finding], placeholder: Callable[[str, str], str]
) -> tuple[str, tuple[str, ...]]:
    """Return `text` with each finding replaced by `placeholder(entity, value)`, and the placeholders used, each once.

    `findings` are in order and do not overlap, as the detector returns them. What only looks like a placeholder is
    respelled, if the caller has not done so.
    """
    pieces, used, end = [], dict[str, None](), 0
    for finding in findings:
        stand_in = placeholder(finding.entity, text[finding.start : finding.end])
        used[stand_in] = None
        pieces += [escape_lookalikes(text[end : finding.start]), stand_in]
        end = finding.end
    return "".join(pieces) + escape_lookalikes(text[end:]), tuple(used)


def numbered_within(text: str, findings: Sequence[Finding]) -> str:
    """Return `text` masked without a vault: placeholders are numbered by entity from 1, in order, within this text."""
    numbers: dict[tuple[str, str], int] = {}

    def placeholder(entity: str, value: str) -> str:
        key = entity, same_value(entity, value)
        if key not in numbers:
            numbers[key] = 1 + sum(other == entity for other, _ in numbers)
        return placeholders.name(entity, numbers[key])

    return replaced(text, findings, placeholder)[0]
