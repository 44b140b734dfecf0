"""Addresses: which a node may have, written as Erlang writes them."""

from __future__ import annotations

import pytest

from pyerlnode.cluster.addresses import address_kind, dialable


@pytest.mark.parametrize(
    ("host", "kind"),
    [("10.0.0.1", "A"), ("fd00::1", "AAAA"), ("::ffff:10.0.0.1", "AAAA"), ("web", None), ("10.0.1", None)],
)
def test_kinds(host: str, kind: str | None) -> None:
    assert address_kind(host) == kind


def test_they_are_in_order_and_each_once() -> None:
    given = ["fd00::2", "10.0.0.10", "10.0.0.9", "10.0.0.10", "FD00:0:0:0::2"]
    assert dialable(given) == ["10.0.0.9", "10.0.0.10", "fd00::2"]


def test_ipv4_within_ipv6_is_ipv4() -> None:
    assert dialable(["::ffff:10.0.0.1", "10.0.0.1"]) == ["10.0.0.1"]


def test_loopback_and_ipv4_without_a_lease_can_be_dialled() -> None:
    assert dialable(["127.0.0.1", "169.254.3.4", "::1"]) == ["127.0.0.1", "169.254.3.4", "::1"]


@pytest.mark.parametrize(
    "address", ["0.0.0.0", "::", "::ffff:0.0.0.0", "224.0.0.1", "ff02::1", "255.255.255.255", "fe80::1"]
)
def test_what_no_node_can_be_reached_at_is_left_out(address: str) -> None:
    assert dialable([address, "10.0.0.1"]) == ["10.0.0.1"]


def test_zeros_are_written_as_erlang_does() -> None:
    assert dialable(["fd00:0:0:1:0:0:0:1", "fd00:0:1:1:1:1:1:1"]) == ["fd00:0:0:1::1", "fd00:0:1:1:1:1:1:1"]
