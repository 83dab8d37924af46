"""Landline numbers of China: area code, number, extension. Service numbers (400, 800, 95588) are nobody's own."""

import re
from collections.abc import Iterator

from guardrails.personal_data.recognizer import AFTER, BEFORE, BREAK, Recognizer, Span, is_reference

_SEPARATOR = rf"(?:{BREAK}|[ _.,/~-]{{0,2}})"
_EXTENSION = r"(?:(?:-| ?(?:转|分机号?|ext\.?) ?)[0-9]{1,6})?"
_NUMBER = re.compile(
    BEFORE + rf"(?:\(?\+?(?:00)?86\)?{_SEPARATOR}\(?0?(?:10|2[0-9]|[3-9][0-9]{{2}})\)?"
    rf"|[\(\[]?0(?:10|2[0-9]|[3-9][0-9]{{2}})[\)\]]?){_SEPARATOR}"
    rf"[2-8][0-9]{{2,3}}{_SEPARATOR}[0-9]{{4}}" + _EXTENSION + AFTER,
    re.IGNORECASE,
)
_LOCAL = re.compile(
    r"(?:座机|固定?电话|家里电话|(?:办公|家庭|公司|单位|宅)(?:室|里)?电话)(?:号码?)?(?:是|为|[:=])?[ ]{0,2}"
    r"(?P<number>[2-8][0-9]{2,3}[ -]?[0-9]{4}" + _EXTENSION + ")" + AFTER,
    re.IGNORECASE,
)


class CnLandline(Recognizer):
    """Fairly sure: the area code is the proof; without one the number must be called a landline."""

    ENTITY = "CN_LANDLINE"

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the numbers with area code and extension."""
        for match in _NUMBER.finditer(text):
            if not is_reference(text, match.start()):
                yield match.start(), match.end(), 0.85
        for match in _LOCAL.finditer(text):
            yield match.start("number"), match.end("number"), 0.8
