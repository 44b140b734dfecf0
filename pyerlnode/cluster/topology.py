"""A topology: one strategy under a name, with the hooks that libcluster gives to its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, TypeAlias

from pyerlnode.cluster.converge import Convergence
from pyerlnode.cluster.report import Report
from pyerlnode.cluster.strategy import Strategy
from pyerlnode.errors import ConfigError

if TYPE_CHECKING:
    from pyerlnode.cluster.events import TopologyEvent
    from pyerlnode.cluster.ports import World

Answer: TypeAlias = bool | None
"""True: done.  False: it could not be done.  None: the local node is not part of a network (``:ignored``)."""
Hook: TypeAlias = Callable[[str], Answer | Awaitable[Answer]]
"""Takes the name of a node; plain or async.  It may raise ``ConnectFailed``."""
ListNodes: TypeAlias = Callable[[], Iterable[str] | Awaitable[Iterable[str]]]


@dataclass(frozen=True, slots=True)
class Topology:
    """A way to find other nodes, as one entry of libcluster's ``topologies``.

    `name` is how the log calls it, `strategy` finds the nodes.
    `connect`, `disconnect`
        called with a node's name in place of the node's own verbs.
    `list_nodes`
        gives the names that count as connected; by default ``node.list("connected")``, hidden ones too.
    `prune`
        whether nodes that are found no more are disconnected.  Off, since OTP 25 and later answer a lost
        connection by cutting further ones (``prevent_overlapping_partitions``).  A node is pruned only when
        three complete look-ups in a row lack it; failed, partial and empty ones never count.
    `on_event`
        called with each event of this topology (:mod:`pyerlnode.cluster.events`), for metrics.
    """

    name: str
    strategy: Strategy
    _: KW_ONLY
    connect: Hook | None = None
    disconnect: Hook | None = None
    list_nodes: ListNodes | None = None
    prune: bool = False
    on_event: Callable[[TopologyEvent], object] | None = None

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.name.isprintable():
            raise ConfigError("name", self.name, "a topology needs a name that can be printed, as 'example'")
        if not isinstance(self.strategy, Strategy):
            raise ConfigError("strategy", self.strategy, "it is a strategy, as Epmd(hosts=['node1@host'])")
        if not isinstance(self.prune, bool):
            raise ConfigError("prune", self.prune, "it is True or False")
        for key in ("connect", "disconnect", "list_nodes", "on_event"):
            hook = getattr(self, key)
            if hook is not None and not callable(hook):
                raise ConfigError(key, hook, "a hook is something to call")

    def convergence(self, world: World, publish: Callable[[TopologyEvent], object]) -> Convergence:
        """What brings about, on the node in `world`, the cluster that this topology wants.

        `publish` gets its events.
        """
        return Convergence(self, world, Report(self.name, publish))
