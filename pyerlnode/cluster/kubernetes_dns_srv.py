"""Connects to the pods of a stateful set, by name (``Cluster.Strategy.Kubernetes.DNSSRV``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyerlnode.cluster import options
from pyerlnode.cluster.dns_lookups import DnsPolling, attempt
from pyerlnode.cluster.dns_names import look_up_name, nodes_at
from pyerlnode.cluster.names import need_long_name

if TYPE_CHECKING:
    from pyerlnode.cluster.converge import Convergence
    from pyerlnode.cluster.strategy import Discovery

DOMAIN = "cluster.local."
"""The domain of a cluster where ``$CLUSTER_DOMAIN`` does not name another."""


@dataclass(frozen=True, kw_only=True)
class KubernetesDNSSRV(DnsPolling):
    """Connects to ``APPLICATION@POD.SERVICE.NAMESPACE.svc.DOMAIN`` for every pod of a headless service::

        Topology("example", KubernetesDNSSRV(service="web", namespace="default", application_name="web"))

    `service`, `namespace`
        whose SRV records are asked for: those of ``SERVICE.NAMESPACE.svc.cluster.local``, or of the domain in
        ``$CLUSTER_DOMAIN``.  Their ports, priorities and weights mean nothing here.
    `application_name`
        the part of the nodes' names before the ``@``.
    `polling_interval`
        milliseconds between one round's end and the next (5000).
    `lookup_timeout`
        milliseconds that one look-up may take (2000).
    `resolver`
        asked instead of DNS: an object with the methods of :class:`pyerlnode.cluster.dns.Dns`.

    Each node has to be named by the full name of its pod, without a final dot.  A look-up that fails or finds
    nobody disconnects nobody, unlike in libcluster.
    """

    service: Any
    namespace: Any
    application_name: Any

    def check(self) -> None:
        """Check the names."""
        self.keep("service", look_up_name)
        self.keep("namespace", look_up_name)
        self.keep("application_name", options.basename)

    def check_home(self, name: str) -> None:
        """The names of pods are long ones."""
        example = f"{self.application_name}@pod-0.{self.service}.{self.namespace}.svc.{DOMAIN[:-1]}"
        need_long_name("KubernetesDNSSRV", example, name)

    async def discover(self, cluster: Convergence) -> Discovery:
        """The targets of the service."""
        begun = cluster.world.clock.time()
        domain = cluster.world.environ.get("CLUSTER_DOMAIN") or DOMAIN
        query = f"{self.service}.{self.namespace}.svc.{domain}"

        async def targets() -> list[str]:
            return [service.target for service in await self.dns.services(query)]

        finding = await attempt(targets, f"lookup against {query} found nobody: it has no SRV records")
        nodes = await nodes_at(cluster, finding.found, (self.application_name,))
        return finding.named(nodes).conclude(cluster, begun)
