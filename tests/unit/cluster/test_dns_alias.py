"""DNSAlias: addresses of an alias, and the names of these."""

from __future__ import annotations

from typing import Any

import pytest

from pyerlnode.cluster.dns_alias import DNSAlias
from pyerlnode.cluster.topology import Topology
from pyerlnode.errors import ConfigError
from tests.support.fake_dns import FAILS, MISSING, FakeDns
from tests.support.world import FakeHome, Surroundings, lines

NODES = ["node@node1", "node@node2"]


def docker(own: int = 3) -> FakeDns:
    """As Docker's server answers on the network net_poc."""
    ptrs = {(f"10.0.0.{n}", "PTR"): [f"node{n}.net_poc"] for n in range(1, own + 1)}
    return FakeDns({("web", "A"): [f"10.0.0.{n}" for n in range(1, own + 1)]} | ptrs)


def asking(dns: FakeDns, **options: Any) -> DNSAlias:
    return DNSAlias(**({"alias": "web", "polling_interval": 1000, "resolver": dns} | options))


async def found(dns: FakeDns, **options: Any) -> tuple[set[str], bool]:
    strategy = asking(dns, **options)
    discovery = await strategy.discover(Surroundings(FakeHome("node@node3")).convergence(strategy))
    return set(discovery.nodes), discovery.complete


@pytest.fixture
def world() -> Surroundings:
    return Surroundings(FakeHome("node@node3", up=set(NODES)))


async def test_the_posts_cluster(world: Surroundings, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    dns = docker()
    async with world.running(asking(dns)):
        assert world.home.connected == set(NODES)
    assert sorted(lines(caplog.records)) == [f"[pyerlnode:example] connected to :{node}" for node in NODES]
    assert dns.asked[0] == ("web", "A", True)
    assert "node@node3" not in world.home.dials


@pytest.mark.parametrize("suffix", [None, ".net_poc", "net_poc"])
async def test_the_network_is_taken_off(suffix: str | None) -> None:
    assert await found(docker(), suffix=suffix) == ({*NODES, "node@node3"}, True)


async def test_of_another_suffix_nothing_is_taken_off() -> None:
    full = {f"node@node{n}.net_poc" for n in (1, 2, 3)}
    assert await found(docker(), suffix="") == (full, True)
    assert await found(docker(), suffix=".net") == (full, True)
    dns = docker(1)
    dns.data["10.0.0.1", "PTR"] = [".net_poc"]
    assert await found(dns, suffix=".net_poc") == ({"node@.net_poc"}, True)


@pytest.mark.parametrize("name", ["web", "web.net_poc", "WEB.net_poc"])
async def test_an_address_that_is_called_as_the_alias_is_not_followed(
    name: str, world: Surroundings, caplog: pytest.LogCaptureFixture
) -> None:
    dns = docker()
    dns.data["10.0.0.1", "PTR"] = [name]
    async with world.running(asking(dns)):
        await world.pass_time(5)
        assert world.home.connected == {"node@node2"}
    assert lines(caplog.records) == [
        f"[pyerlnode:example] 10.0.0.1 is called {name}, which is the alias: start its container with --name "
        "and --hostname"
    ]
    dns.data["10.0.0.1", "PTR"] = [name, "node1.net_poc"]
    assert await found(dns) == ({*NODES, "node@node3"}, True)


async def test_an_alias_with_its_network(world: Surroundings) -> None:
    dns = FakeDns(
        {("web.net_poc.", "A"): ["10.0.0.1", "10.0.0.2"], ("10.0.0.1", "PTR"): ["web.net_poc"]}
        | {("10.0.0.2", "PTR"): ["web.other"]}
    )
    assert await found(dns, alias="web.net_poc.") == ({"node@web"}, False)


@pytest.mark.parametrize("answer", [FAILS, MISSING, []])
async def test_one_address_without_a_name_disconnects_nobody(
    answer: Any, world: Surroundings, caplog: pytest.LogCaptureFixture
) -> None:
    dns = docker()
    async with world.running(Topology("example", asking(dns), prune=True)):
        dns.data["10.0.0.2", "PTR"] = answer
        await world.pass_time(10)
        assert world.home.connected == set(NODES)
        assert len(lines(caplog.records)) == 1
        dns.data["web", "A"] = ["10.0.0.1", "10.0.0.3"]
        await world.pass_time(10)
        assert world.home.connected == {"node@node1"}


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (FAILS, "lookup against web failed: :servfail (A)"),
        (MISSING, "lookup against web failed: :nxdomain"),
        ([], "lookup against web found nobody: it has no A records"),
    ],
)
async def test_without_addresses_nobody_is_disconnected(
    answer: Any, line: str, world: Surroundings, caplog: pytest.LogCaptureFixture
) -> None:
    dns = docker()
    async with world.running(Topology("example", asking(dns), prune=True)):
        dns.data["web", "A"] = answer
        await world.pass_time(10)
        assert world.home.connected == set(NODES)
    assert lines(caplog.records) == [f"[pyerlnode:example] {line}"]


async def test_several_basenames(world: Surroundings) -> None:
    world.names = {"node1": ["node"], "node2": ["py", "other"], "node3": ["node"]}
    world.home.up = {"node@node1", "py@node2"}
    async with world.running(asking(docker(), node_basename=["node", "py"])):
        await world.pass_time(5)
    assert sorted(world.home.dials) == ["node@node1", "py@node2"]


# ---------------------------------------------------------------------------------- options


@pytest.mark.parametrize(
    "options",
    [{}, {"alias": "10.0.0.1"}, {"alias": "web", "node_basename": "a@b"}]
    + [{"alias": "web", "suffix": suffix} for suffix in (7, ".", "..a", "a.", "@b", "a b\n")],
)
def test_options_that_cannot_work(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        DNSAlias(**options)


def test_a_long_name_never_connects_to_what_is_cut_at_the_dot() -> None:
    for name in ("node@node1", "nonode@nohost"):
        DNSAlias(alias="web").check_home(name)
    for suffix in ("", ".net_poc"):
        DNSAlias(alias="web", suffix=suffix).check_home("node@node1.net_poc")
    with pytest.raises(ConfigError, match="name this node py@ and a host without a dot") as caught:
        DNSAlias(alias="web").check_home("py@10.0.0.1")
    assert "as node@node1" in str(caught.value)
