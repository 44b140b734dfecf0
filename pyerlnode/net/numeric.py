"""Addresses as numbers, told from names of hosts; :mod:`ipaddress` knows more, and takes its time to load."""

from __future__ import annotations

import socket

_LOOPBACK_6 = b"\0" * 15 + b"\x01"


def packed(host: str) -> bytes | None:
    """Give the 4 or 16 bytes of an address; None for a name, and for an address that names its interface."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            return socket.inet_pton(family, host)
        except (OSError, ValueError):  # ValueError: characters that no address has
            continue
    return None


def is_loopback(address: bytes) -> bool:
    """Whether `address`, packed, is of this host alone."""
    return address[0] == 127 if len(address) == 4 else address == _LOOPBACK_6
