"""What a topology needs from outside, and nothing more: the node it is for, epmd, a clock, chance.

libcluster's hooks reach the same things (``net_kernel:connect_node``, ``erlang:disconnect_node``,
``erlang:nodes``).  ``node.py`` hands in the real ones, tests their own.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import field
from typing import TYPE_CHECKING, Protocol

from pyerlnode.frozen import frozen
from pyerlnode.lazy import later

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable, Mapping, Sequence
else:
    random = later("random")


class Home(Protocol):
    """The node that a topology finds company for: what topologies use of ``Node``."""

    @property
    def name(self) -> str:
        """Its name, ``nonode@nohost`` when it has none."""

    @property
    def is_alive(self) -> bool:
        """Whether it runs as part of a network, as ``Node.alive?/0``."""

    async def connect(self, peer: str, timeout: float = ...) -> bool:
        """Connects; raises ``ConnectFailed``.  `timeout` is in seconds."""

    async def disconnect(self, peer: str) -> bool:
        """Disconnects; False where there was no connection."""

    def list(self, kind: str = ...) -> list[str]:
        """Names of nodes, as ``Node.list/1``."""


class Clock(Protocol):
    """Time in seconds; its origin means nothing."""

    def time(self) -> float:
        """Now."""

    async def sleep(self, delay: float) -> None:
        """Waits `delay` seconds."""


class WallClock:
    """The clock of the running system."""

    def time(self) -> float:
        """Seconds of the monotonic clock."""
        return time.monotonic()

    async def sleep(self, delay: float) -> None:
        """Waits `delay` seconds."""
        await asyncio.sleep(delay)


def chance() -> float:
    """A number from 0 up to 1."""
    return random.random()


@frozen
class World:
    """All that is around a topology."""

    home: Home
    epmd_names: Callable[[str], Awaitable[Sequence[str]]]
    """The names (before the ``@``) that the epmd of a host knows.  Raises ``EpmdError`` and ``OSError``."""
    listen: Callable[[Callable[[object], None]], None]
    """Has a function called for each node that comes or goes."""
    environ: Mapping[str, str] = field(default_factory=dict)
    """Environment variables, for those that libcluster reads (``CLUSTER_DOMAIN``)."""
    clock: Clock = field(default_factory=WallClock)
    random: Callable[[], float] = chance
    """A number from 0 up to 1, for jitter."""
