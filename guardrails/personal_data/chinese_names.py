"""What a Chinese name looks like: a surname, a given name, and the words that stand around them."""

# ruff: noqa: E501 - a pattern reads best unbroken

import re

from guardrails.personal_data import words

SURNAMES = words.characters("chinese_surnames")
COMPOUND_SURNAMES = tuple(sorted(words.read("chinese_compound_surnames")))
GIVEN = words.characters("chinese_given")
NOT_NAMES = words.read("chinese_not_names")
COMMON_WORDS = words.read("chinese_common_words")

ALSO_WORDS = frozenset("皮花后那商别水牛鱼东原官广车习公党弓步席平和应师干支明木须付元")
"""Surnames that are mostly other words: such a name needs more than its shape."""

TITLE = re.compile(
    r"(?:先生|女士|小姐|太太|夫人|同学|老师|师傅|医生|大夫|律师|教授|博士|经理|主任|总监|总裁|店长|主管|老板|阿姨"
    r"|叔叔|大哥|大姐|哥|姐|总)$"
)
TITLE_AFTER = re.compile(r"[\u4e00-\u9fff]{1,3}(?:先生|女士|小姐|老师|师傅|经理|主任|医生|律师)")
CUE_BEFORE = re.compile(
    r"(?:我叫|叫做|我的名字(?:是|叫)?|我?名字?(?:是|叫)|名叫|我是|这[里边]?是|本人|姓名|真名|实名|签名|署名|户名"
    r"|开户人|持卡人|申请人|委托人|代收人"
    r"|[收寄发取订付退购买投]件?货?款?票?保?[人者]|联系人|当事人|乘[机车]人|旅客|入住人|患者|客户|用户|顾客|会员"
    r"|经办人|负责人|法人|客服|快递员|店员|销售|员工|学生"
    r"|(?:老公|老婆|丈夫|妻子|爱人|爸爸?|妈妈?|父亲|母亲|儿子|女儿|孩子|朋友|同学|同事|室友|邻居|男友|女友|男朋友"
    r"|女朋友|哥哥?|姐姐?|弟弟?|妹妹?)"
    r"|寄给|转给|发给|送给|交给|打给|递给|找|致电|联系上?|请问|改[成为到]|换[成为]|变更为|填的?是|写的?是|(?:我"
    r"|你|他|她)[和跟与同])"
    r"(?:[（(][^）)]{0,6}[）)])?[ ]?(?:改?为|是|叫|就是|名叫)?[ ]?[:：,，“\"'‘/]?[ ]*$"
)
STATED_BEFORE = re.compile(
    r"(?:[我他她]叫|叫做|名叫|姓名|名字|真名|实名|户名|(?:收[货件]|寄件|发件|联系|投诉|就诊|投保|被?保险|受益|预约|预订|签收|开户|持卡|申请|委托|入住|乘[车机]|登机|经办|负责"
    r"|订[货票餐]|付款|退款|借款|担保|代理|报名|参会|取件|提货)人|户主|业主|[买卖]方|患者|病人|乘客|旅客|学员|家长|个人[ ]?:|(?:抬头|备用)[ ]?:)"
    r"(?:写的?是?|改[成为]|换[成为]|填的?是?|是|为|叫)?[ :/,，（(“\"]{0,3}$"
)
"""Words that say that a name follows: it need not be made of usual characters then."""
STATED_AFTER = re.compile(
    r"收?[,，、:/ ]{0,3}[（(]?(?:\+|00)?(?:86)?[ )）-]{0,2}1[3-9][0-9][0-9 -]|名下|收(?=[ ,，:]{0,2}(?:\+|00|1[3-9]))|是(?=[A-Z]{1,2}[0-9]{7})"
)
NOT_LAST = frozenset(
    "的了在是和与跟吗呢吧啊说要想把给被从到来去有没不也都就还收签先女电手身住今昨上下这那我你他她号用登买付取订联证微码"
)
"""Characters that follow names and end few."""
CUE_AFTER = re.compile(
    r"[ ]?(?:先生|女士|小姐|太太|夫人|老师|师傅|医生|律师|经理|主任|收(?![到货])|签收|本人|(?:的)?(?:手机|电话"
    r"|身份证|银行卡|邮箱|地址|住址|卡号|账户|微信)"
    r"|[,，、 ]{0,2}(?:男|女)[,，、 ]|[,，、:： ]{0,2}(?:\+?86|1[3-9][0-9]))"
)
NOT_A_PERSON_AFTER = re.compile(
    r"同款|牌(?!照)|旗舰店|专卖店|专柜|官网|品牌|系列|代言|公司|集团|大学|小学|中学|医院|路|街|村|镇|县|市(?!民)"
    r"|省|区|广场|大厦|酒店|家(?![的里人属])"
)
ENDS = re.compile(
    r"[ ]*(?:$|[,，。.;；!！?？、)）\n/|（(”’\"']|的|先生|女士|小姐|老师|师傅|手机|电话|身份证|住|收(?:$|[,，。])"
    r"|一起|签收|[0-9+])"
)
_SURNAME = "(?:" + "|".join(COMPOUND_SURNAMES) + "|[" + "".join(sorted(SURNAMES)) + "])"
_HAN = r"[\u4e00-\u9fff]"
NAME = re.compile(f"(?=(?P<longer>{_SURNAME}{_HAN}{{2}})?)(?=(?P<shorter>{_SURNAME}{_HAN}))")
DOTTED = re.compile(r"[\u4e00-\u9fff]{1,8}(?:·[\u4e00-\u9fff]{1,8}){1,3}")
COULD_BE_NAME = re.compile(_SURNAME + _HAN + r"|·[\u4e00-\u9fff]")


def is_name_shaped(word: str) -> bool:
    """Return whether `word` is a surname and one or two more characters (three for two surnames in a row)."""
    if word.startswith(COMPOUND_SURNAMES):
        return 3 <= len(word) <= 6
    return word[:1] in SURNAMES and (2 <= len(word) <= 3 or (len(word) == 4 and word[1] in SURNAMES))


def is_usual(word: str) -> bool:
    """Return whether a word that has the shape of a name is one even where nothing around says so."""
    if word.startswith(COMPOUND_SURNAMES):
        return True
    given = word[1:]
    if word[0] in ALSO_WORDS or word.endswith("家"):
        return False
    return GIVEN.issuperset(given) if len(given) == 1 else bool(GIVEN.intersection(given))


def is_within_a_word(text: str, start: int) -> bool:
    """Return whether the surname at `start` is the end or the beginning of an everyday word (非常, 查看)."""
    pair = text[start : start + 2]
    if pair in COMPOUND_SURNAMES:
        return False
    return pair in COMMON_WORDS or pair in NOT_NAMES or text[max(0, start - 1) : start + 1] in COMMON_WORDS


def has_given_name(word: str) -> bool:
    """Return whether what follows the surname are characters that people give as names."""
    given = word[2:] if word.startswith(COMPOUND_SURNAMES) else word[1:]
    return bool(given) and GIVEN.issuperset(given) and word not in NOT_NAMES
