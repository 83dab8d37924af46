"""What a message wants, as far as a small rule can tell for certain: small talk, a person, or something to look up.

Knows nothing of documents or models. In doubt a message is a question: a pattern must explain a whole clause to count.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from chatbot.turn import Language

Intent = Literal["greeting", "thanks_goodbye", "human_agent", "other"]


@dataclass(frozen=True)
class Ruled:
    """`question` is what is left to look up without greetings and thanks around it; empty for small talk alone."""

    intent: Intent
    question: str


# Each is matched against a whole clause: NFKC, lower case, no punctuation, single spaces (none beside Chinese).
_GREETING = re.compile(
    r"(hi|hello|hey|hiya|howdy|greetings)( there| again| all| team| bot)?|good (morning|afternoon|evening|day)"
    r"|is (anyone|anybody|someone) there|are you there"
    r"|(您好|你好|大家好|哈[喽罗啰]|嗨|早上好|上午好|中午好|下午好|晚上好|早安|早)[呀啊哦]?"
    r"|(客服)?(在吗|在不在|在么)|有人在?吗|亲+"
)
_THANKS = re.compile(
    r"(ok |okay |great |perfect |got it |alright )?(thanks?|thank you|thx|ty|cheers|many thanks)"
    r"( a lot| so much| very much| again| for (your|the|all your) (help|time|answer|information))*"
    r"|(good)?bye( bye)?|see (you|ya)( later| soon)?|have a (nice|good|great) (day|evening|one)"
    r"|ok|okay|great|perfect|got it|that is all|that's all"
    r"|(好的?|嗯+|行|ok)?(非常|太|多|十分)?(感谢|谢谢?)+(你们?|您|啦|了|客服|的|帮助|回答|解答)*[啊呀哦]?"
    r"|辛苦(你|您)?[了啦]|再见|拜+|回见|好的?[呢哦吧]?|嗯+|我?(知道|明白|了解|清楚)[了啦]|没(有)?(别的|其他)?问题了|没事了"
)
_THANKS_ZH = re.compile(rf"{_THANKS.pattern}|88+6?|3q+")
_PERSON_EN = (
    r"((real|live|actual|human|customer|service|support) ){0,3}(human being|human|person|agent|representative|operator)"
)
_PERSON_ZH = r"(人工|真人|活人|工作人员)?(客服|坐席|服务|人员)?"
_WANT_EN = (
    r"(please |just |now |get to |i want (you )?to |i need to |i would like to |i'd like to |i wish to |let me "
    r"|(can|could|may) (i|you|we) (please )?)*"
)
_WANT_ZH = r"(请|麻烦|帮我|给我|我要|我想|我|可以|能不能|能否|能|怎么|直接|马上|现在|快|你们?|您)*"
_TAIL_EN = r"( please| now| instead| directly| right away| immediately| here| thanks| (about|regarding) .+)*"
_TAIL_ZH = r"(吧|啊|谢谢|处理|一下|可以吗|行吗|好吗|行不行)*"
_ASKS_FOR_PERSON = re.compile(
    rf"{_WANT_EN}(how (can|do|could) i )?(talk|speak|chat) (to|with) (an? |the |some |any |your )?"
    rf"({_PERSON_EN}|someone|somebody|manager)s?{_TAIL_EN}"
    rf"|{_WANT_EN}(talk|speak|chat) (to|with) (your )?(customer|live) (service|support|care|chat){_TAIL_EN}"
    rf"|{_WANT_EN}(connect|transfer|switch|put|hand|pass)( me| this)?( over| through)? (to|with) "
    rf"(an? |the |some |your )?{_PERSON_EN}{_TAIL_EN}"
    rf"|(i want|i need|i would like|i'd like|give me|get me) (an?|the|some) {_PERSON_EN}{_TAIL_EN}"
    rf"|{_WANT_ZH}(转接|转到|转成|转|接入|切换到?)(一下|个|到)?(?=.){_PERSON_ZH}{_TAIL_ZH}吗?"
    r"|(请|麻烦|帮我|给我|我要|我想|我|直接|马上|现在|快)*(找|要|叫|换|联系|呼叫|接)(一下|个|一个|一位|你们)?"
    rf"(?=人工|真人|活人|客服|工作人员){_PERSON_ZH}{_TAIL_ZH}"
    rf"|(我要|我想|可以|能不能|能|让我)*(和|跟|与)(?=人工|真人|活人|客服){_PERSON_ZH}"
    rf"(聊|说|谈|沟通|对话|讲话|说话)(一下|聊|话)*吗?{_TAIL_ZH}"
    r"|(你们)?有(没有)?(人工|真人)(客服|服务)?吗?"
)
_NAMES_PERSON = re.compile(rf"(an? )?{_PERSON_EN}( please| now)*|(人工)+(客服|服务|坐席)?|真人(客服)?|客服|转人")
_CONDITION = re.compile(r"\s*(如果|若|要是|假如|if\b|when\b|unless\b)", re.IGNORECASE)

_CLAUSE = re.compile(r"[^,，.。!！?？;；:：~～…、\n]+[,，.。!！?？;；:：~～…、\s]*")
_NO_WORD = re.compile(r"[^\w' ]|_")
_SPACE_BY_CHINESE = re.compile(r"(?<=[\u3400-\u9fff]) | (?=[\u3400-\u9fff])")
_UNMARKED_GREETING = re.compile(
    r"\s*(?:(?:hi|hello|hey)(?: there)?\s+"
    r"(?=(?:what|how|when|where|who|which|why|can|could|do|does|did|is|are|i|i'm|my|please|we|will|would|if)\b)"
    r"|(?:你好|您好)[呀啊]?\s*(?=[^评像多久几\s]))",
    re.IGNORECASE,
)


def by_rule(text: str, language: Language) -> Ruled:
    """The intent of `text` (masked, as the customer wrote it), and what of it is to be looked up.

    The phrases of both languages count in either; only what means something else elsewhere ("88" is goodbye) depends
    on `language`.

    A request for a person wins wherever one whole clause makes it ("you are no help, get me a human"), unless a
    condition stands before it. Greetings and thanks count only when nothing else is said; around a question they are
    cut off.
    """
    clauses = [(clause, _core(clause)) for clause in _CLAUSE.findall(text)]
    clauses = [(clause, core) for clause, core in clauses if core]
    farewell = _THANKS_ZH if language == "zh" else _THANKS
    small_talk = [bool(_GREETING.fullmatch(core) or farewell.fullmatch(core)) for _, core in clauses]
    said = [pair for pair, small in zip(clauses, small_talk, strict=True) if not small]
    if not clauses:
        return Ruled("other", text.strip())
    if not said:
        return Ruled("thanks_goodbye" if farewell.fullmatch(clauses[-1][1]) else "greeting", "")
    if len(said) == 1 and _NAMES_PERSON.fullmatch(said[0][1]):
        return Ruled("human_agent", text.strip())
    if any(_ASKS_FOR_PERSON.fullmatch(core) for _, core in said) and not any(
        _CONDITION.match(clause) for clause, _ in said
    ):
        return Ruled("human_agent", text.strip())
    first, last = small_talk.index(False), len(clauses) - small_talk[::-1].index(False)
    question = "".join(clause for clause, _ in clauses[first:last]).strip()
    return Ruled(
        "other", _UNMARKED_GREETING.sub("", question, count=1) if _UNMARKED_GREETING.match(question) else question
    )


def _core(clause: str) -> str:
    """The words of a clause, as the patterns expect them."""
    plain = unicodedata.normalize("NFKC", clause).replace("’", "'").lower()
    return _SPACE_BY_CHINESE.sub("", " ".join(_NO_WORD.sub(" ", plain).split()))
