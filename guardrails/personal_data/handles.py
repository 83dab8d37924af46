"""Handles that hold a Chinese name in pinyin (wangfang1990, tanjun-564): somebody's id, whatever stands around.

Knows nothing of the app that they are of.
"""

# ruff: noqa: E501 - a pattern reads best unbroken

import re
from collections.abc import Iterator

from guardrails.personal_data import words
from guardrails.personal_data.english_names import PINYIN_SURNAMES
from guardrails.personal_data.recognizer import is_reference

_SYLLABLE = (
    r"(?:(?:[bpmfdtnlgkhjqxrzcsyw]|zh|ch|sh)(?:iang|iong|uang|ang|eng|ong|iao|ian|ing|uai|uan|ai|ei|ao|ou|an|en|ia|ie|iu|in"
    r"|ua|uo|ui|un|ue|a|e|i|u)|[nl]v|ai|ang?|ao|en|er|ou)"
)
_SURNAME = f"(?:{'|'.join(sorted(PINYIN_SURNAMES, key=len, reverse=True))})"
_NAME = re.compile(f"{_SURNAME}{_SYLLABLE}{{1,2}}|{_SYLLABLE}{{1,2}}{_SURNAME}")
_NAMED = re.compile(
    r"(?<![a-z0-9._@#&])(?<![a-z0-9]-)(?<![a-z0-9:/]/)(?![vw]x)(?=[a-z]{2,12}[_-]?[a-z]{0,12}-?[0-9]{2,6}(?![0-9a-z@_/-]|\.[a-z0-9]|:/))"
    rf"(?P<id>(?:(?=[a-z]{{5}})(?P<name>{_SURNAME}{_SYLLABLE}{{1,2}}|{_SYLLABLE}{{1,2}}{_SURNAME})-?"
    rf"|{_SYLLABLE}{{1,2}}_{_SURNAME}|(?!(?:order|sku|item|model|photo|image|img|pic|file|doc|colou?r|size|user|code|err|error"
    rf"|log|test|data|build|version|screen|part|room|wifi|host|server|db|app)_)[a-z]{{4,7}}_{_SYLLABLE}{{1,2}})[0-9]{{2,4}}(?![0-9])|(?=[a-z]{{3}})(?P<surname>{_SURNAME})[0-9]{{6}})",
    re.IGNORECASE,
)
"""A name in pinyin and digits: nearly always somebody's id in a chat, so that nothing need say so."""
_NUMBERED = re.compile(
    r"(?<![A-Za-z0-9._@#&])(?<![A-Za-z0-9]-)(?<![A-Za-z0-9:/]/)(?P<id>[a-z][0-9]{9}|[a-z]{1,2}1[3-9][0-9]{9}|(?:li|wu|xu|hu|lu|yu|su|fu|du|ye|gu|he|ma)[0-9]{6})"
    r"(?![0-9A-Za-z@_/-]|\.[A-Za-z0-9])"
)
"""A small letter or surname before a birthday, a mobile or a QQ number; part numbers have capitals."""
CASED = re.compile(r"[A-Z]?[a-z0-9_-]+|(?:[A-Z][a-z]+)+[a-z0-9_-]*(?:_[A-Za-z0-9]+)?")
"""How people write handles; all capitals are a part number."""
TO_CART = re.compile(
    r" (?:to|in|into|on) (?:my |the |our |this )?(?:shopping )?(?:cart|basket|bag|order|quote|invoice|wish ?list)(?![a-z])",
    re.IGNORECASE,
)
_LIKE_PINYIN = words.read("pinyin_like_words")
_ACCOUNT = re.compile(
    r"用户名|用戶名|会员|昵称|登[录陆]|账号|帐号|帳號|密码|主播|网址|(?<![a-z])(?:user ?names?|users?|log(?:ged)? ?(?:in|on)|login|sign(?:ed)?[ -]?(?:in|up|on)|accounts?"
    r"|member(?:ship)?|nick ?name|alias|screen name|password|profile|seller|shop|store)(?![a-z])",
    re.IGNORECASE,
)
_ACCOUNT_AFTER = re.compile(
    r"[ \"'”」】)]{0,2}(?:，|,)?[ ]?(?:是|为|这个?|is|was)?[ ]?(?:on|我的?|my|the|a)?[ ]?(?:my[ ])?"
    r"(?:用户名|会员|昵称|账号|帐号|微博|抖音|小红书|(?:user ?name|login|account|nick ?name|password|insta(?:gram)?|telegram|line|facebook|twitter|github|skype|discord|tiktok|weibo|steam)(?![a-z]))",
    re.IGNORECASE,
)
_ACCOUNT_REACH = 20


def named_handles(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each handle that no word beside it calls a user name, an order or a thing to buy."""
    for match in (*_NAMED.finditer(text), *_NUMBERED.finditer(text)):
        start, end = match.span("id")
        letters = (match["name"] or match["surname"] or "") if match.re is _NAMED else ""
        if letters.lower() in _LIKE_PINYIN or not CASED.fullmatch(match["id"]) or is_reference(text, start):
            continue
        after = _ACCOUNT_AFTER.match(text, end) or TO_CART.match(text, end)
        if not (after or _ACCOUNT.search(text, max(0, start - _ACCOUNT_REACH), start)):
            yield start, end


def is_pinyin_name(word: str) -> bool:
    """Return whether the letters are a Chinese name in pinyin, run together (lixiaolong)."""
    return len(word) > 5 and _NAME.fullmatch(word) is not None and word not in _LIKE_PINYIN


def is_hyphened_name(word: str) -> bool:
    """Return whether the word is a surname in pinyin joined to another part, as in lily-chen."""
    parts = re.split("[-_]", word.lower())
    surnames = PINYIN_SURNAMES.intersection(parts) - _LIKE_PINYIN
    return len(parts) == 2 and min(map(len, parts)) > 1 and any(len(surname) > 2 for surname in surnames)
