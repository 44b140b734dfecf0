"""Names of nodes as DNS gives them: IPv6, both families, several basenames, Docker's quirks; whom to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.company import connected, sees
from tests.support.dns_server import DnsServer, Failure

if TYPE_CHECKING:
    from tests.support.beams import Release
    from tests.support.hosts import Host, Network
    from tests.support.python_node import PythonNode

pytestmark = pytest.mark.beam(few=1)


def python(host: Host, name: str, table: dict[str, Any], **options: Any) -> PythonNode:
    table = {"polling_interval": 200, "lookup_timeout": 500} | table
    return host.python_node(name, topologies={"example": table}, **options)


def poll(**more: Any) -> dict[str, Any]:
    return {"strategy": "dns_poll", "query": "web.test", "node_basename": "node"} | more


def alias(**more: Any) -> dict[str, Any]:
    return {"strategy": "dns_alias", "alias": "web"} | more


@pytest.mark.beam(few=2)
async def test_nodes_named_by_ipv6(release: Release, network: Network) -> None:
    one, two = network.host("one"), network.host("two")
    network.dns.add("web.test", "AAAA", one.address6, two.address6)
    network.dns.add("web.test", "A", one.address, two.address)
    flags = ["-proto_dist", "inet6_tcp"]
    async with (
        two.beam(release, f"node@{two.address6}", flags=flags) as beam,
        python(one, f"node@{one.address6}", poll()) as node,
    ):
        await node.wait_log(rf'\[pyerlnode:example\] connected to :"{beam.name}"')
        await sees(beam, node.name)
        assert await beam.eval(f"net_adm:ping('{node.name}')") == "pong"
        await network.dns.asked("web.test", "AAAA", count=2)
        assert not [line for line in node.log if "unable to connect" in line]


async def test_of_nodes_with_two_addresses_one_is_dialled(release: Release, network: Network) -> None:
    one, two = network.host("one"), network.host("two")
    for host in (one, two):
        network.dns.add("web.test", "A", host.address)
        network.dns.add("web.test", "AAAA", host.address6)
    async with (
        two.beam(release, f"node@{two.address}") as beam,
        python(one, f"node@{one.address}", poll()) as node,
    ):
        assert await node.eval("await node.topologies.ready()") == [beam.name]
        await network.dns.asked("web.test", count=2)
        assert not [line for line in node.log if "unable to connect" in line]


async def test_nodes_with_several_basenames(release: Release, network: Network) -> None:
    one, two, three = (network.host(name) for name in ("one", "two", "three"))
    network.dns.add("web.test", "A", one.address, two.address, three.address)
    both = poll(node_basename=["node", "py"])
    async with (
        two.beam(release, f"node@{two.address}") as beam,
        python(one, f"py@{one.address}", both) as first,
        python(three, f"py@{three.address}", both) as second,
    ):
        await sees(first, beam.name, second.name)
        await sees(second, beam.name, first.name)
        assert sorted(await first.eval("await node.topologies.ready()")) == sorted([beam.name, second.name])
        await network.dns.asked("web.test", count=2)
        assert not [line for line in first.log if f"node@{one.address}" in line]


@pytest.mark.parametrize("suffix", [None, ".net_poc"])
async def test_the_posts_alias(suffix: str | None, release: Release, network: Network) -> None:
    """Three nodes that share the alias web; DNS answers as Docker's does, also for one without --name."""
    one, two, three = (network.host(f"node{n}") for n in (1, 2, 3))
    network.dns.add("web", "A", one.address, two.address, three.address)
    for host in (one, two):
        network.dns.add_ptr(host.address, f"{host.name}.net_poc")
    network.dns.add_ptr(three.address, "web.net_poc")
    table = alias() if suffix is None else alias(suffix=suffix)
    async with two.beam(release, "node@node2") as beam, python(one, "node@node1", table) as node:
        await node.wait_log(r"\[pyerlnode:example\] connected to :node@node2$")
        await node.wait_log(
            rf"{three.address} is called web\.net_poc, which is the alias: start its container"
        )
        network.dns.set_ptr(three.address, "node3.net_poc")
        await node.wait_log(r"\[pyerlnode:example\] the look-up works again: 3 found")
        async with three.beam(release, "node@node3") as third:
            await sees(node, beam.name, third.name)


async def test_an_address_whose_name_is_not_known_keeps_its_node(release: Release, network: Network) -> None:
    one, two = network.host("node1"), network.host("node2")
    network.dns.add("web", "A", one.address, two.address)
    for host in (one, two):
        network.dns.add_ptr(host.address, f"{host.name}.net_poc")
    reverse = "12.0.77.10.in-addr.arpa"
    async with (
        two.beam(release, "node@node2") as beam,
        python(one, "node@node1", alias(prune=True)) as node,
    ):
        await sees(node, beam.name)
        network.dns.fail(Failure.SERVFAIL, reverse)
        await node.wait_log(rf"lookup against {two.address} failed: :servfail \(PTR from {network.address}\)")
        await network.dns.asked(reverse, "PTR", count=4)
        assert await connected(node) == {beam.name}


async def test_another_resolver_is_taken_when_the_file_changes(release: Release, network: Network) -> None:
    one, two = network.host("one"), network.host("two")
    one.write("/etc/resolv.conf", "nameserver 127.0.0.53\n")
    async with (
        two.beam(release, f"node@{two.address}") as beam,
        python(one, f"node@{one.address}", poll()) as node,
    ):
        await node.wait_log(r"lookup against web\.test failed: :timeout \(A from 127\.0\.0\.53\)")
        with DnsServer("127.0.0.53", 53, open_socket=one.socket) as local:
            local.add("web.test", "A", two.address)
            await sees(node, beam.name)
        network.dns.add("web.test", "A", two.address)
        one.write("/etc/resolv.conf", network.resolv_conf())
        await network.dns.asked("web.test", count=1)


async def test_names_of_the_wrong_form_do_not_start(network: Network) -> None:
    host = network.host("web1")
    started = {"PYERLNODE_STRATEGY": "dns_poll", "PYERLNODE_QUERY": "web", "PYERLNODE_NODE_BASENAME": "node"}
    program = host.node("--name", "node@web1", env=started)
    await program.wait_log("name='node@web1': it is a short name, and DNSPoll finds nodes with long ones")
    assert await program.wait_exit() != 0
    program = host.node(
        "--name", "node@10.77.0.11", env={"PYERLNODE_STRATEGY": "dns_alias", "PYERLNODE_ALIAS": "web"}
    )
    await program.wait_log(
        "name='node@10.77.0.11': it is a long name, and DNSAlias finds nodes with short ones"
    )
    assert await program.wait_exit() != 0


async def test_a_container_of_the_post_is_configured_by_its_environment(
    release: Release, network: Network
) -> None:
    one, two = network.host("node1"), network.host("node2")
    network.dns.add("web", "A", one.address, two.address)
    for host in (one, two):
        network.dns.add_ptr(host.address, f"{host.name}.net_poc")
    env = {"PYERLNODE_STRATEGY": "dns_alias", "PYERLNODE_ALIAS": "web", "PYERLNODE_SUFFIX": ".net_poc"}
    async with two.beam(release, "node@node2") as beam:
        program = one.node("--sname", "node@node1", env=env | {"PYERLNODE_TOPOLOGY": "example"})
        await program.wait_log(r"\[pyerlnode:example\] connected to :node@node2$")
        await sees(beam, "node@node1")
        program.terminate()
        assert await program.wait_exit() == 0
