"""What a strategy is: options, checked when they are given, and a way to learn which nodes there are.

A strategy is a value (a frozen dataclass of options under libcluster's names); what runs is its topology.
Those that look nodes up again and again derive from :class:`Polling` and write `discover` alone; those that
are told (Gossip) write `run`.

To make your own::

    @dataclass(frozen=True, kw_only=True)
    class FromFile(Polling):
        path: str

        async def discover(self, cluster):
            return Discovery.of(Path(self.path).read_text().split())
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from pyerlnode.cluster import options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyerlnode.cluster.converge import Convergence


@dataclass(frozen=True, slots=True)
class Discovery:
    """What one look-up found."""

    nodes: frozenset[str]
    """Names of nodes; this node's own may be among them."""
    complete: bool = True
    """False when part of the look-up failed: then nobody is disconnected for being absent from it."""

    @classmethod
    def of(cls, nodes: Iterable[str], *, complete: bool = True) -> Self:
        """The same, from any names."""
        return cls(frozenset(nodes), complete)


@dataclass(frozen=True, kw_only=True)
class Strategy(ABC):
    """Base of all strategies.  Options are given by name; a wrong one is a :class:`ConfigError`.

    `connect_timeout`: milliseconds that one dial may take.
    """

    connect_timeout: Any = 7000

    def __new__(cls, *args: Any, **given: Any) -> Self:
        """Check what was given before the dataclass takes it."""
        options.check_given(cls, args, given)
        return super().__new__(cls)

    def __post_init__(self) -> None:
        self.keep("connect_timeout", options.milliseconds)
        self.check()

    def check(self) -> None:  # noqa: B027  most have nothing more to check
        """Check the options and bring them into their form; raises :class:`ConfigError`."""

    def check_home(self, name: str) -> None:  # noqa: B027  most suit any name
        """Raise :class:`ConfigError` when a node of this `name` could connect to nothing that is found."""

    @abstractmethod
    async def run(self, cluster: Convergence) -> None:
        """Find nodes and hand them to `cluster`, until cancelled; return when there is no more to find."""

    def keep(self, key: str, check: Callable[[str, Any], Any]) -> None:
        """Replace the option `key` by what `check` makes of it."""
        object.__setattr__(self, key, check(key, getattr(self, key)))

    def __reduce__(self) -> Any:
        given = {field.name: getattr(self, field.name) for field in fields(self) if field.init}
        return partial(type(self), **given), ()


@dataclass(frozen=True, kw_only=True)
class Polling(Strategy):
    """A strategy that looks up all nodes, connects to them, and looks again.

    `polling_interval`: milliseconds between one round's end and the next round.
    """

    polling_interval: Any = 5000

    def __post_init__(self) -> None:
        self.keep("polling_interval", options.milliseconds)
        super().__post_init__()

    @property
    def interval(self) -> float:
        """Seconds between rounds; ``math.inf`` for one round only."""
        return float(self.polling_interval) / 1000

    @abstractmethod
    async def discover(self, cluster: Convergence) -> Discovery:
        """Look all nodes up.  Raises :class:`DiscoveryFailed` where that fails: nothing changes then."""

    async def run(self, cluster: Convergence) -> None:
        """Look up, connect, rest; for ever, or until one round succeeded where one is all that is wanted."""
        while True:
            discovery = await cluster.look(self.discover)
            if discovery is None:
                await cluster.rest_after_failure(self.interval)
                continue
            await cluster.converge(discovery)
            if math.isinf(self.interval):
                return
            await cluster.rest(self.interval)
