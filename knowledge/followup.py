"""Makes a follow-up question stand alone, by rule. Knows nothing of retrieval."""

import re
from collections.abc import Sequence

from knowledge.language import language_of
from knowledge.terms import content_words

_ZH = re.compile(
    r"^(?:那么?|那如果|如果是|要是|还有|然后|所以|另外|换成)|^(?:它|他|她|这个|那个|这种|那种|这款|那款|前者|后者|上面|刚才)|^.{0,8}呢[？?。!！]*$"
)
_ZH_POINTS = re.compile(r"它们?|这个|那个|这款|那款|这种|那种|前者|后者")
_EN = re.compile(
    r"^(?:and|but|or|so|then|also|what about|how about|what if|and for|for|only|even|why not|same for)\b", re.IGNORECASE
)
_EN_POINTS = re.compile(r"\b(?:it|its|they|them|their|that|those|these|this|one|ones|the same)\b", re.IGNORECASE)

# Words that ask, but do not say about what; the English ones are stems.
_ASKING = frozenset(
    [
        "多少",
        "几",
        "几个",
        "几天",
        "几点",
        "多久",
        "多大",
        "多长",
        "多",
        "最",
        "最多",
        "最少",
        "满",
        "如何",
        "何时",
        "哪里",
        "哪个",
        "花",
        "要",
        "用",
        "必须",
        "之前",
        "之后",
        "之内",
        "以内",
        "以后",
        "另外",
        "还是",
        "一个",
        "一次",
        "一天",
        "一共",
        "天",
        "个",
        "次",
        "钱",
        "时间",
        "收费",
        "不",
        "没有",
        "有没有",
        "行",
        "行不行",
        "吗",
        "how",
        "mani",
        "much",
        "long",
        "often",
        "soon",
        "when",
        "where",
        "which",
        "who",
        "why",
        "day",
        "hour",
        "week",
        "time",
        "cost",
        "take",
        "need",
        "must",
        "pay",
        "more",
        "after",
        "befor",
        "them",
        "him",
        "her",
        "not",
        "no",
        "ye",
        "up",
        "out",
        "go",
        "come",
        "again",
        "also",
        "onli",
        "other",
        "last",
        "first",
        "then",
        "at",
        "least",
        "most",
        "start",
        "end",
        "without",
        "within",
        "all",
        "everi",
        "each",
    ]
)
_LEADERS = 3  # messages that a follow-up is led by, at most


def is_follow_up(question: str) -> bool:
    """Whether the question leans on what was said before: "那运费呢？", "and for Tibet?", "how long does it take?"."""
    text = question.strip()
    content = content_words(text)
    starts, points = (_ZH, _ZH_POINTS) if language_of(text) == "zh" else (_EN, _EN_POINTS)
    return bool(starts.search(text)) or len(content) <= 1 or (len(content) <= 3 and bool(points.search(text)))


def standalone(question: str, asked_before: Sequence[str]) -> str:
    """The question, led by what was said since the last one that stood alone when it is a follow-up.

    `asked_before` are the customer's earlier messages in order. A question that hardly says what it is about ("how
    many days do I have?") is led even when it looks whole.
    """
    if not asked_before or not (is_follow_up(question) or _says(question) <= 1):
        return question
    leaders: list[str] = []
    for earlier in reversed(asked_before[-_LEADERS:]):
        leaders.insert(0, earlier.strip())
        if not is_follow_up(earlier) and _says(earlier) > 2:
            break
    return " ".join((*leaders, question.strip()))


def _says(message: str) -> int:
    """How many words of a message say what it is about."""
    return sum(1 for word in content_words(message) if word not in _ASKING)
