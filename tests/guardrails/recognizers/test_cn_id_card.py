import pytest

from guardrails.personal_data.recognizers.cn_id_card import CnIdCard
from tests.guardrails.recognizers.support import found

FOUND = [
    ("身份证11010119900307002X吗", "11010119900307002X"),
    ("110101199003070003", "110101199003070003"),
    ("证件号11010119900307002x。", "11010119900307002x"),
    ("我的１１０１０１１９９００３０７００２Ｘ是", "１１０１０１１９９００３０７００２Ｘ"),
    ("号码110101 19900307 0003，", "110101 19900307 0003"),
    ("110101-19900307-0003", "110101-19900307-0003"),
    ("110101199003\n070003", "110101199003\n070003"),
    ("110101_19900307_0003", "110101_19900307_0003"),
    ("身份证一一零一零一一九九零零三零七零零零三好", "一一零一零一一九九零零三零七零零零三"),
    ("老身份证110101900307123", "110101900307123"),
]
LEFT = [
    "身份证110101199003070004能用吗",
    "110101199013071230",
    "990101199002301234",
    "订单20240518123456789012",
    "1101011990030712",
    "110101199003070003abc",
    "1110101199003070003",
    "110101900307123",
    "身份证110101901307123",
]


@pytest.mark.parametrize(("text", "value"), FOUND)
def test_finds_a_resident_id_whatever_it_touches(text: str, value: str) -> None:
    assert found(CnIdCard(), text) == [value]


@pytest.mark.parametrize("text", LEFT)
def test_leaves_what_only_looks_like_a_resident_id(text: str) -> None:
    assert found(CnIdCard(), text) == []
