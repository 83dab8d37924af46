"""Personal data: recall and precision by entity on generated messages, and milliseconds a message.

    python -m bench.masking [--seed 7] [--show]

Values are made here with valid check digits; templates are this file's own. When KEFU_BENCH_DATA names a folder that
holds pii/presidio_synth_en.jsonl.gz, names are scored on that set too.
"""

# ruff: noqa: E501 - one template after the other reads best

import argparse
import gzip
import json
import os
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from guardrails.personal_data.checksums import luhn
from guardrails.personal_data.detector import Detector

Case = tuple[str, list[tuple[str, int, int]]]

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红云飞鹏辉宇浩轩子涵梓萱雨欣怡思佳嘉俊博文晨曦诗琪梦瑶一诺泽楷睿昊天宏志建国庆春燕凤琴梅雪松柏林峰岩波海洲凯旋晓东婷婷雅晴若彤语嫣哲翰"
COMPOUND = ("欧阳", "司马", "上官", "诸葛", "慕容", "司徒", "尉迟", "皇甫")
FIRST = [
    "Olivia",
    "Liam",
    "Emma",
    "Noah",
    "Charlotte",
    "James",
    "Amelia",
    "Benjamin",
    "Sophie",
    "Lucas",
    "Hannah",
    "Ethan",
    "Chloe",
    "Daniel",
    "Priya",
    "Rahul",
    "Fatima",
    "Omar",
    "Aisha",
    "Kwame",
    "Ingrid",
    "Lars",
    "Giulia",
    "Matteo",
    "Camille",
    "Antoine",
    "Yuki",
    "Haruto",
    "Min-jun",
    "Siobhan",
    "Niamh",
    "Tomasz",
    "Agnieszka",
    "Diego",
    "Lucia",
    "Mateo",
]
LAST = [
    "Thompson",
    "Patel",
    "O'Connor",
    "Nguyen",
    "Garcia",
    "Müller",
    "Kowalski",
    "Andersson",
    "Rossi",
    "Dubois",
    "Tanaka",
    "Kim",
    "Okafor",
    "Mensah",
    "Haddad",
    "Khan",
    "Sharma",
    "Fitzgerald",
    "Robinson",
    "Walker",
    "Hernandez",
    "Silva",
    "Costa",
    "Jensen",
    "Novak",
    "Petrov",
    "Clarke",
    "Bennett",
    "Foster",
    "Hughes",
    "Sullivan",
    "Ramirez",
]

ZH = [
    "我叫{PERSON}，手机{CN_MOBILE}，麻烦查一下", "收货人{PERSON}电话{CN_MOBILE}谢谢", "你好我是{PERSON}，之前用{EMAIL}注册的账号登录不上了",
    "身份证{CN_ID_CARD}帮我核实一下", "我的身份证号是{CN_ID_CARD}，姓名{PERSON}", "退款请退到{BANK_CARD}这张卡", "卡号{BANK_CARD}户名{PERSON}",
    "请把发票发到{EMAIL}谢谢", "用信用卡{CREDIT_CARD}付的款，没有到账", "{PERSON}的包裹一直没到，{CN_MOBILE}联系不上快递员", "快递员{PERSON}态度很差，我要投诉",
    "我老公{PERSON}帮我下的单", "帮我把收件人改成{PERSON}", "能不能联系一下{PERSON}？他的电话{CN_MOBILE}", "请联系{PERSON}女士，电话是{CN_MOBILE}。",
    "联系人：{PERSON}\n手机：{CN_MOBILE}\n邮箱：{EMAIL}", "昨天客服{PERSON}答应给我退款，到现在还没处理", "我和{PERSON}一起买的，订单怎么合并", "打{CN_MOBILE}或者发{EMAIL}都行",
    "{PERSON}，{CN_MOBILE}，北京市朝阳区", "这个号{CN_MOBILE}是我妈妈{PERSON}的", "上次是{PERSON}签收的，不是我本人", "请问{PERSON}老师在吗，我的证件号{CN_ID_CARD}",
    "持卡人{PERSON}，卡号{CREDIT_CARD}", "麻烦让{PERSON}给我回个电话，{CN_MOBILE}", "寄给{PERSON}就可以了，{CN_MOBILE}", "车牌{CN_LICENSE_PLATE}停在楼下取货", "座机{CN_LANDLINE}也可以打",
    "我登录的IP是{IP_ADDRESS}，提示异常", "您好，{PERSON}想咨询一下退货", "会员{PERSON}，生日礼券没收到", "谢谢，祝好。{PERSON}",
]  # fmt: skip
EN = [
    "My name is {PERSON} and my email is {EMAIL}.", "Hi, this is {PERSON}. I paid with card {CREDIT_CARD} yesterday.", "Please send the invoice to {EMAIL}, thanks, {PERSON}",
    "I spoke with {PERSON} last week and nothing happened", "Can you change the recipient to {PERSON}?", "{PERSON} ordered it for me, the account is {EMAIL}",
    "my card is {CREDIT_CARD}, it was charged twice", "Regards,\n{PERSON}", "The parcel was signed for by {PERSON}, who is not me.", "I'm {PERSON}, where is my refund?",
    "Could {PERSON} from your team call me back?", "My wife {PERSON} never got the confirmation at {EMAIL}", "Mr. {PERSON} at the front desk was rude to me", "Name: {PERSON}\nEmail: {EMAIL}",
    "the SSN on file is {US_SSN}", "wire it to {IBAN} please", "I logged in from {IP_ADDRESS} and got an error", "Ship it to {PERSON} instead of me, please", "Is {PERSON} still working there?",
    "My Chinese number is {CN_MOBILE}", "{PERSON} here again. Still waiting!", "Please tell {PERSON} that the shoes are too small", "Dear {PERSON}, thank you for the quick reply", "account holder: {PERSON}",
]  # fmt: skip
NEGATIVE = [
    "订单号20240518123456789什么时候发货", "快递单号SF1390012345678到哪了", "运单号 773012345678901 没有更新", "价格是13999.00元吗", "一共138元，优惠了1234元", "2024-05-18 13:45下的单", "营业时间9:00-21:00吗",
    "客服热线400-820-8820打不通", "800-810-8888是你们的电话吗", "型号A1398-2024还有货吗", "版本10.2.1.4更新后闪退", "退款要多久才能到账？", "这款李宁的鞋有42码吗", "周大福的金价今天多少", "王先生说可以退",
    "高兴的是已经收到了", "订单13812345678还没发货", "SKU 6901234567892 有货吗", "我要投诉你们店", "2024年5月18日到2024年6月18日的活动", "满300减50，限前1000名", "条码6923450657713扫不出来", "华为Mate60和iPhone 15 Pro Max哪个好",
    "请问张家界可以配送吗", "方便的话今天处理一下", "身份证110101199003071234能用吗", "北京到上海运费多少", "ISBN 9787111128069 这本书还有吗", "单号YT7512345678901", "IMEI 356938035643809 怎么查保修",
    "Where is order 88231-4455?", "Tracking number 1Z999AA10123456784 is stuck", "Is the iPhone 15 Pro Max in stock?", "What time do you open on Monday?", "The price is $1,299.00, right?", "Version 3.11.4.2 crashes on Windows",
    "Do you ship to New York or Los Angeles?", "Is Black Friday included?", "invoice number 4111111111111111", "Can I return my Calvin Klein jacket?", "Call 1-800-555-0199 does not work", "the code SAVE-2024-1234 is refused", "Thanks for your help, Kefu!",
    "Does the Apple Watch come with AirPods?", "It arrived on 12/05/2024 at 14:30", "I want to speak to a Manager", "Good morning, is Customer Service open?", "United Parcel Service lost it", "logo@2x.png is broken on your site",
]  # fmt: skip


def values(rng: random.Random) -> dict[str, Callable[[], str]]:
    """Return a maker of valid values for each entity."""

    def digits(count: int) -> str:
        return "".join(rng.choice("0123456789") for _ in range(count))

    def card(prefix: str, length: int) -> str:
        body = prefix + digits(length - len(prefix) - 1)
        number = body + next(check for check in "0123456789" if luhn(body + check))
        groups = [number[at : at + 4] for at in range(0, length, 4)]
        return rng.choice([number, number, " ".join(groups), "-".join(groups)])

    def mobile() -> str:
        number = rng.choice(["13", "15", "17", "18", "19"]) + digits(9)
        spaced = f"{number[:3]} {number[3:7]} {number[7:]}"
        wide = number.translate({ord("0") + at: ord("０") + at for at in range(10)})
        return rng.choice([number, number, spaced, spaced.replace(" ", "-"), "+86 " + spaced, "+86" + number, wide])

    def id_card() -> str:
        weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
        body = (
            rng.choice(["110101", "310104", "440305", "510107"])
            + f"{rng.randint(1950, 2005)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}"
            + digits(3)
        )
        check = "10X98765432"[sum(weight * int(digit) for weight, digit in zip(weights, body, strict=True)) % 11]
        return body + rng.choice([check, check.lower()])

    def chinese() -> str:
        surname = rng.choice(COMPOUND) if rng.random() < 0.05 else rng.choice(SURNAMES)
        return surname + "".join(rng.choice(GIVEN) for _ in range(rng.choice([1, 2, 2])))

    def iban() -> str:
        body = "WEST" + digits(14)
        check = 98 - int("".join(str(int(character, 36)) for character in body + "GB00")) % 97
        return f"GB{check:02}{body}"

    return {
        "CN_MOBILE": mobile, "CN_ID_CARD": id_card,
        "BANK_CARD": lambda: card(rng.choice(["621226", "622202", "621700", "625912"]), rng.choice([16, 19, 19])),
        "CREDIT_CARD": lambda: card(*rng.choice([("4", 16), ("51", 16), ("55", 16), ("37", 15), ("36", 14), ("6011", 16), ("3530", 16)])),
        "EMAIL": lambda: rng.choice(["li.wei", "zhang_88", "h.brown", "sales-team", "anna"]) + digits(2) + "@" + rng.choice(["qq.com", "163.com", "gmail.com", "mail.example.co.uk"]),
        "PERSON": chinese, "PERSON_EN": lambda: rng.choice(FIRST) + " " + rng.choice(LAST),
        "CN_LANDLINE": lambda: rng.choice(["010", "021", "0755", "0571"]) + rng.choice(["-", "", " "]) + rng.choice("2568") + digits(7),
        "CN_LICENSE_PLATE": lambda: rng.choice("京沪粤浙苏") + rng.choice("ABCDE") + rng.choice(["", "·"]) + digits(5),
        "IP_ADDRESS": lambda: ".".join(str(rng.randint(11, 250)) for _ in range(4)),
        "US_SSN": lambda: f"{rng.randint(100, 665)}-{rng.randint(10, 99)}-{rng.randint(1000, 9999)}", "IBAN": iban,
    }  # fmt: skip


def cases(seed: int, copies: int = 15) -> Iterator[Case]:
    """Yield generated messages with the spans of their values, then messages without any."""
    rng = random.Random(seed)
    make = values(rng)
    for template, person in [(text, "PERSON") for text in ZH] + [(text, "PERSON_EN") for text in EN]:
        for _ in range(copies):
            text, spans, rest = "", [], template
            while "{" in rest:
                before, _, rest = rest.partition("{")
                entity, _, rest = rest.partition("}")
                value = make[person if entity == "PERSON" else entity]()
                spans.append((entity, len(text + before), len(text + before + value)))
                text += before + value
            yield text + rest, spans
    yield from ((text, []) for text in NEGATIVE)


def presidio_cases(folder: Path) -> Iterator[Case]:
    """Yield the synthetic English set of presidio-research, names only."""
    with gzip.open(folder / "pii" / "presidio_synth_en.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield row["text"], [(s["entity"], s["start"], s["end"]) for s in row["spans"] if s["entity"] == "PERSON"]


def score(detector: Detector, found_in: Iterator[Case], show: bool, only: str = "") -> None:
    """Print recall (of wanted values), exactness and precision by entity. A value counts as found when no character of it is left."""
    wanted, caught, exact, right, claimed = (Counter[str]() for _ in range(5))
    for text, spans in found_in:
        findings = [finding for finding in detector.find(text) if finding.entity == only or not only]
        for entity, start, end in spans:
            wanted[entity] += 1
            covered = {at for finding in findings for at in range(finding.start, finding.end)}
            whole = covered.issuperset(at for at in range(start, end) if text[at].isalnum())
            caught[entity] += whole
            exact[entity] += any((f.entity, f.start, f.end) == (entity, start, end) for f in findings)
            if show and not whole:
                print("missed", entity, repr(text[start:end]), repr(text))
        for finding in findings:
            claimed[finding.entity] += 1
            true = any(
                start < finding.end and finding.start < end and entity == finding.entity for entity, start, end in spans
            )
            right[finding.entity] += true
            if show and not true:
                print("wrong", finding.entity, repr(text[finding.start : finding.end]), repr(text))
    for entity in sorted(wanted | claimed):
        print(
            f"{entity:18} wanted {wanted[entity]:4}  recall {caught[entity] / max(1, wanted[entity]):.3f}  "
            f"exact {exact[entity] / max(1, wanted[entity]):.3f}  precision {right[entity] / max(1, claimed[entity]):.3f}"
        )


def time_it(detector: Detector, seed: int) -> None:
    """Print milliseconds a message: short ones and ones of 200 characters, with names and without."""
    groups: dict[str, list[str]] = defaultdict(list)
    messages = list(cases(seed, copies=3))
    rng = random.Random(seed)
    for kind, texts in (
        ("with names", [t for t, s in messages if any(e == "PERSON" for e, _, _ in s)]),
        ("without", [t for t, s in messages if not any(e == "PERSON" for e, _, _ in s)]),
    ):
        groups[f"one message, {kind}"] = texts
        groups[f"200 characters, {kind}"] = [" ".join(rng.sample(texts, 12))[:200] for _ in range(100)]
    for group, texts in groups.items():
        taken = []
        for text in texts:
            began = time.perf_counter()
            detector.find(text)
            taken.append((time.perf_counter() - began) * 1000)
        taken.sort()
        print(
            f"{group:28} p50 {taken[len(taken) // 2]:6.2f} ms  p95 {taken[int(len(taken) * 0.95)]:6.2f} ms  ({len(taken)} messages)"
        )


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--show", action="store_true", help="print what was missed or wrongly found (generated values only)"
    )
    options = parser.parse_args()
    detector = Detector()
    detector.find("warm up 张伟 Sarah Connor")
    print("generated, Chinese and English")
    score(detector, cases(options.seed), options.show)
    if folder := os.environ.get("KEFU_BENCH_DATA"):
        print("presidio_synth_en, names")
        score(detector, presidio_cases(Path(folder)), options.show, only="PERSON")
    time_it(detector, options.seed)


if __name__ == "__main__":
    main()
