"""Makes a follow-up question stand alone, by rule. Knows nothing of retrieval."""

import re
from collections.abc import Sequence

from knowledge.language import language_of
from knowledge.terms import content_words

# What makes a message lean on earlier ones, however long it is.
_ZH = re.compile(
    r"^(?:那?如果|要是|换成|它|他|她|这个|那个|这种|那种|这款|那款|前者|后者|上面|刚才)"
    r"|^.{0,8}呢[？?。!！]*$|也[^，。]{0,5}吗?[？?]*$"
)
_EN = re.compile(r"^(?:what about|how about|what if|if (?:it|that|they|not)|why not)\b", re.IGNORECASE)
_CONDITION = re.compile(r"^(?:如果|要是)(?=.*[，,])")  # brings its own case
# What a message that says little leans by.
_ZH_POINTS = re.compile(r"它们?|这个|那个|这款|那款|这种|那种|前者|后者|(?:哪[个款种]|的吗?)[？?]*$")
_EN_POINTS = re.compile(
    r"\b(?:it|its|they|them|their|that|those|these|this|one|ones|the same|the other)\b"
    r"|^(?:for|only|even|same|with|without)\b",
    re.IGNORECASE,
)
_EXPLETIVE = re.compile(
    r"\bis it (?:possible|ok|okay|true|necessary|allowed|safe|a problem)\b"
    r"|\bit(?:'s| is| was) (?:possible|ok|okay|true|my|our|a|raining|snowing)\b",
    re.IGNORECASE,
)
# What a message goes on with: it may go on to something else.
_GOES_ON = re.compile(
    r"^(?:(?:and|but|so|then|or|also|by the way|btw|another question|one more (?:thing|question)|next question"
    r"|(?:and )?now something else|something else)\b|那么?|另外|还有|然后|所以|顺便|再|换个(?:问题|话题))"
    r"(?:(?:我?(?:想|要))?问(?:一?下|个问题)?)?[\s,，:：.。]*",
    re.IGNORECASE,
)
_SMALL_TALK = re.compile(
    r"(?:(?:no|yes|ok|okay|great|perfect|fine|good|nice|super|cool|alright|got it|thanks?|thank you|thx|cheers|hello|hi"
    r"|hey|there|again|bye|goodbye|good (?:morning|afternoon|evening|day)|that(?:'s| is) (?:all|it|fine|good)"
    r"|very much|so much|a lot|for (?:the|your) (?:help|answer|info|information)|that helps)\s*)+"
    r"|(?:那|就|好的?|嗯+|行|哦|噢|没事|没有了|不用|不需要|谢谢|多谢|感谢|你好|您好|早上好|下午好|晚上好|早|再见|拜拜"
    r"|知道|明白|了解|在吗|这样|你们?|您|吧|啦|了|啊|呀|哈|的|先|辛苦)+",
    re.IGNORECASE,
)
_NO_WORD = re.compile(r"[^\w\s']|_")

# Words that ask, but do not say about what; the English ones are stems.
_ASKING = (
    "多少 几 几个 几天 几点 多久 多大 多长 多 最 最多 最少 满 如何 何时 哪里 哪个 花 要 用 必须 之前 之后 之内 "
    "以内 以后 另外 还是 一个 一次 一天 一共 天 个 次 钱 时间 收费 不 没有 有没有 行 行不行 吗 时候 来 去 到 里 "
    "上 一 晚 人 些 哪些 能来 一晚 "
    "how mani much long often soon when where which who why day hour week time cost take need must pay more after "
    "befor them him her not no ye up out go come again also onli other last first then at least most start end "
    "without within all everi each until per one still here there they even same "
)

# Words that any shop is asked about: with one of them two words are a question.
_THEMES = (
    "营业 时间表 地址 门店 电话 邮箱 发票 密码 账户 账号 退款 退货 换货 运费 快递 配送 付款 支付 优惠 优惠券 会员 "
    "保修 订单 人工 客服 投诉 卖 出售 停车场 押金 定金 微信 支付宝 信用卡 关门 开门 营业时间 招聘 包裹 "
    "hour address phone email invoic password account refund return exchang ship deliveri payment card discount "
    "voucher coupon membership warranti guarante order agent human person shop store parcel deposit sell job "
    "complaint "
)
_ASKS, _NAMES = frozenset(_ASKING.split()), frozenset(_THEMES.split())
_LEADERS = 3  # messages that a follow-up is led by, at most


def is_follow_up(message: str) -> bool:
    """Whether the message leans on what was said before: "那运费呢？", "and for Tibet?", "how long does it take?"."""
    text = message.strip()
    if is_small_talk(text):
        return False
    rest = _GOES_ON.sub("", text, count=1)
    content = content_words(rest)
    if rest != text and len(content) <= 1:
        return True
    starts, points = (_ZH, _ZH_POINTS) if language_of(text) == "zh" else (_EN, _EN_POINTS)
    if starts.search(rest) and not (_CONDITION.search(rest) and len(content) > 3):
        return True
    return len(content) <= 1 or (len(content) <= 3 and bool(points.search(_EXPLETIVE.sub("", rest))))


def is_small_talk(message: str) -> bool:
    """Whether the message is a greeting, thanks, a goodbye or an "I see" and nothing else."""
    plain = " ".join(_NO_WORD.sub(" ", message).split())
    return bool(plain and _SMALL_TALK.fullmatch(plain.replace(" ", "") if language_of(plain) == "zh" else plain))


def standalone(question: str, asked_before: Sequence[str]) -> str:
    """The question, led by what was said since the last one that stood alone when it is a follow-up.

    `asked_before` are the customer's earlier messages in order. A question that hardly says what it is about ("how
    many days do I have?") is led even when it looks whole.
    """
    if not asked_before or is_small_talk(question) or not (is_follow_up(question) or _says_little(question)):
        return question
    leaders: list[str] = []
    for earlier in reversed(asked_before[-_LEADERS:]):
        leaders.insert(0, earlier.strip())
        if not is_follow_up(earlier) and not is_small_talk(earlier) and len(_topics(earlier)) > 2:
            break
    return " ".join((*leaders, question.strip()))


def _says_little(message: str) -> bool:
    topics = _topics(message)
    return len(topics) <= 1 or (len(topics) == 2 and _NAMES.isdisjoint(topics))


def _topics(message: str) -> list[str]:
    """The words of a message that say what it is about."""
    return [word for word in content_words(message) if word not in _ASKS]
