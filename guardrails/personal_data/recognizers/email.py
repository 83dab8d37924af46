"""E-mail addresses, whatever they touch and however the @ is spelled. No list of domains is asked.

Only where the @ stands apart or is a word must the host be a well-known one.
"""

import re
from collections.abc import Iterator

from guardrails.personal_data.recognizer import Recognizer, Span

_LOCAL = r"(?<![A-Za-z0-9._%\u00c0-\u024f])(?P<local>[A-Za-z0-9_%\u00c0-\u024f][A-Za-z0-9._%+'\u00c0-\u024f-]{0,63})"
_LABEL = r"[A-Za-z0-9\u00c0-\u024f](?:[A-Za-z0-9\u00c0-\u024f-]{0,61}[A-Za-z0-9\u00c0-\u024f])?"
_ADDRESS = re.compile(
    _LOCAL
    + r"(?:@|\n@|@\n|(?<=[A-Za-z0-9])%40)"
    + rf"(?:{_LABEL}[.。]){{1,6}}(?P<top>[A-Za-z]{{2,24}})(?![A-Za-z0-9-])"
)
_AT = r"[ ]{0,2}(?:@|%40|&#64;|&commat;|[(\[{<（【] ?(?:at|@|艾特) ?[)\]}>）】]|艾特|圈a|#|(?<= )at(?= )|_at_)[ ]{0,2}"
_DOT = r"(?:[ ]{0,2}(?:[.。]|[(\[{<（【] ?(?:dot|点|\.) ?[)\]}>）】]|点|(?<= )dot(?= )|_dot_)[ ]{0,2})"
_SPELLED = re.compile(
    r"(?<![A-Za-z0-9._%])[A-Za-z0-9_][A-Za-z0-9_+'-]{0,40}"
    rf"(?:(?:\.|[ ]?[(\[] ?dot ?[)\]][ ]?)[A-Za-z0-9_+'-]{{1,40}}){{0,4}}(?P<at>{_AT})"
    rf"(?P<host>[A-Za-z0-9-]{{1,40}})(?P<dot>{_DOT})(?:[A-Za-z0-9-]{{1,40}}{_DOT}){{0,2}}(?P<top>[A-Za-z]{{2,10}})(?![A-Za-z0-9-])",
    re.IGNORECASE,
)
_OTHER_HOST = re.compile(
    r"(?<![A-Za-z0-9._%])[A-Za-z0-9_][A-Za-z0-9._+-]{0,40}@(?:[\u4e00-\u9fff]{1,12}\.(?:cn|com|net|org|中国|公司|网络)"
    r"|(?:qq|163|126|gmail|hotmail|outlook|foxmail|icloud|yahoo|sina)(?![A-Za-z0-9-]|[.。][A-Za-z]))",
    re.IGNORECASE,
)
"""A host in Chinese, or a well-known one whose ending was forgotten."""
_KNOWN = frozenset(
    [
        "qq",
        "foxmail",
        "163",
        "126",
        "yeah",
        "sina",
        "sohu",
        "139",
        "189",
        "wo",
        "21cn",
        "aliyun",
        "tom",
        "gmail",
        "googlemail",
        "yahoo",
        "hotmail",
        "outlook",
        "live",
        "msn",
        "icloud",
        "me",
        "mac",
        "aol",
        "proton",
        "protonmail",
        "gmx",
        "web",
        "mail",
        "yandex",
        "zoho",
        "fastmail",
        "hey",
    ]
)
_FILE_ENDINGS = frozenset(
    ["png", "jpg", "jpeg", "gif", "svg", "webp", "ico", "css", "js", "html", "json", "xml", "pdf", "zip", "mp4"]
)  # logo@2x.png


class Email(Recognizer):
    """Sure of everything that has the shape of an address and is not a file name."""

    ENTITY = "EMAIL"

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the addresses."""
        for match in _ADDRESS.finditer(text):
            if match["top"].lower() not in _FILE_ENDINGS:
                yield match.start(), match.end(), 1.0
        for match in _OTHER_HOST.finditer(text):
            yield match.start(), match.end(), 0.9
        for match in _SPELLED.finditer(text):
            if _ADDRESS.match(text, match.start()):
                continue
            bracketed = match["at"].strip()[0] in "([{<（【"
            if (bracketed or match["host"].lower() in _KNOWN) and match["top"].lower() not in _FILE_ENDINGS:
                yield match.start(), match.end(), 0.9
