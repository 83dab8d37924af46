import pytest

from guardrails.personal_data.recognizers.ip_address import IpAddress
from tests.guardrails.recognizers.support import found

FOUND = [
    ("地址是192.168.1.10对吗", "192.168.1.10"),
    ("from 203.0.113.7.", "203.0.113.7"),
    ("IP：１０.２.３.４", "１０.２.３.４"),
    ("2001:db8::ff00:42:8329 hat", "2001:db8::ff00:42:8329"),
    ("[2001:0db8:0000:0000:0000:ff00:0042:8329]", "2001:0db8:0000:0000:0000:ff00:0042:8329"),
]
LEFT = [
    "版本10.2.1.4更新",
    "v1.2.3.4",
    "version 3.11.4.2",
    "256.1.1.1",
    "1.2.3",
    "1.2.3.4.5",
    "127.0.0.1",
    "0.0.0.0",
    "12:30:45",
    "9:00-21:00",
    "a::b::c",
    "std::vector",
    "::",
]


@pytest.mark.parametrize(("text", "value"), FOUND)
def test_finds_an_ip_address_whatever_it_touches(text: str, value: str) -> None:
    assert found(IpAddress(), text) == [value]


@pytest.mark.parametrize("text", LEFT)
def test_leaves_what_only_looks_like_an_ip_address(text: str) -> None:
    assert found(IpAddress(), text) == []
