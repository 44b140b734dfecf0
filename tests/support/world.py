"""A small world for topologies under test: a node that connects as told, a clock that is moved, no chance."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from pyerlnode.cluster.converge import Convergence
from pyerlnode.cluster.ports import World
from pyerlnode.cluster.report import Report
from pyerlnode.cluster.topology import Topology
from pyerlnode.errors import ConnectFailed, EpmdError
from pyerlnode.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from pyerlnode.cluster.events import TopologyEvent
    from pyerlnode.cluster.strategy import Strategy

OWN = "py@10.0.0.9"


class FakeHome:
    """A node whose peers are up when they are in `up`; it keeps count of what it was asked."""

    def __init__(self, name: str = OWN, up: set[str] | None = None) -> None:
        self.name = name
        self.is_alive = True
        self.up = up if up is not None else set()
        self.connected: set[str] = set()
        self.dials: list[str] = []
        self.errors: dict[str, Exception] = {}
        self.stuck: set[str] = set()
        self.listeners: list[Callable[[object], None]] = []

    async def connect(self, peer: str, timeout: float = 7.0) -> bool:
        self.dials.append(peer)
        await asyncio.sleep(0)
        if peer in self.stuck:
            await asyncio.get_running_loop().create_future()
        if peer in self.errors:
            raise self.errors[peer]
        if peer not in self.up:
            raise ConnectFailed(peer, "epmd", "is it started?")
        self.join(peer)
        return True

    async def disconnect(self, peer: str) -> bool:
        was_connected = peer in self.connected
        self.leave(peer)
        return was_connected

    def list(self, kind: str = "visible") -> list[str]:
        return sorted(self.connected)

    def join(self, peer: str) -> None:
        self.connected.add(peer)
        self._tell()

    def leave(self, peer: str) -> None:
        self.connected.discard(peer)
        self._tell()

    def _tell(self) -> None:
        for listener in self.listeners:
            listener(None)


class Surroundings:
    """A world and what can be done to it: move its clock, change epmd's names, read its events."""

    def __init__(self, home: FakeHome | None = None, environ: Mapping[str, str] | None = None) -> None:
        self.home = home or FakeHome()
        self.clock = ManualClock()
        self.names: dict[str, list[str]] = {}
        self.events: list[TopologyEvent] = []
        self.world = World(
            self.home, self._names, self.home.listeners.append, environ or {}, self.clock, lambda: 0.5
        )

    async def _names(self, host: str) -> list[str]:
        if host not in self.names:
            raise EpmdError(f"no epmd answers at {host}")
        return self.names[host]

    def convergence(self, topology: Topology | Strategy) -> Convergence:
        """What a strategy speaks to; a strategy alone becomes the topology ``example``."""
        if not isinstance(topology, Topology):
            topology = Topology("example", topology)
        return Convergence(topology, self.world, Report(topology.name, self.events.append))

    @asynccontextmanager
    async def running(self, topology: Topology | Strategy) -> AsyncIterator[Convergence]:
        """Its strategy at work, until the block ends; an error of the strategy comes out of the block."""
        convergence = self.convergence(topology)
        work = asyncio.create_task(convergence.topology.strategy.run(convergence))
        try:
            await settle()
            yield convergence
        finally:
            if not work.done():
                work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        if not work.cancelled() and (error := work.exception()):
            raise error

    async def pass_time(self, seconds: float) -> None:
        """Move the clock, a tenth of a second at a time, letting everything happen that falls due."""
        for _ in range(round(seconds * 10)):
            self.clock.advance(0.1)
            await settle()


async def settle(turns: int = 20) -> None:
    """Lets every task run as far as it can without time passing."""
    for _ in range(turns):
        await asyncio.sleep(0)


def lines(caplog_records: list[logging.LogRecord], level: int = logging.INFO) -> list[str]:
    """The topology lines of a log, from `level` on."""
    return [r.getMessage() for r in caplog_records if r.name == "pyerlnode.cluster" and r.levelno >= level]
