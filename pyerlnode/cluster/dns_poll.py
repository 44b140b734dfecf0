"""Connects to the nodes at all addresses of a DNS name (libcluster's ``Cluster.Strategy.DNSPoll``)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from pyerlnode.cluster.dns_lookups import DnsPolling, Finding, find_addresses, side_by_side
from pyerlnode.cluster.dns_names import basenames, every, look_up_names, nodes_at, warn_of_name
from pyerlnode.cluster.names import need_long_name

if TYPE_CHECKING:
    from pyerlnode.cluster.converge import Convergence
    from pyerlnode.cluster.strategy import Discovery


@dataclass(frozen=True, kw_only=True)
class DNSPoll(DnsPolling):
    """Connects to ``BASENAME@ADDRESS`` for every address of a name::

        Topology("example", DNSPoll(query="web.example.com", node_basename="node"))

    `query`
        the name to look up, A and AAAA records; or a list of names.
    `node_basename`
        the part of the nodes' names before the ``@``; or a list, where nodes of several kinds share the
        addresses: then the epmd at each is asked which of them are there.
    `polling_interval`
        milliseconds between one round's end and the next (5000).
    `lookup_timeout`
        milliseconds that one look-up may take (2000).
    `resolver`
        asked instead of DNS: an object with the methods of :class:`pyerlnode.cluster.dns.Dns`.

    A node has to be named by its address, as ``node@10.0.0.1``, for others to find it; where this node is,
    and the network has both kinds of addresses, only those of its own kind are used.  A look-up that fails,
    finds nobody, or answers in part disconnects nobody, unlike in libcluster; nor does any other, unless the
    topology has ``prune=True``.
    """

    query: Any = field(metadata={"list": True})
    node_basename: Any = field(metadata={"list": True})

    def check(self) -> None:
        """Check the names."""
        self.keep("query", look_up_names)
        self.keep("node_basename", basenames)

    def check_home(self, name: str) -> None:
        """Addresses make long names."""
        need_long_name("DNSPoll", f"{every(self.node_basename)[0]}@10.0.0.1", name)

    async def run(self, cluster: Convergence) -> None:
        """Look up, connect, rest, for ever."""
        warn_of_name(cluster, every(self.node_basename))
        await super().run(cluster)

    async def discover(self, cluster: Convergence) -> Discovery:
        """The addresses of all names."""
        begun = cluster.world.clock.time()
        finding = Finding.all_of(
            await side_by_side(
                partial(find_addresses, self.dns, name, own=cluster.own) for name in every(self.query)
            )
        )
        nodes = await nodes_at(cluster, finding.found, every(self.node_basename))
        return finding.named(nodes).conclude(cluster, begun)
