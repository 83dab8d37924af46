"""Whose address counts."""

from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.peers import client_network

TRUSTED = [ip_network("10.0.0.0/8"), ip_network("::1/128"), ip_network("fd00::/8")]
CASES = {
    "a client without a proxy": ("192.0.2.1", [], "192.0.2.1"),
    "a client that pretends to be somebody": ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),
    "a client that pretends to be a proxy": ("192.0.2.1", ["198.51.100.7, 10.0.0.1"], "192.0.2.1"),
    "a client behind a proxy": ("10.0.0.1", ["192.0.2.1"], "192.0.2.1"),
    "a client behind two proxies": ("10.0.0.1", ["192.0.2.1, 10.0.0.2"], "192.0.2.1"),
    "a proxy that adds a header of its own": ("10.0.0.1", ["198.51.100.7", "192.0.2.1"], "192.0.2.1"),
    "a client behind a proxy that pretends": ("10.0.0.1", ["198.51.100.7, 192.0.2.1"], "192.0.2.1"),
    "a client behind a foreign proxy": ("10.0.0.1", ["198.51.100.7, 192.0.2.9, 10.0.0.2"], "192.0.2.9"),
    "a proxy by itself": ("10.0.0.1", [], "10.0.0.1"),
    "only proxies": ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
    "nonsense behind a proxy": ("10.0.0.1", ["192.0.2.1, unknown"], "10.0.0.1"),
    "nothing behind a proxy": ("10.0.0.1", [""], "10.0.0.1"),
    "an address with a port": ("10.0.0.1", ["192.0.2.1:50123"], "192.0.2.1"),
    "an IPv6 client": ("2001:db8:1:2:3:4:5:6", [], "2001:db8:1:2::/64"),
    "its neighbour": ("2001:db8:1:2::1", [], "2001:db8:1:2::/64"),
    "an IPv6 client behind a proxy, with a port": ("::1", ["[2001:db8::1]:443"], "2001:db8::/64"),
    "an IPv4 client in IPv6 notation": ("::ffff:192.0.2.1", [], "192.0.2.1"),
    "a proxy in IPv6 notation": ("::ffff:10.0.0.1", ["192.0.2.1"], "192.0.2.1"),
    "an address with a zone": ("fe80::1%eth0", [], "fe80::/64"),
    "no address": ("", ["192.0.2.1"], ""),
    "a unix socket": ("/run/web.sock", ["192.0.2.1"], ""),
}


@pytest.mark.parametrize(("peer", "forwarded", "expected"), CASES.values(), ids=CASES)
def test_the_address_of(peer: str, forwarded: list[str], expected: str) -> None:
    assert client_network(peer, forwarded, TRUSTED) == expected


@settings(max_examples=150)
@given(st.lists(st.text("0123456789.,:[]% afx") | st.ip_addresses().map(str)))
def test_nobody_but_a_trusted_proxy_changes_the_address(forwarded: list[str]) -> None:
    assert client_network("192.0.2.1", forwarded, TRUSTED) == "192.0.2.1"
    assert client_network("10.0.0.1", forwarded, []) == "10.0.0.1"
    assert client_network("10.0.0.1", [*forwarded, "192.0.2.1"], TRUSTED) == "192.0.2.1"
