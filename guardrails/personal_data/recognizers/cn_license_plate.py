"""Licence plates of mainland China: ordinary (京A·12345), new-energy (沪AD12345), embassies (使014001)."""

import re
from collections.abc import Iterator

from guardrails.personal_data.recognizer import Recognizer, Span

_SIGN = "[A-HJ-NP-Z0-9]"
_PLATE = re.compile(
    rf"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][ ]?[A-HJ-NP-Z][ ·.、_-]{{0,2}}"
    rf"(?:[A-HJK][ ]?{_SIGN}[0-9]{{4}}|[0-9]{{5}}[DF]|(?=[A-Z]*[0-9]){_SIGN}{{4}}[A-HJ-NP-Z0-9挂学警港澳使领]"
    r"|[0-9]{2}[ -][0-9]{3}|[0-9]{3}[ -][0-9]{2})(?![0-9A-Za-z])"
    r"|使[0-9]{6}(?![0-9])",
    re.IGNORECASE,
)


class CnLicensePlate(Recognizer):
    """Fairly sure: a province, an office, five or six signs."""

    ENTITY = "CN_LICENSE_PLATE"

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the plates; "最新A12345" is a product."""
        for match in _PLATE.finditer(text):
            if not (match[0][0] == "新" and text[match.start() - 1 : match.start()] in ("最", "全", "崭")):
                yield match.start(), match.end(), 0.85
