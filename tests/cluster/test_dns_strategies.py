"""Clusters that find each other through DNS, on hosts of their own: each strategy, with BEAMs that only wait.

What the Elixir side would dial, ours dials: the BEAMs here have no libcluster, so every connection is the
strategy's work, or Erlang's own mesh once one is there.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.company import sees
from tests.support.dns_server import Failure

if TYPE_CHECKING:
    from tests.support.beam import Beam
    from tests.support.beams import Release
    from tests.support.dns_server import DnsServer
    from tests.support.hosts import Host, Network
    from tests.support.python_node import PythonNode

SERVICE = "web.prod.svc.cluster.local"
ALONE = ["-connect_all", "false", "-kernel", "prevent_overlapping_partitions", "false"]
"""Flags of BEAMs that leave a connection that ends to whom it concerns."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One strategy: its options, how hosts and nodes are called, and what DNS has of each."""

    strategy: str
    options: dict[str, Any]
    asked: tuple[str, str]
    """The question that comes once a poll."""
    pause: str = "polling_interval"
    host: str = "host{}"
    node: str = "node@{address}"
    search: str = ""
    records: list[tuple[str, str, str]] = field(default_factory=list)

    def __str__(self) -> str:
        return self.strategy

    def name(self, host: Host) -> str:
        return self.node.format(name=host.name, address=host.address)

    def records_of(self, host: Host) -> list[tuple[str, ...]]:
        return [
            tuple(word.format(name=host.name, address=host.address) for word in record)
            for record in self.records
        ]

    def table(self, **more: Any) -> dict[str, Any]:
        return {"strategy": self.strategy, self.pause: 200, "lookup_timeout": 500} | self.options | more

    def enter(self, dns: DnsServer, host: Host) -> None:
        """DNS knows the host."""
        for name, kind, data in self.records_of(host):
            dns.add(name, kind, data)
        if self.strategy == "dns_alias":
            dns.add_ptr(host.address, f"{host.name}.net_poc")

    def leave(self, dns: DnsServer, host: Host) -> None:
        """DNS no longer lists it."""
        for name, kind, data in self.records_of(host):
            dns.remove(name, kind, data)

    def make_host(self, network: Network, number: int) -> Host:
        host = network.host(self.host.format(number))
        if self.search:
            host.write("/etc/resolv.conf", f"{network.resolv_conf()}search {self.search}\n")
        return host

    def python(self, host: Host, **more: Any) -> PythonNode:
        return host.python_node(self.name(host), topologies={"example": self.table(**more)})

    def beam(self, release: Release, host: Host) -> Beam:
        return host.beam(release, self.name(host), flags=ALONE)


SCENES = [
    Scene(
        strategy="dns_poll",
        options={"query": "web.test", "node_basename": "node"},
        asked=("web.test", "A"),
        records=[("web.test", "A", "{address}")],
    ),
    Scene(
        strategy="dns_cluster",
        options={"query": ["web.test"], "resource_types": ["srv"]},
        asked=("web.test", "SRV"),
        pause="interval",
        records=[("web.test", "SRV", "0 0 0 {name}.test"), ("{name}.test", "A", "{address}")],
    ),
    Scene(
        strategy="dns_alias",
        options={"alias": "web"},
        asked=("web", "A"),
        node="node@{name}",
        records=[("web", "A", "{address}")],
    ),
    Scene(
        strategy="kubernetes_dns",
        options={"service": "web", "application_name": "node"},
        asked=(SERVICE, "A"),
        search="prod.svc.cluster.local svc.cluster.local",
        records=[(SERVICE, "A", "{address}")],
    ),
    Scene(
        strategy="kubernetes_dns_srv",
        options={"service": "web", "namespace": "prod", "application_name": "node"},
        asked=(SERVICE, "SRV"),
        host="web-{}." + SERVICE,
        node="node@{name}",
        records=[(SERVICE, "SRV", "0 0 0 {name}.")],
    ),
]
each_scene = pytest.mark.parametrize("scene", SCENES, ids=str)


@each_scene
@pytest.mark.beam(few=2)
async def test_a_cluster_forms_in_any_order(scene: Scene, release: Release, network: Network) -> None:
    one, two, three = (scene.make_host(network, number) for number in (1, 2, 3))
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(scene.python(one))
        await first.wait_log(r"\[pyerlnode:example\] lookup against \S+ failed: :nxdomain$")
        for host in (one, two, three):
            scene.enter(network.dns, host)
        beam = await stack.enter_async_context(scene.beam(release, two))
        await first.wait_log(rf'\[pyerlnode:example\] connected to :"?{beam.name}"?')
        last = await stack.enter_async_context(scene.python(three))
        for node, others in ((first, (beam, last)), (beam, (first, last)), (last, (first, beam))):
            await sees(node, *(other.name for other in others))


@each_scene
@pytest.mark.beam(few=1)
async def test_it_heals_after_deaths_and_follows_dns(
    scene: Scene, release: Release, network: Network
) -> None:
    one, two, three = (scene.make_host(network, number) for number in (1, 2, 3))
    scene.enter(network.dns, one)
    scene.enter(network.dns, two)
    async with scene.python(one) as node:
        for _ in range(2):
            async with scene.beam(release, two) as beam:
                await sees(node, beam.name)
            await sees(node)
        async with scene.beam(release, three) as beam:
            await network.dns.asked(*scene.asked, count=2)
            await sees(node)
            scene.enter(network.dns, three)
            await sees(node, beam.name)
        two.power_off()
        two.power_on()
        async with scene.beam(release, two) as beam:
            await sees(node, beam.name)


@each_scene
@pytest.mark.parametrize("prune", [True, False])
@pytest.mark.beam(few=1)
async def test_who_leaves_dns_is_disconnected_only_where_that_is_wanted(
    scene: Scene, prune: bool, release: Release, network: Network
) -> None:
    one, two, three = (scene.make_host(network, number) for number in (1, 2, 3))
    for host in (one, two, three):
        scene.enter(network.dns, host)
    async with (
        scene.beam(release, two) as stays,
        scene.beam(release, three) as goes,
        scene.python(one, prune=prune) as node,
    ):
        await sees(node, stays.name, goes.name)
        scene.leave(network.dns, three)
        if prune:
            await node.wait_log(rf'\[pyerlnode:example\] disconnected from :"?{goes.name}"?')
            await sees(node, stays.name)
            await sees(goes)
        else:
            await network.dns.asked(*scene.asked, count=6)
            await sees(node, stays.name, goes.name)


QUICK = {"dns_poll", "dns_alias"}
"""Those that are worth eight seconds of every run."""
FAULTS = [Failure.SERVFAIL, Failure.EMPTY, Failure.NXDOMAIN, Failure.DROP]


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(scene, marks=[pytest.mark.slow] if scene.strategy not in QUICK else [])
        for scene in SCENES
    ],
    ids=str,
)
@pytest.mark.beam(few=1)
async def test_without_an_answer_nobody_is_disconnected(
    scene: Scene, release: Release, network: Network
) -> None:
    one, two = (scene.make_host(network, number) for number in (1, 2))
    for host in (one, two):
        scene.enter(network.dns, host)
    async with scene.beam(release, two) as beam, scene.python(one, prune=True) as node:
        await sees(node, beam.name)
        for fault in FAULTS:
            begun = len(node.log)
            network.dns.fail(fault)
            await node.wait_log(r"\[pyerlnode:example\] lookup against ", after=begun)
            await network.dns.asked(*scene.asked, count=4)
            network.dns.mend()
            await node.wait_log(r"\[pyerlnode:example\] the look-up works again: \d found", after=begun)
        await sees(node, beam.name)
        assert await node.eval("events") == [f"NodeUp {beam.name}"]
        assert not any("disconnected" in line for line in node.log)
