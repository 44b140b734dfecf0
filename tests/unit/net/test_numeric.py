"""Addresses and names, as ``ipaddress`` tells them apart."""

from __future__ import annotations

import ipaddress

import pytest

from pyerlnode.net.numeric import is_loopback, packed


@pytest.mark.parametrize(
    "text",
    ["127.0.0.1", "127.8.0.1", "126.0.0.1", "0.0.0.0", "::1", "::2", "::", "2001:db8::1", "::ffff:1.2.3.4"],
)
def test_addresses(text: str) -> None:
    address = ipaddress.ip_address(text)
    assert packed(text) == address.packed
    assert is_loopback(address.packed) == address.is_loopback


@pytest.mark.parametrize(
    "text",
    ["", "localhost", "web1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "::1%lo", "1::2::3", "é", "a\0b"],
)
def test_names(text: str) -> None:
    assert packed(text) is None
