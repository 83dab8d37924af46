"""IP addresses, version 4 and 6. Versions, loopback and "any" are not somebody's address."""

# ruff: noqa: E501 - a pattern reads best unbroken

import re
from collections.abc import Iterator
from ipaddress import ip_address

from guardrails.personal_data.recognizer import Recognizer, Span

_DOT = r"(?:\.|。|[\[(]\.[\])])"
_DOTS = re.compile(_DOT)
_CANDIDATE = re.compile(
    rf"(?<![0-9A-Za-z.])(?:[0-9]{{1,3}}(?:{_DOT}[0-9]{{1,3}}){{3}}(?!\.?[0-9A-Za-z])"
    r"|(?<![0-9A-Fa-f]:)(?<!::)(?=[0-9A-Fa-f]|::)(?=[0-9A-Fa-f:.]{2,45}(?![0-9A-Za-z:]))(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?:\.[0-9]{1,3}){0,3}(?![0-9A-Za-z:]))"
)
_VERSION = re.compile(
    r"(?:版本号?|固件|驱动|(?:更新|升级|降级|回退)[到至]?|系统|(?<![a-z])(?:v|ver|version|firmware|build|release|driver|app|ios|android|upgraded? to|updated? to))"
    r"[ ]*(?:是|为|is|[:.=])?[ ]*[vV]?$",
    re.I,
)


class IpAddress(Recognizer):
    """Sure of what the standard library parses."""

    ENTITY = "IP_ADDRESS"

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the addresses."""
        for match in _CANDIDATE.finditer(text):
            try:
                address = ip_address(_DOTS.sub(".", match[0]))
            except ValueError:
                continue
            if (
                address.is_loopback
                or address.is_unspecified
                or _VERSION.search(text, max(0, match.start() - 16), match.start())
            ):
                continue
            yield match.start(), match.end(), 0.9
