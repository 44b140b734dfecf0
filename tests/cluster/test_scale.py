"""20 Python nodes and 3 Elixir ones: how soon all know all, and know all again after two minutes of deaths.

Both promises are for a machine that has nothing else to do; a busy one gets time in proportion to its load.
What was measured is logged (``-o log_cli=true -o log_cli_level=INFO``).
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest

from tests.support import beams
from tests.support.scale import quick_and_full, stretched

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.support.beam import Beam
    from tests.support.beams import Release
    from tests.support.hosts import Host, Network
    from tests.support.python_node import PythonNode

log = logging.getLogger(__name__)

PYTHONS, ELIXIRS = 20, 3
INTERVAL = 5.0
"""Seconds between two polls, and at most between two beats of gossip: libcluster's default."""
FORMING = 10.0
"""Seconds after the last start until all know all."""
HEALING = 2 * INTERVAL
"""Seconds after the last restart until all know all again."""

QUERY, BASENAME = "web.test", "node"
STRATEGIES: dict[str, dict[str, Any]] = {
    "dns_poll": {"query": QUERY, "node_basename": BASENAME},
    "gossip": {},
}
STAND_INS: dict[str, dict[str, bytes]] = {
    "dns_poll": {"query": QUERY.encode(), "basename": BASENAME.encode(), "interval": b"5000"},
    "gossip": {"interval": b"5000"},
}
"""What the strategies' stand-ins in elixir/ want bound."""


class PythonMember:
    """A node of ours that dies and comes back."""

    def __init__(self, host: Host, strategy: str) -> None:
        self.name = f"{BASENAME}@{host.address}"
        self._host = host
        self._topologies = {"scale": {"strategy": strategy} | STRATEGIES[strategy]}
        self._node: PythonNode | None = None

    async def start(self) -> None:
        self._node = await self._host.python_node(self.name, topologies=self._topologies).start()

    async def kill(self) -> None:
        if self._node is not None:
            await self._node.close()

    async def connected(self) -> set[str]:
        assert self._node is not None
        return set(await self._node.eval("node.list()"))


class ElixirMember:
    """A node of Elixir with a stand-in for libcluster, which dies and comes back as well."""

    def __init__(self, host: Host, strategy: str, release: Release) -> None:
        self.name = f"{BASENAME}@{host.address}"
        self._host = host
        self._strategy = strategy
        self._release = release
        self._beam: Beam | None = None

    async def start(self) -> None:
        self._beam = await self._host.beam(self._release, self.name).start()
        source = Path(__file__).parent / "elixir" / f"{self._strategy}.exs"
        await self._beam.elixir(source.read_text(), **STAND_INS[self._strategy])

    async def kill(self) -> None:
        if self._beam is not None:
            await asyncio.to_thread(self._beam.close)

    async def connected(self) -> set[str]:
        assert self._beam is not None
        return set((await self._beam.elixir('Enum.join(Node.list(), " ")')).strip('"').split())


class Cluster:
    """All members, and what becomes of them."""

    def __init__(self, members: Sequence[PythonMember | ElixirMember], chance: random.Random) -> None:
        self.members = members
        self.names = {member.name for member in members}
        self.starts = 0
        self._chance = chance

    async def start(self) -> None:
        await asyncio.gather(*(self._start(member, 3) for member in self.members))

    async def kill_and_restart(self, seconds: float) -> None:
        """A third of them at a time, again and again, until `seconds` have passed."""
        clock = asyncio.get_running_loop().time
        end = clock() + seconds
        while clock() < end:
            third = self._chance.sample(self.members, len(self.members) // 3)
            await asyncio.gather(*(self._restart(member) for member in third))

    async def _restart(self, member: PythonMember | ElixirMember) -> None:
        await asyncio.sleep(self._chance.uniform(0, 2))
        await member.kill()
        await self._start(member, 3)

    async def _start(self, member: PythonMember | ElixirMember, latest: float) -> None:
        await asyncio.sleep(self._chance.uniform(0, latest))
        await member.start()
        self.starts += 1

    async def whole(self, promised: float) -> None:
        """Returns when everybody is connected to everybody; fails when that takes longer than `promised`."""
        clock = asyncio.get_running_loop().time
        begun, patience = clock(), stretched(promised)
        while missing := await self._missing():
            assert clock() - begun < patience, f"not whole after {patience:.1f} s: {missing}"
            await asyncio.sleep(0.1)
        log.info("whole %.1f s after the last of %d starts", clock() - begun, self.starts)

    async def stays_whole(self) -> None:
        """Fails when somebody loses somebody within an interval."""
        clock = asyncio.get_running_loop().time
        end = clock() + INTERVAL
        while clock() < end:
            missing = await self._missing()
            assert not missing, f"no longer whole: {missing}"
            await asyncio.sleep(0.2)

    async def _missing(self) -> dict[str, list[str]]:
        """Whom everybody lacks."""
        found = await asyncio.gather(*(member.connected() for member in self.members))
        lacks = zip(self.members, found, strict=True)
        return {
            member.name: sorted(lack)
            for member, connected in lacks
            if (lack := self.names - connected - {member.name})
        }

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(member.kill() for member in self.members))


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("seconds", quick_and_full(5, 120))
@pytest.mark.timeout(600)
async def test_20_python_nodes_and_3_elixir_ones(network: Network, strategy: str, seconds: int) -> None:
    seed = random.randrange(2**32)
    log.info("seed %d", seed)
    hosts = [network.host(f"host{number}") for number in range(PYTHONS + ELIXIRS)]
    network.dns.add(QUERY, "A", *(host.address for host in hosts))
    elixirs = zip(hosts[:ELIXIRS], releases_with_elixir(), strict=False)
    members = [
        *(ElixirMember(host, strategy, release) for host, release in elixirs),
        *(PythonMember(host, strategy) for host in hosts[ELIXIRS:]),
    ]
    async with Cluster(members, random.Random(seed)) as cluster:
        await cluster.start()
        await cluster.whole(FORMING)
        await cluster.kill_and_restart(seconds)
        await cluster.whole(HEALING)
        await cluster.stays_whole()


def releases_with_elixir() -> Iterator[Release]:
    """The newest first, and over again."""
    found = [release for release in beams.releases() if release.elixir and not release.problem]
    if not found:
        pytest.skip("no Elixir on this machine: install one (Debian: elixir), or `make beams`")
    return itertools.cycle(reversed(found))
