"""The post's last part: whoever has the network alias `web` is a node; names come by reverse look-up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.compose import V1, V2, Compose
from tests.support.containers import Elixir
from tests.support.docker import SUITES, docker, eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.containers import Container, Site

pytestmark = [pytest.mark.docker, pytest.mark.timeout(400)]

E, P, A = "elixir", "python", "app"
ONCE = str(24 * 3600 * 1000)
"""A polling interval that no test lives to see: then Python looks at its start only, as the post does."""


@pytest.mark.parametrize("suite", SUITES)
def test_the_alias_gives_all_addresses_and_each_gives_a_name(site: Site) -> None:
    image = f"pyerlnode/elixir:{site.suite}"
    for host in ("node1", "node2"):
        site.run(f"node@{host}", image, "bash", flags=("-i", "-t"), alias="web")
    by_name = {host: Elixir(site.prefix + host, host, site.prefix).address() for host in ("node1", "node2")}

    def ask(code: str) -> str:
        options = ("--rm", "--net", site.network, "--name", f"{site.prefix}asking")
        text = docker("run", *options, image, "elixir", "-e", f"IO.inspect({code}, width: :infinity)")
        return text.replace(site.prefix, "").replace('~c"', "'").replace('"', "'").strip()

    answer = ask(":inet.gethostbyname(:web)")
    found = re.fullmatch(r"\{:ok, \{:hostent, 'web', \[\], :inet, 4, \[(.*)\]\}\}", answer)
    assert found, answer
    tuples = {"{" + address.replace(".", ", ") + "}" for address in by_name.values()}
    assert set(re.findall(r"\{[\d, ]+\}", found[1])) == tuples
    for host, address in by_name.items():
        four = "{" + address.replace(".", ", ") + "}"
        name = f"{{:ok, {{:hostent, '{host}.net_poc', [], :inet, 4, [{four}]}}}}"
        assert ask(f":inet.gethostbyaddr({four})") == name


@pytest.mark.parametrize(
    ("suite", "kinds", "tool"),
    [
        ("forky", (E, E, E), V2),
        ("bookworm", (P, E, E), V1),
        ("trixie", (E, P, E), V1),
        ("forky", (E, E, A), V2),
        ("bookworm", (P, A, P), V2),
    ],
)
def test_each_new_node_finds_the_others(
    site: Site, kinds: tuple[str, ...], tool: tuple[str, ...], tmp_path: Path
) -> None:
    places = {f"node{n}": kind for n, kind in enumerate(kinds, start=1)}
    told = {"services": {"node1": {"environment": {"PYERLNODE_LOG_LEVEL": "debug"}}}}
    override = (tmp_path / "debug.json", told)
    compose = Compose(site, "alias", tool, kinds=places, override=override, POLLING_INTERVAL=ONCE)
    one, two, three = (f"node@node{n}" for n in (1, 2, 3))

    def start(name: str) -> Container:
        compose.up(name.partition("@")[2])
        return compose.node(name)

    node1 = start(one)
    eventually(node1.has_looked, True)
    eventually(node1.nodes, [])

    node2 = start(two)
    eventually(node2.said, [f"connected to :{one}"])
    eventually(node2.nodes, [one])
    eventually(node1.nodes, [two])

    node3 = start(three)
    eventually(lambda: sorted(node3.said()), [f"connected to :{one}", f"connected to :{two}"])
    eventually(node3.nodes, [one, two])
    eventually(node2.nodes, [one, three])
    eventually(node1.nodes, [two, three])

    # only who dials has something to say
    assert [node1.said(), node2.said()] == [[], [f"connected to :{one}"]]
    nodes = [node1, node2, node3]
    pings = [node.ping(other.name) for node in nodes for other in nodes if other is not node]
    assert pings == ["pong"] * 6
    compose.down()


def test_python_finds_who_comes_later(site: Site) -> None:
    """Where Elixir has connected to nobody: the post's Elixir node without a topology."""
    compose = Compose(site, "alias", kinds={"node1": P}, POLLING_INTERVAL="200")
    compose.up("node1")
    node1 = compose.node("node@node1")
    eventually(node1.nodes, [])
    node2 = site.elixir("node@node2", alias="web")
    eventually(node2.nodes, ["node@node1"])
    eventually(node1.nodes, ["node@node2"])
    assert node2.said() == []
    eventually(lambda: node1.said()[-1:], ["connected to :node@node2"])
