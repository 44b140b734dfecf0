"""Epmd, LocalEpmd and ErlangHosts: clusters with real BEAMs, in any order, and again after a death."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode import Node
from pyerlnode.cluster import Topology
from pyerlnode.cluster.epmd import Epmd
from pyerlnode.cluster.local_epmd import LocalEpmd
from tests.support.company import sees
from tests.support.epmd import Epmd as PortMapper
from tests.support.world import lines

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from pyerlnode.cluster.strategy import Strategy
    from tests.support.beam import Beam
    from tests.support.beam_fixtures import Starter
    from tests.support.beams import Release
    from tests.support.hosts import Network

NODE1, NODE2, PY = "node1@localhost", "node2@localhost", "py@localhost"
HOSTS = [NODE1, NODE2, PY]
RETRIES = 1000


@asynccontextmanager
async def python(strategy: Strategy, name: str = PY, **options: Any) -> AsyncIterator[Node]:
    settings = {"cookie": "cookie", "topologies": [Topology("example", strategy)]} | options
    async with Node(name, **settings) as node:
        yield node


async def dial_all(beam: Beam) -> None:
    """What libcluster's strategy does when a node starts."""
    for host in set(HOSTS) - {beam.name}:
        await beam.eval(f"net_kernel:connect_node('{host}')")


async def said(caplog: pytest.LogCaptureFixture, *expected: str) -> None:
    """Wait until the topology has said exactly these lines, in any order."""
    wanted = sorted(f"[pyerlnode:example] {line}" for line in expected)
    async with asyncio.timeout(30):
        while len(lines(caplog.records)) < len(wanted):
            await asyncio.sleep(0.02)
    assert sorted(lines(caplog.records)) == wanted


# ---------------------------------------------------------------------------------- Epmd


async def test_it_joins_who_is_there_and_says_who_is_not(
    release: Release, beams: Starter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    beam = await beams(release, name=NODE1)
    async with python(Epmd(hosts=HOSTS)) as node:
        await said(caplog, "connected to :node1@localhost", "unable to connect to :node2@localhost")
        await sees(beam, PY)
        assert node.list() == [NODE1]


@pytest.mark.beam(needs=(25, 27))
@pytest.mark.parametrize("place", [0, 1, 2], ids=["first", "second", "third"])
async def test_the_cluster_forms_in_any_order_and_only_who_dials_says_so(
    beams: Starter, caplog: pytest.LogCaptureFixture, place: int
) -> None:
    caplog.set_level(logging.INFO)
    there: list[Beam] = []

    async def start(*names: str) -> None:
        for name in names:
            beam = await beams(25 if name == NODE1 else 27, name=name)
            await dial_all(beam)
            there.append(beam)

    await start(*HOSTS[:place])
    async with python(Epmd(hosts=HOSTS)) as node:
        dialled = [f"connected to :{name}" for name in HOSTS[:place]]
        missed = [f"unable to connect to :{name}" for name in HOSTS[place:2]]
        await said(caplog, *dialled, *missed)
        await start(*HOSTS[place:2])
        await asyncio.gather(*(sees(beam, *set(HOSTS) - {beam.name}) for beam in there))
        assert set(node.list()) == {NODE1, NODE2}
        await said(caplog, *dialled, *missed)


async def test_with_a_timeout_a_node_that_comes_back_is_found(
    release: Release, beams: Starter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    beam = await beams(release, name=NODE1)
    async with python(Epmd(hosts=[NODE1], timeout=RETRIES)) as node:
        assert await node.topologies.ready() == [NODE1]
        beam.kill()
        connected, lost = "connected to :node1@localhost", "unable to connect to :node1@localhost"
        await said(caplog, connected, lost)
        again = await beams(release, name=NODE1)
        await sees(again, PY)
        await said(caplog, connected, lost, connected)


@pytest.mark.beam(needs=(25,))
async def test_a_cookie_that_differs_is_named_in_the_line(
    beams: Starter, caplog: pytest.LogCaptureFixture
) -> None:
    await beams(25, name=NODE1, cookie="other")
    async with python(Epmd(hosts=[NODE1], timeout=RETRIES)):
        async with asyncio.timeout(30):
            while not lines(caplog.records):
                await asyncio.sleep(0.02)
    (line,) = lines(caplog.records)
    assert line.startswith(
        "[pyerlnode:example] unable to connect to :node1@localhost: the cookie of this node"
    )


@pytest.mark.beam(needs=(25,))
async def test_a_node_without_a_name_connects_to_nobody(
    beams: Starter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    beam = await beams(25, name=NODE1)
    async with python(Epmd(hosts=[NODE1, NODE2]), "nonode@nohost") as node:
        not_part = [f"unable to connect to :node{n}@localhost: not part of network" for n in (1, 2)]
        await said(caplog, *not_part)
        assert node.list() == []
    assert await beam.eval("nodes(connected)") == "[]"


# ---------------------------------------------------------------------------------- LocalEpmd


async def test_all_nodes_of_this_host_are_found(
    release: Release, beams: Starter, caplog: pytest.LogCaptureFixture
) -> None:
    with PortMapper() as epmd:
        beam = await beams(release, name=NODE1, epmd_port=epmd.port)
        async with python(LocalEpmd(timeout=RETRIES), epmd=epmd.port) as node:
            await sees(beam, PY)
            other = await beams(release, name=NODE2, epmd_port=epmd.port)
            await sees(other, NODE1, PY)
            assert set(node.list()) == {NODE1, NODE2}


@pytest.mark.beam(needs=(25,))
async def test_an_epmd_that_dies_costs_nothing_and_is_asked_again(
    beams: Starter, caplog: pytest.LogCaptureFixture
) -> None:
    with PortMapper() as epmd:
        beam = await beams(25, name=NODE1, epmd_port=epmd.port)
        async with python(LocalEpmd(timeout=RETRIES), epmd=epmd.port) as node:
            await sees(beam, PY)
            epmd.kill()
            async with asyncio.timeout(30):
                while not lines(caplog.records):
                    await asyncio.sleep(0.02)
            assert node.list() == [NODE1]
            epmd.start()
            other = await beams(25, name=NODE2, epmd_port=epmd.port)
            await sees(other, PY, NODE1)
    (line,) = lines(caplog.records, logging.WARNING)
    assert line.startswith("[pyerlnode:example] cannot list the nodes of this host: no epmd answers at ")


# ---------------------------------------------------------------------------------- ErlangHosts


async def test_all_nodes_of_the_hosts_in_the_file_are_found(
    network: Network, tmp_path: Path, release: Release
) -> None:
    """One of the four hosts has no epmd: it is passed over."""
    web1, web2, ours = (network.host(name) for name in ("web1", "web2", "ours"))
    network.host("silent", epmd=False)
    file = tmp_path / ".hosts.erlang"
    file.write_text("'silent'.\n'web1'.\n'web2'.\n'ours'.\n")
    table = {"strategy": "erlang_hosts", "hosts_file": str(file), "timeout": RETRIES}
    async with (
        web1.beam(release, "node1@web1") as beam,
        ours.python_node("py@ours", topologies={"example": table}) as node,
    ):
        await sees(beam, "py@ours")
        async with web2.beam(release, "node2@web2"):
            await sees(node, "node1@web1", "node2@web2")
        await sees(node, "node1@web1")
        async with web2.beam(release, "node2@web2") as again:
            await sees(again, "node1@web1", "py@ours")
