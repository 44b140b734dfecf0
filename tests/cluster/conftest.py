"""Clusters of several hosts, all on this machine: see tests/support/hosts.py.

    async def test_alias(network):          # tests.support.hosts.Network with DNS
        host = network.host("web1")
    async def test_polling(dns):            # tests.support.dns_server.DnsServer on 127.0.0.1, for one host

The fixtures that give BEAMs are those of tests/support/beam_fixtures.py.  Where network namespaces cannot be
made, a test that takes them is skipped, and fails under ``CI=true``.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.support import netns
from tests.support.dns_server import DnsServer
from tests.support.hosts import Network

if TYPE_CHECKING:
    from collections.abc import Iterator

problem = cache(netns.problem)


@pytest.fixture(autouse=True)
def _own_epmd(own_epmd: None) -> None:
    """Never the machine's epmd."""


@pytest.fixture
def network() -> Iterator[Network]:
    """A network of hosts, with a DNS server, for one test."""
    if reason := problem():
        pytest.skip(reason)
    with Network(dns=True) as network:
        yield network


@pytest.fixture
def dns() -> Iterator[DnsServer]:
    """A DNS server on 127.0.0.1 for one test."""
    with DnsServer() as dns:
        yield dns
