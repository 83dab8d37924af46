"""What kind of fact a question asks for, and whether a sentence holds one: durations, amounts, times, places and the like, zh and en."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of fact: `asks` finds it in a question, `holds` in a sentence; `weak` when many sentences hold it by chance."""

    name: str
    asks: re.Pattern[str]
    holds: re.Pattern[str]
    weak: bool = False


def _kind(name: str, asks: str, holds: str) -> Kind:
    return Kind(name, re.compile(asks, re.IGNORECASE), re.compile(holds, re.IGNORECASE), name in _WEAK)


_WEAK = frozenset({"whether", "reason", "method", "place"})


_NUMBER = r"(?:\d[\d.,]*|[一二两三四五六七八九十百千半几]+|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|sixty|ninety)\b)"
_SPAN = (
    rf"{_NUMBER}\s*(?:个)?\s*(?:多)?\s*(?:工作日|自然日|小时|分钟|秒|天|日内|日|周|星期|月|年|季度)"
    rf"|{_NUMBER}[\s-]*(?:business|working|calendar|full)?[\s-]*(?:second|minute|hour|day|week|month|year)s?\b"
    r"|当[天日]|次日|隔[天日]|即时|立即|实时|终身|\b(?:same|next)[- ](?:business |working )?day\b|\b(?:immediate(?:ly)?|instant(?:ly)?|overnight|lifetime)\b"
)
_CLOCK = (
    r"\d{1,2}\s*[:：]\s*\d{2}|\d{1,2}\s*[点时](?!\w)|\b\d{1,2}\s*(?:a\.?m\b|p\.?m\b)|\b(?:noon|midnight|24/7|daily)\b|24\s*小时|周[一二三四五六日天末]|星期|每[天日周月]|工作日|节假日"
    r"|\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\b(?:every|each) (?:day|week|month)\b|\d{1,2}\s*月(?:\s*\d{1,2}\s*[日号])?|\b(?:january|february|march|april|june|july|august"
    r"|september|october|november|december)\b|\d+\s*号|节|\b(?:weekend|weekday|holiday)s?\b"
)
_MONEY = (
    rf"{_NUMBER}\s*(?:元|块|万元|角|分钱|人民币|美元|欧元|英镑|%|％|折)|[¥￥$€£]\s*\d|百分之|\b\d[\d.,]*\s*(?:yuan|rmb|cny|usd|eur|gbp|dollars?|euros?|pounds?|pence|cents?|percent|%)"
    r"|\b\d[\d.]*\s*%|免费|免运费|包邮|不收|无需付|全额|\b(?:free|no (?:extra |additional )?(?:charge|fee|cost))\b|\b(?:usd|eur|gbp|rmb|cny)\s*\d"
)

KINDS = (
    _kind("duration", r"多久|多长时间|几[天日周年]|几个(?:工作日|小时|月|星期)|多少(?:天|个?小时|个?工作日|个月)|时效|期限|有效期|保修期|多快|最[快慢晚迟]|"
          r"how (?:long|soon|quick(?:ly)?|fast|late)|how many (?:\w+ )?(?:days|hours|weeks|months|years|minutes)|time limit|deadline|warranty period|turnaround|when (?:will|do|does|can) .*"
          r"(?:arrive|get|receive|ship|refund|expire|back)|什么时候.*(?:到|发货|退|过期|收到)|何时.*(?:到|发货|退|过期)", _SPAN),
    _kind("amount", r"多少钱|多少元|几块|几元|几折|费用|价格|运费|邮费|收费|手续费|要钱|付费|花钱|贵|额度|门槛|满多少|包邮|优惠|"
          r"how (?:much|expensive)|\bcosts?\b|\bprice|\bfees?\b|\bcharges?\b|for free|\bminimum\b|\bdiscount|\bpay (?:for|extra)|free shipping|postage", _MONEY),
    _kind("clock", r"几点|什么时候|何时|什么时间|营业|上班|下班|开门|关门|几号|哪[天日]|周末|节假日|截止|"
          r"\bwhen\b|what (?:time|day|hours)|\bhours\b|\bopen(?:ing)?\b|\bclos(?:e|ing)\b|which days?|cut-?off|weekend|holiday|until", rf"{_CLOCK}|{_SPAN}"),
    _kind("place", r"哪里|哪儿|在哪|地址|什么地方|哪个(?:城市|国家|地区|仓|页面|菜单)|哪些(?:国家|地区|城市)|从哪|去哪|"
          r"\bwhere\b|\baddress\b|\blocat|which (?:country|countries|city|cities|region|page|menu|warehouse)", r"[路街巷道]\s*\d+\s*号|\d+\s*[号楼层室]|[省市区县]|仓库?|门店|店内|前台|页|“|「|【|"
          r"\b(?:street|st|road|rd|avenue|ave|lane|floor|building|suite|unit|warehouse|store|shop|page|menu|settings|profile|account|label|bottom|back|under|tab|city|desk|counter)\b|<[A-Z]+_\d+>"),
    _kind("payer", r"谁(?:来)?(?:付|承担|出|负责|支付)|由谁|哪方|who (?:pays|covers|bears|is responsible|has to pay)|whose (?:cost|expense)|do i (?:have to )?pay|is .* free|要.*(?:付|出).*吗",
          r"承担|支付|付|由|负责|自理|免费|\b(?:pay|pays|paid|cover|covers|covered|bear|bears|borne|expense|free|charge|our cost|customer)\b"),
    _kind("contact", r"电话|热线|邮箱|邮件|微信|公众号|联系(?:方式|你们|客服)|怎么联系|如何联系|网址|官网|\bphone|\bhotline|\bcall\b|e-?mail|\bcontact\b|\breach (?:you|your|the)\b|get in touch|web ?site",
          r"\d{3,}[\d\s-]{3,}\d|@|https?://|www\.|\.(?:com|cn|example)|<[A-Z_]+_\d+>|公众号|微信"),
    _kind("count", r"多少(?!钱|元|天)|几[个次件张款种瓦升]|最[多少大小]|上限|下限|限购|多[大高重宽长]|尺寸|重量|容量|功率|"
          r"how (?:many|often|big|large|heavy|tall|wide|far|old)|\bmax(?:imum)?\b|\blimit\b|\bsize|\bweigh|\bcapacity|\bwatt|\bpower|at (?:most|least)", _NUMBER),
    _kind("method", r"怎么(?!联系|回事|样)|如何|怎样|咋|步骤|流程|在哪.*(?:看|查|改|申请|下载)|哪些(?:支付|付款|方式)|how (?:do|can|could|should|would|to|does one)|\bsteps?\b|which (?:payment )?methods?|what (?:is|are) the (?:process|steps)",
          r"点击|点“|选择|打开|进入|提交|申请|填写|登录|联系|拨打|扫码|上传|输入|在“|通过|使用|按|先|然后|\b(?:click|tap|select|choose|open|go to|fill|submit|send|sign in|log in|contact|enter|upload|press|use|follow|visit|call|scan|hold|reply|write)\b"),
    _kind("whether", r"吗[？?。！!]*$|能不能|可不可以|是否|能否|是不是|有没有|支不支持|行不行|要不要|^(?:can|could|may|do|does|did|is|are|will|would|am|have|has|should|must)\b|\b(?:can|could|may|do) (?:i|you|we)\b",
          r"可以|不可|不能|支持|不支持|无法|能|不予|不接受|接受|需要|无需|不需要|必须|仅|只|均|都|\b(?:can|cannot|can't|may|must|not|no|yes|only|accept(?:s|ed)?|available|allowed|possible|support(?:s|ed)?|need|required|does|do|are|is|will)\b"),
    _kind("reason", r"为什么|为何|原因|怎么回事|\bwhy\b|\breason", r"因为|由于|原因|所以|因此|为了|\b(?:because|since|due to|as|so that|therefore|reason|to (?:protect|prevent|avoid|make sure|ensure))\b"),
)  # fmt: skip


def kinds_asked(question: str) -> tuple[Kind, ...]:
    """The kinds of fact that `question` asks for; often none, sometimes two."""
    return tuple(kind for kind in KINDS if kind.asks.search(question))
