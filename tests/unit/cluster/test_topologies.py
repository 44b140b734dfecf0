from __future__ import annotations

import asyncio
import itertools
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.cluster.events import Connected, TopologyEvent
from pyerlnode.cluster.strategy import Discovery, Polling, Strategy
from pyerlnode.cluster.topologies import Topologies
from pyerlnode.cluster.topology import Topology
from pyerlnode.errors import ConfigError, NodeNotRunning
from tests.support.world import FakeHome, Surroundings, settle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pyerlnode.cluster.converge import Convergence

A, B = "a@10.0.0.1", "b@10.0.0.2"


@dataclass(frozen=True, kw_only=True)
class Listed(Polling):
    nodes: Any = ()

    async def discover(self, cluster: Convergence) -> Discovery:
        return Discovery.of(self.nodes)


@dataclass(frozen=True, kw_only=True)
class Broken(Strategy):
    runs: Any

    def check_home(self, name: str) -> None:
        if name == "py@short":
            raise ConfigError("name", name, "it is short")

    async def run(self, cluster: Convergence) -> None:
        self.runs.append(cluster.world.clock.time())
        if len(self.runs) < 4:
            raise RuntimeError("a bug")


@asynccontextmanager
async def started(around: Surroundings, *topologies: Topology) -> AsyncIterator[Topologies]:
    running = Topologies(topologies)
    running.start(around.world)
    await settle()
    try:
        yield running
    finally:
        await running.stop()


def test_they_are_found_by_name() -> None:
    topology = Topology("example", Listed())
    topologies = Topologies([topology])
    assert (len(topologies), list(topologies), topologies["example"]) == (1, ["example"], topology)


def test_two_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="two of them have this name"):
        Topologies([Topology("example", Listed()), Topology("example", Listed())])


def test_a_name_that_suits_no_strategy_is_refused_before_anything_starts() -> None:
    topologies = Topologies([Topology("example", Broken(runs=[]))])
    topologies.check("py@10.0.0.1")
    with pytest.raises(ConfigError, match="it is short"):
        topologies.check("py@short")


async def test_several_run_at_once_and_a_broken_one_hurts_no_other(caplog: pytest.LogCaptureFixture) -> None:
    around = Surroundings(FakeHome(up={A}))
    runs: list[float] = []
    broken, listed = Topology("broken", Broken(runs=runs)), Topology("example", Listed(nodes=[A]))
    async with started(around, broken, listed):
        assert around.home.connected == {A}
        await around.pass_time(20)
    assert len(runs) == 4
    assert [b - a for a, b in itertools.pairwise(runs)] == sorted(b - a for a, b in itertools.pairwise(runs))
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 3
    assert errors[0].getMessage().startswith("[pyerlnode:broken] the strategy failed; again in ")


async def test_one_that_ran_long_is_started_again_soon() -> None:
    runs: list[float] = []

    @dataclass(frozen=True, kw_only=True)
    class Late(Strategy):
        async def run(self, cluster: Convergence) -> None:
            runs.append(cluster.world.clock.time())
            await cluster.world.clock.sleep(40)
            raise RuntimeError("a bug")

    around = Surroundings()
    async with started(around, Topology("late", Late())):
        await around.pass_time(170)
    assert len(runs) == 5
    assert max(b - a for a, b in itertools.pairwise(runs)) < 42


async def test_events_reach_their_topologys_listener_and_the_nodes(caplog: pytest.LogCaptureFixture) -> None:
    own: list[TopologyEvent] = []
    every: list[TopologyEvent] = []

    def broken(event: TopologyEvent) -> None:
        raise RuntimeError("a bug")

    around = Surroundings(FakeHome(up={A}))
    topologies = Topologies(
        [Topology("one", Listed(nodes=[A]), on_event=own.append), Topology("two", Listed(nodes=[B]))]
    )
    topologies.listen(broken)
    topologies.listen(every.append)
    topologies.start(around.world)
    await settle()
    await topologies.stop()
    assert Connected("one", A, 0.0) in own
    assert {event.topology for event in own} == {"one"}
    assert {event.topology for event in every} == {"one", "two"}
    assert "a listener failed on Found" in caplog.text


async def test_ready_waits_for_a_number_of_nodes() -> None:
    around = Surroundings(FakeHome(up={A}))
    async with started(around, Topology("example", Listed(nodes=[A]))) as topologies:
        assert await topologies.ready(1) == [A]
        waiting = asyncio.create_task(topologies.ready(2))
        await settle()
        assert not waiting.done()
        around.home.join(B)
        assert await waiting == [A, B]


async def test_ready_waits_for_all_that_are_found() -> None:
    around = Surroundings()
    async with started(around, Topology("example", Listed(nodes=[A, B]))) as topologies:
        waiting = asyncio.create_task(topologies.ready())
        await settle()
        around.home.join(B)
        await settle()
        assert not waiting.done()
        around.home.join(A)
        assert await waiting == [A, B]


async def test_ready_says_who_is_missing() -> None:
    around = Surroundings(FakeHome(up={A}))
    async with started(around, Topology("example", Listed(nodes=[A, B]))) as topologies:
        with pytest.raises(
            TimeoutError, match=f"1 of 3 nodes are connected after 0.01 s; found and not .*{B}"
        ):
            await topologies.ready(3, timeout=0.01)
        around.home.join(B)
        with pytest.raises(TimeoutError, match="no further node was found"):
            await topologies.ready(3, timeout=0.01)


async def test_ready_ends_with_the_node() -> None:
    around = Surroundings()
    topologies = Topologies([Topology("example", Listed(nodes=[A]))])
    topologies.start(around.world)
    waiting = asyncio.create_task(topologies.ready())
    await settle()
    await topologies.stop()
    with pytest.raises(NodeNotRunning, match="start it first"):
        await waiting


async def test_what_was_found_is_known_while_they_run() -> None:
    around = Surroundings()
    topologies = Topologies([Topology("example", Listed(nodes=[A]))])
    assert topologies.wanted("example") == frozenset()
    topologies.start(around.world)
    await settle()
    assert topologies.wanted("example") == {A}
    await topologies.stop()
    with pytest.raises(ConfigError, match="the topologies are example"):
        topologies.wanted("other")
    with pytest.raises(ConfigError, match="the topologies are none"):
        Topologies().wanted("other")
