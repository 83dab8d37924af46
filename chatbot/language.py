"""Which of the two languages a message is in, by its script. Knows nothing else of the message."""

import re

from chatbot.turn import Language

_NOT_PROSE = re.compile(
    r"```.*?```|`[^`]*`"  # code
    r"|(?:https?://|www\.)[^\s\u3000-\u9fff\uff00-\uffef]+"  # addresses, which may touch Chinese text
    r"|[\w.+-]+@[\w-]+\.[\w.-]+"
    r"|<[A-Z][A-Z_]*_\d+>",  # placeholders
    re.DOTALL | re.ASCII,
)
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_WORD = re.compile(r"[A-Za-z\u00c0-\u024f][A-Za-z\u00c0-\u024f'’-]*")
_HAN_SHARE = 0.3


def language_of(text: str, default: Language) -> Language:
    """`zh` when Chinese characters are more than a stray among the Latin words, `en` when there are Latin words, else
    `default`.

    A Chinese character counts as much as a Latin word: "iPhone 15 Pro Max 的价格" is Chinese, "what does 退 mean
    here?" is English.
    """
    prose = _NOT_PROSE.sub(" ", text)
    han, words = len(_HAN.findall(prose)), len(_WORD.findall(prose))
    if not han + words:
        return default
    return "zh" if han / (han + words) >= _HAN_SHARE else "en"
