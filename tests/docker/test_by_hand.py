"""The post's first part: two nodes in the machine's own network, connected by hand at iex's prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyerlnode.term import Atom
from pyerlnode.term.text import to_elixir
from tests.support.compose import TOOLS, Compose
from tests.support.containers import COOKIE, HOST, Elixir
from tests.support.docker import LABEL, SUITES, docker, eventually
from tests.support.ports import free_port
from tests.support.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.containers import Site

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

NODE1, NODE2 = f"node1@{HOST}", f"node2@{HOST}"


def atom(name: str) -> str:
    return to_elixir(Atom(name))


@pytest.fixture
def port() -> str:
    """epmd's: these containers are in the machine's network, where 4369 may be somebody's."""
    return str(free_port())


@pytest.fixture
def iex(site: Site, port: str) -> Iterator[Callable[[str], Terminal]]:
    """Run the post's command for a node, on a terminal."""
    terminals: list[Terminal] = []

    def run(name: str) -> Terminal:
        image = ("-e", f"ERL_EPMD_PORT={port}", f"pyerlnode/elixir:{site.suite}")
        named = ("--label", LABEL, "--name", site.prefix + name)
        command = ("docker", "run", "-i", "-t", "--net=host", *named, *image)
        terminals.append(Terminal(*command, "iex", "--sname", name, "--cookie", COOKIE))
        return terminals[-1]

    yield run
    site.close()
    for terminal in terminals:
        terminal.close()


@pytest.mark.parametrize("suite", SUITES)
def test_two_terminals(iex: Callable[[str], Terminal]) -> None:
    node1, node2 = iex("node1"), iex("node2")
    assert node1.ask("Node.self()") == atom(NODE1)
    assert node2.ask("Node.list()") == "[]"
    assert node2.ask(f"Node.connect({atom(NODE1)})") == "true"
    assert node2.ask("Node.list()") == f"[{atom(NODE1)}]"
    assert node1.ask(f":net_adm.ping({atom(NODE2)})") == ":pong"
    assert node1.ask("Node.list()") == f"[{atom(NODE2)}]"


@pytest.mark.parametrize("suite", SUITES)
def test_python_as_node1(site: Site, iex: Callable[[str], Terminal], port: str) -> None:
    node1 = site.python(NODE1, env={"ERL_EPMD_PORT": port})
    eventually(node1.epmd_names, [f"epmd: up and running on port {port} with data:", "name node1 at port P"])
    node2 = iex("node2")
    assert node2.ask("Node.list()") == "[]"
    assert node2.ask(f"Node.connect({atom(NODE1)})") == "true"
    assert node2.ask("Node.list()") == f"[{atom(NODE1)}]"
    assert node2.ask(f":net_adm.ping({atom(NODE1)})") == ":pong"
    eventually(node1.nodes, [NODE2])
    assert node1.ping(NODE2) == "pong"


@pytest.mark.parametrize("suite", SUITES)
def test_python_as_node2(site: Site, iex: Callable[[str], Terminal], port: str) -> None:
    node1 = iex("node1")
    assert node1.ask("Node.list()") == "[]"
    node2 = site.python(NODE2, "--connect", NODE1, env={"ERL_EPMD_PORT": port})
    eventually(node2.nodes, [NODE1])
    assert node1.ask("Node.list()") == f"[{atom(NODE2)}]"
    assert node1.ask(f":net_adm.ping({atom(NODE2)})") == ":pong"
    assert node2.ping(NODE1) == "pong"


def test_python_as_both(site: Site, port: str) -> None:
    node1 = site.python(NODE1, env={"ERL_EPMD_PORT": port})
    eventually(node1.nodes, [])
    node2 = site.python(NODE2, "--connect", NODE1, env={"ERL_EPMD_PORT": port})
    eventually(node2.nodes, [NODE1])
    eventually(node1.nodes, [NODE2])
    assert [node1.ping(NODE2), node2.ping(NODE1)] == ["pong", "pong"]


@pytest.mark.parametrize("tool", TOOLS, ids=" ".join)
def test_composed(site: Site, tool: tuple[str, ...], port: str) -> None:
    compose = Compose(site, "by_hand", tool, ERL_EPMD_PORT=port)
    compose.up()
    node1, node2 = compose.node(NODE1), compose.node(NODE2)
    assert isinstance(node2, Elixir)
    eventually(node1.nodes, [])
    eventually(node2.nodes, [])
    assert node2.connect(NODE1) == "true"
    eventually(node2.nodes, [NODE1])
    eventually(node1.nodes, [NODE2])
    assert [node1.ping(NODE2), node2.ping(NODE1)] == ["pong", "pong"]
    compose.down()
    assert docker("ps", "-aq", "--filter", f"name={site.prefix}") == ""
