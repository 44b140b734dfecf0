"""Connects to a list of nodes that is known beforehand (libcluster's ``Cluster.Strategy.Epmd``).

The name is libcluster's: the list is given, and epmd is only asked for their ports, as in any dial.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyerlnode.cluster import options
from pyerlnode.cluster.once import Once, check_kind
from pyerlnode.cluster.strategy import Discovery

if TYPE_CHECKING:
    from pyerlnode.cluster.converge import Convergence


@dataclass(frozen=True, kw_only=True)
class Epmd(Once):
    """Connects to the nodes of a list::

        Topology("example", Epmd(hosts=["node1@h", "node2@h"], timeout=5000))

    `hosts`
        names of nodes; this node's own may be among them.  None given: nothing is done, and nothing is said.
    `timeout`
        milliseconds after which those that are not connected are dialled again, over and over; those that
        could not be reached are tried sooner.  ``"infinity"``, the default as in libcluster: all are dialled
        once, at the start, and one that comes later has to dial this node.

    Nobody is ever disconnected.
    """

    hosts: Any = ()

    def check(self) -> None:
        """Check the names."""
        self.keep("hosts", options.node_names)

    def check_home(self, name: str) -> None:
        """Short names never connect to long ones: at least one has to be of this node's kind."""
        check_kind("hosts", [host for host in self.hosts if host != name], name)

    async def run(self, cluster: Convergence) -> None:
        """Dial them, unless there are none."""
        if self.hosts:
            await super().run(cluster)

    async def discover(self, cluster: Convergence) -> Discovery:
        """The list."""
        return Discovery.of(self.hosts)
