"""IP addresses as they stand in the names of nodes: ``node@10.0.0.1``, ``node@fd00::1``.

They are written as Erlang's ``inet:ntoa/1`` does, which is what RFC 5952 says, so that a name made here is
the one that the node has.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

BROADCAST = ipaddress.IPv4Address("255.255.255.255")


def address_kind(host: str) -> str | None:
    """The type of the DNS record that holds `host`: ``"A"`` or ``"AAAA"``; None when it is no address."""
    try:
        return "A" if ipaddress.ip_address(host).version == 4 else "AAAA"
    except ValueError:
        return None


def dialable(addresses: Iterable[str]) -> list[str]:
    """Those of `addresses` that a node can be reached at, each once, in order.

    IPv4 within IPv6 (``::ffff:10.0.0.1``) becomes IPv4.  Left out: ``0.0.0.0`` and ``::``, multicast,
    broadcast, and link-local IPv6, which means nothing without an interface.
    """
    found = {_plain(ipaddress.ip_address(address)) for address in addresses}
    return [str(address) for address in sorted(filter(_is_dialable, found), key=lambda ip: (ip.version, ip))]


def _plain(address: Address) -> Address:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _is_dialable(address: Address) -> bool:
    if address.is_unspecified or address.is_multicast:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        return not address.is_link_local
    return address != BROADCAST
