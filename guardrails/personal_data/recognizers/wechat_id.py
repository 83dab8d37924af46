"""WeChat ids, which look like any word: only where the text says that one follows or went before."""

# ruff: noqa: E501 - a pattern reads best unbroken

import re
from collections.abc import Iterator

from guardrails.personal_data.recognizer import Recognizer, Span, is_reference

_CALLED = r"(?:微信|绿泡泡|we[ -]chat|(?<=[加➕+])[微薇卫]|[微薇](?=[ ]?[号:])|(?<![a-z])v(?=[ ]?[号:])|薇信|威信|徽信|維信|wechat|weixin|(?<![a-z])(?:vx|wx|v信|w信)(?![a-z]))"
_ID = r"(?P<id>[a-z][a-z0-9_-]{5,19})(?![a-z0-9_@.-]*@)(?![a-z0-9_-])"
_STATED = re.compile(
    rf"{_CALLED}[ ]?(?:号码?|账号|帐号|[ ]?(?:id|account|number|handle|name))?[ ]?"
    r"(?:(?:还?是|就是|为|叫|填|改成|换成|[:=]|is(?: still)?|写的是)[ ]?|[(\[\"'“「【]|，|,)?[ ]?[\"'“「【(\[]?[ ]?\n?"
    + _ID,
    re.IGNORECASE,
)
_ADD = re.compile(
    r"(?:加(?:我|一下我?|个|下)?(?:的)?(?:v|薇|威|微|好友)|[+➕]v|add me on wechat)[ ]?[:,，]?[ ]?" + _ID, re.IGNORECASE
)
_NEAR = re.compile(
    r"(?:微信|wechat|(?<![a-z])vx|加(?:我|一下|个)|add me)(?!支付|付款|转账|小程序|公众号| ?pay)[^a-z0-9\n]{1,18}"
    + _ID
    + r"|(?:wechat|weixin)(?! ?pay)[^0-9_\n]{1,28}?(?<![a-z0-9])"
    + _ID.replace("<id>", "<far>"),
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"(?<![a-z0-9@._-])"
    + _ID
    + r"[ \"'”」】)]{0,2}(?:，|,)?[ ]?(?:是我的?|这个|這個|is my |(?:is )?(?:me )?on |[(（])[ ]?"
    + _CALLED,
    re.IGNORECASE,
)
_OWN = re.compile(r"(?<![a-z0-9_-])(?P<id>wxid_[a-z0-9]{8,22})(?![a-z0-9_-])", re.IGNORECASE)
_CONNECTED = re.compile(r"[号是为叫:=]|id|account|number|handle", re.IGNORECASE)
_NO_ID = frozenset(
    [
        "android",
        "iphone",
        "ios",
        "windows",
        "wechat",
        "weixin",
        "mobile",
        "support",
        "payment",
        "payments",
        "official",
        "account",
        "accounts",
        "message",
        "messages",
        "number",
        "please",
        "because",
        "service",
        "services",
        "refund",
        "refunds",
        "cannot",
        "doesnt",
        "having",
        "should",
        "mini-program",
        "program",
        "channel",
        "browser",
        "version",
        "client",
        "desktop",
        "macbook",
        "harmonyos",
        "login",
        "logged",
    ]
)


_SPOKEN_OF = re.compile(
    r"(?:微信|薇信|绿泡泡|we[ -]?chat|weixin|(?<![a-z])vx(?![a-z]))(?!支付|付款|转账|小程序|公众号| ?pay)",
    re.IGNORECASE,
)
_SHAPED = re.compile(
    r"(?<![a-z0-9@._/#-])"
    r"(?=[a-z_-]*[0-9])(?=[a-z0-9]*[_-]|[a-z]{4,}[0-9]{2}|[a-z][0-9]{6})(?P<id>[a-z](?:[a-z0-9]|[_-](?=[a-z0-9])){5,19})(?![a-z0-9_@./-])",
    re.IGNORECASE,
)
_PRODUCT = re.compile(
    r"(?:iphone|ipad|android|windows|win|ios|harmony|mate|galaxy|pixel|order|sku|error|version|http)|[a-z]-[0-9]",
    re.IGNORECASE,
)
_LOWER = re.compile(r"[A-Za-z]?[a-z0-9_-]+")
_CONTEXT_WIDTH = 48


class WechatId(Recognizer):
    """Fairly sure where it is stated; a mere neighbour of the word must hold a digit, `_` or `-`."""

    ENTITY = "WECHAT_ID"

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the ids."""
        for pattern in (_STATED, _ADD, _NEAR, _AFTER, _OWN):
            for match in pattern.finditer(text):
                group = match.lastgroup or "id"
                start, end = match.span(group)
                word = match[group].lower()
                plain = word.isalpha()
                stated = start > match.start() and _CONNECTED.search(text, match.start() + 2, start)
                chinese = not match[0][0].isascii()
                if pattern is _NEAR and (plain or _PRODUCT.match(word) or is_reference(text, start)):
                    continue
                if word in _NO_ID or (plain and not ((stated and (chinese or ":" in match[0])) or pattern is _ADD)):
                    continue
                yield start, end, 0.85
        for match in _SHAPED.finditer(text) if _SPOKEN_OF.search(text) else ():
            near = _SPOKEN_OF.search(text, max(0, match.start() - _CONTEXT_WIDTH), match.end() + _CONTEXT_WIDTH)
            if (
                near
                and not _PRODUCT.match(match["id"])
                and _LOWER.fullmatch(match["id"])
                and not is_reference(text, match.start())
            ):
                yield match.start(), match.end(), 0.6
