import pytest

from guardrails.personal_data.recognizers.cn_landline import CnLandline
from tests.guardrails.recognizers.support import found

FOUND = [
    ("座机010-62345678也可以", "010-62345678"),
    ("(010)62345678", "(010)62345678"),
    ("０２１－６２３４５６７８", "０２１－６２３４５６７８"),
    ("0755 8234 5678转123", "0755 8234 5678转123"),
    ("0571-82345678-801", "0571-82345678-801"),
    ("+86 21 62345678", "+86 21 62345678"),
    ("电话0534-2345678。", "0534-2345678"),
    ("010\n62345678", "010\n62345678"),
    ("零二一六二三四五六七八", "零二一六二三四五六七八"),
    ("家里座机6234 5678", "6234 5678"),
    ("010_62345678", "010_62345678"),
]
LEFT = [
    "400-820-8820",
    "800-810-8888",
    "95588",
    "12315",
    "订单号010-62345678",
    "2010-2345-6789",
    "0.1062345678",
    "010-12345678",
    "01062345678901",
    "62345678",
    "客服电话62345",
]


@pytest.mark.parametrize(("text", "value"), FOUND)
def test_finds_a_landline_whatever_it_touches(text: str, value: str) -> None:
    assert found(CnLandline(), text) == [value]


@pytest.mark.parametrize("text", LEFT)
def test_leaves_what_only_looks_like_a_landline(text: str) -> None:
    assert found(CnLandline(), text) == []
