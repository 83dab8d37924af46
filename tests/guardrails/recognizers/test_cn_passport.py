import pytest

from guardrails.personal_data.recognizers.cn_passport import CnPassport
from tests.guardrails.recognizers.support import found

FOUND = [
    ("护照号E12345678可以吗", "E12345678"),
    ("我的护照是EA1234567，", "EA1234567"),
    ("护照Ｇ１２３４５６７８换新", "Ｇ１２３４５６７８"),
    ("passport no. D12345678", "D12345678"),
    ("passport:\nSE1234567", "SE1234567"),
    ("我拿的E88812345去登记", "E88812345"),
    ("护照号 G 1234 5678", "G 1234 5678"),
    ("旧护照145678901", "145678901"),
    ("e12345678是我的护照", "e12345678"),
]
LEFT = [
    "订单E12345678到哪了",
    "快递单号G12345678",
    "SKU E12345678",
    "型号D12345678有货吗",
    "取票号E123456789",
    "E1234567",
    "SE12345678X",
    "共12345678元",
    "v1.45678901",
]


@pytest.mark.parametrize(("text", "value"), FOUND)
def test_finds_a_passport_whatever_it_touches(text: str, value: str) -> None:
    assert set(found(CnPassport(), text)) == {value}


@pytest.mark.parametrize("text", LEFT)
def test_leaves_what_only_looks_like_a_passport(text: str) -> None:
    assert found(CnPassport(), text) == []
