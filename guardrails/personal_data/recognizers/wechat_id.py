"""WeChat ids, which look like any word: only where the text says that one follows or went before."""

# ruff: noqa: E501 - a pattern reads best unbroken

import re
from collections.abc import Iterator

from guardrails.personal_data import words
from guardrails.personal_data.handles import CASED, TO_CART, is_hyphened_name, is_pinyin_name, named_handles
from guardrails.personal_data.recognizer import Recognizer, Span, is_reference

_CALLED = r"(?:微信|绿泡泡|we[ -]chat|(?<=[加➕+])[微薇卫]|[微薇](?=[ ]?[号:])|(?<![a-z])v(?=[ ]?[号:])|薇信|威信|徽信|維信|wechat|wei ?xin|(?<![a-z])(?:vx|wx|v信|w信)(?![a-z]))"
_ID = r"(?P<id>[a-z][a-z0-9_-]{5,19})(?![a-z0-9_@.-]*@)(?![a-z0-9_-])"
_STATED = re.compile(
    rf"{_CALLED}(?:['’]s)?[ ]?(?:号码?|號碼?|账号|帐号|帳號|[ ]?(?:id|account|number|handle|user ?name|login|contact|name))?(?:['’]s)?[ ]?"
    r"(?:(?:还?是|就是|係|为|叫|填|改成|换成|[:=]|-{1,2}>?(?= )|(?:is|was)(?: still| now| actually)?|写的是)[ ]?|[(\[\"'“「【]|，|,)?[ ]?[\"'“「【(\[]?[ ]?\n?"
    + _ID,
    re.IGNORECASE,
)
_ADD = re.compile(
    r"(?:加(?:我|一下我?|个|下)?(?:的)?(?:v|薇|威|微|好友)|[+➕]v|add me on wechat)[ ]?[:,，]?[ ]?" + _ID, re.IGNORECASE
)
_NEAR = re.compile(
    r"(?:微信|wechat|(?<![a-z])vx|加(?:我|一下|个)|add me)(?!支付|付款|转账|小程序|公众号| ?pay)[^a-z0-9\n]{1,18}"
    + _ID,
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"(?<![a-z0-9@._-])"
    + _ID
    + r"[ \"'”」】)]{0,2}(?:，|,)?[ ]?(?:是我的?|这个|這個|is my |(?:is )?(?:me )?on |[(（])[ ]?"
    + _CALLED,
    re.IGNORECASE,
)
_OWN = re.compile(r"(?<![a-z0-9_])(?<![a-z0-9]-)(?P<id>wxid_[a-z0-9]{8,22})(?![a-z0-9_-])", re.IGNORECASE)
_GLUED = re.compile(r"(?<![a-z0-9_@./-])[vw]x(?!id_)(?=[a-z]+[a-z_-]*[0-9])" + _ID, re.IGNORECASE)
_CONNECTED = re.compile(r"[号是为叫:=係]|id|account|number|handle|user ?name", re.IGNORECASE)
_CALLED_AN_ID = re.compile(r"(?:id|handle|user ?name)(?:['’]s| is| was)", re.IGNORECASE)
_NO_ID = words.read("not_wechat_ids")

_NOUN = (
    r"(?:['’]s)?(?:[ ]?(?:的|里的?|上的?|绑定的?|登录的?|linked|bound|user|contact)?[ ]?"
    r"(?:账号|帐号|帳號|賬號|用户名|用戶名|昵称|号码?|號碼?|id(?![a-z])|account|user ?name|login|handle|name|number))?"
)
_ALSO = r"(?:[ ]?(?:/|、|和|同|跟|与|或|&|,|and|or)[ ]?(?:my )?(?:qq|line|telegram|tg|微博|weibo|抖音|小红书|skype|whatsapp|insta(?:gram)?|ig|facebook|fb|e-?mail|手机|电话|phone)(?: are both| both)?(?![a-z]))*"
_LABEL = re.compile(
    r"(?P<other>(?:微信|we ?chat|weixin)[ ]?(?:公众号|视频号|official)"
    r"|(?:订单|单号|工单|型号|货号|款式|序列|编码|错误|报错|代码|密码|口令|优惠|兑换|邀请码|激活码|券码|验证码|流水|交易号|会员名"
    r"|文件|链接|设备|房间|服务器|淘宝|支付宝|B站|抖音|快手|小红书|微博|钉钉|店铺)(?:的?(?:账号|帐号|用户名|昵称|号|名|ID))?"
    r"|(?<![a-z])(?<!not )(?<!no )(?<!than )(?<!same as )(?<!same as my )(?<!same on )(?<!like my )(?<!like on )(?:qq|line|telegram|whatsapp|insta(?:gram)?|facebook|messenger|twitter|skype|github|snapchat|discord|tiktok|weibo|douyin|alipay"
    r"|taobao|reddit|steam|slack|viber|kakao(?:talk)?|pass(?:word|code)?|(?<!qr )(?<!my )codes?|coupon|voucher|promo|(?<!that )orders?|sku|model"
    r"|serial|ticket|errors?|version|build|(?<!on )files?|links?(?=[ ]?(?:is|[:=]))|item|product|tracking|parcel|invoice|ref(?:erence)?|transaction|device|firmware|wi-?fi|ssid"
    r"|host|server|room|flight|branch|plugin)(?: (?:user|account|username|handle|id|name|number))?(?![a-z]))"
    r"|(?P<app>(?:微信|薇信|威信|維信|维信|徽信|微訊|[薇微]xin|绿泡泡|绿色软件|卫星号|💚|(?<![a-z])(?:wchat|wechatt|weichat|wecaht|wehcat|wechta|wc(?= (?:is|id)|[ ]?:))(?![a-z])|(?:we ?chat|weixin)(?: (?:is|that['’]s))? (?:linked|bound|tied|connected) (?:to|with) (?:my|this|the|our|your) [a-z]+|we[ -]?chat|wei ?xin"
    r"|(?<![a-z0-9])(?:[vw][ ]?x(?:号|id)?|[vw]信|[vw]号)(?![a-z_]|-[0-9])|[薇徽][ ]?[❤♥💚:]|(?<![a-z0-9])[vw][ ]?[❤♥💚:]|(?<![轻稍略些])[微威][ ]?[:号]"
    r"|(?:加|➕|[+])[ ]?(?:我|你|个|一?下|她|他|ta)?的?[ ]?(?:v(?![a-z0-9])|薇|威|卫(?![生浴])|微(?![波弱小])))"
    + _ALSO
    + _NOUN
    + r")"
    r"|(?P<add>加(?:一?下|个)?[我她他]|加(?:个|一?下)?好友|联系我|[找搵]我|私[聊信]我|通讯录|搜(?:一?下|索)?(?:这个|我)?[号:]?|绑定"
    r"|(?<![a-z])(?:(?<!to )add(?=:)|friend requests?(?: from| as)?|(?:accept(?:ed)?|declined?|ignored?) my request|added (?:me|you|him|her|us)(?: as)?|(?:has|have|had|saved|got) me (?:as|under)|in (?:the|your) (?:[a-z]+ )?(?:group chat|chat group|group)(?: as| under)?|moments|add (?:me|him|her|us)|find me|message me|ping me|dm me|(?:search|look)(?: me up| for)?|scan|my id|my handle)(?![a-z]))",
    re.IGNORECASE,
)
_AFTERWARDS = re.compile(
    r"[ \"'”」】)]{0,3}(?:[,(-]+|是|就是|这[个是]?|這個|那个|也是|即|为)?(?:[^\n]{0,100}?|\n[^\n]{0,24}?)(?<!not )(?<!no )"
    r"(?:微信|薇信|威信|绿泡泡|we[ -]?chat|wei ?xin|(?<![a-z0-9])(?:vx|wx|v信)(?![a-z])|(?<=[^。！？.!?\n])(?:加|联系|找|搜)(?:我|到我|一下)|加个?好友|(?<![a-z])(?:add|find|message) me(?![a-z]))"
    r"(?![ ]?(?:支付|付款|转账|红包|小程序|公众号|付的|付了|pay(?![a-z])|order|payment|mini))",
    re.IGNORECASE,
)
_ITS_APP = re.compile(
    r"[ ]?(?:(?:contact|id|account|details?|info)[ ])?(?:on|for|of|in|from|with)[ ](?:(?:the|my|this|that|our|your)[ ])?(?:new[ ]|last[ ])?"
    r"(?:orders?|parcel|invoice|ticket|account|file|item|tracking)(?:[ ](?:is|was|should be|must be|reads|says)[ ]|[ ]?:[ ]?)",
    re.IGNORECASE,
)
"""What may stand between the app's name and the id that is given for an order: "WeChat on my order is …"."""
_VERB = re.compile(
    r"(?<![a-z])(?:add|message|ping|dm|text|invite|contact|chat with|talk to|write to|reach|ask for|look for|search(?: for)?|accept|friend|(?:un)?block"
    r"|(?:forward|send|give) (?:it|this|that|them) to) $",
    re.IGNORECASE,
)
_DIGIT = re.compile("[0-9]")
_SHAPED = re.compile(
    r"(?<![a-z0-9._#&])(?<![a-z0-9]-)(?<![a-z0-9._-]@)(?<![:/.]/)(?<!\.[a-z]{2}/)(?<!\.[a-z]{3}/)"
    r"(?P<id>[a-z](?:[a-z0-9]|[_-](?=[a-z0-9_-])){5,19}[_-]?)(?![a-z0-9_@-]|/[a-z]|\.[a-z0-9]|:/)",
    re.IGNORECASE,
)
_LIKE_AN_ID = re.compile(
    r"(?=[a-z_-]*[0-9]|[a-z]+_)(?=[a-z0-9-]*_|[a-z]+[0-9]*-[a-z0-9]*[0-9]|[a-z]{4,}[0-9]{2}|[a-z]{1,3}[0-9]{5}|[a-z]+[0-9]+[a-z]+)[a-z0-9_-]+",
    re.IGNORECASE,
)
_PRODUCT = re.compile(
    r"(?:i(?:phone|pad|pod|mac|os)|mac(?:book|os)|android|win(?:dows)?|harmony|mate|galaxy|pixel|redmi|xiaomi|huawei|honor|oppo|vivo|nokia|airpods"
    r"|chrome|firefox|safari|edge|covid|order|sku|user|err(?:or)?|version|https?|www|build|usb|type-?c|wifi|bluetooth|mp[34])(?![a-z]{2})|[a-z]-[0-9]",
    re.IGNORECASE,
)
_GATE = re.compile(
    r"(?<![a-z])w(?:chat|eichat|ecaht|ehcat|echta|c(?: is| id|[ ]?:))|request|moments|group|added | me (?:as|under) |[微薇威徽維维加联找搵私搜卫绿💚]|[+➕] ?v|we[ -]?chat|wei ?xin|[vw] ?[x信号❤♥💚:]|(?:add|find|message|ping|dm|contact|chat with|talk to|write to|text|invite|reach|ask for|accept|friend|block|(?:it|this|that|them) to) |search|look|scan|my (?:id|handle)",
    re.IGNORECASE,
)
_REACH = 240
_NEAR_REACH = 28
_NEXT_REACH = 14


class WechatId(Recognizer):
    """Fairly sure where it is stated; a mere neighbour of the word must hold a digit, `_` or `-`."""

    ENTITY = "WECHAT_ID"

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the ids."""
        for match in _OWN.finditer(text):
            yield *match.span("id"), 0.85
        for start, end in named_handles(text):
            if not _is_of_something_else(text, start):
                yield start, end, 0.55
        if not _GATE.search(text):
            return
        for pattern in (_STATED, _ADD, _NEAR, _AFTER, _GLUED):
            for match in pattern.finditer(text):
                start, end = match.span("id")
                if _is_stated(pattern, match):
                    yield start, end, 0.85
        for match in _SHAPED.finditer(text):
            word = match["id"]
            like_an_id = (_LIKE_AN_ID.fullmatch(word) or is_hyphened_name(word)) and CASED.fullmatch(word)
            if like_an_id and not _PRODUCT.match(word) and _is_told(text, *match.span()):
                yield match.start(), match.end(), 0.6


def _is_stated(pattern: re.Pattern[str], match: re.Match[str]) -> bool:
    """Return whether what stands beside the app's name is an id: letters alone must be called one."""
    text, start = match.string, match.start("id")
    word = match["id"].lower()
    plain = word.isalpha()
    if word in _NO_ID:
        return False
    if pattern is _NEAR:
        return not (plain or _PRODUCT.match(word)) and _is_told(text, *match.span("id"))
    stated = start > match.start() and _CONNECTED.search(text, match.start() + 2, start)
    sure = not match[0][0].isascii() or ":" in match[0] or _CALLED_AN_ID.search(text, match.start(), start)
    if plain and is_pinyin_name(word):
        return True
    if pattern is _AFTER and word.replace("-", "").isalpha() and not is_hyphened_name(word):
        return False  # "sign-up on WeChat"
    return not plain or pattern is _ADD or bool(stated and sure)


def _is_of_something_else(text: str, start: int) -> bool:
    """Return whether the last thing named shortly before is another app, an order, a code …"""
    labels = list(_LABEL.finditer(text, max(0, start - 2 * _NEXT_REACH), start))
    last = next((label for label in reversed(labels) if label["app"] or label["other"]), None)
    return last is not None and last["app"] is None


def _is_told(text: str, start: int, end: int) -> bool:
    """Return whether WeChat is named before, adding somebody just before, or WeChat after, and nothing else right before.

    What a user name or account is of, the rest of the message says: they are no label of something else.
    """
    labels = list(_LABEL.finditer(text, max(0, start - _REACH), start))
    last = labels[-1] if labels else None
    if is_reference(text, start) or (last and last["other"] and start - last.end() <= _NEXT_REACH):
        return any(label["app"] and _ITS_APP.fullmatch(text, label.end(), start) for label in labels)
    if any(label["app"] for label in labels):
        return True
    if last and last["add"] and start - last.end() <= _NEAR_REACH:
        return True
    if _VERB.search(text, max(0, start - 16), start) and _DIGIT.search(text, start, end):
        return not TO_CART.match(text, end)
    return _AFTERWARDS.match(text, end) is not None
