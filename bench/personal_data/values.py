"""Values of every entity, well-formed and checksum-valid, in the ways that people type them. All are made up.

`make` draws from the random.Random it is given and from nothing else. Knows nothing of messages.
"""

import datetime
import ipaddress
import random
import re
from collections.abc import Callable

from bench.personal_data import names, places
from bench.personal_data.words import words

FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
ID_REGIONS = words(
    "110101 110105 110108 120101 130102 140105 150102 210102 210202 220102 230102 310101 310104 310115 320102 "
    "320106 320505 320583 330102 330106 330681 330782 330783 340102 340104 350102 350203 350582 360102 370102 "
    "370202 370883 410102 410105 411381 420106 420111 430102 430104 430181 440103 440104 440106 440304 440305 "
    "441900 442000 450103 460105 500103 500112 510104 510107 511025 520102 530102 540102 610113 620102 630102 "
    "640104 650102"
)
MOBILE_PREFIXES = words(
    "134 135 136 137 138 139 147 150 151 152 157 158 159 178 182 183 184 187 188 195 197 198 130 131 132 145 155 "
    "156 166 175 176 185 186 196 133 153 173 177 180 181 189 190 191 193 199 162 165 167 170 171 192"
)
EIGHT_DIGIT_AREAS = words(
    "010 020 021 022 023 024 025 027 028 029 0311 0371 0411 0431 0451 0510 0512 0513 0519 0531 0532 0551 0571 "
    "0573 0574 0575 0577 0579 0591 0595 0731 0755 0757 0769"
)
SEVEN_DIGIT_AREAS = words("0316 0355 0417 0554 0635 0716 0734 0751 0792 0813 0877 0917 0951 0971")
PLATE_CITIES = {
    "京": "ABCEFGHJKLMNPQ",
    "沪": "ABCDEFGHJKLMN",
    "津": "ABCDEFGHJK",
    "渝": "ABCDFGH",
    "粤": "ABCDEFGHJKLMNPQRSTUVWXY",
    "浙": "ABCDEFGHJKL",
    "苏": "ABCDEFGHJKLMN",
    "鲁": "ABCDEFGHJKLMNPQRSUV",
    "川": "ABCDEFGHJKLMQRSTUVWXYZ",
    "鄂": "ABCDEFGHJKLMNPQRS",
    "湘": "ABCDEFGHJKLMNU",
    "闽": "ABCDEFGHJK",
    "皖": "ABCDEFGHJKLMNPRS",
    "豫": "ABCDEFGHJKLMNPQRSU",
    "冀": "ABCDEFGHJRT",
    "陕": "ABCDEFGHJKV",
    "辽": "ABCDEFGHJKLMNP",
    "黑": "ABCDEFGHJKLMNPR",
    "吉": "ABCDEFGHJK",
    "桂": "ABCDEFGHJKLMNPR",
    "云": "ACDEFGHJKLMNPQRS",
    "贵": "ABCDEFGHJ",
    "赣": "ABCDEFGHJKLM",
    "晋": "ABCDEFHJKLM",
    "蒙": "ABCDEFGHJKLM",
    "琼": "ABCDEF",
    "甘": "ABCDEFGHJKLMNP",
    "青": "ABCDEFGH",
    "宁": "ABCDE",
    "新": "ABCDEFGHJKLMNPQR",
    "藏": "ABCDEFGJ",
}
PLATE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
# The card's first digits and its length, of the banks' most common debit cards.
BANK_CARDS = (
    ("622202", 19),
    ("621226", 19),
    ("621700", 19),
    ("622700", 19),
    ("622848", 19),
    ("622845", 19),
    ("621661", 19),
    ("621790", 19),
    ("622260", 19),
    ("621098", 19),
    ("622188", 19),
    ("622588", 16),
    ("621483", 16),
    ("622622", 16),
    ("622908", 18),
)
AMERICAN_AREAS = words(
    "201 202 203 205 206 207 208 210 212 213 214 215 216 303 305 310 312 313 314 315 317 401 402 404 405 407 408 "
    "410 412 413 414 415 502 503 504 505 508 510 512 513 515 516 601 602 603 605 606 608 610 612 614 615 616 617 "
    "619 701 702 703 704 706 707 713 714 716 717 718 719 801 802 803 804 808 810 813 814 815 816 817 818 901 904 "
    "907 908 909 910 913 914 916 917 918 919 920"
)
# "#" is any digit; each line is a form of valid mobile or fixed numbers of one country.
FOREIGN_PHONES = (
    "+44 74## ######",
    "+44 20 7946 0###",
    "+44 (0)161 496 0###",
    "+447712######",
    "+49 1512 #######",
    "+49 30 2########",
    "+33 6 2# ## ## ##",
    "+33 1 42 ## ## ##",
    "+39 347 #######",
    "+34 612 ### ###",
    "+31 6 1#######",
    "+41 79 2## ## ##",
    "+61 412 ### ###",
    "+61 2 92## ####",
    "+64 21 234 ####",
    "+81 90-1###-####",
    "+81 3-32##-####",
    "+82 10-2###-####",
    "+65 91## ####",
    "+65 8123####",
    "+852 91## ####",
    "+852-5123-####",
    "+853 662# ####",
    "+886 912 ### ###",
    "+60 12-3## ####",
    "+66 81 2## ####",
    "+91 98### #####",
    "+971 50 2## ####",
    "+55 11 9123#-####",
    "+46 70 12# ## ##",
    "+353 85 12# ####",
    "0044 7400 ######",
    "00852 6123 ####",
)
# Country, account form: "A" a letter, "#" a digit.
IBANS = (
    ("DE", "##################"),
    ("GB", "AAAA##############"),
    ("NL", "AAAA##########"),
    ("CH", "#################"),
    ("AT", "################"),
    ("IE", "AAAA##############"),
    ("LU", "################"),
    ("LT", "################"),
    ("DK", "##############"),
    ("BE", ""),
)
BANK_LETTERS = {"GB": ("BARC", "LOYD", "NWBK", "HBUK", "MIDL"), "NL": ("ABNA", "INGB", "RABO"), "IE": ("AIBK", "BOFI")}
CHINESE_MAIL = words("qq.com qq.com 163.com 126.com foxmail.com sina.com 139.com aliyun.com outlook.com")
ENGLISH_MAIL = words(
    "gmail.com gmail.com outlook.com yahoo.com hotmail.co.uk icloud.com proton.me btinternet.com gmx.de"
)
COMPANIES = words(
    "lakesidebakery.com northwind-tools.co.uk mail.hengda-tech.com.cn studio-vela.it qingteng.cn arbor.org.uk"
)
BRITISH_FLATS = ("Flat {}", "Flat {}A", "Apartment {}", "Unit {}")
AMERICAN_FLATS = ("Apt {}", "Apt. {}B", "Unit {}", "#{}", "Suite {}00")


def digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choice("0123456789") for _ in range(count))


def filled(rng: random.Random, form: str) -> str:
    """`form` with a digit for each "#"."""
    return re.sub("#", lambda _: rng.choice("0123456789"), form)


def grouped(value: str, sizes: tuple[int, ...], separator: str) -> str:
    """`value` cut into parts of `sizes`; what is left over is the last part."""
    parts = []
    for size in sizes:
        parts.append(value[:size])
        value = value[size:]
    return separator.join([part for part in [*parts, value] if part])


def luhn_digit(number: str) -> str:
    """The check digit that follows `number` (ISO/IEC 7812-1)."""
    total = 0
    for position, digit in enumerate(reversed(number)):
        doubled = int(digit) * (2 if position % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


def id_check_digit(number: str) -> str:
    """The 18th character of a Chinese ID with these 17 digits (GB 11643-1999)."""
    return "10X98765432"[sum(w * int(d) for w, d in zip(ID_WEIGHTS, number, strict=True)) % 11]


def cn_id_card(rng: random.Random, language: str, variant: str) -> str:
    born = datetime.date(1950, 1, 1) + datetime.timedelta(days=rng.randrange(57 * 365))
    number = f"{rng.choice(ID_REGIONS)}{born:%Y%m%d}{digits(rng, 3)}"
    number += id_check_digit(number)
    if variant == "plain":
        return number
    form = rng.random()
    if form < 0.12:
        return grouped(number, (6, 8, 4), " ")
    if form < 0.2:
        return number.lower()
    if form < 0.26 and language == "zh":
        return number.translate(FULL_WIDTH)
    return number


def cn_mobile(rng: random.Random, language: str, variant: str) -> str:
    number = rng.choice(MOBILE_PREFIXES) + digits(rng, 8)
    form = rng.random()
    if variant == "plain" or (form < 0.5 and language == "zh"):
        return number
    if variant == "wide" or (form < 0.58 and language == "zh"):
        return number.translate(FULL_WIDTH)
    spaced, hyphened = grouped(number, (3, 4), " "), grouped(number, (3, 4), "-")
    return rng.choice(
        [
            spaced,
            spaced,
            hyphened,
            f"+86 {number}",
            f"+86{number}",
            f"+86 {hyphened}",
            f"(+86) {number}",
            f"0086 {spaced}",
        ]
    )


def cn_landline(rng: random.Random, language: str, variant: str) -> str:
    if rng.random() < 0.75:
        area, number = rng.choice(EIGHT_DIGIT_AREAS), rng.choice("568") + digits(rng, 7)
    else:
        area, number = rng.choice(SEVEN_DIGIT_AREAS), rng.choice("235678") + digits(rng, 6)
    hyphened = f"{area}-{number}"
    forms = [
        hyphened,
        hyphened,
        hyphened,
        f"{area}{number}",
        f"({area}){number}",
        f"{area} {number}",
        f"{hyphened}-80{digits(rng, 2)}",
    ]
    if language == "zh":
        forms += [f"（{area}）{number}", hyphened.translate(FULL_WIDTH)]
    else:
        forms += [f"+86 {area[1:]} {number}", f"+86-{area[1:]}-{number}"]
    return rng.choice(forms)


def cn_passport(rng: random.Random, language: str, variant: str) -> str:
    form = rng.random()
    if form < 0.5:
        return f"E{digits(rng, 8)}"
    if form < 0.85:
        return f"E{rng.choice('ABCDEFGHJKLMN')}{digits(rng, 7)}"
    return f"G{digits(rng, 8)}"


def cn_license_plate(rng: random.Random, language: str, variant: str) -> str:
    province = rng.choice([*PLATE_CITIES, *"京沪粤浙苏川粤浙苏"])
    city = rng.choice(PLATE_CITIES[province])
    if rng.random() < 0.35:
        rest = rng.choice(
            [
                f"D{digits(rng, 5)}",
                f"F{digits(rng, 5)}",
                f"{rng.choice('DA')}{rng.choice(PLATE_LETTERS)}{digits(rng, 4)}",
                f"{digits(rng, 5)}D",
            ]
        )
    else:
        first, second, third = (rng.choice(PLATE_LETTERS) for _ in range(3))
        rest = rng.choice(
            [
                digits(rng, 5),
                f"{first}{digits(rng, 4)}",
                f"{digits(rng, 4)}{second}",
                f"{first}{second}{digits(rng, 3)}",
                f"{first}{digits(rng, 3)}{third}",
            ]
        )
    plate = rng.choice(
        [f"{province}{city}{rest}"] * 4
        + [f"{province}{city}·{rest}", f"{province}{city} {rest}", f"{province}{city}-{rest}"]
    )
    return plate.lower() if rng.random() < 0.06 else plate


def bank_card(rng: random.Random, language: str, variant: str) -> str:
    prefix, length = rng.choice(BANK_CARDS)
    number = prefix + digits(rng, length - len(prefix) - 1)
    number += luhn_digit(number)
    form = rng.random()
    if form < 0.35:
        return grouped(number, (4, 4, 4, 4), " ")
    if form < 0.42:
        return grouped(number, (4, 4, 4, 4), "-")
    if form < 0.48 and language == "zh":
        return number.translate(FULL_WIDTH)
    return number


def credit_card(rng: random.Random, language: str, variant: str) -> str:
    prefix, length = rng.choice(
        [
            ("4", 16),
            ("4", 16),
            (str(rng.randint(51, 55)), 16),
            (str(rng.randint(2221, 2720)), 16),
            (rng.choice(["34", "37"]), 15),
        ]
    )
    number = prefix + digits(rng, length - len(prefix) - 1)
    number += luhn_digit(number)
    sizes = (4, 6, 5) if length == 15 else (4, 4, 4, 4)
    return rng.choice(
        [number, number, grouped(number, sizes, " "), grouped(number, sizes, " "), grouped(number, sizes, "-")]
    )


def wechat_id(rng: random.Random, language: str, variant: str) -> str:
    first, last = rng.choice(names.PINYIN_GIVEN), rng.choice(names.PINYIN)
    year = str(rng.randint(1975, 2008))
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
    made = rng.choice(
        [
            f"{first}{last}{year}",
            f"{first}_{last}{digits(rng, 2)}",
            f"{last}{first}-{digits(rng, 3)}",
            f"wxid_{''.join(rng.choice(alphabet) for _ in range(14))}",
            f"{first.capitalize()}{last}{digits(rng, 4)}",
            f"{last}{digits(rng, 6)}",
            f"a{digits(rng, 9)}",
            f"{rng.choice(['happy', 'sunny', 'lucky', 'panda', 'moon'])}_{first}{digits(rng, 3)}",
        ]
    )
    return made[:20]


def chinese_name(rng: random.Random) -> str:
    if rng.random() < 0.05:
        surname = rng.choice(names.LONG_SURNAMES)
    else:
        surname = names.SURNAMES[min(int(rng.expovariate(1 / 45)), len(names.SURNAMES) - 1)]
    return surname + "".join(rng.sample(names.GIVEN, 2 if rng.random() < 0.82 else 1))


def person(rng: random.Random, language: str, variant: str) -> str:
    if language == "zh" and variant != "english":
        return chinese_name(rng)
    first, last = rng.choice(names.FIRST_NAMES), rng.choice(names.LAST_NAMES)
    if variant == "first":
        return first
    form = rng.random()
    if form < 0.06:
        return f"{first} {rng.choice('ABCDEFGHJKLMNPRST')}. {last}"
    if form < 0.12:
        return f"{first} {last}-{rng.choice([n for n in names.LAST_NAMES if n != last])}"
    if form < 0.2:
        return f"{rng.choice(names.PINYIN_GIVEN)} {rng.choice(names.PINYIN)}".title()
    return f"{first} {last}"


def chinese_place_in_town(rng: random.Random) -> str:
    """Road and number, estate, building, unit and room, in one of the usual shapes."""
    road = f"{rng.choice(places.ROADS)}{rng.randint(1, 1800)}号"
    estate = rng.choice(places.ESTATES)
    building, unit, floor, flat = rng.randint(1, 32), rng.randint(1, 4), rng.randint(1, 28), rng.randint(1, 4)
    room = f"{floor}{flat:02}"
    return rng.choice(
        [
            f"{road}{estate}{building}栋{unit}单元{room}室",
            f"{road}{estate}{building}号楼{unit}单元{room}",
            f"{road}{estate}{building}幢{room}室",
            f"{road}{building}号楼{room}",
            f"{road}{rng.choice(places.OFFICES)}{'ABC'[unit % 3]}座{room}室",
            f"{road}{rng.choice(places.OFFICES)}{floor}层",
            f"{rng.choice(places.ROADS)}{rng.randint(10, 900)}弄{building}号{room}室",
            f"{rng.choice(places.ROADS)}{rng.randint(10, 900)}弄{building}号{room}",
            f"{road}{rng.choice(places.SCHOOLS)}{rng.choice('东西南北')}区{building}栋{room}",
            f"{estate}{building}栋{room}",
            road,
        ]
    )


def chinese_short_address(rng: random.Random) -> str:
    """As people write it to a shop of their own town: no province, often no city."""
    _, city, district = rng.choice(places.DISTRICTS)
    town, estate = chinese_place_in_town(rng), rng.choice(places.ESTATES)
    building, unit, room = rng.randint(1, 40), rng.randint(1, 6), f"{rng.randint(1, 30)}0{rng.randint(1, 4)}"
    return rng.choice(
        [
            f"{district}{town}",
            f"{city.removesuffix('市')}{district}{town}",
            f"{estate}{building}号楼{unit}单元{room}",
            f"{rng.choice(places.ROADS)}{rng.randint(1, 900)}号{estate}{building}-{unit}-{room}",
        ]
    )


def chinese_village(rng: random.Random) -> str:
    group = rng.choice(["{0}组", "{1}号", "{0}组{1}号"]).format(rng.randint(1, 12), rng.randint(1, 300))
    return f"{rng.choice(places.TOWNS)}{rng.choice('镇乡')}{rng.choice(places.VILLAGES)}村{group}"


def chinese_address(rng: random.Random, variant: str) -> str:
    if variant == "short":
        return chinese_short_address(rng)
    province, city, district = rng.choice(places.DISTRICTS)
    town = chinese_place_in_town(rng)
    full = f"{province}{city}{district}{town}"
    county = f"{province}{city}{district}{chinese_village(rng)}"
    forms = [full, full, full, f"{city}{district}{town}", f"{city}{district}{town}", chinese_short_address(rng), county]
    if variant != "glued":
        forms.append(" ".join(part for part in (province, city, district, town) if part))
    return rng.choice(forms)


def american_address(rng: random.Random, variant: str) -> str:
    city, state, prefix = rng.choice(places.AMERICAN_CITIES)
    name, kind = rng.choice(places.AMERICAN_STREETS), rng.choice(places.AMERICAN_KINDS)
    street = f"{rng.randint(2, 9899)} {rng.choice(['', '', 'N ', 'SE '])}{name} {kind}"
    if rng.random() < 0.08:
        street = f"PO Box {rng.randint(11, 9800)}"
    elif rng.random() < 0.4:
        street += f", {rng.choice(AMERICAN_FLATS).format(rng.randint(1, 24))}"
    if variant == "short":
        return street
    code = f"{prefix}{digits(rng, 2)}" + (f"-{digits(rng, 4)}" if rng.random() < 0.1 else "")
    return street + ("\n" if variant == "lines" else ", ") + f"{city}, {state} {code}"


def british_address(rng: random.Random, variant: str) -> str:
    town, codes = rng.choice(places.BRITISH_TOWNS)
    street = f"{rng.randint(1, 180)}{rng.choice(['', '', '', 'a'])} {rng.choice(places.BRITISH_STREETS)}"
    if rng.random() < 0.35:
        street = f"{rng.choice(BRITISH_FLATS).format(rng.randint(1, 24))}, {street}"
    if variant == "short":
        return street
    postcode = f"{rng.choice(codes)} {rng.randint(1, 9)}{''.join(rng.sample('ABDEFGHJLNPQRSTUWXYZ', 2))}"
    if variant == "lines":
        return f"{street}\n{town}\n{postcode}"
    return f"{street}, {town}{rng.choice([', ', ' '])}{postcode}"


def english_address(rng: random.Random, variant: str) -> str:
    return (american_address if rng.random() < 0.55 else british_address)(rng, variant)


def address(rng: random.Random, language: str, variant: str) -> str:
    return chinese_address(rng, variant) if language == "zh" else english_address(rng, variant)


def email(rng: random.Random, language: str, variant: str) -> str:
    if language == "zh":
        first, last = rng.choice(names.PINYIN_GIVEN), rng.choice(names.PINYIN)
        name = rng.choice(
            [
                rng.choice("123456789") + digits(rng, rng.randint(7, 9)),
                f"{first}{last}{digits(rng, 3)}",
                f"{last}_{first}",
                f"{first}.{last}",
            ]
        )
        return f"{name}@{rng.choice([*CHINESE_MAIL, *COMPANIES])}"
    first, last = (re.sub("[^a-z]", "", rng.choice(pool).lower()) for pool in (names.FIRST_NAMES, names.LAST_NAMES))
    name = rng.choice(
        [
            f"{first}.{last}",
            f"{first[0]}{last}{digits(rng, 2)}",
            f"{first}_{last}",
            f"{first}+shop",
            f"{last}.{first}{rng.randint(60, 99)}",
            f"{first.capitalize()}.{last.capitalize()}",
        ]
    )
    return f"{name}@{rng.choice([*ENGLISH_MAIL, *COMPANIES])}"


def us_phone(rng: random.Random, language: str, variant: str) -> str:
    area, exchange, line = (
        rng.choice(AMERICAN_AREAS),
        f"{rng.choice('23456789')}{rng.choice('023456789')}{digits(rng, 1)}",
        digits(rng, 4),
    )
    return rng.choice(
        [
            f"({area}) {exchange}-{line}",
            f"({area}) {exchange}-{line}",
            f"{area}-{exchange}-{line}",
            f"{area}-{exchange}-{line}",
            f"{area}.{exchange}.{line}",
            f"+1 {area} {exchange} {line}",
            f"+1 ({area}) {exchange}-{line}",
            f"+1{area}{exchange}{line}",
            f"1-{area}-{exchange}-{line}",
            f"{area} {exchange} {line}",
            f"{area}{exchange}{line}",
        ]
    )


def intl_phone(rng: random.Random, language: str, variant: str) -> str:
    return filled(rng, rng.choice(FOREIGN_PHONES))


def us_ssn(rng: random.Random, language: str, variant: str) -> str:
    area = rng.choice([n for n in range(1, 900) if n != 666])
    value = f"{area:03}-{rng.randint(1, 99):02}-{rng.randint(1, 9999):04}"
    return value.replace("-", " ") if rng.random() < 0.12 else value


def iban(rng: random.Random, language: str, variant: str) -> str:
    country, form = rng.choice(IBANS)
    if country == "BE":
        number = str(rng.randint(1, 9)) + digits(rng, 9)
        account = f"{number}{int(number) % 97 or 97:02}"
    else:
        account = filled(rng, form.replace("AAAA", rng.choice(BANK_LETTERS.get(country, ("",)))))
    remainder = int("".join(str(int(c, 36)) for c in f"{account}{country}00")) % 97
    value = f"{country}{98 - remainder:02}{account}"
    return grouped(value, (4,) * 8, " ") if rng.random() < 0.5 else value


def ip_address(rng: random.Random, language: str, variant: str) -> str:
    if rng.random() < 0.25:
        prefix = rng.choice([0x2001_0DA8, 0x2408_8207, 0x2409_8A00, 0x240E_03A1, 0x2600_1700, 0x2A00_23C5])
        tail = rng.choice([rng.getrandbits(96), rng.getrandbits(16), rng.getrandbits(64) | rng.getrandbits(16) << 80])
        return str(ipaddress.IPv6Address((prefix << 96) | tail))
    while True:
        found = ipaddress.IPv4Address(rng.getrandbits(32))
        if found.is_global and not found.is_multicast:
            return str(found)


MAKERS: dict[str, Callable[[random.Random, str, str], str]] = {
    "CN_ID_CARD": cn_id_card,
    "CN_MOBILE": cn_mobile,
    "CN_LANDLINE": cn_landline,
    "CN_PASSPORT": cn_passport,
    "CN_LICENSE_PLATE": cn_license_plate,
    "BANK_CARD": bank_card,
    "CREDIT_CARD": credit_card,
    "WECHAT_ID": wechat_id,
    "PERSON": person,
    "ADDRESS": address,
    "EMAIL": email,
    "US_PHONE": us_phone,
    "INTL_PHONE": intl_phone,
    "US_SSN": us_ssn,
    "IBAN": iban,
    "IP_ADDRESS": ip_address,
}


def make(entity: str, rng: random.Random, language: str, variant: str = "") -> str:
    """A value of the entity as a writer of `language` ("zh", "en") types it. KeyError for an unknown entity.

    Variants: PERSON "first" (a first name alone), "english" (an English name in a Chinese message); ADDRESS "short",
    "lines" (over several lines), "glued" (no spaces); CN_MOBILE "plain", "wide" (full-width); CN_ID_CARD "plain".
    """
    return MAKERS[entity](rng, language, variant)
