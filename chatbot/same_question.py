"""When two questions may share one answer: spelled alike, or alike in all that a vector does not see. zh and en.

By rule; knows nothing of vectors, answers or where they are kept. In doubt two questions differ.
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from guardrails.grounding import wording
from guardrails.grounding.facts import LITERAL, Fact, facts_of
from knowledge.language import HAN
from knowledge.terms import codes, content_words, simplified

_BESIDE_HAN = re.compile(rf"(?<=[{HAN}])\s+|\s+(?=[{HAN}])")
_ENDS = re.compile(r"^[\s,.!?;:~…，。！？；：、]+|[\s,.!?;:~…，。！？；：、]+$")
_WIDE = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0x2019: 0x27}
_LATIN = re.compile(r"[A-Za-z]+")
_ACRONYM = 4  # letters

# "能不能" and "有利息不" ask; they deny nothing.
_ASKS_OPENLY = re.compile(r"(\w)[不没](?=\1)|有没有|是否|能否|可否|(?:不|没有?|否)\W*$|不好意思|差不多")
_DENIES = re.compile(
    r"[不未勿](?!错)|没|无(?!线|论|忧)|别(?!的|人|处|墅)|禁止|[用开借还付退收买]不[了到上成]"
    r"|\bnot\b|n't\b|\bnever\b|\bcannot\b|\bno\b|\bwithout\b|\bunable\b|\bneither\b|\bnone\b"
)
_ASKED = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("what to do", r"怎么办|咋办|\bwhat (?:should|can|do|must) (?:i|we) do\b"),
        ("why", r"为什么|为何|为啥|什么原因|怎么回事|怎么会|怎么(?=.{0,12}(?:不|没|无法|失败))|\bwhy\b|\bhow come\b"),
        ("how long", r"多久|多长时间|几天|几个(?:工作日|小时|月|星期)|多少天|\bhow (?:long|soon|fast|quickly)\b"),
        ("how much", r"多少|几[个次元块张号岁]|多[大高重宽]|\bhow (?:much|many|often|big|large|heavy|tall|wide)\b"),
        ("when", r"什么时[候间]|何时|几时|几点|哪天|\bwhen\b|\bwhat time\b|\bwhich day\b"),
        ("where", r"哪里|哪儿|在哪|从哪|去哪|什么地方|\bwhere\b"),
        ("who", r"谁|\bwho(?:se|m)?\b"),
        ("how", r"怎么|怎样|如何|咋|\bhow (?:can|do|does|should|would|to|is|are)\b"),
        ("difference", r"区别|差别|不同|\bdifferen\w+\b"),
        ("which", r"哪[个些种款张家]|\bwhich\b"),
        ("what", r"什么|啥|\bwhat(?:'s)?\b"),
        (
            "whether",
            r"[吗么嘛]\W*$|(\w)[不没]\1|是否|能否|可否|有没有|(?:不|没有?|否)\W*$|^(?:and |but |so |or )?"
            r"(?:can|could|do|does|did|is|are|was|may|will|would|should|has|have|am)\b",
        ),
    )
)
_SPAN = re.compile(  # counted among the numbers
    r"(?:\d+|[一二两三四五六七八九十]+)\s*个?(?:分钟|小时|天|日|周|星期|月|年)(?:[之以]?内)?"
    r"|\b(?:within )?(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten) (?:minute|hour|day|week|month|year)s?\b"
)
_ASKING = re.compile(r"能不能|可不可以|会不会|是不是|有没有|是否|能否|可否|请问|麻烦|一下")
_IDLE = "来 去 内 呢 不 没 没有 tell not no cannot can't couldn't don't doesn't didn't won't isn't aren't"
_WITHOUT_MATTER = frozenset(_IDLE.split())  # negation is compared by itself
_ALIKE = {
    "为什么": "为何", "为啥": "为何", "账户": "账号", "帐号": "账号", "帐户": "账号", "登陆": "登录", "邮费": "运费",
    "邮资": "运费", "快递费": "运费", "packag": "parcel", "telephon": "phone",
}  # fmt: skip
_SCOPES = tuple(
    re.compile(pattern)
    for pattern in (
        r"只|仅|\bonly\b|\bjust\b",
        r"都|全部|所有|任何|每|\ball\b|\bevery\b|\beach\b|\bany\b",
        r"再|重新|又|\bagain\b|\banother\b|\bmore\b",
        r"另|别的|其他|别人|他人|朋友|\bothers?\b|\belse\b|\bfriend",
        r"除了?|以外|\bexcept\b|\bother than\b",
        r"仍|依然|一直|还是|\bstill\b",
        r"了\W*$|已|过\W*$|\balready\b|\bhave \w+ed\b|\bhas \w+ed\b",
        r"如果|要是|假如|若|的话|\bif\b|\bwhen\b.+,|\bunless\b",
        r"同时|一起|\bboth\b|\btogether\b",
        r"换(?!货)|改|变|\bchang|\bswitch|\bupdat",
        r"必须|一定|\bmust\b|\bhave to\b|\brequired?\b",
    )
)
_DIRECTION = re.compile(
    r"换成|变[成为]|转[成为到]|改[成为]|[从由比给向跟被把替]|\b(?:from|to|into|than|instead of|for|by|before|after)\b"
)


def normalised(question: str) -> str:
    """The question without what cannot change its answer: width, case, script, spaces beside Chinese, marks around it.

    Acronyms keep their capitals ("ship to US" is not "ship to us"), unless everything is written so.
    """
    text = simplified(question.translate(_WIDE))
    shouted = text.isupper()

    def lowered(match: re.Match[str]) -> str:
        kept = match[0].isupper() and 2 <= len(match[0]) <= _ACRONYM and not shouted
        return match[0] if kept else match[0].lower()

    return _ENDS.sub("", " ".join(_BESIDE_HAN.sub("", _LATIN.sub(lowered, text)).split()))


@dataclass(frozen=True)
class _Facts:
    """What must be equal in two questions; `order` is that of the words where one of them gives a direction."""

    asked: str
    denies: bool
    numbers: frozenset[Fact]
    named: frozenset[str]
    sides: tuple[tuple[bool, bool], ...]
    scopes: tuple[bool, ...]
    order: tuple[str, ...]
    matter: frozenset[str]


def same_facts(one: str, other: str) -> bool:
    """Whether two questions ask the same kind of thing with the same numbers, names, codes and negation, on the same
    side of opposites (open or close, borrow or return, at most or at least), in the same direction and of the same
    matter: in the same content words, but for a few synonyms.

    True does not say that they mean the same: that is for their vectors.
    """
    return _taken_apart(one) == _taken_apart(other)


@cache
def _opposites() -> tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]:
    lines = Path(__file__).with_name("opposites.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return tuple((re.compile(one), re.compile(other)) for one, other in pairs)


@lru_cache(maxsize=4096)
def _taken_apart(question: str) -> _Facts:
    text = wording.fold(question).strip()
    found = facts_of(question)
    literal = (fact.text for fact in found if fact.kind in LITERAL)
    latin = frozenset(_LATIN.findall(text)) if not text.isascii() else frozenset()
    return _Facts(
        asked=next((name for name, pattern in _ASKED if pattern.search(text)), ""),
        denies=len(_DENIES.findall(_ASKS_OPENLY.sub(" ", text))) % 2 == 1,
        numbers=frozenset(fact for fact in found if fact.kind not in LITERAL),
        named=frozenset((*codes(text), *wording.names_of(question), *latin, *literal)),
        sides=tuple((bool(a.search(text)), bool(b.search(text))) for a, b in _opposites()),
        scopes=tuple(bool(pattern.search(text)) for pattern in _SCOPES),
        order=tuple(content_words(text)) if _DIRECTION.search(text) else (),
        matter=_matter(text),
    )


def _matter(text: str) -> frozenset[str]:
    """The words of a folded question that say what it is about."""
    spoken = content_words(_ASKING.sub(" ", _SPAN.sub(" ", text)))
    return frozenset(_ALIKE.get(word, word) for word in spoken) - _WITHOUT_MATTER
