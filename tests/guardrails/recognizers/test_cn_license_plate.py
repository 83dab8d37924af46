import pytest

from guardrails.personal_data.recognizers.cn_license_plate import CnLicensePlate
from tests.guardrails.recognizers.support import found

FOUND = [
    ("车牌京A12345停在楼下", "京A12345"),
    ("粤B·F12Z5", "粤B·F12Z5"),
    ("沪AD12345", "沪AD12345"),
    ("浙A12345F", "浙A12345F"),
    ("苏Ｅ１２３４５", "苏Ｅ１２３４５"),
    ("京a12345", "京a12345"),
    ("粤Z1234港", "粤Z1234港"),
    ("川A 12345", "川A 12345"),
    ("京 A·12345", "京 A·12345"),
    ("沪A D12345", "沪A D12345"),
    ("使014001的车", "使014001"),
]
LEFT = [
    "最新A12345型号",
    "京东A12345",
    "京A1234",
    "京A1234567",
    "A12345",
    "京I12345",
    "云ABCDEF",
    "使用6个",
    "使1234567",
]


@pytest.mark.parametrize(("text", "value"), FOUND)
def test_finds_a_plate_whatever_it_touches(text: str, value: str) -> None:
    assert found(CnLicensePlate(), text) == [value]


@pytest.mark.parametrize("text", LEFT)
def test_leaves_what_only_looks_like_a_plate(text: str) -> None:
    assert found(CnLicensePlate(), text) == []
