"""What a name in Latin letters looks like: known first and last names, cues around it, words that are none."""

# ruff: noqa: E501 - a pattern reads best unbroken

import importlib
import pkgutil
import re
from functools import cache

from faker.providers import person

from guardrails.personal_data import words

LETTER = r"A-Za-z\u00c0-\u024f\u0370-\u052f\u1e00-\u1eff"
WORD = rf"(?:[A-Z\u00c0-\u00de\u0100-\u024f](?:[{LETTER}'’-]*[{LETTER}])?)"
PARTICLE = r"(?:van|von|der|den|de|da|dos|del|della|di|la|le|bin|ibn|al|el|ter|ten|af|zu|y)"
FULL = re.compile(
    rf"(?<![{LETTER}0-9_@/.-]){WORD}(?:(?<=[A-Z])\.)?(?: {{1,2}}(?:[A-Z]\.|{WORD}|(?:{PARTICLE} )+{WORD})){{0,5}}(?![{LETTER}0-9_@])(?![.+-][\w.+-]{{0,40}}@)"
)
CUE_BEFORE = re.compile(
    r"(?:(?<![a-z])(?:name(?:'s|’s| is|[ ]?:)|name on (?:the|my) (?:account|card|order) is|i am called|call me"
    r"|this is|i['’]?m|i am"
    r"|named (?:him|her|it)|(?:account|card) ?holder(?: is|:)|signed|recipient|contact|attn|sincerely|regards"
    r"|thanks|cheers|yours"
    r"|customer|user|agent|manager|representative|colleague|husband|wife|son|daughter|friend|brother|sister"
    r"|mother|father|boss|kid|child|nephew|niece|grandson|granddaughter|grandmother|grandfather|aunt|uncle|cousin|captain|officer|nurse|(?:change|correct|update) it to"
    r"|by|with|to|from|ask for|spoke (?:to|with)|on behalf of|behalf of|beneficiary"
    r"|mr|mrs|ms|miss|dr|prof|sir|madam|dear|hi|hello|hey)|我叫|我是|姓名|人|名字|叫|英文名)(?:是|为|叫)?[.,:：]?[ \n]*$",
    re.IGNORECASE,
)
STRONG_CUE_BEFORE = re.compile(
    r"(?:(?<![a-z])(?:my (?:full |first |last |real )?name(?:'s|’s| is)|(?<!user)(?<!file)(?<!product )(?<!model )(?<!brand )name[ ]?:"
    r"|name on (?:the|my) (?:account|card|order) is"
    r"|i am called|(?:account|card) ?holder(?: is|:)|named (?:him|her)|mr|mrs|ms|miss|dr|prof)"
    r"|我叫|姓名|收[件货]人|联系人|名字|英文名)(?:是|为|叫)?[.,:：]?[ ]*$",
    re.IGNORECASE,
)
CUE_AFTER = re.compile(
    r"(?:['’]s (?:account|order|address|phone|email|card|daughter|son|wife|husband|house|name)| (?:lives|called|wrote"
    r"|said|told|works|ordered|paid|signed|speaking|here)\b"
    r"|[,:]? ?(?:\+?[0-9]{3}|<?[\w.]+@)|的(?:手机|电话|订单|账户|邮箱|地址))"
)
PERSON_AFTER = re.compile(
    r"['’]s (?:daughter|son|wife|husband|mother|father|brother|sister|house|home|birthday|address)\b"
    r"| (?:lives (?:on|in|at|near)|was born|grew up|began (?:writing|working|playing|studying))\b"
    r"|[ ]?:[ ]?[\"“]| as (?:a|an|my|the) (?:beneficiary|recipient|joint|authori[sz]ed|additional|emergency)\b"
)
"""What is said of people alone: after a word that is no known name, it makes it one."""
THING_AFTER = re.compile(
    r" (?:lamps?|sofas?|couch|chairs?|tables?|desks?|beds?|mattress|shel(?:f|ves)|bookshel(?:f|ves)|bookcase|cabinet|wardrobe|dresser|rug|bag|backpack|tote|wallet"
    r"|boots?|shoes?|sneakers|sandals|heels|jeans|shirts?|dress|coat|jacket|jumper|sweater|hoodie|skirt|shorts|trousers|scarf|hat|cap|mug|cups?|plates?|bowls?|pan|kettle"
    r"|toaster|fryer|oven|fridge|vacuum|speaker|headphones|laptop|tablet|charger|case|cover|watch|ring|necklace|bracelet|earrings|perfume|scent|candle|lipstick|shampoo"
    r"|cream|tea|rice|seeds|toy|doll|game|console|books?|album|merch|tickets?|poster|print|collection|range|series|edition|model|version|size|colou?r|one|branch|store"
    r"|shop|outlet|warehouse|mall|airport|station|hotel|office|team|app|bulbs?|card|bank)(?![A-Za-z'’-])"
    r"|,? (?:Ltd|Limited|Inc|LLC|GmbH|Corp|PLC|plc|Co|B\.?V|S\.?A)\b|'s (?:Day|Eve)\b| ?& (?:Sons?|Co|Bros|Daughters)\b"
)
"""What is said of wares and firms: a name before it is theirs."""
THING_BEFORE = re.compile(
    r"(?<![a-z])(?:cat|dog|puppy|kitten|pet|parrot|rabbit|hamster|horse)(?:'s|’s)?(?: is| was)?(?: named| called| name(?: is|'s)?)?,? $|"
    r"(?:colou?r|shade|scent|flavou?r|size|style|finish|fabric|model|product|brand|collection|edition)(?:s|'s|’s)?(?: name)?(?: is| was|[ ]?[:=])? $",
    re.IGNORECASE,
)
CITY_AFTER = re.compile(r",? [A-Z]{2} [0-9]{5}(?![0-9])")
INTRODUCED_BEFORE = re.compile(r"(?:\A|(?<![a-z]))(?:this is|it['’]?s|i['’]?m|i am) $", re.IGNORECASE)
INTRODUCED_AFTER = re.compile(r" (?:again|here|speaking|calling|from (?:the|your|a)\b)|[ ]?[,.!](?: |$|\n)")
PINYIN_SURNAMES = words.read("pinyin_surnames")
PINYIN_GIVEN = re.compile(
    r"(?:(?:[bpmfdtnlgkhjqxrzcsyw]|zh|ch|sh)?(?:iang|iong|uang|ang|eng|ong|iao|ian|ing|uai|uan|ai|ei|ao|ou|an|en|ia|ie|iu|in|ua|uo|ui|un|ue|er"
    r"|a|o|e|i|u|ü)-?){1,2}"
)
PEOPLE_BEFORE = re.compile(
    r"(?:(?:people|they|friends|everyone|colleagues) (?:all )?call me|(?:named|called) (?:him|her|them)|nicknamed|married to|(?:payable|made out|addressed) to:?|(?:booking|reservation|appointment|room|table|ticket|gift) (?:for|is for)|driver|maybe it['’]?s under"
    r"|directed by:?|written by|signed by|account of|on behalf of|in care of|c/o)[ ]*$",
    re.IGNORECASE,
)
LOWER_STATED = re.compile(
    r"(?<![a-z])(?:[Mm]y (?:full |first |last |real )?name(?:'s|’s| is)|(?:people|they|everyone) call me|(?:i['’]?m|i am|this is) called|named (?:him|her))"
    r" (?!(?:not|in|on|the|a|an|still|wrong|misspelled|spelled|back|at|when|if|later)\b)(?P<name>[^\W\d_A-Z][^\W\d_]+(?:['’-][^\W\d_]+)?(?: (?:[a-z]\.? )?(?!and |but )[^\W\d_]+)?)"
    r"(?=[ ]*(?:$|[,.;!?\n]| and | but | i ))"
    r"|(?<![a-z])i['’]?m (?P<owner>[^\W\d_A-Z]{3,})(?=['’]s (?:daughter|son|wife|husband|mother|father|brother|sister)\b)"
)
LOWER_WORDS = re.compile(r"(?<![\w@./-])[^\W\d_]{2,}(?: (?:[^\W\d_]\.? )?[^\W\d_]{2,})(?![\w@])")
LINE = re.compile(r"(?m)^[ ]*(?P<line>[^\n]{3,48}?)[ ]*$")
WORDISH = re.compile(
    r"(?:tion|sion|ment|ings?|ed|ity|ness|ism|ware|able|ible|ous|ful|less|ship|ics|ive|ical|ize|ise|ary|mail|fox|set|tch|scape|ence|ance|rsion|tic|gan|rian|ish|less)s?$"
)
"""How words end that are seldom names."""
LEADS = words.read("english_leads")
NOT_A_NAME = words.read("english_not_names")
ALSO_WORDS = words.read("english_also_words")
BRANDS = words.read("english_brands")


def is_pinyin(parts: list[str]) -> bool:
    """Return whether two words (lower case) are a Chinese name in pinyin, the surname first or last."""
    if len(parts) != 2:
        return False
    return any(
        surname in PINYIN_SURNAMES and PINYIN_GIVEN.fullmatch(given) is not None
        for surname, given in (parts, parts[::-1])
    )


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
    more = words.read("latin_first_names")
    return frozenset((names[0] | more) - ALSO_WORDS - NOT_A_NAME), frozenset(names[1])
