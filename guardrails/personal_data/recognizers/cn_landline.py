"""Landline numbers of China: area code, number, extension. Service numbers (400, 800, 95588) are nobody's own."""

import re
from collections.abc import Iterator

from guardrails.personal_data.recognizer import AFTER, BEFORE, BREAK, Recognizer, Span, is_reference, is_within_fours

_AREA = (
    r"(?:10|2[0-57-9]|3(?:1[0-9]|35|49|5[0-9]|7[0-9]|9[1-8])|4(?:1[0-9]|2[179]|3[1-9]|40|5[1-9]|6[4-9]|7[0-9]|8[23])"
    r"|5(?:1[0-9]|2[37]|3[0-9]|4[36]|5[0-9]|6[1-6]|7[0-9]|80|9[1-9])|6(?:3[1-5]|6[0-38]|9[12])"
    r"|7(?:01|1[0-9]|2[248]|3[0-9]|4[3-6]|5[0-9]|6[02-9]|7[0-9]|9[0-9])"
    r"|8(?:1[2-8]|2[5-7]|3[0-9]|40|5[1-9]|7[0-9]|8[136-8]|9[1-8])|9(?:0[1-9]|1[1-9]|3[0-9]|4[13]|5[1-5]|7[0-79]|9[0-9]))"
)
"""The area codes that are given out, without their 0: a number of another country mostly has none of them."""
_SEPARATOR = rf"(?:{BREAK}|[ _.,/~-]{{0,2}})"
_EXTENSION = r"(?:(?:-| ?(?:转|分机号?|ext\.?) ?)[0-9]{1,6})?"
_NUMBER = re.compile(
    BEFORE + rf"(?<![0-9]-)(?:\(?\+?(?:00)?86\)?{_SEPARATOR}\(?0?\)?{_AREA}\)?"
    rf"|[\(\[]?0{_AREA}[\)\]]?){_SEPARATOR}"
    rf"[2-8][0-9]{{2,3}}{_SEPARATOR}[0-9]{{4}}" + _EXTENSION + AFTER,
    re.IGNORECASE,
)
_ABROAD = re.compile(
    r"\(?020\)? [378][0-9]{3} [0-9]{4}"  # London
    r"|\(?029\)? 20[0-9]{2} [0-9]{4}"  # Cardiff
    r"|\(?0(?:10|2[0-9])\)?[ -]?[2-9][0-9]{2}[ -]?[0-9]{4}"  # seven digits: in China these areas have eight
    r"|0871 [0-9]{3} [0-9]{4}"  # Britain's dear ones
)
_CHINA = re.compile(r"[\u4e00-\u9fff]|china|chinese|guangzhou|canton", re.IGNORECASE)
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
            abroad = _ABROAD.fullmatch(match[0]) and not _CHINA.search(text)
            if not (abroad or is_reference(text, match.start()) or is_within_fours(text, *match.span())):
                yield match.start(), match.end(), 0.85
        for match in _LOCAL.finditer(text):
            yield match.start("number"), match.end("number"), 0.8
