"""COMPANY: whom should this node know?  Strategies that find other nodes, and keep the cluster together.

What libcluster and dns_cluster do for Elixir nodes, under the same names::

    from pyerlnode.cluster import Epmd, Topology
    Node(..., topologies=[Topology("example", Epmd(hosts=["node1@h", "node2@h"]))])

A strategy's module is loaded when its name is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyerlnode.cluster.strategy import Discovery, Polling, Strategy
    from pyerlnode.cluster.topologies import Topologies
    from pyerlnode.cluster.topology import Topology

_HOMES = {
    "strategy": "Discovery Polling Strategy",
    "topologies": "Topologies",
    "topology": "Topology",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = ["Discovery", "Polling", "Strategy", "Topologies", "Topology"]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
