"""Three Elixir nodes and two Python ones: who sees whom, calls both ways, and a cluster that mends itself."""

from __future__ import annotations

from collections import Counter
from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from tests.support.compose import V1, V2, Compose
from tests.support.docker import eventually

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.containers import Container, Site

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

NAMES = tuple(f"node@node{n}" for n in range(1, 6))
COUNTER = "LibclusterPoc.Counter"
ONCE = str(24 * 3600 * 1000)
"""A polling interval that no test lives to see."""
TICKTIME = 4
"""Seconds, instead of a minute, after which a silent node is taken for dead."""


def meshed(nodes: Sequence[Container]) -> None:
    """Wait until each of `nodes` is connected to all others, and to nobody else."""
    for node in nodes:
        eventually(node.nodes, sorted(other.name for other in nodes if other is not node))


def all_ping_all(nodes: Sequence[Container]) -> None:
    assert {(a.name, b.name): a.ping(b.name) for a, b in permutations(nodes, 2)} == {
        (a.name, b.name): "pong" for a, b in permutations(nodes, 2)
    }


def they_call_each_other(nodes: Sequence[Container]) -> None:
    """Elixir calls the Python GenServer of node5, and that calls the Elixir ones."""
    app = nodes[4]
    for elixir in nodes[:3]:
        assert elixir.call(":counter", app.name, ":who") == f":{app.name}"
        assert app.call(COUNTER, elixir.name, ":who") == f":{elixir.name}"
        relayed = f"{{:relay, {{{COUNTER}, :{elixir.name}}}, :who}}"
        assert elixir.call(":counter", app.name, relayed) == f"{{:ok, :{elixir.name}}}"


def test_who_sees_whom(site: Site) -> None:
    compose = Compose(site, "mixed", V2, POLLING_INTERVAL=ONCE)
    nodes: list[Container] = []
    for name in NAMES:
        compose.up(name.partition("@")[2])
        node = compose.node(name)
        if nodes:
            eventually(node.tally, Counter(f"connected to :{earlier.name}" for earlier in nodes))
        else:
            eventually(node.has_looked, True)
        nodes.append(node)
        meshed(nodes)
    assert [len(node.said()) for node in nodes] == [0, 1, 2, 3, 4]
    all_ping_all(nodes)
    they_call_each_other(nodes)
    app = nodes[4]
    assert nodes[0].call(":counter", app.name, "{:add, 2}") == "{:ok, 2}"
    assert nodes[1].call(":counter", app.name, "{:add, 3}") == "{:ok, 5}"
    compose.down()
    assert [node.is_there() for node in nodes] == [False] * 5


@pytest.fixture
def cluster(site: Site, tmp_path: Path) -> list[Container]:
    """All five, started at once; they look for each other again and again, and soon miss who is silent."""
    config = tmp_path / "node.toml"
    config.write_text(f"[node]\nnet_ticktime = {TICKTIME}\n", encoding="utf-8")
    tmp_path.chmod(0o755)
    elixir = {"environment": {"ERL_FLAGS": f"-kernel net_ticktime {TICKTIME}"}}
    python = {
        "environment": {"PYERLNODE_CONFIG": "/etc/pyerlnode.toml"},
        "volumes": [f"{config}:/etc/pyerlnode.toml:ro"],
    }
    kinds = dict.fromkeys(("node1", "node2", "node3"), elixir) | dict.fromkeys(("node4", "node5"), python)
    override = (tmp_path / "short.json", {"services": kinds})
    compose = Compose(site, "mixed", V1, override=override, POLLING_INTERVAL="1000", TIMEOUT="1000")
    compose.up()
    nodes = [compose.node(name) for name in NAMES]
    meshed(nodes)
    return nodes


def without(node: Container, nodes: list[Container]) -> list[Container]:
    return [other for other in nodes if other is not node]


@pytest.mark.parametrize("suite", ["bookworm"])
def test_it_heals_after_deaths_and_restarts(site: Site, cluster: list[Container]) -> None:
    for node in (cluster[1], cluster[3], cluster[4]):
        node.kill()
        meshed(without(node, cluster))
        node.start()
        meshed(cluster)
    for node in (cluster[0], cluster[3]):
        node.restart()
        meshed(cluster)
    all_ping_all(cluster)
    they_call_each_other(cluster)


@pytest.mark.parametrize("suite", ["forky"])
def test_it_heals_after_silence_and_partitions(site: Site, cluster: list[Container]) -> None:
    for node in (cluster[0], cluster[3]):
        node.pause()
        meshed(without(node, cluster))
        node.unpause()
        meshed(cluster)
    for node in (cluster[2], cluster[4]):
        site.cut_off(node)
        meshed(without(node, cluster))
        site.join(node, alias="web")
        meshed(cluster)
    all_ping_all(cluster)
    they_call_each_other(cluster)


def test_releases_side_by_side(site: Site) -> None:
    """OTP 25, 27 and 29, and Python 3.11 and 3.14, in one cluster."""
    alias = {"ALIAS": "web", "SUFFIX": f".{site.network}"}
    python = {
        "PYERLNODE_STRATEGY": "dns_alias",
        "PYERLNODE_ALIAS": "web",
        "PYERLNODE_POLLING_INTERVAL": "500",
    }
    nodes: list[Container] = [
        site.elixir(name, suite=suite, env=alias, alias="web")
        for name, suite in zip(NAMES, ("bookworm", "trixie", "forky"), strict=False)
    ]
    nodes.append(site.python(NAMES[3], suite="bookworm", env=python, alias="web"))
    nodes.append(site.app(NAMES[4], suite="forky", env=python, alias="web"))
    meshed(nodes)
    all_ping_all(nodes)
    they_call_each_other(nodes)
