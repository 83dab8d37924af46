"""The words around a phone number, in Chinese and English. Knows nothing of the numbers' shapes."""

# ruff: noqa: E501 - a pattern reads best unbroken

import re

_CALLED = re.compile(
    r"(?:(?<![a-z])(?:(?:tele)?phone|mobile|cell(?:phone)?|tel|fax|desk|office|work|home|landline|whatsapp|telegram"
    r"|viber|contact|call(?:ing)?(?: (?:me|us|him|her|them))?(?: back)?|ring (?:me|us|him|her)(?: back)?"
    r"|(?:text|reach|dial|sms)(?: (?:me|us|him|her|them))?)"
    r"(?: ?(?:number|no\.?|nr\.?|#))?|(?:best|main|direct|local|only|my|his|her|their|our|your|this|new|old|the|another|alternate|backup) (?:number|no\.)"
    r"|电话|手机|联系方式|号码|座机|致电|拨打|打给|传真)"
    r"(?:号码?)?(?:(?: is| was| at| on| to| under|s)(?: now| still)?|是|为|改成|换成)?[ ]?[:=.#(]{0,2}[ \n]{0,2}$",
    re.IGNORECASE,
)


def calls_it_a_phone(text: str, start: int) -> bool:
    """Return whether the words right before `start` say that a phone number follows."""
    return _CALLED.search(text, max(0, start - 40), start) is not None


_SPEAKS = re.compile(
    r"(?:(?<![a-z])(?:phone|number|cell|mobile|call(?:ed|ing)?|ring|rang|text|sms|dial)(?![a-z])|手机|电话|号码|致电)[^0-9\n]{0,14}$"
    r"|(?:[A-Z]{2} [0-9]{5}|[0-9] ?[0-9][A-Z]{2}), $",
    re.IGNORECASE,
)
_ANOTHER = re.compile(
    r"order|tracking|parcel|invoice|ticket|case|reference|serial|model|account|订单|运单|单号|工单|发票|账号",
    re.IGNORECASE,
)


def speaks_of_a_phone(text: str, start: int) -> bool:
    """Return whether a phone is spoken of near before `start`, or an address has just ended, and no order is."""
    if not _SPEAKS.search(text, max(0, start - 28), start):
        return False
    return _ANOTHER.search(text, max(0, start - 28), start) is None
