"""What a shop's document may show while no manager has decided; all numbers and names are invented."""

from dataclasses import dataclass

import pytest

from desk.contacts import are_the_shops_own


@dataclass(frozen=True)
class Found:
    entity: str
    start: int
    end: int
    key: str


def ask(text: str, *values: tuple[str, str], known: frozenset[str] = frozenset()) -> list[bool | None]:
    places = [(entity, value, text.index(value)) for entity, value in values]
    found = [Found(entity, at, at + len(value), f"key of {value}") for entity, value, at in places]
    return are_the_shops_own(text, found, known)


@pytest.mark.parametrize(
    ("text", "entity", "value"),
    [
        ("客服热线：0571-88001234，每天九点到九点。", "CN_LANDLINE", "0571-88001234"),
        ("400-000-2091", "CN_LANDLINE", "400-000-2091"),
        ("售后请加微信 kefu_yunshan 咨询。", "WECHAT_ID", "kefu_yunshan"),
        ("投诉请拨打13800001111。", "CN_MOBILE", "13800001111"),
        ("门店地址\n杭州市西湖区松影路88号", "ADDRESS", "杭州市西湖区松影路88号"),
        ("Write to service@shop.example.", "EMAIL", "service@shop.example"),
        ("b2b@shop.example", "EMAIL", "b2b@shop.example"),
        ("Our store is at 12 Pine Road.", "ADDRESS", "12 Pine Road"),
        ("Call us: +1 212 555 0100", "US_PHONE", "+1 212 555 0100"),
    ],
)
def test_ways_to_reach_the_shop_are_shown(text: str, entity: str, value: str) -> None:
    assert ask(text, (entity, value)) == [True]


@pytest.mark.parametrize(
    ("text", "entity", "value"),
    [
        ("收货人电话：13800001111", "CN_MOBILE", "13800001111"),
        ("客户姓名：王芳；客户电话：13800001111", "CN_MOBILE", "13800001111"),
        ("员工联系方式 13800001111", "CN_MOBILE", "13800001111"),
        ("家庭住址：杭州市西湖区松影路88号", "ADDRESS", "杭州市西湖区松影路88号"),
        ("13800001111", "CN_MOBILE", "13800001111"),
        ("Recipient phone: +1 212 555 0100", "US_PHONE", "+1 212 555 0100"),
        ("客服热线 身份证 11010119900101123X", "CN_ID_CARD", "11010119900101123X"),
        ("Customer service card 4111111111111111", "CREDIT_CARD", "4111111111111111"),
        ("fan1992@mail.example", "EMAIL", "fan1992@mail.example"),
    ],
)
def test_what_belongs_to_a_person_is_not(text: str, entity: str, value: str) -> None:
    assert ask(text, (entity, value)) == [False]


def test_a_name_alone_is_no_news_beside_private_data_it_is_masked() -> None:
    assert ask("The Ridge tent sleeps two.", ("PERSON", "Ridge")) == [None]
    assert ask("王芳 13800001111", ("PERSON", "王芳"), ("CN_MOBILE", "13800001111")) == [False, False]
    assert ask("客服热线 400-000-2091，找王芳", ("CN_LANDLINE", "400-000-2091"), ("PERSON", "王芳")) == [True, None]


def test_a_mobile_number_beside_a_name_is_that_persons_though_it_is_offered() -> None:
    assert ask("联系店长王芳 13800001111", ("PERSON", "王芳"), ("CN_MOBILE", "13800001111")) == [False, False]


def test_what_a_site_names_as_its_own_is_shown_anywhere() -> None:
    assert ask("13800001111", ("CN_MOBILE", "13800001111"), known=frozenset({"key of 13800001111"})) == [True]
