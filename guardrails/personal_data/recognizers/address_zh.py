"""Chinese addresses: regions, streets, places, then house, staircase and door. A city or a street alone is nobody's."""

# ruff: noqa: E501 - a pattern reads best unbroken

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from guardrails.personal_data import words
from guardrails.personal_data.recognizer import Recognizer, Span

_HAN = r"[\u4e00-\u9fff]"
_COUNT = r"(?:[0-9]{1,5}|[零〇一二三四五六七八九十百]{1,5})"
_REGION = (
    r"省|自治[区州县旗]|特别行政区|(?<![超城上股夜菜门都])市(?!场|面|价|区|民|内)|(?<![小社地专战禁售赛分])[区區](?!别|间|分|块|域|号)|县(?!城)|縣"
    r"|新区|开发区|高新区|[盟旗](?=[\u4e00-\u9fff]{1,8}[市县区旗镇])|自治州|地区|街道办?|镇(?!静|痛|定)|鎮|(?<![老家故同水])乡(?!下|村)|鄉"
)
_STREET = (
    r"(?<![一走线网铁马半思出])(?<!高速)路(?!上|过|由|费|边|途|线|口|程)|街(?!道|上|边|拍)|大街|大道|(?<![知味渠频通轨报])道(?!理|具|歉|路|德|教|长)|巷|胡同|弄堂"
    r"|公路|国道|段(?=[0-9])|条(?=[0-9]{1,4}号)|里(?=[0-9])|弄(?=[0-9])|路[东南西北中]段?|[東南西北]路"
)
_PLACE = (
    r"小区|社区|花园|家园|公寓|大厦|大楼|广场(?!舞)|[名雅丽嘉怡馨华锦香丹学佳庭御翠]苑|苑(?=[0-9一二三四五六七八九十])|新城|府邸|[首御王公天华悦名]府|豪庭|雅庭|庭院|新村|村|屯|庄园|山庄|公馆|名邸|宿舍|大学|学院|中学|小学"
    r"|幼儿园|医院|酒店|宾馆|写字楼|国际|中心(?!思想)|产业园|科技园|工业[园区]|创业园|软件园|物流园|园区|商城|城(?=[0-9一二三四五六七八九十]{1,3}(?:期|栋|幢|号))"
    r"|园(?=[东南西北]?区?[0-9一二三四五六七八九十])|大院|家属院|家属区|校区|厂区|里(?=[0-9]{1,3}(?:栋|幢|号楼|单元))|湾(?=[0-9])|郡(?=[0-9])|轩(?=[0-9])|阁(?=[0-9])|府(?=[0-9])|庭(?=[0-9])|墅(?=[0-9])|坊(?=[0-9])|居(?=[0-9])|邨|SOHO"
)
_NAME = re.compile(
    rf"[ ]?(?:(?:[A-Za-z0-9]{{1,4}})?{_HAN}{{1,9}}?)(?:(?P<region>{_REGION})|(?P<street>{_STREET})|(?P<place>{_PLACE}))"
    r"(?:[东南西北中一二三四五六七八九十]{1,2}(?:[路街巷段区门院]|环路?)(?!道))?"
)
_DETAIL = re.compile(
    rf"[ /]?(?:第?(?:{_COUNT}[A-Za-z]?|[A-Za-z][0-9]{{0,3}}|[东南西北甲乙丙丁])(?:[-—~之、/]{_COUNT}[A-Za-z]?){{0,3}}[ ]?#?[ ]?"
    r"(?:附?[0-9]{0,3}号院?楼?|号(?!线|码|店|仓|机|链|电池|色|柜|馆|前|之前|后|发|到|晚|早|上午|下午|能|会|才|要|的快递)|號|栋|棟|幢|座|塔|单元|單元|楼|樓|层|層|室|房(?!间号)|门|期(?!间|待|望|货|限)"
    r"|组|队|户|铺|档|弄|巷|区|排|社|院|梯|街坊)(?:[东南西北甲乙丙丁][区侧户门]?)?"
    r"|[0-9A-Za-z]{1,4}(?:-[A-Za-z]?[0-9]{1,5}){1,3}室?(?![0-9A-Za-z-])"
    r"|[0-9]{1,3}#(?:[0-9]{2,5})?)"
)
_DOOR = re.compile(
    r"[ ,，]?[A-Za-z]?[0-9]{2,5}(?:[-/][0-9]{1,4}){0,2}(?:室|房|号房|户|(?![0-9A-Za-z元块件个年月日号:%％天]|\.[0-9]))"
)
_FILLER = re.compile(
    r"[ ]?(?:写字楼|(?![的了吗呢啊吧我你他她能会要不到送寄请帮给楼号室])[\u4e00-\u9fffA-Za-z]){1,10}?(?=[ ]?[0-9一二三四五六七八九十]{1,4}[ ]?(?:号楼?|栋|幢|座|单元|室|弄|层|楼|#)|[0-9]{1,2}-[0-9]{1,2}-[0-9]{2,4}|[ ]?[A-Z][0-9]?[座栋幢])"
)
_PLACES = re.compile("|".join(sorted(words.read("chinese_places"), key=len, reverse=True)))
_CITY_BEFORE = re.compile(f"(?:{_PLACES.pattern})[省市]?[ ,，]?$")
_LEAD = re.compile(
    r".*(?:住在|住址|住|地址|所在地|户籍|籍贯|寄[到往回至给]?|[送发邮运][到往回至给]|改[成为到]|换[成为到]|搬[到去至]|变更为|更新为|填的?|写的?|位于|在|到|是|为|至|去|给|叫"
    r"|麻烦|收货|我家|家里|公司|单位|送|问题|先生|女士|小姐|(?<=[^平温])和(?!平)|[了的])"
)
_CUE = re.compile(
    r"(?:地址|住址|住在|家住|家在|住|寄[到往回至给]|[送发邮][到往回至]|搬到|收货|收件|改[成为到]|换[成为到]|户籍|所在地|位于|address)[^，。,!！?？\n]{0,6}[是为:：在 ]{0,2}$",
    re.I,
)
_GATE = re.compile(
    r"[0-9零一二三四五六七八九十A-Za-z东南西北甲乙丙丁#][ ]?(?:号|號|栋|棟|幢|座|室|单元|單元|弄|楼|樓|组|队|门)|[路街道巷村镇区苑园厦院庭府里城][ ]?[0-9]|地址|住|[寄送发搬邮]到|[区县市][^，。]{1,8}[路街道村]"
)
_NOT_AFTER = re.compile(r"店|柜台|专柜|线|发货|仓|馆|登机口|地铁站|站(?!前)|门店|分店|的店")
_STRONG = re.compile(r"[号號栋棟幢座室弄户房]|单元|單元|[0-9]{3}|[0-9]-[0-9]|#|组|队|社")


@dataclass(frozen=True)
class _Chain:
    """The parts of what may be an address, in order: their kinds and where they stand."""

    start: int
    end: int
    first_end: int
    kinds: tuple[str, ...]
    details: str


class AddressZh(Recognizer):
    """Fairly sure of a street or place with a number; without one, of what the text calls an address."""

    ENTITY = "ADDRESS"

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the addresses, from province to door, as much of it as there is."""
        yield from find_addresses(text)


@lru_cache(2)
def find_addresses(text: str) -> tuple[Span, ...]:
    """Return the addresses of the folded `text`; names ask for the same text again."""
    return tuple(_addresses(text)) if _GATE.search(text) else ()


def _addresses(text: str) -> Iterator[Span]:
    at = 0
    while first := _NAME.search(text, at):
        chain = _chain(text, first)
        start = _start(text, chain)
        at = chain.end
        if start >= chain.first_end:
            continue
        score = _score(text, start, chain)
        if score:
            yield start, chain.end, score


def _chain(text: str, first: re.Match[str]) -> _Chain:
    kinds, details, end = [first.lastgroup or ""], "", first.end()
    while True:
        if part := _DETAIL.match(text, end):
            kinds.append("detail")
            details += part[0]
        elif (kinds[-1] == "detail") and (part := _DOOR.match(text, end)):
            details += part[0]
            end = part.end()
            break
        elif part := _NAME.match(text, end + (text[end : end + 1] in ("，", ",", "/", "\n") and "detail" not in kinds)):
            kinds.append(part.lastgroup or "")
        elif {"region", "street"}.intersection(kinds) and (part := _FILLER.match(text, end)):
            kinds.append("filler")
        elif kinds[-1] in ("place", "street") and (part := _DOOR.match(text, end)):
            kinds.append("detail")
            details += part[0]
            end = part.end()
            break
        else:
            break
        end = part.end()
    if kinds[-1] == "filler":  # cannot be: a filler is followed by a detail
        kinds.pop()
    return _Chain(first.start(), end, first.end(), tuple(kinds), details)


def _start(text: str, chain: _Chain) -> int:
    """Return where the address begins: at a known city, or behind the words that lead to it."""
    place = _PLACES.search(text, chain.start, chain.end)
    if place and place.start() < chain.first_end:
        return place.start()
    start = chain.start + (text[chain.start] == " ")
    while lead := _LEAD.match(text, start, chain.first_end - 1):
        start = lead.end()
    city = _CITY_BEFORE.search(text, max(0, start - 8), start)
    return city.start() if city else start


def _score(text: str, start: int, chain: _Chain) -> float:
    """Return how sure it is that these parts are somebody's address, 0 when they are not."""
    kinds = chain.kinds
    names = [kind for kind in kinds if kind in ("region", "street", "place")]
    regions, closer = names.count("region"), len(names) - names.count("region")
    called = _CUE.search(text, max(0, start - 12), start) is not None
    if "detail" in kinds:
        if _NOT_AFTER.match(text, chain.end) and not called:
            return 0.0
        if _STRONG.search(chain.details) or called or regions:
            return 0.85 if closer or regions > 1 or called else 0.0
        return 0.0
    if (closer and regions > 1) or (called and ((closer and regions) or regions > 1)):
        return 0.7
    return 0.0
