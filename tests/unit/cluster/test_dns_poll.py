"""DNSPoll: nodes at the addresses of names."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from pyerlnode.cluster.dns import Dns
from pyerlnode.cluster.dns_poll import DNSPoll
from pyerlnode.cluster.topology import Topology
from pyerlnode.errors import ConfigError
from tests.support.fake_dns import FAILS, MISSING, FakeDns
from tests.support.world import FakeHome, Surroundings, lines

NODES = ["node@10.0.0.1", "node@10.0.0.2"]
ALL = {("web", "A"): ["10.0.0.1", "10.0.0.2", "10.0.0.9"]}


def polling(dns: FakeDns, **options: Any) -> DNSPoll:
    given: dict[str, Any] = {"query": "web", "node_basename": "node", "resolver": dns}
    return DNSPoll(**(given | options))


@pytest.fixture
def world() -> Surroundings:
    return Surroundings(FakeHome("node@10.0.0.9", up=set(NODES)))


async def test_it_connects_to_all_addresses_but_its_own(
    world: Surroundings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    dns = FakeDns(ALL)
    async with world.running(polling(dns)):
        assert world.home.connected == set(NODES)
    assert sorted(lines(caplog.records)) == [f'[pyerlnode:example] connected to :"{node}"' for node in NODES]
    assert dns.asked == [("web", "A", False), ("web", "AAAA", False)]


async def test_it_asks_again_and_follows_changes(world: Surroundings) -> None:
    dns = FakeDns(ALL)
    world.home.up.add("node@10.0.0.3")
    async with world.running(polling(dns, polling_interval=1000)):
        dns.data["web", "A"] = ["10.0.0.3"]
        await world.pass_time(2)
    assert world.home.connected == {*NODES, "node@10.0.0.3"}


async def test_with_prune_who_is_found_no_more_is_disconnected(world: Surroundings) -> None:
    dns = FakeDns(ALL)
    topology = Topology("example", polling(dns, polling_interval=1000), prune=True)
    async with world.running(topology):
        dns.data["web", "A"] = ["10.0.0.1", "10.0.0.9"]
        await world.pass_time(5)
    assert world.home.connected == {"node@10.0.0.1"}


@pytest.mark.parametrize("answer", [FAILS, MISSING, [], OSError("odd")])
async def test_without_an_answer_nobody_is_disconnected_and_it_is_said_once(
    world: Surroundings, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    dns = FakeDns(ALL)
    topology = Topology("example", polling(dns, polling_interval=1000), prune=True)
    async with world.running(topology):
        caplog.clear()
        dns.data["web", "A"] = answer
        await world.pass_time(20)
        assert world.home.connected == set(NODES)
        assert len(lines(caplog.records)) == 1
        dns.data |= ALL
        await world.pass_time(20)
    assert lines(caplog.records)[1:] == ["[pyerlnode:example] the look-up works again: 3 found"]


async def test_part_of_an_answer_disconnects_nobody(world: Surroundings) -> None:
    dns = FakeDns(ALL)
    topology = Topology("example", polling(dns, query=["web", "db"], polling_interval=1000), prune=True)
    dns.data["db", "A"] = ["10.0.0.2"]
    async with world.running(topology):
        assert world.home.connected == set(NODES)
        dns.data |= {("web", "A"): ["10.0.0.1"], ("db", "A"): FAILS}
        await world.pass_time(10)
        assert world.home.connected == set(NODES)
        dns.data["db", "A"] = ["10.0.0.1"]
        await world.pass_time(10)
    assert world.home.connected == {"node@10.0.0.1"}


@pytest.mark.parametrize("answer", [MISSING, FAILS])
async def test_without_an_answer_lost_nodes_are_dialled_still(answer: str, world: Surroundings) -> None:
    dns = FakeDns(ALL)
    async with world.running(polling(dns, polling_interval=1000)):
        dns.data["web", "A"] = answer
        await world.pass_time(3)
        world.home.leave(NODES[0])
        await world.pass_time(3)
    assert world.home.connected == set(NODES)


async def test_several_basenames(world: Surroundings) -> None:
    world.names = {"10.0.0.1": ["node"], "10.0.0.2": ["py"], "10.0.0.9": ["node"]}
    world.home.up = {"node@10.0.0.1", "py@10.0.0.2"}
    async with world.running(polling(FakeDns(ALL), node_basename=["node", "py"])):
        await world.pass_time(20)
    assert sorted(world.home.dials) == ["node@10.0.0.1", "py@10.0.0.2"]


async def test_a_name_that_others_cannot_find_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    world = Surroundings(FakeHome("node@web1.example.com"))
    async with world.running(polling(FakeDns({("web", "AAAA"): ["fd00::1"]}))):
        await world.pass_time(20)
    assert [line for line in lines(caplog.records) if "name it" in line] == [
        "[pyerlnode:example] nodes that look for node@ADDRESS cannot connect to this one, "
        "node@web1.example.com: name it node@ and its IP address"
    ]


# ---------------------------------------------------------------------------------- options


def test_libclusters_defaults() -> None:
    strategy = DNSPoll(query="web", node_basename="node")
    assert (strategy.polling_interval, strategy.interval) == (5000, 5)
    assert isinstance(strategy.dns, Dns)
    assert pickle.loads(pickle.dumps(strategy)) == strategy


def test_the_name_in_libclusters_documentation_is_corrected() -> None:
    with pytest.raises(ConfigError, match="did you mean 'polling_interval'"):
        DNSPoll(query="web", node_basename="node", poll_interval=1000)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"query": "web"}, "DNSPoll needs it"),
        ({"node_basename": "node"}, "DNSPoll needs it"),
        ({"query": "10.0.0.1", "node_basename": "node"}, "this is an address"),
        ({"query": "web", "node_basename": "node@web"}, "before the @"),
    ],
)
def test_options_that_cannot_work(options: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        DNSPoll(**options)


def test_a_short_name_never_connects_to_addresses() -> None:
    strategy = DNSPoll(query="web", node_basename=["node", "py"])
    for name in ("node@10.0.0.1", "py@web.example.com", "nonode@nohost"):
        strategy.check_home(name)
    with pytest.raises(ConfigError, match=r"short name.*node@10\.0\.0\.1"):
        strategy.check_home("node@web1")
