"""The topologies of a node, without ``await`` (:mod:`pyerlnode.cluster.topologies`)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyerlnode.cluster import topologies as asyncio_topologies
    from pyerlnode.cluster.events import TopologyEvent
    from pyerlnode.cluster.topology import Topology
    from pyerlnode.loops import LoopThread


class Topologies:
    """The topologies of a node, by name: ``node.topologies``."""

    def __init__(self, topologies: asyncio_topologies.Topologies, loop: LoopThread) -> None:
        self._topologies = topologies
        self._loop = loop

    def __len__(self) -> int:
        return len(self._topologies)

    def __iter__(self) -> Iterator[str]:
        return iter(self._topologies)

    def __getitem__(self, name: str) -> Topology:
        return self._topologies[name]

    def listen(self, listener: Callable[[TopologyEvent], object]) -> None:
        """Call `listener` with every event of every topology, in the node's thread."""
        self._topologies.listen(listener)

    def wanted(self, name: str) -> frozenset[str]:
        """The nodes that the topology `name` found when it last looked."""
        return self._topologies.wanted(name)

    def ready(self, n: int | None = None, timeout: float = 30.0) -> list[str]:
        """Wait until `n` other nodes, or all that are found, are connected; return their names.

        Raises TimeoutError, whose text tells who is missing.
        """
        return self._loop.run(partial(self._topologies.ready, n, timeout))
