"""Connects to the pods behind a headless service of Kubernetes (``Cluster.Strategy.Kubernetes.DNS``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyerlnode.cluster import options
from pyerlnode.cluster.dns_lookups import DnsPolling, find_addresses
from pyerlnode.cluster.dns_names import look_up_name, nodes_at, warn_of_name
from pyerlnode.cluster.names import need_long_name

if TYPE_CHECKING:
    from pyerlnode.cluster.converge import Convergence
    from pyerlnode.cluster.strategy import Discovery


@dataclass(frozen=True, kw_only=True)
class KubernetesDNS(DnsPolling):
    """Connects to ``APPLICATION@ADDRESS`` for every address of a headless service::

        Topology("example", KubernetesDNS(service="web-headless", application_name="web"))

    `service`
        the service, with its namespace or without: the search list of the pod's ``/etc/resolv.conf`` is used.
        Only A records are asked for.
    `application_name`
        the part of the nodes' names before the ``@``.
    `polling_interval`
        milliseconds between one round's end and the next (5000).
    `lookup_timeout`
        milliseconds that one look-up may take (2000).
    `resolver`
        asked instead of DNS: an object with the methods of :class:`pyerlnode.cluster.dns.Dns`.

    Each node has to be named by the address of its pod, as ``web@10.0.0.1``.  A look-up that fails, finds
    nobody, or answers in part disconnects nobody, unlike in libcluster.
    """

    service: Any
    application_name: Any

    def check(self) -> None:
        """Check the names."""
        self.keep("service", look_up_name)
        self.keep("application_name", options.basename)

    def check_home(self, name: str) -> None:
        """Addresses make long names."""
        need_long_name("KubernetesDNS", f"{self.application_name}@10.0.0.1", name)

    async def run(self, cluster: Convergence) -> None:
        """Look up, connect, rest, for ever."""
        warn_of_name(cluster, [self.application_name])
        await super().run(cluster)

    async def discover(self, cluster: Convergence) -> Discovery:
        """The addresses of the service."""
        begun = cluster.world.clock.time()
        finding = await find_addresses(self.dns, self.service, ["A"], search=True)
        nodes = await nodes_at(cluster, finding.found, (self.application_name,))
        return finding.named(nodes).conclude(cluster, begun)
