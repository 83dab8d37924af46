"""Puts placeholders where findings are, and says when two spellings are one value. Knows no vault and no model."""

import re
import unicodedata
from collections.abc import Callable, Sequence

from guardrails import placeholders
from guardrails.personal_data.finding import Finding
from guardrails.personal_data.folding import fold
from guardrails.placeholders import escape_lookalikes

_NUMBERS = {"CN_ID_CARD", "BANK_CARD", "CREDIT_CARD", "CN_MOBILE", "CN_LANDLINE", "US_PHONE", "INTL_PHONE", "US_SSN"}
_COUNTRY = {
    "CN_MOBILE": re.compile(r"^(?:00)?86(?=1[0-9]{10}$)"),
    "US_PHONE": re.compile(r"^(?:00)?1(?=[2-9][0-9]{9}$)"),
}
_AT = re.compile(r"%40|\s*(?:[(\[{<]\s*at\s*[)\]}>]|艾特|\bat\b|@)\s*", re.IGNORECASE)
_DOT = re.compile(r"\s*(?:[(\[{<]\s*dot\s*[)\]}>]|点|\bdot\b|。|\.)\s*", re.IGNORECASE)
_CODES = {"IBAN", "CN_LICENSE_PLATE", "CN_PASSPORT"}


def same_value(entity: str, value: str) -> str:
    """Return the spelling that all spellings of one value share: digits alone, e-mail in lower case, names stripped."""
    plain = unicodedata.normalize("NFKC", fold(value).text)
    if entity in _NUMBERS:
        digits = re.sub(r"[^0-9Xx]", "", plain).upper()
        country = _COUNTRY.get(entity)
        return (country.sub("", digits) if country else digits) or plain
    if entity in _CODES:
        return re.sub(r"[\W_]", "", plain).upper()
    if entity == "EMAIL":
        return _DOT.sub(".", _AT.sub("@", plain)).lower()
    if entity == "ADDRESS":
        return re.sub(r"[\s,，.]", "", plain).lower()
    return plain.lower() if entity in ("IP_ADDRESS", "WECHAT_ID") else " ".join(plain.split())


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


def cut(masked: str, budget: int) -> str:
    """Return as much of a masked text as fits into `budget` bytes of UTF-8, and no half of a character or placeholder.

    Cut after masking, never before: half a number is found by no recognizer.
    """
    data = masked.encode("utf-8", "surrogatepass")
    if len(data) <= budget:
        return masked
    end = max(0, budget)
    while end and data[end] & 0xC0 == 0x80:
        end -= 1
    kept = data[:end].decode("utf-8", "surrogatepass")
    opened = kept.rfind("<")
    inside = next((p for p in placeholders.PLACEHOLDER.finditer(masked, max(0, opened)) if p.start() == opened), None)
    return kept[:opened] if opened >= 0 and inside and inside.end() > len(kept) else kept
