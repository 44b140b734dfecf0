"""Clusters whose members die and come back: nodes of ours and of Elixir, each on a host of its own.

    async with Cluster(network, "gossip", pythons=8, elixirs=3) as cluster:
        await cluster.start()
        await cluster.whole(10)                     # all know all, within what is promised
        await cluster.kill_and_restart(20)          # a third at a time
        await cluster.lose_power()                  # a third of the hosts, and back
        await cluster.split()                       # two halves; returns when they have given each other up
        cluster.heal()

Elixir nodes run stand-ins of libcluster's strategies (elixir/): they dial what they find, as ours do.
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
from tests.support.scale import stretched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.beam import Beam
    from tests.support.beams import Release
    from tests.support.hosts import Host, Network
    from tests.support.python_node import PythonNode

log = logging.getLogger(__name__)

INTERVAL = 5.0
"""Seconds between two polls, and at most between two beats of gossip: libcluster's default."""

QUERY, BASENAME = "web.test", "node"
STRATEGIES: dict[str, dict[str, Any]] = {
    "dns_poll": {"query": QUERY, "node_basename": BASENAME},
    "gossip": {},
}
"""Strategies and their options."""
STAND_INS: dict[str, dict[str, bytes]] = {
    "dns_poll": {"query": QUERY.encode(), "basename": BASENAME.encode(), "interval": b"5000"},
    "gossip": {"interval": b"5000"},
}
"""What the strategies' stand-ins in elixir/ want bound."""


class PythonMember:
    """A node of ours."""

    def __init__(self, host: Host, strategy: str, ticktime: int) -> None:
        self.name = f"{BASENAME}@{host.address}"
        self.host = host
        self._options: dict[str, Any] = {
            "topologies": {"scale": {"strategy": strategy} | STRATEGIES[strategy]},
            "net_ticktime": ticktime,
        }
        self._node: PythonNode | None = None

    async def start(self) -> None:
        self._node = await self.host.python_node(self.name, **self._options).start()

    async def kill(self) -> None:
        if self._node is not None:
            await self._node.close()

    async def connected(self) -> set[str]:
        assert self._node is not None
        return set(await self._node.eval("node.list()"))


class ElixirMember:
    """A node of Elixir with a stand-in for libcluster."""

    def __init__(self, host: Host, strategy: str, ticktime: int, release: Release) -> None:
        self.name = f"{BASENAME}@{host.address}"
        self.host = host
        self._strategy = strategy
        self._flags = ["-kernel", "net_ticktime", str(ticktime)]
        self._release = release
        self._beam: Beam | None = None

    async def start(self) -> None:
        self._beam = await self.host.beam(self._release, self.name, flags=self._flags).start()
        source = Path(__file__).parent / "elixir" / f"{self._strategy}.exs"
        await self._beam.elixir(source.read_text(), **STAND_INS[self._strategy])

    async def kill(self) -> None:
        if self._beam is not None:
            await asyncio.to_thread(self._beam.close)

    async def connected(self) -> set[str]:
        assert self._beam is not None
        return set((await self._beam.elixir('Enum.join(Node.list(), " ")')).strip('"').split())


class Cluster:
    """All members on the hosts of `network`, and what becomes of them; leaving its block kills them."""

    def __init__(
        self, network: Network, strategy: str, *, pythons: int, elixirs: int, ticktime: int = 60
    ) -> None:
        self._network = network
        hosts = [network.host(f"host{number}") for number in range(elixirs + pythons)]
        network.dns.add(QUERY, "A", *(host.address for host in hosts))
        releases = zip(hosts[:elixirs], _releases_with_elixir(), strict=False)
        self.members: list[PythonMember | ElixirMember] = [
            *(ElixirMember(host, strategy, ticktime, release) for host, release in releases),
            *(PythonMember(host, strategy, ticktime) for host in hosts[elixirs:]),
        ]
        self.names = {member.name for member in self.members}
        self.starts = 0
        seed = random.randrange(2**32)
        log.info("seed %d", seed)
        self._chance = random.Random(seed)

    async def start(self) -> None:
        """All of them, within some seconds, in any order."""
        await asyncio.gather(*(self._start_soon(member) for member in self.members))

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
        await self._start_soon(member)

    async def _start_soon(self, member: PythonMember | ElixirMember) -> None:
        await asyncio.sleep(self._chance.uniform(0, 3))
        await member.start()
        self.starts += 1

    async def lose_power(self) -> None:
        """The hosts of a third of them go down without a word and come up soon; so do their nodes."""
        third = self._chance.sample(self.members, len(self.members) // 3)
        for member in third:
            member.host.power_off()
        await asyncio.gather(*(member.kill() for member in third))
        for member in third:
            member.host.power_on()
        await asyncio.gather(*(self._start_soon(member) for member in third))

    async def split(self) -> None:
        """Leave each half, of nodes of both kinds, to itself until it has given the other one up."""
        halves = self.members[::2], self.members[1::2]
        self._network.split(*([member.host for member in half] for half in halves))
        names = [{member.name for member in half} for half in halves]
        while not all(self.names - lack in names for lack in (await self._lacks()).values()):
            await asyncio.sleep(0.2)

    def heal(self) -> None:
        """End the split."""
        self._network.heal()

    async def whole(self, promised: float) -> None:
        """Returns when everybody is connected to everybody; fails when that takes longer than `promised`."""
        clock = asyncio.get_running_loop().time
        begun, patience = clock(), stretched(promised)
        while missing := await self.missing():
            assert clock() - begun < patience, f"not whole after {patience:.1f} s: {missing}"
            await asyncio.sleep(0.1)
        log.info("whole after %.1f s; %d starts so far", clock() - begun, self.starts)

    async def stays_whole(self) -> None:
        """Fails when somebody loses somebody within an interval."""
        clock = asyncio.get_running_loop().time
        end = clock() + INTERVAL
        while clock() < end:
            missing = await self.missing()
            assert not missing, f"no longer whole: {missing}"
            await asyncio.sleep(0.2)

    async def missing(self) -> dict[str, list[str]]:
        """Whom those lack who lack somebody."""
        return {name: sorted(lack) for name, lack in (await self._lacks()).items() if lack}

    async def _lacks(self) -> dict[str, set[str]]:
        found = await asyncio.gather(*(member.connected() for member in self.members))
        return {
            member.name: self.names - connected - {member.name}
            for member, connected in zip(self.members, found, strict=True)
        }

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(member.kill() for member in self.members))


def _releases_with_elixir() -> Iterator[Release]:
    """The newest first, and over again."""
    found = [release for release in beams.releases() if release.elixir and not release.problem]
    if not found:
        pytest.skip("no Elixir on this machine: install one (Debian: elixir), or `make beams`")
    return itertools.cycle(reversed(found))
