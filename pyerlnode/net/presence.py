"""A node's place in the world: the port that it listens on, and its entry at the port mapper.

The address follows from the name, as people expect: ``py@127.0.0.1`` and ``py@localhost`` listen on loopback
alone, every other name on all interfaces.  Where no port mapper runs, one is started, detached.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from pyerlnode.errors import NameTaken
from pyerlnode.frozen import frozen
from pyerlnode.lazy import later
from pyerlnode.net.chance import new_creation
from pyerlnode.net.epmd_client import EpmdClient, Registration
from pyerlnode.net.listen import Listener
from pyerlnode.net.numeric import is_loopback, packed
from pyerlnode.wire.names import split_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyerlnode.limits import Limits
    from pyerlnode.net import epmd_detached
    from pyerlnode.net.listen import ListenGate
    from pyerlnode.wire.handshake import LocalNode
else:
    epmd_detached = later("pyerlnode.net.epmd_detached")

log = logging.getLogger("pyerlnode.node")

RETRY = 0.02
"""Seconds between two attempts to take over the name of a node that has just died."""


@frozen
class Place:
    """Where a node wants to be found."""

    name: str
    hidden: bool = False
    host: str | None = None
    """The address to listen on; None takes it from the name."""
    port: int = 0
    """The port to listen on; 0 for any."""
    epmd_port: int | None = None
    """Where the port mapper is; None to do without."""
    start_epmd: bool = True
    """Whether to start one where none runs."""
    epmd_addresses: tuple[str, ...] = ()
    """What a port mapper that is started here listens on beside loopback."""
    epmd_relaxed: bool = False
    """Whether a port mapper that is started here takes KILL and STOP while names are registered."""


class Presence:
    """Listening and registered, until it is closed."""

    def __init__(self, place: Place, me: Callable[[], LocalNode], gate: ListenGate, limits: Limits) -> None:
        self._place = place
        self._limits = limits
        self._listener = Listener(me, gate, limits=limits)
        self._registration: Registration | None = None
        self.port = 0

    async def open(self) -> int:
        """Listens and registers.  Returns the creation.  Raises :class:`NameTaken`, :class:`EpmdError`."""
        place = self._place
        alive, host = split_name(place.name)
        self.port = await self._listener.start(place.host or listen_host(host), place.port)
        try:
            if place.epmd_port is None:
                return new_creation()
            self._registration = await self._register(alive, place.epmd_port)
        except BaseException:
            await self._listener.stop()
            raise
        return self._registration.creation

    async def _register(self, alive: str, epmd_port: int) -> Registration:
        client = EpmdClient(port=epmd_port, limits=self._limits)
        if self._place.start_epmd and not await client.is_running():
            await self._start_epmd(epmd_port)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._limits.epmd_time
        while True:
            try:
                return await client.register(alive, self.port, hidden=self._place.hidden)
            except NameTaken:
                if loop.time() > deadline or await _answers(client, alive):
                    raise
            await asyncio.sleep(RETRY)

    async def _start_epmd(self, port: int) -> None:
        place = self._place
        if await epmd_detached.start_detached(
            port, place.epmd_addresses, relaxed=place.epmd_relaxed, limits=self._limits
        ):
            log.info("no epmd was running: started one on port %d", port)

    async def close(self) -> None:
        """Takes the entry back and stops listening."""
        if self._registration is not None:
            await self._registration.close()
        await self._listener.stop()


async def _answers(client: EpmdClient, alive: str) -> bool:
    """Whether the node that holds the name lives: epmd needs a moment to see that one was killed."""
    entry = await client.lookup(alive)
    if entry is None:
        return False
    try:
        _, writer = await asyncio.open_connection(client.host, entry.port)
    except ConnectionRefusedError:
        return False
    except OSError:
        return True
    writer.close()
    return True


def listen_host(host: str) -> str:
    """The address to listen on for a node at `host`: loopback for a loopback host, else every interface."""
    if host == "localhost":
        return "127.0.0.1"
    address = packed(host.partition("%")[0])  # fe80::1%eth0
    if address is not None and is_loopback(address):
        return host
    is_version_6 = address is not None and len(address) == 16
    return "::" if is_version_6 else "0.0.0.0"  # noqa: S104 - a node that others are to reach
