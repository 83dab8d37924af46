"""Numbers in words made digits, Chinese and English: 两个半小时, "twenty-four hours", 八五折. Knows no unit."""

import re
import unicodedata

_ZH_DIGITS = {
    character: value
    for value, characters in enumerate(
        ("零〇", "一壹", "二两贰", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖")
    )
    for character in characters
}
_ZH_SCALES = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_ZH = "零〇一二两三四五六七八九十百千万亿壹贰叁肆伍陆柒捌玖拾佰仟"

_MEASURES = """
工作日 英寸 块钱 人份 毫升 公里 孩子 厘米 礼拜 课时 星期 千克 小时 公斤 分钟 分钱 刻钟 盒 多 双 回
人 天 岁 成 折 遍 级 寸 只 块 瓶 户 周 场 桶 车 条 串 套 年 箱 楼 克 趟 件 秒 晚 片 个 升
元 层 斤 节 碗 步 对 本 枚 位 期 张 平 席 日 轮 月 份 顿 束 米 桌 袋 卷 点 针 颗 夜 间 毛
名 倍 种 笔 台 根 支 款 辆 页 角 组 把 单 度 杯 副 季 匹 包 项 道 次 家 号
"""
COUNTED = frozenset(_MEASURES.split())
"""Chinese measure words and units."""

_COUNTED = "|".join(sorted(COUNTED, key=len, reverse=True))

_ZH_NUMBER = re.compile(
    rf"百分之(?P<percent>[{_ZH}]+|\d+(?:\.\d+)?)"
    rf"|(?<![个年天点块斤倍两])(?P<half>半)(?=个?(?:小时|钟头|天|日|年|个月|月|价|成|斤|公斤|米|折|里|个(?:小时|钟头|月|星期)))"
    rf"|(?<![{_ZH}\d.])(?P<number>[{_ZH}]+)(?P<point>点[{_ZH}]+)?(?=\s*(?:[到至~-]\s*[{_ZH}]+\s*)?(?:{_COUNTED}))"
    rf"|(?<![{_ZH}\d.])(?P<long>[一二两三四五六七八九壹贰叁肆伍陆柒捌玖十拾][{_ZH}]*[十百千万亿拾佰仟][{_ZH}]*)"
    rf"|(?<=第)(?P<ordinal>[{_ZH}]+)"
    rf"|(?<=[满够超过达到收取补差])(?P<bare>[{_ZH}]{{2,}})"
)
_NOT_NUMBERS = re.compile(
    r"^(?:一点(?!钟|半|[整前后到])|一(?:样|般|起|致|定|直|切|律|下|些|旦|共|并|边)|万一|十分(?!钟)|三环|五星|千万(?!元))"
)
_AND_HALF = re.compile(r"(\d+(?:\.\d+)?)(\s*)(个|年|天|周|小时|点|块|斤|米|倍)半")
_SCALED = re.compile(r"(\d+(?:\.\d+)?)\s*([万亿千百])(?![\u4e00-\u9fff]*卡)")

_TEENS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
_EN_WORDS = {
    **{word: value for value, word in enumerate(_TEENS.split())},
    **{word: 10 * value for value, word in enumerate(_TENS.split(), start=2)},
    "hundred": 100,
    "thousand": 1000,
    "dozen": 12,
}
_EN_ORDINALS = {word: value for value, word in enumerate(_ORDINALS.split(), start=1)}
_TIME_UNIT = r"(?:second|minute|hour|day|night|week|fortnight|month|year)"
_EN_NUMBER = re.compile(
    rf"\b(?P<quarter>(?:a )?quarter of an? hour|three quarters of an hour)\b"
    rf"|\b(?P<one_and_half>(?:an?|one) (?P<unit>{_TIME_UNIT}) and a half)\b"
    rf"|\b(?P<half>half an?|half a) (?={_TIME_UNIT})"
    rf"|\b(?P<article>an?) (?=(?:full |whole |single |calendar |working |business )?{_TIME_UNIT}\b)"
    rf"|\b(?P<number>(?:{'|'.join(_EN_WORDS)})(?:(?:[ -]|\band\b)+(?:{'|'.join(_EN_WORDS)}))*)\b"
)
_ORDINAL_WORD = re.compile(
    rf"\b({'|'.join(_EN_ORDINALS)})(?= (?:{_TIME_UNIT}|time|child|pair|order|one|item|exchange)\b)"
)
_SCALE = {"百": 100, "千": 1000, "万": 10_000, "亿": 10**8}
_ORDINAL = re.compile(r"\b(\d+)(?:st|nd|rd|th)\b")


def digits(text: str) -> str:
    """The text in NFKC and lower case with the numbers that it writes out as digits; ordinals become 第n."""
    text = unicodedata.normalize("NFKC", text).lower()
    if not text.isascii():
        text = _ZH_NUMBER.sub(_from_chinese, text)
        text = _AND_HALF.sub(lambda m: f"{_plain(float(m[1]) + 0.5)}{m[2]}{m[3]}", text)
        text = _SCALED.sub(lambda m: _plain(float(m[1]) * _SCALE[m[2]]), text)
    text = _ORDINAL.sub(r"第\1 ", _ORDINAL_WORD.sub(lambda m: f"第{_EN_ORDINALS[m[1]]} ", text))
    return _EN_NUMBER.sub(_from_english, text)


def _from_chinese(match: re.Match[str]) -> str:
    if match["percent"]:
        return f"{_zh_value(match['percent'])}%"
    if match["half"]:
        return "0.5"
    if _NOT_NUMBERS.match(match.string[match.start() : match.start() + 4]):
        return match[0]
    written = match["number"] or match["long"] or match["ordinal"] or match["bare"]
    if written == "一" and match.string[: match.start()].endswith(("哪", "这", "那", "某", "同", "另")):
        return written
    value = _zh_value(written)
    if match["point"]:
        return f"{value}.{''.join(str(_ZH_DIGITS.get(one, '')) for one in match['point'][1:])}"
    return value


def _zh_value(written: str) -> str:
    if written[0].isdecimal():
        return written
    if all(one in _ZH_DIGITS for one in written):
        return "".join(str(_ZH_DIGITS[one]) for one in written)
    total = section = digit = 0
    scale = 1
    for one in written:
        if one in _ZH_DIGITS:
            digit = _ZH_DIGITS[one]
        elif one in _ZH_SCALES:
            scale = _ZH_SCALES[one]
            section += (digit or 1) * scale
            digit = 0
        else:
            total = (total + section + digit) * (10_000 if one == "万" else 10**8)
            section, digit, scale = 0, 0, 10_000
    if digit and written[-2:-1] in _ZH_SCALES and "零" not in written and scale > 10:
        digit *= scale // 10  # 三千五 is 3500
    return str(total + section + digit)


def _from_english(match: re.Match[str]) -> str:
    if match["quarter"]:
        return "45 minutes" if match[0].startswith("three") else "15 minutes"
    if match["one_and_half"]:
        return f"1.5 {match['unit']}"
    if match["half"]:
        return "0.5 "
    if match["article"]:
        return "1 "
    words = [word for word in re.split(r"[ -]+", match["number"]) if word != "and"]
    if words == ["one"] and not re.match(r"[ -][a-z]", match.string[match.end() : match.end() + 2]):
        return match[0]  # "a new one."
    total = current = 0
    for word in words:
        value = _EN_WORDS[word]
        if value in (12, 100) and word in ("dozen", "hundred"):
            current = (current or 1) * value
        elif value == 1000:
            total, current = total + (current or 1) * 1000, 0
        else:
            current += value
    return str(total + current)


def _plain(value: float) -> str:
    return f"{value:g}" if value < 1e6 else str(int(value))
