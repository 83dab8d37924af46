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


_MENTION = re.compile(
    r"(?<![a-z])(?P<phone>(?:phone|contact|callback|mobile|cell|best|my) (?:number|no\.?) (?:for|on|to) (?:the|my|this|that|our) [a-z]+|(?:tele|cell|i)?phones?|cell|mobile|mob|tel|ph|fax|landline|voice ?mail|whatsapp|imessage|facetime|signal|sms|texts?|texted"
    r"|texting|call(?:s|ed|ing|er|back)?|ring(?:ing)?|rang|dial(?:led|ed|ling|ing)?|reach(?:ed|able)?|contact(?:s|ed)?|ping|hit me up|get (?:a )?hold of|pick(?:s|ed)? up|answers?"
    r"|numbers?|digits|line|extension|2fa|otp|verification codes?|alerts?|sim|roaming|area code|zelle|driver|[ptmchwo](?=[ ]?[.:]))(?![a-z])"
    r"|(?P<zh>电话|手机|号码|来电|去电|回电|致电|座机|传真|短信|验证码|联系|[打拨](?![折开包印算样扮扫赏])|接听|留言|语音|美国|加拿大|北美|国外|海外|境外|[新旧换改]号|备用号|这个号|那个号|号是|号:)"
    r"|(?<![a-z])(?P<other>orders?|tracking|parcels?|packages?|shipments?|waybill|invoices?|tickets?|cases?|ref(?:erence)?|serial|models?|account|sku|items?|part|batch|transaction"
    r"|confirmation|imei|isbn|upc|ean|barcode|rma|coupon|voucher|promo|gift card|points|membership|member|policy|booking|reservation|flight|routing|passport|licen[cs]e|id|po)(?![a-z])"
    r"|(?P<noch>订单|运单|单号|工单|快递|物流|发票|编号|账号|帐号|卡号|流水|交易|序列|型号|货号|条码|积分|会员|优惠|兑换|护照|证号|保单|预订)",
    re.IGNORECASE,
)
_TOLD_AFTER = re.compile(
    r"[ ]?[)\]]?[ ]?(?:[(\[,-]|是|就是|这[个是]|那个?)?[^0-9\n.!?。！？]{0,24}?(?:(?<![a-z])(?:phone|cell|mobile|home|office|work number|landline|whatsapp|call|text|voicemail|(?:my|new|old|best|right|correct) number|number to |reach|ring"
    r"|pick(?:s|ed)? up|answers?)(?![a-z])|电话|手机|号码|[打拨接](?![折开包印算样])|短信|联系|美国)",
    re.IGNORECASE,
)


def talks_of_a_phone(text: str, start: int, end: int, listed: bool = False) -> bool:
    """Return whether the last thing named before `start`, up to two clauses away, or the first after `end` is a phone.

    Only for digits that have the plan of a phone number: an order or account that is named nearer says no. `listed`
    digits, which stand between commas, need no such word; only an order right before them says no.
    """
    mentions = list(_MENTION.finditer(text, max(0, start - 72), start))
    last = mentions[-1] if mentions else None
    if last and last[0].lower() in ("number", "numbers") and len(mentions) > 1:
        owner = mentions[-2]
        last = owner if last.start() - owner.end() < 3 else last
    if listed and not (last and start - last.end() < 3):
        return True
    if last:
        return bool(last["phone"] or last["zh"])
    return _TOLD_AFTER.match(text, end) is not None
