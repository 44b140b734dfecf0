from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.cluster.events import Connected, TopologyEvent
from pyerlnode.cluster.strategy import Discovery, Polling
from pyerlnode.cluster.topology import Topology
from pyerlnode.sync import Node
from tests.support.ports import free_port

if TYPE_CHECKING:
    from pyerlnode.cluster.converge import Convergence


@dataclass(frozen=True, kw_only=True)
class Listed(Polling):
    nodes: Any = ()

    async def discover(self, cluster: Convergence) -> Discovery:
        return Discovery.of(self.nodes)


def test_a_script_waits_until_its_node_has_joined() -> None:
    events: list[TopologyEvent] = []
    a, b = "a@127.0.0.1", "b@127.0.0.1"
    ports = {a: free_port(), b: free_port()}
    topology = Topology("example", Listed(nodes=[a, b]))
    with (
        Node(b, cookie="cookie", epmd=False, port=ports[b], peer_ports=ports),
        Node(a, cookie="cookie", epmd=False, port=ports[a], peer_ports=ports, topologies=[topology]) as node,
    ):
        assert node.is_alive
        assert (len(node.topologies), list(node.topologies)) == (1, ["example"])
        assert node.topologies["example"] is topology
        assert node.topologies.ready() == [b] == node.list()
        assert node.topologies.wanted("example") == {b}
        node.topologies.listen(events.append)
        with pytest.raises(TimeoutError, match="1 of 2 nodes"):
            node.topologies.ready(2, timeout=0.05)
    assert not [event for event in events if isinstance(event, Connected)]


def test_a_node_as_the_environment_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYERLNODE_NAME", "env@127.0.0.1")
    monkeypatch.setenv("PYERLNODE_COOKIE", "secret")
    with Node.from_environment(epmd=False, loop="asyncio") as node:
        assert (node.name, node.cookie) == ("env@127.0.0.1", "secret")
