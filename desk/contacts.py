"""Whether what looks like personal data in a shop's document is the shop's own contact, while no manager has decided.

The commonest questions are about the shop's own phone, e-mail and address, so masking all of it would make a bad bot; a
list of customers that was uploaded by mistake must not answer anybody. So: a way to reach somebody is shown when its
surroundings offer it ("hotline", "write to", 门店地址) and do not speak of a person (recipient, employee, 收货人);
numbers that nobody publishes (identity, cards, passports, plates) never are. A name is a guess more often than anything
else and says little alone: it is shown unless something masked stands beside it. Pure; knows nothing of documents.
"""

import re
from collections.abc import Sequence
from typing import Protocol

WAYS = frozenset({"CN_LANDLINE", "CN_MOBILE", "EMAIL", "US_PHONE", "INTL_PHONE", "WECHAT_ID", "ADDRESS"})
"""What a shop may publish; of these, `PRIVATE_WAYS` belong to one person as a rule."""

PRIVATE_WAYS = frozenset({"CN_MOBILE", "WECHAT_ID"})
GUESSES = frozenset({"PERSON", "IP_ADDRESS"})
REACH = 60
"""Characters on either side that count as surroundings; a heading or question above counts, too."""

_OFFERS = re.compile(
    r"客服|热线|熱線|联系|聯繫|聯絡|咨询|諮詢|电话|電話|致电|拨打|撥打|传真|邮箱|信箱|郵箱|写信|寫信|发邮件|邮件到|发到|"
    r"寄到|寄回|寄往|寄至|地址|门店|門市|总部|總部|分店|旗舰店|专柜|仓库|工坊|维修点|服务点|网点|公众号|官方|投诉|售后|"
    r"预约|营业|公司|集团|"
    r"hotline|help ?(?:line|desk)|customer (?:service|care)|support|contact|call us|phone|telephone|tel\b|fax|e-?mail|"
    r"write to|reach us|send (?:it|them|the|your|photos)|post it|ship (?:it|to)|returns? (?:team|centre|center)|"
    r"address|store|shop\b|showroom|branch|office|headquarters|warehouse|workshop|visit us|wechat|official|complaints?|"
    r"enquir|inquir|press|wholesale",
    re.IGNORECASE,
)
_PERSONAL = re.compile(
    r"客户姓名|客户电话|客户地址|顾客姓名|顾客电话|收货人|收件人|寄件人|买家|会员姓名|会员手机|手机号码?[：:]|员工|工号|"
    r"身份证|姓名|出生|学号|紧急联系人|家庭住址|住址|家住|入住人|病历|户主|投保人|患者|"
    r"customer name|customer(?:'s)? (?:phone|address|e-?mail)|recipient|consignee|buyer|employee|staff id|full name|"
    r"date of birth|\bssn\b|passport|home address|emergency contact|patient|policyholder|guest name|lives at",
    re.IGNORECASE,
)
_MAILBOX = re.compile(
    r"^(?:service|support|info|hello|help|contact|sales|office|press|privacy|returns?|orders?|shop|store|b2b|jobs|hr|"
    r"careers|billing|legal|kefu|cs|care|team|admin|noreply|no-reply|customer.?(?:service|care))\b",
    re.IGNORECASE,
)
_FREE_NUMBER = re.compile(r"^\+?(?:86[- ]?)?(?:400|800|95|96|1-?8(?:00|88|77|66|55|44|33))")


class Found(Protocol):
    """A finding: `text[start:end]`; `key` is the same for all spellings of the value."""

    @property
    def entity(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def key(self) -> str: ...


def are_the_shops_own(text: str, found: Sequence[Found], known: frozenset[str] = frozenset()) -> list[bool | None]:
    """Return, finding by finding, whether it may be shown; None: yes, and no manager need hear of it.

    `text` is a whole chunk, its headings and question first. known: keys of values that are the shop's own, wherever
    they are.
    """
    names = [one for one in found if one.entity == "PERSON"]
    shown = [one.key in known or (one.entity in WAYS and _is_offered(text, one, names)) for one in found]
    # A name tells nothing alone; beside private data it says whose that is.
    beside = any(not own and one.entity not in GUESSES for one, own in zip(found, shown, strict=True))
    return [
        None if one.entity in GUESSES and not own and not beside else own for one, own in zip(found, shown, strict=True)
    ]


def _is_offered(text: str, one: Found, names: Sequence[Found]) -> bool:
    value = text[one.start : one.end]
    top = text.split("\n", 1)[0]
    around = text[max(0, one.start - REACH) : one.start] + " " + text[one.end : one.end + REACH]
    if _PERSONAL.search(around):
        return False
    if one.entity == "EMAIL" and _MAILBOX.match(value):
        return True
    if _FREE_NUMBER.match(value) and one.entity in ("CN_LANDLINE", "US_PHONE", "INTL_PHONE"):
        return True
    near = any(abs(name.start - one.end) < REACH or abs(one.start - name.end) < REACH for name in names)
    if one.entity in PRIVATE_WAYS and near:
        return False
    return _OFFERS.search(around) is not None or _OFFERS.search(top) is not None
