"""Whose address a connection comes from. Believes X-Forwarded-For only as far as trusted proxies wrote it."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


def client_network(peer: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """Return the client's address, an IPv6 one as its /64: a household or a server has that many; "" when unknown.

    `peer` is the address at the other end of the socket, `forwarded` the values of all X-Forwarded-For headers. They
    are read from their end: each entry counts only if a trusted proxy wrote it.
    """
    address = _parsed(peer)
    entries = [entry.strip() for value in forwarded for entry in value.split(",")]
    while address is not None and entries and any(address in network for network in trusted):
        before = _parsed(entries.pop())
        if before is None:
            break
        address = before
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return str(address or "")


def _parsed(text: str) -> Address | None:
    """Return the address in `1.2.3.4`, `1.2.3.4:80`, `::1` or `[::1]:80`; an IPv4 address in IPv6 notation as IPv4."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
