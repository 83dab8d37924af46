"""The checkable facts of a sentence: durations, amounts, percentages, times, dates, counts, links, phones, codes.

Both languages, one notation: a week, 七天 and 7 days are the same fact. Pure rules; knows nothing of evidence.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from guardrails.grounding.numerals import COUNTED, digits

Kind = Literal["duration", "money", "percent", "clock", "date", "weekday", "ordinal", "count", "link", "phone", "code"]
LITERAL: frozenset[Kind] = frozenset(("link", "phone", "code"))
"""Kinds that the evidence must hold letter by letter."""


@dataclass(frozen=True, slots=True)
class Fact:
    """`values`: what it may mean, of which one must be found (10 点 may be 22:00); minutes, money, percent or a number.

    `unit`: the currency, or what is counted, "" when unknown. `text`: as a literal kind is written, normalised.
    """

    kind: Kind
    values: tuple[float, ...] = ()
    unit: str = ""
    text: str = ""


_N = r"(?<!\d)(?P<n>\d{1,3}(?:,\d{3}){1,4}(?:\.\d{1,6})?|\d{1,12}(?:\.\d{1,6})?)"
_TO = r"\s*(?:-|–|—|~|至|到|to|and|or)\s*"
_MINUTES = {
    "秒": 1 / 60, "second": 1 / 60, "sec": 1 / 60, "分钟": 1, "分": 1, "minute": 1, "min": 1, "刻钟": 15,
    "小时": 60, "钟头": 60, "hour": 60, "hr": 60, "h": 60, "天": 1440, "日": 1440, "晚": 1440, "夜": 1440, "day": 1440,
    "night": 1440, "工作日": 1440, "自然日": 1440, "周": 10080, "星期": 10080, "礼拜": 10080, "week": 10080,
    "fortnight": 20160, "月": 43200, "month": 43200, "季度": 129600, "年": 525600, "year": 525600,
}  # fmt: skip
_DURATION = (
    r"\s*-?\s*(?:(?:个|full|whole|working|business|calendar|consecutive|single)\s*)?"
    r"(?P<duration>秒|分钟|刻钟|小时|钟头|天|工作日|自然日|周(?!年)|星期|礼拜|个?月(?!\s*\d+\s*[日号])|季度|年|晚|夜"
    r"|(?:seconds?|secs?|minutes?|mins?|hours?|hrs?|h|days?|nights?|weeks?|fortnights?|months?|years?)\b"
    r"(?![- ]olds?\b))"
)
_CURRENCY = {
    "¥": "CNY", "$": "USD", "€": "EUR", "£": "GBP", "元": "CNY", "块": "CNY", "圆": "CNY", "毛": "CNY", "角": "CNY",
    "yuan": "CNY", "rmb": "CNY", "cny": "CNY", "人民币": "CNY", "美元": "USD", "dollar": "USD", "usd": "USD",
    "欧元": "EUR", "euro": "EUR", "eur": "EUR", "英镑": "GBP", "pound": "GBP", "gbp": "GBP", "港币": "HKD",
    "港元": "HKD", "cent": "cent", "pence": "cent", "p": "cent",
}  # fmt: skip
_MONEY_AFTER = (
    r"\s*(?P<currency>元|块|圆|毛|角|美元|欧元|英镑|港币|港元|人民币"
    r"|(?:yuan|rmb|cny|dollars?|usd|euros?|eur|pounds?|gbp|cents?|pence)\b)"
)
_MONEY_BEFORE = rf"(?P<sign>[¥$€£]|\b(?:rmb|cny|usd|eur|gbp)\s?)\s*{_N}"
_MONTH_NAMES = "january february march april may june july august september october november december"
_MONTHS = _MONTH_NAMES.split()
_MONTH = "|".join(f"{name[:3]}(?:{name[3:]})?" if len(name) > 3 else name for name in _MONTHS)
_LATE = "下午|傍晚|晚上|夜里|夜间|晚间|今晚|当晚|晚"
_EARLY = "凌晨|清晨|早上|早晨|上午|明早|早|半夜|午夜"
_WEEKDAY_NAMES = "monday tuesday wednesday thursday friday saturday sunday"
_WEEKDAYS = _WEEKDAY_NAMES.split()
_UNIT_WORDS = {
    "回": "次", "遍": "次", "趟": "次", "time": "次", "名": "人", "位": "人", "people": "人", "person": "人",
    "learner": "人", "lesson": "节", "课": "节", "piece": "件", "item": "件",
}  # fmt: skip

_LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>\"'，。；！？、（）()\u4e00-\u9fff]+"
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|cn|net|org|example|shop|io|co)\b(?:/[\w./-]*)?",
    re.ASCII,
)
_PHONE = re.compile(
    r"(?<![\w.-])(?:\+\d{1,3}[ -]?)?(?:\(\d{2,4}\)[ -]?)?\d{2,4}(?:[ -]\d{2,4}){1,4}(?![\w.])"
    r"|(?<![\w.,])\+?\d{7,15}(?![\w.])|(?<!\d)\d{7,15}(?!\d)",
    re.ASCII,
)
_PLACEHOLDER = re.compile(r"<[a-z][a-z_]{0,39}_\d{1,9}>")
_CITATION = re.compile(r"\s?\[\d{1,3}\]")
_CODE = re.compile(
    r"(?<![a-z0-9-])(?=[a-z0-9-]*[a-z])(?=[a-z0-9-]*\d)"
    r"(?:[a-z]{1,6}-?\d{2,}[a-z0-9-]*|\d+[a-z]+\d[a-z0-9-]*)(?![a-z0-9])"
)
_DATE = (
    rf"(?P<m>\d{{1,2}})\s*月\s*(?P<d>\d{{1,2}})\s*[日号]|(?P<d2>\d{{1,2}})\s+(?:of\s+)?(?P<m2>{_MONTH})\b"
    rf"|\b(?P<m3>{_MONTH})\s+(?P<d3>\d{{1,2}})\b(?!:)"
)
_RANGE = (
    rf"(?<!\d)(?P<a>\d{{1,12}}(?:\.\d{{1,6}})?)(?P<as>%?){_TO}"
    rf"(?=\d{{1,12}}(?:\.\d{{1,6}})?(?:{_DURATION}|{_MONEY_AFTER}|%))"
)
_CLOCK = (
    rf"(?:(?P<late>{_LATE})|(?P<early>{_EARLY})|中午)?\s*(?:(?P<h>\d{{1,2}}):(?P<min>\d{{2}})"
    r"|(?P<h2>\d{1,2})(?P<halfpast>\.5)?\s*点(?!\d|钱)(?:钟|(?P<min2>\d{1,2})分?)?)\s*(?P<ap>[ap]\.?m\b)?"
)
_CLOCK_EN = (
    r"\b(?P<h>\d{1,2})\s*(?P<ap>[ap]\.?m)\b|\b(?P<word>noon|midday|midnight)\b|正午|午夜"
    r"|\b(?P<h3>\d{1,2}) o'clock"
)
_DISCOUNT = (
    rf"{_N}\s*折(?!断|叠|算|旧|腾)"
    r"|(?P<halfprice>0\.5价|半价|\bhalf[ -]price\b|减半|\bhalf off\b|\bhalf as much again\b)"
    r"|(?P<quarter>\ba quarter off\b)"
)
_PATTERNS = tuple(
    (name, re.compile(pattern, re.ASCII))
    for name, pattern in (
        ("date", _DATE),
        ("range", _RANGE),
        ("clock", _CLOCK),
        ("clock_en", _CLOCK_EN),
        ("money", rf"{_MONEY_BEFORE}|{_N.replace('?P<n>', '?P<n2>')}{_MONEY_AFTER}"),
        ("percent", rf"{_N}\s*(?:%|percent\b|per cent\b|(?P<tenth>成(?!人)))"),
        ("discount", _DISCOUNT),
        ("ordinal", r"第\s*(?P<n>\d+)(?!\d|\s*天)|头(?P<n2>\d+)(?=[次回个件])"),
        ("duration", rf"{_N}{_DURATION}"),
        ("count", rf"(?<![a-z0-9.]){_N}\s*-?\s*(?P<unit>[\u4e00-\u9fff]|[a-z]+)?"),
    )
)
_WEEKDAY = re.compile(
    r"(?P<five>\bweekdays?\b)|(?P<two>\bweekends?\b)"
    r"|(?:周|星期|礼拜)(?P<zh>[1-6一二三四五六日天末])"
    rf"(?:{_TO}(?:周|星期|礼拜)?(?P<zh2>[1-6一二三四五六日天]))?"
    rf"|\b(?P<en>{'|'.join(_WEEKDAYS)})s?\b(?:{_TO}(?P<en2>{'|'.join(_WEEKDAYS)})s?\b)?"
)


def facts_of(text: str) -> tuple[Fact, ...]:
    """The facts of `text`, each once. What a placeholder stands for, and citation marks, are none."""
    rest = _CITATION.sub("", text).lower()
    rest = _PLACEHOLDER.sub(" ; ", rest)
    found: list[Fact] = []

    def literal(kind: Kind, pattern: re.Pattern[str], least: int = 1) -> None:
        nonlocal rest
        for match in pattern.finditer(rest):
            written = match[0].rstrip(".,;:!?/-") if kind == "link" else re.sub(r"[\s()-]", "", match[0])
            if len(written) >= least:
                found.append(Fact(kind, text=re.sub(r"^(?:https?://)?(?:www\.)?", "", written)))
        rest = pattern.sub(" ; ", rest)

    literal("link", _LINK)
    found += [fact for match in _WEEKDAY.finditer(rest) for fact in _weekdays(match)]
    rest = digits(_WEEKDAY.sub(" ; ", rest))
    if phones := [match for match in _PHONE.finditer(rest) if sum(map(str.isdecimal, match[0])) >= 7]:
        found += [Fact("phone", text=re.sub(r"\D", "", m[0])) for m in phones]
        for match in reversed(phones):
            rest = rest[: match.start()] + " ; " + rest[match.end() :]
    for name, pattern in _PATTERNS:
        if name == "count":
            literal("code", _CODE, 4)
        if name == "range":
            rest = pattern.sub(_with_its_unit, rest)
            continue
        for match in pattern.finditer(rest):
            found += _facts(name, match)
        rest = pattern.sub(" ; ", rest)
    return tuple(dict.fromkeys(found))


def _with_its_unit(match: re.Match[str]) -> str:
    """`7-10 天` as `7 天 10 天`: both ends of a range are of its unit."""
    rest = match.string[match.end() :]
    after = re.match(rf"\d+(?:\.\d+)?(?P<unit>{_DURATION}|{_MONEY_AFTER}|%)", rest)
    return f"{match['a']}{after['unit'] if after else ''} ; "


def _facts(name: str, match: re.Match[str]) -> Iterable[Fact]:
    group = match.groupdict()

    def number(*keys: str) -> float:
        return next(float(group[key].replace(",", "")) for key in keys if group.get(key))

    if name == "date":
        word = (group["m2"] or group["m3"] or "")[:3]
        month = group["m"] or next(n for n, name in enumerate(_MONTHS, 1) if name.startswith(word))
        yield Fact("date", (float(month) * 100 + number("d", "d2", "d3"),))
    elif name in ("clock", "clock_en"):
        yield from _clock(group, match[0])
    elif name == "money":
        unit = _CURRENCY[(group["sign"] or group["currency"]).strip().rstrip("s") or "p"]
        value = number("n", "n2") / (10 if group["currency"] in ("毛", "角") else 1)
        yield Fact("money", (value,), unit)
    elif name == "percent":
        yield Fact("percent", (number("n") * (10 if group["tenth"] else 1),))
    elif name == "discount":
        if group["halfprice"]:
            yield Fact("percent", (50.0, 150.0) if "again" in match[0] else (50.0,))
        elif group["quarter"]:
            yield Fact("percent", (25.0, 75.0))
        else:
            pay = number("n") * (10 if number("n") < 10 else 1)
            yield Fact("percent", (pay, round(100 - pay, 4)))
    elif name == "ordinal":
        if number("n", "n2") != 1:  # the first time is any time's beginning
            yield Fact("ordinal", (number("n", "n2"),))
    elif name == "duration":
        unit = group["duration"].removeprefix("个")
        unit = unit if unit in _MINUTES else unit.rstrip("s")
        yield Fact("duration", (number("n") * _MINUTES[unit],))
    else:
        unit = group["unit"] or ""
        unit = unit.rstrip("s") if unit.isascii() and unit != "s" else unit
        yield Fact("count", (number("n"),), _UNIT_WORDS.get(unit, unit if unit.isascii() or unit in COUNTED else ""))


def _clock(group: dict[str, str | None], written: str) -> Iterable[Fact]:
    word = group.get("word") or ("noon" if written == "正午" else "midnight" if written == "午夜" else "")
    if word:
        yield Fact("clock", (0.0, 1440.0) if word == "midnight" else (720.0,))
        return
    hour = float(group["h"] or group.get("h2") or group.get("h3") or 0)
    minute = float(group.get("min") or group.get("min2") or (30 if group.get("halfpast") else 0))
    half_day = (group.get("ap") or "")[:1]
    if hour > 24:
        return
    if half_day == "p" or group.get("late"):
        hours: tuple[float, ...] = (hour if hour >= 12 else hour + 12,)
    elif half_day == "a" or group.get("early"):
        hours = (hour % 12,) if half_day and hour == 12 else (hour,)
    elif group.get("min") or hour > 12:
        hours = (hour,)
    else:
        hours = (hour, hour + 12)
    yield Fact("clock", tuple(60 * one + minute for one in hours))


def _weekdays(match: re.Match[str]) -> Iterable[Fact]:
    def number(zh: str | None, en: str | None) -> int:
        if en:
            return _WEEKDAYS.index(en)
        assert zh is not None
        if zh in "日天末":
            return 5 if zh == "末" else 6
        return "一二三四五六".find(zh) if zh in "一二三四五六" else int(zh) - 1

    if match["five"] or match["two"]:
        yield from (Fact("weekday", (float(day),)) for day in (range(5) if match["five"] else (5, 6)))
        return
    first = number(match["zh"], match["en"])
    last = number(match["zh2"], match["en2"]) if match["zh2"] or match["en2"] else 6 if match["zh"] == "末" else first
    for day in range(first, last + 1 if last >= first else last + 8):
        yield Fact("weekday", (float(day % 7),))


def same(one: Fact, other: Fact) -> bool:
    """Whether both say the same: equal within 2 % for durations, of one currency where both name it."""
    if one.kind in LITERAL or other.kind in LITERAL:
        if one.kind == "link" == other.kind:
            return one.text.rstrip("/") == other.text.rstrip("/")
        return one.kind == other.kind and one.text == other.text
    if one.kind != other.kind:  # a bare number may be any amount: "above 59" of ¥59
        bare = next((fact for fact in (one, other) if fact.kind == "count"), None)
        return bare is not None and not bare.unit and _meet(one, other)
    if one.kind == "money" and one.unit != other.unit:
        return False
    return _meet(one, other)


def _meet(one: Fact, other: Fact) -> bool:
    slack = 0.02 if one.kind == other.kind == "duration" else 1e-6
    return any(abs(a - b) <= slack * max(abs(a), abs(b)) + 1e-9 for a in one.values for b in other.values)


def derived(fact: Fact, known: Sequence[Fact]) -> bool:
    """Whether a sum, difference or product of two known numbers makes the fact: 0.4 元 + 0.5 元 is 0.9 元."""
    if fact.kind in LITERAL or fact.kind in ("clock", "date", "weekday", "ordinal"):
        return False
    numbers = [one for one in known if one.values and one.kind in ("money", "count", "duration", "percent")][:12]
    for a, b in combinations(numbers, 2):
        x, y = a.values[0], b.values[0]
        results = []
        if a.kind == b.kind == fact.kind:
            results += [x + y, abs(x - y)]
        if fact.kind in (a.kind, b.kind) or (fact.kind == "count" and "count" in (a.kind, b.kind)):
            factor = 10080 if a.kind == "duration" or b.kind == "duration" else 1
            results += [x * y, x * y / factor] if {a.kind, b.kind} & {"count", "percent"} else []
        if any(abs(result - value) < 1e-6 for result in results for value in fact.values):
            return True
    return False
