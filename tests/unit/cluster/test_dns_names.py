"""Names to look up, names of nodes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.cluster import dns_names
from pyerlnode.cluster.dns_names import (
    basenames,
    every,
    look_up_name,
    look_up_names,
    nodes_at,
    warn_of_name,
)
from pyerlnode.cluster.strategy import Discovery, Polling
from pyerlnode.errors import ConfigError
from tests.support.world import FakeHome, Surroundings, lines

if TYPE_CHECKING:
    from pyerlnode.cluster.converge import Convergence


@dataclass(frozen=True, kw_only=True)
class Idle(Polling):
    """A strategy that finds nobody."""

    async def discover(self, cluster: Convergence) -> Discovery:
        return Discovery.of([])


# ---------------------------------------------------------------------------------- options


@pytest.mark.parametrize("name", ["web", "web.example.com", "web.example.com.", "_erlang._tcp.web", "bücher"])
def test_names_to_look_up(name: str) -> None:
    assert look_up_name("query", f" {name}") == name
    assert look_up_names("query", name) == name
    assert look_up_names("query", [name, "web2", name]) == (name, "web2")


@pytest.mark.parametrize(
    "given", ["", " ", None, 7, b"web", "a b", "node@web", "http://web", "web:53", "web,"]
)
def test_what_is_no_name_is_refused(given: Any) -> None:
    with pytest.raises(ConfigError, match="query="):
        look_up_name("query", given)


@pytest.mark.parametrize("given", ["10.0.0.1", "fd00::1"])
def test_an_address_is_no_name_to_look_up(given: str) -> None:
    with pytest.raises(ConfigError, match="this is an address"):
        look_up_name("query", given)


@pytest.mark.parametrize("given", [[], (), None, {"web"}, 7, ["web", 7]])
def test_what_is_no_list_of_names_is_refused(given: Any) -> None:
    with pytest.raises(ConfigError, match="query="):
        look_up_names("query", given)


def test_basenames() -> None:
    assert basenames("node_basename", "node") == "node"
    assert basenames("node_basename", ["node", "py"]) == ("node", "py")
    with pytest.raises(ConfigError, match="the part before the @"):
        basenames("node_basename", ["node", "py@web"])
    assert every("node") == ("node",)
    assert every(("node", "py")) == ("node", "py")


# ---------------------------------------------------------------------------------- nodes


async def test_one_basename_needs_no_epmd() -> None:
    cluster = Surroundings().convergence(Idle())
    assert await nodes_at(cluster, ["10.0.0.1", "fd00::1"], ("node",)) == {"node@10.0.0.1", "node@fd00::1"}


async def test_of_several_those_are_taken_that_epmd_knows(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    world = Surroundings()
    world.names = {"10.0.0.1": ["node", "other"], "10.0.0.2": ["node", "py"], "10.0.0.3": []}
    cluster = world.convergence(Idle())
    hosts = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"]
    nodes = {"node@10.0.0.1", "node@10.0.0.2", "py@10.0.0.2", "node@10.0.0.4", "py@10.0.0.4"}
    assert await nodes_at(cluster, hosts, ("node", "py")) == nodes
    assert lines(caplog.records, 0) == [
        "[pyerlnode:example] no epmd answers at 10.0.0.4 (the epmd on 10.0.0.4)"
    ]


async def test_who_was_found_before_stays_though_epmd_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    world = Surroundings()
    cluster = world.convergence(Idle())
    await cluster.converge(Discovery.of(["py@10.0.0.1"]))
    world.names = {"10.0.0.1": []}
    assert await nodes_at(cluster, ["10.0.0.1"], ("node", "py")) == {"py@10.0.0.1"}


async def test_an_epmd_that_hangs_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def hanging(host: str) -> list[str]:
        return await asyncio.get_running_loop().create_future()

    caplog.set_level("DEBUG")
    monkeypatch.setattr(dns_names, "EPMD_TIME", 0.01)
    world = Surroundings()
    world.world = replace(world.world, epmd_names=hanging)
    nodes = await nodes_at(world.convergence(Idle()), ["web1"], ("node", "py"))
    assert nodes == {"node@web1", "py@web1"}
    assert lines(caplog.records, 0) == ["[pyerlnode:example] no answer in time (the epmd on web1)"]


@pytest.mark.parametrize("own", ["node@10.0.0.1", "node@fd00::1", "py@web1.example.com", "nonode@nohost"])
def test_names_that_others_find_or_do_not_look_for(own: str, caplog: pytest.LogCaptureFixture) -> None:
    warn_of_name(Surroundings(FakeHome(own)).convergence(Idle()), ["node", "nonode"])
    assert lines(caplog.records) == []


def test_a_name_that_others_cannot_find_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    warn_of_name(Surroundings(FakeHome("node@web1.example.com")).convergence(Idle()), ["py", "node"])
    (line,) = lines(caplog.records)
    assert "nodes that look for node@ADDRESS cannot connect to this one, node@web1.example.com" in line
