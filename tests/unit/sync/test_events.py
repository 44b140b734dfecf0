"""Nodes coming and going, in a ``for`` loop that ends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode import NodeUp
from pyerlnode.sync import Node
from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=["asyncio", "auto"])
def node(request: pytest.FixtureRequest) -> Iterator[Node]:
    with Node("py@127.0.0.1", cookie="cookie", listen=False, epmd=False, loop=request.param) as node:
        yield node


def test_they_end_after_their_timeout_and_with_the_node(node: Node) -> None:
    assert list(node.monitor_nodes(timeout=0.01)) == []
    events = node.monitor_nodes()
    with ThreadPoolExecutor(1) as pool:
        listing = pool.submit(list, events)
        node.stop()
        assert listing.result() == []


def test_a_node_that_comes_is_told() -> None:
    port = free_port()
    there: dict[str, Any] = {"cookie": "cookie", "epmd": False}
    with (
        Node("b@127.0.0.1", port=port, **there),
        Node("a@127.0.0.1", listen=False, peer_ports=port, **there) as node,
    ):
        events = node.monitor_nodes()
        node.connect("b@127.0.0.1")
        assert next(events) == NodeUp("b@127.0.0.1")
