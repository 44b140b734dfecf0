"""LocalEpmd: whoever this host's epmd knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyerlnode.cluster.local_epmd import LocalEpmd
from tests.support.world import FakeHome, Surroundings, lines

if TYPE_CHECKING:
    import pytest


async def test_it_dials_all_names_of_its_host() -> None:
    world = Surroundings(FakeHome("py@web1"))
    world.names["127.0.0.1"] = ["py", "node1", "node2"]
    async with world.running(LocalEpmd()):
        await world.pass_time(60)
    assert sorted(world.home.dials) == ["node1@web1", "node2@web1"]


async def test_with_a_timeout_it_sees_who_comes_later() -> None:
    world = Surroundings(FakeHome("py@web1"))
    world.names["127.0.0.1"] = ["py"]
    world.home.up = {"node1@web1"}
    async with world.running(LocalEpmd(timeout=2000)):
        await world.pass_time(5)
        world.names["127.0.0.1"] = ["py", "node1"]
        await world.pass_time(3)
    assert world.home.connected == {"node1@web1"}


async def test_an_epmd_that_is_silent_is_asked_again_and_told_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    world = Surroundings(FakeHome("py@web1", up={"node1@web1"}))
    async with world.running(LocalEpmd()):
        await world.pass_time(20)
        world.names["127.0.0.1"] = ["node1"]
        await world.pass_time(60)
    trouble = "cannot list the nodes of this host: no epmd answers at 127.0.0.1"
    assert lines(caplog.records) == [
        f"[pyerlnode:example] {trouble}",
        "[pyerlnode:example] the look-up works again: 1 found",
        "[pyerlnode:example] connected to :node1@web1",
    ]


async def test_a_node_without_a_name_waits_for_one(caplog: pytest.LogCaptureFixture) -> None:
    world = Surroundings(FakeHome("nonode@nohost"))
    world.names["127.0.0.1"] = ["node1"]
    async with world.running(LocalEpmd()):
        await world.pass_time(5)
        assert world.home.dials == []
        world.home.name = "py@web1"
        await world.pass_time(60)
    assert world.home.dials == ["node1@web1"]
    assert "not part of network" in lines(caplog.records)[0]
