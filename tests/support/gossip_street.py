"""One node that gossips over 127.0.0.1, and a test that gossips with it.

    async with street(gossip(secret="s"), FakeHome(up={"node1@10.0.0.1"})) as there:
        there.shout("node1@10.0.0.1")           # heartbeats, in any name
        await there.heeded()                    # all that was sent is dealt with
        await there.listen()                    # the names in what the node itself sent
        there.home.dials, there.around.events   # what came of it

Time stands still until ``there.clock.advance``, so no two heartbeats come by themselves.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pyerlnode.cluster.gossip import BREATH, Gossip
from pyerlnode.cluster.gossip_socket import GossipSocket
from pyerlnode.cluster.topology import Topology
from pyerlnode.testing import ManualClock
from tests.support.nodes import until
from tests.support.ports import free_port
from tests.support.world import FakeHome, Surroundings, settle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def gossip(**given: Any) -> Gossip:
    """The strategy, on loopback and a port of its own."""
    return Gossip(**({"port": free_port(), "multicast_if": "127.0.0.1", "multicast_ttl": 0} | given))


class Clock(ManualClock):
    """Stands still, save that the listener may breathe."""

    async def sleep(self, delay: float) -> None:
        await (asyncio.sleep(0) if delay == BREATH else super().sleep(delay))


class Street:
    """A network on which one node gossips, and the test too."""

    def __init__(self, strategy: Gossip, home: FakeHome | None = None) -> None:
        self.strategy = strategy
        self.home = home or FakeHome()
        self.around = Surroundings(self.home)
        self.clock = self.around.clock = Clock()
        self.random = 0.5
        self.around.world = replace(self.around.world, clock=self.clock, random=lambda: self.random)
        self.ear = GossipSocket(strategy)
        self.ear.join()
        self._markers = 0

    def shout(self, *names: str) -> None:
        """Send a heartbeat in each name."""
        for name in names:
            self.ear.send(self.strategy.packets().pack(name))

    async def heeded(self) -> None:
        """Wait until all that was sent before is dealt with."""
        self._markers += 1
        marker = f"marker{self._markers}@10.0.0.1"
        self.home.up.add(marker)
        self.shout(marker)
        await until(lambda: marker in self.home.connected)
        await settle()
        self.home.dials.remove(marker)

    async def listen(self) -> list[str]:
        """The names in what was sent since the last call, markers left out."""
        unpack = self.strategy.packets().unpack
        names = [unpack(datagram) or "" for datagram, _ in await self.ear.receive()]
        return [name for name in names if not name.startswith("marker")]

    async def silent(self) -> bool:
        """Whether nobody but us says anything."""
        self.shout("marker@10.0.0.1")
        return not await self.listen()


@asynccontextmanager
async def street(
    strategy: Gossip | None = None, home: FakeHome | None = None, **topology: Any
) -> AsyncIterator[Street]:
    """A node that gossips until the block ends."""
    there = Street(strategy or gossip(), home)
    with there.ear:
        async with there.around.running(Topology("example", there.strategy, **topology)):
            yield there
