"""DNSCluster: what the Elixir library dns_cluster finds."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from pyerlnode.cluster.dns_cluster import DNSCluster
from pyerlnode.cluster.topology import Topology
from pyerlnode.errors import ConfigError
from tests.support.fake_dns import FAILS, FakeDns
from tests.support.world import FakeHome, Surroundings, lines

NODES = {"py@10.0.0.1", "py@10.0.0.2"}


def asking(dns: FakeDns, **options: Any) -> DNSCluster:
    return DNSCluster(**({"query": "web", "interval": 1000, "resolver": dns} | options))


async def found(dns: FakeDns, **options: Any) -> tuple[set[str], bool]:
    strategy = asking(dns, **options)
    discovery = await strategy.discover(Surroundings().convergence(strategy))
    return set(discovery.nodes), discovery.complete


async def test_the_basename_is_this_nodes_own() -> None:
    world = Surroundings(FakeHome("py@10.0.0.9", up=set(NODES)))
    dns = FakeDns({("web", "A"): ["10.0.0.1", "10.0.0.2", "10.0.0.9"]})
    async with world.running(asking(dns)):
        assert world.home.connected == NODES
        assert sorted(world.home.dials) == sorted(NODES)


@pytest.mark.parametrize(("prune", "left"), [(False, NODES), (True, {"py@10.0.0.1"})])
async def test_it_asks_every_interval_and_disconnects_nobody_unless_told(prune: bool, left: set[str]) -> None:
    world = Surroundings(FakeHome("py@10.0.0.9", up=set(NODES)))
    dns = FakeDns({("web", "A"): ["10.0.0.1", "10.0.0.2"]})
    async with world.running(Topology("example", asking(dns), prune=prune)):
        dns.data["web", "A"] = ["10.0.0.1"]
        await world.pass_time(20)
        assert world.home.connected == left
    assert 36 <= len(dns.asked) <= 44


async def test_failures_are_told_once_and_change_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    world = Surroundings(FakeHome("py@10.0.0.9", up=set(NODES)))
    dns = FakeDns({("web", "A"): FAILS})
    async with world.running(asking(dns)):
        await world.pass_time(30)
        dns.data["web", "A"] = ["10.0.0.1", "10.0.0.2"]
        await world.pass_time(10)
        assert world.home.connected == NODES
    assert lines(caplog.records)[:2] == [
        "[pyerlnode:example] lookup against web failed: :servfail (A)",
        "[pyerlnode:example] the look-up works again: 2 found",
    ]


async def test_queries_with_basenames_of_their_own() -> None:
    dns = FakeDns({("web", "A"): ["10.0.0.1"], ("db", "A"): ["10.0.0.2"], ("job", "AAAA"): ["fd00::1"]})
    everybody = {"py@10.0.0.1", "sql@10.0.0.2", "job@fd00::1"}
    assert await found(dns, query=["web", ("sql", "db"), "job@job"]) == (everybody, True)
    assert await found(dns, query=["web", ["sql", "db"], "nothing"]) == (
        {*everybody} - {"job@fd00::1"},
        False,
    )
    assert await found(dns, query=("sql", "db")) == ({"sql@10.0.0.2"}, True)


async def test_hosts_of_srv_records_are_looked_up() -> None:
    dns = FakeDns(
        {
            ("web", "SRV"): ["a.test", "b.test"],
            ("web", "A"): ["10.0.0.3"],
            ("a.test", "A"): ["10.0.0.1"],
            ("b.test", "A"): ["10.0.0.2"],
            ("b.test", "AAAA"): ["fd00::2"],
        }
    )
    both = {"py@10.0.0.1", "py@10.0.0.2"}
    assert await found(dns, resource_types="srv") == (both, True)
    assert await found(dns, resource_types=["SRV", "a"]) == (both | {"py@10.0.0.3"}, True)
    dns.data["b.test", "A"] = dns.data["b.test", "AAAA"] = FAILS
    assert await found(dns, resource_types=["srv"]) == ({"py@10.0.0.1"}, False)
    dns.data["web", "SRV"] = FAILS
    assert await found(dns, resource_types=["srv", "a"]) == ({"py@10.0.0.3"}, False)
    dns.data["web", "SRV"] = []
    assert await found(dns, resource_types=["srv"]) == (set(), False)


async def test_only_the_types_that_are_wanted_are_asked_for() -> None:
    dns = FakeDns({("web", "AAAA"): ["fd00::1"]})
    assert await found(dns, resource_types=["aaaa"]) == ({"py@fd00::1"}, True)
    assert dns.asked == [("web", "AAAA", False)]


async def test_a_name_that_others_cannot_find_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    async with Surroundings(FakeHome("py@web1.test")).running(asking(FakeDns())):
        assert "name it py@ and its IP address" in lines(caplog.records)[0]


# ---------------------------------------------------------------------------------- options


def test_the_librarys_defaults() -> None:
    strategy = DNSCluster(query=["web", ("sql", "db")])
    assert (strategy.interval, strategy.connect_timeout) == (5000, 10_000)
    assert strategy.resource_types == ("a", "aaaa")
    assert strategy.queries == ((None, "web"), ("sql", "db"))
    assert pickle.loads(pickle.dumps(strategy)) == strategy
    assert "polling_interval" not in repr(strategy)


@pytest.mark.parametrize(
    "query", [[], (), None, 7, ("a", "b", "c"), ("a", 7), ["a", None], "a@", "@b", "a b"]
)
def test_queries_that_cannot_work(query: Any) -> None:
    with pytest.raises(ConfigError, match="query="):
        DNSCluster(query=query)


@pytest.mark.parametrize("types", [[], None, "ptr", ["a", 7], {"a"}])
def test_types_that_cannot_work(types: Any) -> None:
    with pytest.raises(ConfigError, match=r"resource_types=.*a, aaaa, srv"):
        DNSCluster(query="web", resource_types=types)


def test_the_interval_has_the_librarys_name() -> None:
    with pytest.raises(ConfigError, match="did you mean 'interval'"):
        DNSCluster(query="web", polling_interval=1000)
    with pytest.raises(ConfigError, match=r"interval=5: it is in milliseconds"):
        DNSCluster(query="web", interval=5)


def test_a_short_name_never_connects_to_addresses() -> None:
    strategy = DNSCluster(query="web")
    strategy.check_home("py@10.0.0.1")
    with pytest.raises(ConfigError, match=r"py@10\.0\.0\.1"):
        strategy.check_home("py@web1")
