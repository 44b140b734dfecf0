"""The hosts that cluster tests run on: that they are what they pass for, and leave nothing behind."""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.epmd import tied_to_us
from tests.support.hosts import ROOT, Network
from tests.support.log import LogEnded
from tests.support.netns import processes_in
from tests.support.nodes import until

if TYPE_CHECKING:
    from tests.support.beams import Release
    from tests.support.hosts import Host

GROUP, PORT = "233.252.1.32", 45892


def test_a_host_has_a_name_an_address_and_an_epmd_of_its_own(network: Network) -> None:
    one, two = network.host("web1"), network.host("web2.test")
    outside = socket.gethostname()
    for host in (one, two):
        assert host.run("hostname").stdout == f"{host.name}\n"
        assert host.run("epmd", "-names").stdout == "epmd: up and running on port 4369 with data:\n"
        assert f" {host.address}/24 " in host.run("ip", "-4", "address", "show", "eth0").stdout
    assert one.run("getent", "hosts", "web2.test").stdout.split() == [two.address, "web2.test"]
    assert socket.gethostname() == outside


def test_hosts_have_addresses_of_both_families(network: Network) -> None:
    one, two = network.host("one"), network.host("two")
    with two.socket(socket.AF_INET6) as server, one.socket(socket.AF_INET6) as link:
        server.bind((two.address6, 4000))
        server.listen()
        link.settimeout(10)
        link.connect((two.address6, 4000))
        assert link.getsockname()[0] == one.address6


def test_hosts_ask_the_dns_server_of_their_network(network: Network) -> None:
    host = network.host("web1")
    network.dns.add("web", "A", "10.77.0.99")
    network.dns.add_ptr("10.77.0.99", "web9.net_poc")
    assert host.run("getent", "hosts", "web").stdout.split() == ["10.77.0.99", "web"]
    assert host.run("getent", "hosts", "10.77.0.99").stdout.split() == ["10.77.0.99", "web9.net_poc"]
    assert {question.client for question in network.dns.questions} == {host.address}


def test_files_of_a_host_are_its_own(network: Network) -> None:
    one, two = network.host("one"), network.host("two")
    before = (ROOT / "/etc/hosts").read_text()
    one.write("/etc/hosts", "10.1.2.3 elsewhere\n")
    assert one.run("getent", "hosts", "elsewhere").stdout.split() == ["10.1.2.3", "elsewhere"]
    assert two.run("getent", "hosts", "elsewhere").returncode != 0
    assert (ROOT / "/etc/hosts").read_text() == before


def test_multicast_reaches_every_other_host(network: Network) -> None:
    one, two, three = (network.host(name) for name in ("one", "two", "three"))
    with listening(two) as there, listening(three) as elsewhere, datagrams(one) as sender:
        sender.sendto(b"hello", (GROUP, PORT))
        assert there.recvfrom(100) == (b"hello", (one.address, sender.getsockname()[1]))
        assert elsewhere.recvfrom(100)[0] == b"hello"


def test_split_and_heal(network: Network) -> None:
    one, two, three = (network.host(name) for name in ("one", "two", "three"))
    for _ in range(2):
        assert reaches(one, two) and reaches(one, three)
        network.split([one], [two, three])
        assert is_cut(one, two) and is_cut(three, one)
        assert reaches(two, three)
        network.heal()


def test_a_pulled_cable(network: Network) -> None:
    one, two = network.host("one"), network.host("two")
    two.unplug()
    assert is_cut(one, two)
    two.plug()
    assert reaches(one, two)


def test_power_off_says_nothing_to_peers_and_power_on_brings_the_host_back(network: Network) -> None:
    one, two = network.host("one"), network.host("two")
    with one.socket() as link:
        link.settimeout(0.3)
        link.connect((two.address, 4369))
        program = two.program("sleep", "1000")
        two.power_off()
        assert not two.is_on and not program.is_alive
        with pytest.raises(TimeoutError):
            link.recv(1)
    two.power_on()
    assert reaches(one, two)
    assert two.space.processes() != []


async def test_nodes_of_both_kinds_on_hosts(network: Network, release: Release) -> None:
    one, two, three = (network.host(name) for name in ("one", "two", "three"))
    program = three.node("--sname", "started")
    async with two.python_node("py@two") as py, one.beam(release, "beam@one") as beam:
        assert await py.eval("await node.ping('beam@one')") is True
        assert await beam.eval("nodes()") == "[py@two]"
        await program.wait_log("started@three")
        assert await py.eval("await node.ping('started@three')") is True
        assert await py.eval("sorted(node.list())") == ["beam@one", "started@three"]
        await beam.eval("net_adm:ping(started@three)")
        assert await beam.eval("lists:sort(nodes())") == "[py@two,started@three]"
    program.terminate()
    assert await program.wait_exit() == 0


async def test_a_python_node_with_a_topology(network: Network, release: Release) -> None:
    one, two = network.host("one"), network.host("two")
    network.dns.add("web", "A", one.address, two.address)
    topologies = {"web": {"strategy": "dns_poll", "query": "web", "node_basename": "node"}}
    async with (
        one.beam(release, f"node@{one.address}") as beam,
        two.python_node(f"node@{two.address}", topologies=topologies) as node,
    ):
        assert await node.eval("await node.topologies.ready(1)") == [beam.name]
        await node.wait_log("connected to")


async def test_the_log_of_a_program(network: Network) -> None:
    host = network.host("one")
    program = host.program("sh", "-c", "echo one; echo two; echo two >&2; exit 3")
    assert (await program.wait_log("t.o")).group() == "two"
    assert await program.wait_exit() == 3
    assert program.log == ["one", "two", "two"]
    assert program.count_log("two") == 2
    with pytest.raises(LogEnded, match="without a line like 'three'"):
        await program.wait_log("three")


async def test_the_end_of_a_program_is_that_of_its_children(network: Network) -> None:
    host = network.host("one", epmd=False)
    parent = host.program("sh", "-c", "sleep 1000 & echo up; wait")
    await parent.wait_log("up")
    assert len(host.space.processes()) == 2
    parent.close()
    await until(lambda: not host.space.processes())


ABANDONS = """
import os, signal, subprocess, sys
from tests.support.hosts import Network
with Network(dns=True) as network:
    host = network.host("one")
    subprocess.Popen([*host.enter, "setsid", "sleep", "1000"])
    print(host.space.id, network.hosts[0].run("hostname").stdout.strip(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.usefixtures("network")
async def test_a_killed_test_run_leaves_nothing() -> None:
    done = subprocess.run(
        tied_to_us([sys.executable, "-c", ABANDONS]), cwd=ROOT, capture_output=True, text=True, check=False
    )
    space, name = done.stdout.split()
    assert name == "one"
    await until(lambda: not processes_in(space))


def reaches(one: Host, other: Host, *, timeout: float = 10) -> bool:
    """Whether a connection to the other's epmd opens."""
    with one.socket() as probe:
        probe.settimeout(timeout)
        try:
            probe.connect((other.address, 4369))
        except TimeoutError:
            return False
        return True


def is_cut(one: Host, other: Host) -> bool:
    return not reaches(one, other, timeout=0.3)


def datagrams(host: Host) -> socket.socket:
    made = host.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.settimeout(10)
    made.bind(("", 0))
    return made


def listening(host: Host) -> socket.socket:
    """A member of the gossip group."""
    made = host.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.settimeout(10)
    made.setsockopt(
        socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, struct.pack("=4sl", socket.inet_aton(GROUP), 0)
    )
    made.bind(("", PORT))
    return made
