"""Numbers and codes of a shop's day that identify nobody: orders, parcels, amounts, dates, part numbers, versions.

None is by chance a valid card, Chinese ID or mobile number: a message that no reader could tell apart measures nothing.
"""

import datetime
import random
import re
from collections.abc import Callable

from bench.personal_data.values import digits, id_check_digit, luhn_digit

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
MOBILE = re.compile(r"(?:86)?1[3-9]\d{9}")
FIRST_DAY = datetime.date(2024, 1, 1)


def letters(rng: random.Random, count: int) -> str:
    return "".join(rng.choice(LETTERS) for _ in range(count))


def is_mistakable(value: str) -> bool:
    """Whether the value, read as one number, is a valid card, Chinese ID or mobile number."""
    number = re.sub(r"[\s-]", "", value)
    if not number.isascii() or not number.isdigit():
        return False
    card = 13 <= len(number) <= 19 and luhn_digit(number[:-1]) == number[-1]
    identity = len(number) == 18 and id_check_digit(number[:-1]) == number[-1]
    return card or identity or MOBILE.fullmatch(number) is not None


def day(rng: random.Random) -> datetime.date:
    return FIRST_DAY + datetime.timedelta(days=rng.randrange(1000))


def order(rng: random.Random, language: str) -> str:
    if language == "zh":
        return rng.choice(
            [
                rng.choice("234") + digits(rng, 18),
                f"{day(rng):%Y%m%d}{digits(rng, rng.choice([8, 10, 12]))}",
                f"DD{day(rng):%y%m%d}{digits(rng, 6)}",
                f"E{day(rng):%Y%m%d}{digits(rng, 9)}",
                digits(rng, 8),
            ]
        )
    return rng.choice(
        [
            f"{rng.randint(100, 119)}-{digits(rng, 7)}-{digits(rng, 7)}",
            f"#{rng.randint(1001, 99999)}",
            f"ORD-{digits(rng, 8)}",
            f"{letters(rng, 2)}{day(rng):%y%m}-{digits(rng, 5)}",
            f"{day(rng):%Y%m%d}{digits(rng, 7)}",
        ]
    )


def tracking(rng: random.Random, language: str) -> str:
    if language == "zh":
        return rng.choice(
            [
                f"SF{digits(rng, 13)}",
                f"YT{digits(rng, 13)}",
                f"JDVA{digits(rng, 11)}",
                f"7{digits(rng, 13)}",
                f"EZ{digits(rng, 9)}CN",
                f"43{digits(rng, 13)}",
            ]
        )
    return rng.choice(
        [
            f"1Z{letters(rng, 1)}{digits(rng, 2)}{letters(rng, 2)}{digits(rng, 11)}",
            f"9400 1{digits(rng, 3)} {digits(rng, 4)} {digits(rng, 4)} {digits(rng, 4)} {digits(rng, 2)}",
            f"R{letters(rng, 1)}{digits(rng, 9)}GB",
            f"10{digits(rng, 8)}",
            f"JJD{digits(rng, 18)}",
        ]
    )


def amount(rng: random.Random, language: str) -> str:
    cents = rng.choice([rng.randint(300, 99999), rng.randint(1000, 1999999)])
    value = f"{cents / 100:,.2f}"
    whole = f"{cents // 100}"
    if language == "zh":
        return rng.choice(
            [f"¥{value}", f"{whole}元", f"{value}元", f"{whole}块", f"￥{whole}", f"{whole}.{cents % 10}块"]
        )
    return rng.choice([f"${value}", f"£{value}", f"€{value}", f"{value} USD", f"${whole}", f"{whole} dollars"])


def date(rng: random.Random, language: str) -> str:
    on = day(rng)
    if language == "zh":
        return rng.choice(
            [
                f"{on.month}月{on.day}号",
                f"{on.year}年{on.month}月{on.day}日",
                f"{on:%Y-%m-%d}",
                f"{on:%Y/%m/%d}",
                f"{on.month}.{on.day}",
            ]
        )
    return rng.choice(
        [f"{on:%B} {on.day}", f"{on:%m/%d/%Y}", f"{on.day} {on:%b %Y}", f"{on:%Y-%m-%d}", f"{on:%a} {on.day} {on:%b}"]
    )


def clock(rng: random.Random, language: str) -> str:
    hour, minute = rng.randint(8, 21), rng.choice([0, 5, 10, 15, 20, 30, 40, 45, 50])
    if language == "zh":
        return rng.choice([f"{hour}:{minute:02}", f"{hour}点{minute}分" if minute else f"{hour}点"])
    return rng.choice([f"{hour}:{minute:02}", f"{(hour - 1) % 12 + 1}:{minute:02} {'am' if hour < 12 else 'pm'}"])


def sku(rng: random.Random, language: str) -> str:
    return rng.choice(
        [
            f"{letters(rng, 3)}-{digits(rng, 4)}-{letters(rng, 2)}",
            f"69{digits(rng, 11)}",
            f"{letters(rng, 2)}{digits(rng, 5)}",
            f"{digits(rng, 6)}-{digits(rng, 3)}",
            f"{digits(rng, 4)}{letters(rng, 1)}/{digits(rng, 2)}",
        ]
    )


def model(rng: random.Random, language: str) -> str:
    return rng.choice(
        [
            f"{letters(rng, 2)}-{digits(rng, 3)}{letters(rng, 1)}",
            f"{letters(rng, 1)}{rng.randint(2, 99)} {rng.choice(['Pro', 'Max', 'Plus', 'Lite'])}",
            f"KFR-{rng.choice([26, 35, 50, 72])}GW/{digits(rng, 4)}",
            f"{letters(rng, 3)}{digits(rng, 4)}",
        ]
    )


def version(rng: random.Random, language: str) -> str:
    two = f"{rng.randint(1, 19)}.{rng.randint(0, 30)}"
    return rng.choice(
        [f"v{two}", f"{two}.{rng.randint(0, 20)}", f"{two}.{rng.randint(0, 9)} build {digits(rng, 4)}", f"V{two}"]
    )


def error(rng: random.Random, language: str) -> str:
    return rng.choice(
        [
            f"E{digits(rng, 2)}",
            f"0x8{digits(rng, 7)}",
            f"ERR_{digits(rng, 5)}",
            f"{rng.randint(400, 599)}",
            f"-{digits(rng, 5)}",
        ]
    )


def quantity(rng: random.Random, language: str) -> str:
    return str(rng.choice([rng.randint(2, 30), rng.randint(2, 30), rng.randint(50, 5000)]))


def ticket(rng: random.Random, language: str) -> str:
    return rng.choice(
        [f"CS{digits(rng, 8)}", f"T-{digits(rng, 6)}", f"{day(rng):%y%m%d}{digits(rng, 3)}", f"INC{digits(rng, 7)}"]
    )


def invoice(rng: random.Random, language: str) -> str:
    return digits(rng, 20) if language == "zh" else f"INV-{day(rng):%Y}-{digits(rng, 5)}"


MAKERS: dict[str, Callable[[random.Random, str], str]] = {
    "order": order,
    "tracking": tracking,
    "amount": amount,
    "date": date,
    "time": clock,
    "sku": sku,
    "model": model,
    "version": version,
    "error": error,
    "count": quantity,
    "ticket": ticket,
    "invoice": invoice,
}


def make(name: str, rng: random.Random, language: str) -> str:
    """A value of the kind. KeyError for a kind that is not in MAKERS."""
    while is_mistakable(value := MAKERS[name](rng, language)):
        pass
    return value
