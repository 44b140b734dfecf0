"""Real nodes over our epmd: they register, find each other, die and come back, and notice nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from pyerlnode.net.epmd_client import EpmdClient
from pyerlnode.net.epmd_detached import start_detached
from pyerlnode.net.epmd_server import EpmdServer
from pyerlnode.net.locate import Locator
from tests.support.beam import BeamDied
from tests.support.epmd import find_epmd
from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.interop.conftest import Starter
    from tests.support.beams import Release

pytestmark = pytest.mark.beam


@pytest.fixture
async def server() -> AsyncIterator[EpmdServer]:
    async with EpmdServer(0, ["127.0.0.1"]) as server:
        yield server


@pytest.fixture
def client(server: EpmdServer) -> EpmdClient:
    return EpmdClient(port=server.port)


async def test_two_nodes_find_each_other(
    server: EpmdServer, client: EpmdClient, beams: Starter, release: Release
) -> None:
    a = await beams(release, name="a@127.0.0.1", epmd_port=server.port)
    b = await beams(release, name="b@127.0.0.1", epmd_port=server.port)
    listed = await client.names()
    assert [name for name, _ in listed] == ["b", "a"]
    assert (
        await a.eval("erl_epmd:names({127,0,0,1})")
        == f'{{ok,[{{"a",{listed[1][1]}}},{{"b",{listed[0][1]}}}]}}'
    )
    assert await a.eval("net_kernel:connect_node('b@127.0.0.1')") == "true"
    assert await a.eval("nodes()") == "['b@127.0.0.1']"
    assert await b.eval("nodes()") == "['a@127.0.0.1']"
    assert await a.eval('erl_epmd:port_please("nobody", {127,0,0,1})') == "noport"
    entry = await client.lookup("a")
    assert entry is not None
    assert (entry.version, entry.hidden) == (6, False)
    address = await Locator(client, long_names=True).locate("a@127.0.0.1")
    assert (address.host, address.port, address.version) == ("127.0.0.1", entry.port, 6)


async def test_a_killed_node_may_return_at_once(
    server: EpmdServer, client: EpmdClient, beams: Starter, release: Release
) -> None:
    creations = []
    for _ in range(3):
        node = await beams(release, name="a@127.0.0.1", epmd_port=server.port)
        creations.append(int(await node.eval("erts_internal:get_creation()")) if release.otp >= 25 else 0)
        node.kill()
        await node.wait_exit()
        async with asyncio.timeout(10):
            while await client.names():
                pass
    if release.otp >= 25:
        assert [number - creations[0] for number in creations] == [0, 1, 2]


async def test_a_second_node_of_one_name_does_not_start(
    server: EpmdServer, client: EpmdClient, beams: Starter, release: Release
) -> None:
    first = await beams(release, name="a@127.0.0.1", epmd_port=server.port)
    with pytest.raises(BeamDied, match="seems to be in use by another Erlang node"):
        await beams(release, name="a@127.0.0.1", epmd_port=server.port)
    assert [name for name, _ in await client.names()] == ["a"]
    assert await first.eval("node()") == "'a@127.0.0.1'"


@pytest.mark.beam(since=25)
async def test_nodes_return_to_an_epmd_that_was_away(beams: Starter, release: Release) -> None:
    """OTP 23 does not: its ``erl_epmd`` gives up when epmd goes."""
    async with EpmdServer(0, ["127.0.0.1"]) as server:
        await beams(release, name="a@127.0.0.1", epmd_port=server.port)
    async with EpmdServer(server.port, ["127.0.0.1"]) as successor:
        client = EpmdClient(port=successor.port)
        async with asyncio.timeout(20):  # a BEAM tries every two seconds
            while [name for name, _ in await client.names()] != ["a"]:
                await asyncio.sleep(0.05)


@pytest.fixture
def daemon_port() -> Iterator[int]:
    port = free_port()
    yield port
    for line in subprocess.run(
        ["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True
    ).stdout.splitlines():
        pid, _, command = line.strip().partition(" ")
        if "pyerlnode.net.epmd_daemon" in command and f"-port {port} " in command:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)


@pytest.mark.skipif(not shutil.which("iex") or not find_epmd(), reason="no `iex` and `epmd` on the PATH")
@pytest.mark.parametrize("command", ["iex", "elixir"])
async def test_iex_uses_a_daemon_of_ours_instead_of_starting_its_own(daemon_port: int, command: str) -> None:
    assert await start_detached(daemon_port, ["127.0.0.1"]) is not None
    code = (
        ":erl_epmd.names({127, 0, 0, 1}) |> elem(1) |> length() |> IO.puts(); IO.puts(node()); System.halt(0)"
    )
    environment = {**os.environ, "ERL_EPMD_PORT": str(daemon_port)}
    process = await asyncio.create_subprocess_exec(
        command,
        "--name",
        "x@127.0.0.1",
        "--erl",
        "+S 1:1 +sbwt none",
        "-e",
        code,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    assert printed.decode().split()[-2:] == ["1", "x@127.0.0.1"]
    assert (process.returncode, await EpmdClient(port=daemon_port).kill()) == (0, True)
