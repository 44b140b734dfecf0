"""The post's Epmd strategy: three nodes that know each other's names, started one after another.

Elixir at each place but one, Python in turn at each, and Python at all of them; each on one of the bases.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from pyerlnode.term import Atom
from pyerlnode.term.text import to_elixir
from tests.support.compose import V1, V2, Compose
from tests.support.containers import HOST
from tests.support.docker import eventually
from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.containers import Container, Site

pytestmark = [pytest.mark.docker, pytest.mark.timeout(400)]

E, P = "elixir", "python"


def unable(name: str) -> str:
    return f"unable to connect to {to_elixir(Atom(name))}"


def connected(name: str) -> str:
    return f"connected to {to_elixir(Atom(name))}"


def joined_in_turn(host: Callable[[int], str], start: Callable[[str], Container]) -> list[Container]:
    """Start three nodes, checking at each step what each has logged and whom it is connected to."""
    one, two, three = (f"node{n}@{host(n)}" for n in (1, 2, 3))

    node1 = start(one)
    eventually(node1.tally, Counter([unable(two), unable(three)]))
    assert node1.nodes() == []

    node2 = start(two)
    eventually(node2.tally, Counter([connected(one), unable(three)]))
    eventually(node2.nodes, [one])
    eventually(node1.nodes, [two])

    node3 = start(three)
    eventually(node3.tally, Counter([connected(one), connected(two)]))
    eventually(node3.nodes, [one, two])
    eventually(node1.nodes, [two, three])
    eventually(node2.nodes, [one, three])

    # only who dials has something to say
    assert node1.tally() == Counter([unable(two), unable(three)])
    assert node2.tally() == Counter([connected(one), unable(three)])
    return [node1, node2, node3]


@pytest.mark.parametrize(
    ("suite", "kinds"),
    [
        ("forky", (E, E, E)),
        ("bookworm", (P, E, E)),
        ("trixie", (E, P, E)),
        ("forky", (E, E, P)),
        ("trixie", (P, P, P)),
    ],
)
def test_on_one_host(site: Site, kinds: tuple[str, ...]) -> None:
    port = str(free_port())
    hosts = ",".join(f"node{n}@{HOST}" for n in (1, 2, 3))
    env = {"ERL_EPMD_PORT": port, "HOSTS": hosts, "PYERLNODE_HOSTS": hosts, "PYERLNODE_STRATEGY": "epmd"}

    def start(name: str) -> Container:
        run = site.elixir if kinds[int(name[4]) - 1] == E else site.python
        return run(name, env=env)

    nodes = joined_in_turn(lambda _: HOST, start)
    names = [f"name node{n} at port P" for n in (1, 2, 3)]
    for node in nodes:
        assert node.epmd_names() == [f"epmd: up and running on port {port} with data:", *names]


@pytest.mark.parametrize(
    ("suite", "kinds", "tool"),
    [
        ("bookworm", (E, E, E), V1),
        ("trixie", (P, E, E), V2),
        ("forky", (E, P, E), V2),
        ("bookworm", (E, E, P), V1),
        ("forky", (P, P, P), V2),
    ],
)
def test_each_on_its_host(site: Site, kinds: tuple[str, ...], tool: tuple[str, ...]) -> None:
    places = {f"node{n}": kind for n, kind in enumerate(kinds, start=1)}
    compose = Compose(site, "epmd", tool, kinds=places)

    def start(name: str) -> Container:
        compose.up(name.partition("@")[0])
        return compose.node(name)

    nodes = joined_in_turn("node{}".format, start)
    for number, node in enumerate(nodes, start=1):
        up = "epmd: up and running on port 4369 with data:"
        assert node.epmd_names() == [up, f"name node{number} at port P"]
        others = [other.name for other in nodes if other is not node]
        assert [node.ping(other) for other in others] == ["pong", "pong"]
    compose.down()
    assert [node.is_there() for node in nodes] == [False] * 3
