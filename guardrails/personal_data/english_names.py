"""What a name in Latin letters looks like: known first and last names, cues around it, words that are none."""

import importlib
import pkgutil
import re
from functools import cache

from faker.providers import person

from guardrails.personal_data import words

WORD = r"[A-Z\u00c0-\u00de\u0100-\u024f](?:[\w'’-]*\w)?"
_PARTICLE = r"(?:van|von|der|den|de|da|dos|del|della|di|la|le|bin|ibn|al|el|ter|ten|af|zu|y)"
FULL = re.compile(
    rf"(?<![\w@/.-]){WORD}(?:(?<=[A-Z])\.)?(?: (?:[A-Z]\.|{WORD}|(?:{_PARTICLE} )+{WORD})){{0,5}}(?![\w@])"
)
CUE_BEFORE = re.compile(
    r"(?:(?<![a-z])(?:name(?:'s|’s| is|[ ]?:)|name on (?:the|my) (?:account|card|order) is|i am called|call me"
    r"|this is|i['’]?m|i am"
    r"|named (?:him|her|it)|(?:account|card) ?holder(?: is|:)|signed|recipient|contact|attn|sincerely|regards"
    r"|thanks|cheers|yours"
    r"|customer|user|agent|manager|representative|colleague|husband|wife|son|daughter|friend|brother|sister"
    r"|mother|father|boss"
    r"|by|with|to|from|ask for|spoke (?:to|with)|on behalf of|behalf of|beneficiary"
    r"|mr|mrs|ms|miss|dr|prof|sir|madam)|我叫|我是|姓名|人|名字|叫|英文名)(?:是|为|叫)?[.,:：]?[ \n]*$",
    re.IGNORECASE,
)
STRONG_CUE_BEFORE = re.compile(
    r"(?:(?<![a-z])(?:my (?:full |first |last |real )?name(?:'s|’s| is)|(?<!user)(?<!file)(?<!product )name[ ]?:"
    r"|name on (?:the|my) (?:account|card|order) is"
    r"|i am called|(?:account|card) ?holder(?: is|:)|named (?:him|her)|mr|mrs|ms|miss|dr|prof)"
    r"|我叫|姓名|收[件货]人|联系人|名字|英文名)(?:是|为|叫)?[.,:：]?[ ]*$",
    re.IGNORECASE,
)
CUE_AFTER = re.compile(
    r"(?:['’]s (?:account|order|address|phone|email|card|daughter|son|wife|husband|house|name)| (?:lives|called"
    r"|said|told|works|ordered|paid|signed|speaking|here)\b"
    r"|[,:]? ?(?:\+?[0-9]{3}|<?[\w.]+@)|的(?:手机|电话|订单|账户|邮箱|地址))"
)
LOWER_STATED = re.compile(
    r"(?<![a-z])[Mm]y (?:full )?name(?:'s|’s| is) (?!(?:not|in|on|the|a|an|still|wrong|misspelled"
    r"|spelled)\b)(?P<name>[a-z][a-z'-]+(?: [a-z][a-z'-]+)?)"
    r"(?=[ ]*(?:$|[,.;!?\n]| and | but | i ))"
)
LEADS = words.read("english_leads")
NOT_A_NAME = words.read("english_not_names")
ALSO_WORDS = words.read("english_also_words")
BRANDS = words.read("english_brands")


@cache
def known_names() -> tuple[frozenset[str], frozenset[str]]:
    """First and last names in Latin letters, lower case, of every country that Faker knows."""
    names: tuple[set[str], set[str]] = (set(), set())
    for module in pkgutil.iter_modules(person.__path__):
        provider = importlib.import_module(f"{person.__name__}.{module.name}").Provider
        for attribute in dir(provider):
            if attribute.startswith(("first_", "last_")):
                values = getattr(provider, attribute)
                if isinstance(values, tuple | list | dict):
                    names[attribute.startswith("last_")].update(
                        name.lower()
                        for name in values
                        if isinstance(name, str) and len(name) > 1 and re.fullmatch(WORD, name)
                    )
    return frozenset(names[0] - ALSO_WORDS - NOT_A_NAME), frozenset(names[1])
