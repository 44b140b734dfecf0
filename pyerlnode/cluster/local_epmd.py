"""Connects to all nodes of this host (libcluster's ``Cluster.Strategy.LocalEpmd``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyerlnode.cluster.names import NO_NAME
from pyerlnode.cluster.once import Once
from pyerlnode.cluster.strategy import Discovery
from pyerlnode.errors import DiscoveryFailed, EpmdError
from pyerlnode.wire.names import split_name

if TYPE_CHECKING:
    from pyerlnode.cluster.converge import Convergence

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class LocalEpmd(Once):
    """Connects to every node that this host's epmd knows, under the host part of this node's own name::

        Topology("example", LocalEpmd())

    `timeout`
        milliseconds after which epmd is asked again; ``"infinity"``, the default: once, as libcluster does.

    epmd is the server on each host that knows its nodes and their ports.  Nodes of other clusters on the host
    are found too: they refuse, having another cookie, and the log says so.  An epmd that does not answer is
    asked again, after a pause that grows (libcluster would not start).
    """

    async def discover(self, cluster: Convergence) -> Discovery:
        """Ask the epmd of this host for its names."""
        if cluster.own == NO_NAME:
            raise DiscoveryFailed("this node has no name, so it cannot know its host: not part of network")
        host = split_name(cluster.own)[1]
        try:
            names = await cluster.world.epmd_names(LOOPBACK)
        except (EpmdError, OSError) as error:
            raise DiscoveryFailed(f"cannot list the nodes of this host: {error}") from error
        return Discovery.of(f"{name}@{host}" for name in names)
