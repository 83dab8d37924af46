"""What kind of fact a question asks for (a duration, an amount, a time, …) and whether a sentence holds one, zh and en.

Knows nothing of passages.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of fact: `asks` finds it in a question, `holds` in a sentence."""

    name: str
    asks: re.Pattern[str]
    holds: re.Pattern[str]


def kinds_asked(question: str) -> tuple[Kind, ...]:
    """The kinds of fact that `question` asks for; often none, sometimes two."""
    return tuple(kind for kind in KINDS if kind.asks.search(question))


def _kind(name: str, asks: str, holds: str) -> Kind:
    return Kind(name, re.compile(asks, re.IGNORECASE | re.VERBOSE), re.compile(holds, re.IGNORECASE | re.VERBOSE))


_NUMBER = (
    r"(?:\d[\d.,]*|[一二两三四五六七八九十百千半]+|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve)\b)"
)

_DURATION = rf"""
    {_NUMBER}\s*个?多?\s*(?:工作日|自然日|小时|分钟|秒|天|日内|周|星期|月|年)
    | {_NUMBER}[\s-]*(?:business|working|calendar|full)?[\s-]*(?:second|minute|hour|day|week|month|year)s?\b
    | 当[天日] | 次日 | 隔[天日] | 即时 | 立即 | 终身
    | \b(?:same|next)[-\ ](?:business\ |working\ )?day\b | \b(?:immediately|instantly|overnight|lifetime)\b
"""
_TIME = r"""
    \d{1,2}[:：]\d{2} | \d{1,2}\s*点 | \b\d{1,2}\s*[ap]\.?m\b | \b(?:noon|midnight|24/7|daily)\b
    | 周[一二三四五六日天末] | 星期 | 每[天日周月] | 工作日 | 节假日 | \d{1,2}\s*月\s*\d{1,2}\s*[日号]
    | \b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b | \b(?:every|each)\ (?:day|week|month)\b
    | \b(?:weekend|weekday|holiday)s?\b
    | \b(?:january|february|march|april|may|june|july|august|september|october|november|december)\ \d | \d\ (?:january
    |february|march|april|may|june|july|august|september|october|november|december)\b
"""

KINDS = (
    _kind(
        "duration",
        r"""多久 | 多长时间 | 几[天年] | 几个(?:工作日|小时|月|星期) | 多少(?:天|小时|个小时|个工作日|个月) | 时效
        | 期限 | 有效期
        | 什么时候.*(?:到|发货|退|过期) | how\ (?:long|soon|quickly|fast)
        | how\ many\ (?:\w+\ )?(?:days|hours|weeks|months|years)
        | time\ limit | deadline | when\ (?:will|do|does|can)\ .*(?:arrive|get|receive|ship|refund|expire|back)""",
        _DURATION,
    ),
    _kind(
        "amount",
        r"""多少钱 | 多少元 | 几[块元折] | 费用 | 价格 | [运邮]费 | 收费 | 手续费 | 要钱 | 贵 | 门槛 | 满多少 | 包邮
        | 优惠
        | how\ (?:much|expensive) | \bcosts?\b | \bprice | \bfees?\b | \bcharges?\b | for\ free | \bminimum\b
        | \bdiscount | postage""",
        rf"""{_NUMBER}\s*(?:元|块|万元|美元|欧元|英镑|%|折) | [¥￥$€£]\s*\d | 免费 | 免运费 | 包邮 | 不收 | 全额
        | \b\d[\d.,]*\s*(?:yuan|rmb|cny|usd|eur|gbp|dollars?|euros?|pounds?|cents?|percent)\b
        | \b(?:free|no\ (?:extra\ |additional\ )?(?:charge|fee|cost))\b""",
    ),
    _kind(
        "time",
        r"""几点 | 什么时[候间] | 何时 | 营业 | 上班 | 下班 | 开门 | 关门 | 几号 | 哪[天日] | 周末 | 节假日 | 截止
        | \bwhen\b | what\ (?:time|day|hours) | \bhours\b | \bopen(?:ing)?\b | \bclos(?:e|ing)\b | which\ days?
        | cut-?off""",
        rf"{_TIME} | {_DURATION}",
    ),
    _kind(
        "place",
        r"""哪里 | 哪儿 | 在哪 | 地址 | 什么地方 | 从哪 | 去哪 | 哪[个些](?:城市|国家|地区|页面)
        | \bwhere\b | \baddress\b | \blocated\b | which\ (?:country|countries|city|cities|region|page|menu)""",
        r"""[路街巷]\s*\d+\s*号 | \d+\s*[号楼层室] | [省市区县] | 仓库 | 门店 | 前台 | 页面 | “.+” | <[A-Z_]+_\d+>
        | \b(?:street|road|avenue|lane|floor|building|warehouse|store|shop|page|menu|settings|account|city|desk)\b""",
    ),
    _kind(
        "payer",
        r"""谁(?:来)?(?:付|承担|出|负责|支付) | 由谁 | 哪方 | who\ (?:pays|covers|bears|has\ to\ pay)
        | (?:do|must)\ i\ (?:have\ to\ )?(?:pay|cover)""",
        r"""承担 | 支付 | 自理 | 免费 | 我们出
        | \b(?:pay|pays|paid|cover|covers|covered|bear|bears|borne|expense|free)\b""",
    ),
    _kind(
        "contact",
        r"""电话 | 热线 | 号码 | 邮箱 | 微信 | 公众号 | 联系 | 网址 | 官网
        | \bphone | \bhotline | \bcall\b | e-?mail | \bcontact\b | \breach\ (?:you|your|the)\b | get\ in\ touch
        | web\ ?site""",
        r"\d{3,}[\d\s-]{3,}\d | @ | https?:// | www\. | <[A-Z_]+_\d+> | 公众号 | 微信",
    ),
    _kind(
        "count",
        r"""多少(?!钱|元|天) | 几[个次件张款] | 最[多少大小] | 上限 | 限购 | 多[大高重宽长](?!时间) | 尺寸 | 重量
        | 容量 | 功率
        | how\ (?:many|often|big|large|heavy|tall|wide) | \bmax(?:imum)?\b | \bsize | \bweigh | \bcapacity | \bwatt
        | at\ (?:most|least)""",
        _NUMBER,
    ),
)
