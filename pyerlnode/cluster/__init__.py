"""COMPANY: whom should this node know?  Strategies that find other nodes, and keep the cluster together.

What libcluster and dns_cluster do for Elixir nodes, under the same names::

    from pyerlnode.cluster import Epmd, Topology
    Node(..., topologies=[Topology("example", Epmd(hosts=["node1@h", "node2@h"]))])

A strategy says where to look, a topology is a strategy that runs under a name, and each node has its own
(``node.topologies``).  docs/clustering.md tells of all of them, with their options; what is common to them,
dials and retries and pruning, is in :mod:`pyerlnode.cluster.converge`.

A strategy's module is loaded when its name is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyerlnode.lazy import lazy as _lazy

if TYPE_CHECKING:
    from pyerlnode.cluster.dns import Dns
    from pyerlnode.cluster.dns_alias import DNSAlias
    from pyerlnode.cluster.dns_cluster import DNSCluster
    from pyerlnode.cluster.dns_poll import DNSPoll
    from pyerlnode.cluster.epmd import Epmd
    from pyerlnode.cluster.erlang_hosts import ErlangHosts
    from pyerlnode.cluster.events import (
        Connected,
        ConnectionFailed,
        Disconnected,
        DisconnectionFailed,
        Found,
        LookupFailed,
        TopologyEvent,
    )
    from pyerlnode.cluster.gossip import Gossip
    from pyerlnode.cluster.kubernetes import Kubernetes
    from pyerlnode.cluster.kubernetes_dns import KubernetesDNS
    from pyerlnode.cluster.kubernetes_dns_srv import KubernetesDNSSRV
    from pyerlnode.cluster.local_epmd import LocalEpmd
    from pyerlnode.cluster.rancher import Rancher
    from pyerlnode.cluster.strategy import Discovery, Polling, Strategy
    from pyerlnode.cluster.topologies import Topologies
    from pyerlnode.cluster.topology import Topology

STRATEGIES = {
    "epmd": "Epmd",
    "local_epmd": "LocalEpmd",
    "erlang_hosts": "ErlangHosts",
    "dns_poll": "DNSPoll",
    "dns_alias": "DNSAlias",
    "dns_cluster": "DNSCluster",
    "gossip": "Gossip",
    "kubernetes": "Kubernetes",
    "kubernetes_dns": "KubernetesDNS",
    "kubernetes_dns_srv": "KubernetesDNSSRV",
    "rancher": "Rancher",
}
"""The module of each strategy, which is also its name in configuration, and its class."""

_HOMES = STRATEGIES | {
    "dns": "Dns",
    "events": "Connected ConnectionFailed Disconnected DisconnectionFailed Found LookupFailed TopologyEvent",
    "strategy": "Discovery Polling Strategy",
    "topologies": "Topologies",
    "topology": "Topology",
}

__all__ = [
    "Connected",
    "ConnectionFailed",
    "DNSAlias",
    "DNSCluster",
    "DNSPoll",
    "Disconnected",
    "DisconnectionFailed",
    "Discovery",
    "Dns",
    "Epmd",
    "ErlangHosts",
    "Found",
    "Gossip",
    "Kubernetes",
    "KubernetesDNS",
    "KubernetesDNSSRV",
    "LocalEpmd",
    "LookupFailed",
    "Polling",
    "Rancher",
    "Strategy",
    "Topologies",
    "Topology",
    "TopologyEvent",
]

__getattr__, __dir__ = _lazy(__name__, {f"{__name__}.{home}": names for home, names in _HOMES.items()})
