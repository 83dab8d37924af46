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


def is_follow_up(question: str) -> bool:
    """Whether the question leans on what was said before: "那运费呢？", "and for Tibet?", "how long does it take?"."""
    text = question.strip()
    content = content_words(text)
    if language_of(text) == "zh":
        return bool(_ZH.search(text)) or len(content) <= 1 or (len(content) <= 3 and bool(_ZH_POINTS.search(text)))
    return bool(_EN.search(text)) or len(content) <= 1 or (len(content) <= 3 and bool(_EN_POINTS.search(text)))


def standalone(question: str, asked_before: Sequence[str]) -> str:
    """The question, led by the last one that stood alone when it is a follow-up.

    `asked_before` are the customer's earlier messages in order.
    """
    if not is_follow_up(question):
        return question
    leader = next((earlier for earlier in reversed(asked_before) if not is_follow_up(earlier)), "")
    return f"{leader.strip()} {question.strip()}" if leader else question
