"""Whether a sentence says that something ended on a day that is past: "valid until 31 March 2025", 截至2025年3月31日.

Knows nothing of where the sentence stands.
"""

import re
import unicodedata
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_YEAR = r"(?P<y>(?:19|20)\d\d)"
_DATE = re.compile(
    "|".join(
        part.replace("?P<y>", f"?P<y{n}>")
        for n, part in enumerate(
            (
                rf"{_YEAR}\s*年\s*(?P<m0>\d{{1,2}})\s*月(?:\s*(?P<d0>\d{{1,2}})\s*[日号])?",
                rf"{_YEAR}\s*年(?P<last1>[年底末]+)",
                rf"(?<!\d){_YEAR}[-/.](?P<m2>\d{{1,2}})[-/.](?P<d2>\d{{1,2}})(?!\d)",
                rf"(?P<d3>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<m3>{_MONTH})\.?,?\s+{_YEAR}",
                rf"\b(?P<m4>{_MONTH})\.?\s+(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?,?\s+{_YEAR}",
                rf"\b(?P<m5>{_MONTH})\.?\s+{_YEAR}",
                rf"\b(?P<last6>end of)\s+{_YEAR}",
                r"(?P<m7>\d{1,2})\s*月\s*(?P<d7>\d{1,2})\s*[日号]",
                rf"(?P<d8>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<m8>{_MONTH})\b",
                rf"\b(?P<m9>{_MONTH})\s+(?P<d9>\d{{1,2}})(?:st|nd|rd|th)?\b",
                r"(?<=[-–—~至到])\s*(?P<d10>\d{1,2})\s*[日号]",
            )
        )
    )
)
_ENDS_BEFORE = re.compile(
    r"(?:until|till|through|thru|expir\w*(?:\s+on)?|valid to|valid up to|ends?(?:\s+on)?|ended(?:\s+on)?"
    r"|ending(?:\s+on)?|runs? to|no later than|last day(?:\s+is)?|deadline(?:\s+is)?|closes?(?:\s+on)?"
    r"|截至|截止(?:到|至|于|时间[为是:]?|日期[为是:]?)?"
    r"|有效期(?:至|到|截至|为)|持续到|延续到|延长至|延长到|最晚|至|到)\s*(?:the\s+)?:?\s*$"
)
_ENDS_AFTER = re.compile(r"\s*(?:止|为止|截止|结束|到期|失效|前有效|前使用|前完成|前报名|过期|(?:is|was) the last day)")
_RANGE = re.compile(r"\s*(?:[-–—~至到]|to|through|until|and)\s*$")
_OFFER = re.compile(
    r"活动|优惠|促销|特惠|大促|满减|折|限时|报名|预售|新品|公告|通知|"
    r"\bsales?\b|\boffers?\b|\bpromotion|\bdiscount|\bvoucher|\bcoupon|\bcampaign|\bdeals?\b|% off|\bspecial price"
)
_BYGONE = re.compile(
    r"之前(?:购买|下单|注册|签收|的订单)|以前(?:购买|下单)|前(?:购买|下单|签约|注册)的|自.{0,14}(?:起|开始)|起(?:执行|生效|实施)|成立|"
    r"\b(?:bought|purchased|ordered|placed|signed|registered|since|founded|established|effective from|as of)\b"
)
_STARTS_BEFORE = re.compile(r"(?:\bfrom|\bsince|\bas of|\bafter|\bstarting(?:\s+on)?|自从?|从)\s*$")
_BEFORE = re.compile(r"(?:\bbefore|\bby)\s*$")
_STARTS_AFTER = re.compile(r"\s*(?:起|开始|以后|之后|onwards?\b|and later\b)")


@dataclass(frozen=True)
class _Day:
    last: date
    start: int
    end: int


def past(text: str, today: date, context: str = "") -> date | None:
    """The day on which what the sentence speaks of ended, if it is before `today`; None when it has not, or nothing
    says so.

    A month means its last day. A date without a year takes the one year named elsewhere in the sentence or in
    `context`; without one it says nothing.
    """
    folded = unicodedata.normalize("NFKC", text).lower()
    days = list(_days(folded, _only_year(folded) or _only_year(unicodedata.normalize("NFKC", context))))
    if not days:
        return None
    ends = [day.last for n, day in enumerate(days) if _is_end(folded, days, n)]
    if not ends or any(day.last >= today for day in days):
        return None
    return max(ends)


def _is_end(folded: str, days: list[_Day], number: int) -> bool:
    day = days[number]
    before, after = folded[max(0, day.start - 24) : day.start], folded[day.end : day.end + 20]
    if _STARTS_AFTER.match(after) or _STARTS_BEFORE.search(before):
        return False
    offer = _OFFER.search(folded) is not None
    if number and _RANGE.search(folded[days[number - 1].end : day.start]):
        return True
    if _BYGONE.search(folded) and not offer:
        return False
    if _ENDS_AFTER.match(after) or _ENDS_BEFORE.search(before):
        return True
    return offer and (after[:1] == "前" or _BEFORE.search(before) is not None or len(days) == 1)


def _only_year(text: str) -> int | None:
    years = set(re.findall(r"(?<!\d)((?:19|20)\d\d)(?!\d)", text))
    return int(years.pop()) if len(years) == 1 else None


def _days(folded: str, year: int | None) -> Iterator[_Day]:
    month = 0
    for match in _DATE.finditer(folded):
        found = {name.rstrip("0123456789"): value for name, value in match.groupdict().items() if value}
        named = int(found["y"]) if "y" in found else year
        written = found.get("m", "")
        month = 12 if "last" in found else int(written) if written.isdecimal() else month
        if written[:3] in _MONTHS:
            month = _MONTHS.index(written[:3]) + 1
        if named is None or not 1 <= month <= 12:
            continue
        length = monthrange(named, month)[1]
        day = int(found.get("d", length))
        if 1 <= day <= length:
            yield _Day(date(named, month, day), match.start(), match.end())
