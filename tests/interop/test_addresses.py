"""Names, hosts, ports and port mappers: every way in which a BEAM and a Python node find each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyerlnode import NameTaken
from tests.interop.nodes import fresh_name, python_node, until
from tests.support.epmd import Epmd
from tests.support.ports import free_port

if TYPE_CHECKING:
    from pyerlnode import Node
    from tests.interop.conftest import Starter
    from tests.support.beam import Beam
    from tests.support.beams import Release


async def meet(node: Node, beam: Beam) -> None:
    """Both sides see, ping and call each other, whoever dials."""
    assert await beam.eval(f"net_adm:ping('{node.name}')") == "pong"
    assert node.list() == [beam.name]
    assert await node.disconnect(beam.name)

    async def alone() -> bool:
        return await beam.eval("nodes(connected)") == "[]"

    await until(alone)
    assert await node.ping(beam.name)
    assert await beam.eval(f"nodes() =:= ['{node.name}']") == "true"
    assert await node.rpc(beam.name, "erlang", "node", []) == beam.name


async def test_short_names(release: Release, beams: Starter) -> None:
    beam = await beams(release, name="short@localhost", elixir=False)
    async with python_node("py_short@localhost") as node:
        await meet(node, beam)


async def test_ipv6(release: Release, beams: Starter) -> None:
    flags = ["-proto_dist", "inet6_tcp"]
    beam = await beams(release, name=fresh_name("six").replace("127.0.0.1", "::1"), elixir=False, flags=flags)
    async with python_node(fresh_name("py6_").replace("127.0.0.1", "::1")) as node:
        await meet(node, beam)


async def test_fixed_ports_without_epmd(release: Release, beams: Starter) -> None:
    """Every node on one port of an address of its own (``-erl_epmd_port``): a BEAM greets us with v5."""
    port = free_port()
    flags = ["-erl_epmd_port", str(port), "-kernel", "inet_dist_use_interface", "{127,0,0,2}"]
    beam = await beams(release, name="fixed@127.0.0.2", elixir=False, flags=flags)
    async with python_node("py@127.0.0.1", epmd=False, port=port, peer_ports=port) as node:
        await meet(node, beam)


async def test_each_peer_on_a_port_of_its_own(release: Release, beams: Starter) -> None:
    port = free_port()
    flags = ["-kernel", "inet_dist_listen_min", str(port), "inet_dist_listen_max", str(port)]
    beam = await beams(release, name=fresh_name("own"), elixir=False, flags=flags)
    async with python_node(epmd=False, peer_ports={beam.name: port}) as node:
        assert await node.ping(beam.name)
        assert await beam.eval("nodes()") == f"['{node.name}']"


async def test_epmd_may_restart(release: Release, beams: Starter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our name is there again without our doing, and the connections never noticed."""
    with Epmd() as epmd:
        monkeypatch.setenv("ERL_EPMD_PORT", str(epmd.port))
        beam = await beams(release, name=fresh_name("b"), elixir=False, epmd_port=epmd.port)
        async with python_node(fresh_name("kept")) as node:
            await node.connect(beam.name)
            alive = node.name.partition("@")[0]
            creation = node.creation
            epmd.kill()
            epmd.start()

            async def registered() -> bool:
                return alive in epmd.names()

            await until(registered)
            assert node.creation == creation
            assert node.list() == [beam.name]
            late = await beams(release, name=fresh_name("late"), elixir=False, epmd_port=epmd.port)
            assert await late.eval(f"net_adm:ping('{node.name}')") == "pong"


async def test_a_name_that_a_beam_holds_is_taken(release: Release, beams: Starter) -> None:
    beam = await beams(release, name=fresh_name("held"), elixir=False)
    with pytest.raises(NameTaken, match="a live node holds it"):
        async with python_node(beam.name):
            pass


async def test_loopback_names_listen_on_loopback_alone() -> None:
    async with python_node() as node:
        presence = node._presence
        assert presence is not None
        hosts = [
            socket.getsockname()[0] for server in presence._listener._servers for socket in server.sockets
        ]
        assert hosts == ["127.0.0.1"]
