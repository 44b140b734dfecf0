"""The post's `--name` and `--hostname` on a network of their own: connected by a ping, not at start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.docker import eventually

if TYPE_CHECKING:
    from tests.support.containers import Container, Site

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

E, P = "elixir", "python"


def is_up(node: Container) -> bool:
    return any("name node" in line for line in node.epmd_names())


@pytest.mark.parametrize(
    ("suite", "first", "second"), [("bookworm", E, E), ("trixie", P, E), ("forky", E, P)]
)
def test_a_ping_connects(site: Site, first: str, second: str) -> None:
    start = {E: site.elixir, P: site.python}
    node1, node2 = start[first]("node1@node1"), start[second]("node2@node2")
    eventually(lambda: [is_up(node1), is_up(node2)], [True, True])
    eventually(lambda: [node1.nodes(), node2.nodes()], [[], []])
    dialler, peer = (node2, node1) if second == E else (node1, node2)
    assert dialler.ping(peer.name) == "pong"
    eventually(dialler.nodes, [peer.name])
    eventually(peer.nodes, [dialler.name])
    assert peer.ping(dialler.name) == "pong"
    assert [node1.said(), node2.said()] == [[], []]


def test_python_dials_by_a_ping(site: Site) -> None:
    """A GenServer in Python that asks what `:net_adm.ping/1` asks."""
    node1, node2 = site.elixir("node1@node1"), site.app("node2@node2")
    eventually(lambda: [is_up(node1), is_up(node2)], [True, True])
    eventually(lambda: [node1.nodes(), node2.nodes()], [[], []])
    asked = "{:relay, {:net_kernel, :node1@node1}, {:is_auth, :node2@node2}}"
    assert node2.call(":counter", "node2@node2", asked) == "{:ok, :yes}"
    eventually(node1.nodes, ["node2@node2"])
    eventually(node2.nodes, ["node1@node1"])
    assert node1.ping("node2@node2") == "pong"
