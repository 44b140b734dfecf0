"""``kill -9`` on either side: names are freed, losses are seen, and the next start works at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from pyerlnode import NodeDown, NodeUp
from tests.support.beam import Beam
from tests.support.contender import contender, until
from tests.support.epmd import Epmd
from tests.support.ports import free_port
from tests.support.python_node import PythonNode
from tests.support.raw_peer import RawPeer

if TYPE_CHECKING:
    from tests.support.beams import Release

PY, BEAM = "py@127.0.0.1", "beam@127.0.0.1"
INBOX = """
Self = self(),
spawn(fun() ->
    register(inbox, self()), net_kernel:monitor_nodes(true), Self ! ready,
    (fun Keep(Items) ->
        receive
            {get, From} -> From ! {items, lists:reverse(Items)}, Keep(Items);
            Item -> Keep([Item | Items])
        end
    end)([])
end),
receive ready -> ok end
"""
KEPT = "inbox ! {get, self()}, receive {items, Items} -> Items end"
PING = f"net_adm:ping('{PY}')"
UP, DOWN = f"{{nodeup,'{PY}'}}", f"{{nodedown,'{PY}'}}"
GREET = 'await node.send(("inbox", peer), text)'


async def kept(beam: Beam, *items: str) -> None:
    """Wait until the BEAM's inbox has exactly these."""
    wanted = f"[{','.join(items)}]"
    async with asyncio.timeout(30):
        while len(have := await beam.eval(KEPT)) < len(wanted):
            pass
    assert have == wanted


async def freed(epmd_port: int, name: str) -> None:
    """Wait until epmd has forgotten the name: it reads the end of a connection in a turn of its own."""
    names = Epmd(epmd_port).names
    await until(lambda: name not in names())


class TestOurs:
    """Our node is killed."""

    async def test_its_name_is_free_and_the_next_start_works_both_ways(
        self, release: Release, epmd_port: int
    ) -> None:
        async with Beam(release, name=BEAM, epmd_port=epmd_port) as beam:
            await beam.eval(INBOX)
            async with PythonNode(PY, epmd_port=epmd_port) as first:
                assert await first.eval("await node.connect(peer)", peer=BEAM)
                await kept(beam, UP)
                await first.kill()
                await kept(beam, UP, DOWN)
                await freed(epmd_port, "py")
            async with PythonNode(PY, epmd_port=epmd_port) as second:
                assert await beam.eval(PING) == "pong"
                await second.eval(GREET, peer=BEAM, text="again")
                await kept(beam, UP, DOWN, UP, '<<"again">>')
                await beam.eval(f"{{inbox, '{PY}'}} ! 7")
                assert await second.eval("await until(lambda: received) or received") == [7]

    async def test_a_peer_that_has_not_noticed_takes_the_new_one_in(
        self, release: Release, epmd_port: int
    ) -> None:
        """The BEAM stands still while we are killed and come back: it still holds the old connection."""
        async with Beam(release, name=BEAM, epmd_port=epmd_port) as beam:
            await beam.eval(INBOX)
            async with PythonNode(PY, epmd_port=epmd_port) as first:
                assert await first.eval("await node.connect(peer)", peer=BEAM)
                await kept(beam, UP)
                beam.pause()
                await first.kill()
                await freed(epmd_port, "py")
            async with PythonNode(PY, epmd_port=epmd_port) as second:
                greeting = asyncio.create_task(second.eval(GREET, peer=BEAM, text="again"))
                await second.eval("await until(lambda: any(a.begun for a in node._peers._attempts.values()))")
                beam.resume()
                await greeting
                await kept(beam, UP, DOWN, UP, '<<"again">>')
                assert await beam.eval(PING) == "pong"
                assert await second.eval("await node.ping(peer)", peer=BEAM)
                assert await second.eval("events") == [f"NodeUp {BEAM}"]

    @pytest.mark.beam(since=25)  # OTP 23 goes on only when the old one has ended, or the ticktime is over
    async def test_an_old_connection_that_still_stands_is_replaced(
        self, release: Release, epmd: Epmd
    ) -> None:
        """The BEAM says ``alive``, and we that it is not: the old one never ended, as after a power cut."""
        async with Beam(release, name=BEAM, epmd_port=epmd.port) as beam:
            await beam.eval(INBOX)
            async with await RawPeer.dial(epmd.names()["beam"], PY, BEAM) as old:
                await kept(beam, UP)
                async with contender(PY, epmd=epmd.port) as py:
                    await py.node.send(("inbox", BEAM), 7)
                    await kept(beam, UP, DOWN, UP, "7")
                    await old.end()
                    assert await beam.eval(PING) == "pong"

    async def test_under_our_own_detached_epmd(self, release: Release) -> None:
        port = free_port()
        async with PythonNode("keeper@127.0.0.1", epmd_port=port) as keeper:
            try:
                async with Beam(release, name=BEAM, epmd_port=port) as beam:
                    await beam.eval(INBOX)
                    async with PythonNode(PY, epmd_port=port) as first:
                        assert await first.eval("await node.connect(peer)", peer=BEAM)
                        await keeper.kill()
                        await first.kill()
                        await kept(beam, UP, DOWN)
                        await freed(port, "py")
                        await freed(port, "keeper")
                        assert "beam" in Epmd(port).names()
                    async with PythonNode(PY, epmd_port=port) as second:
                        assert await beam.eval(PING) == "pong"
                        assert await second.eval("await node.ping(peer)", peer=BEAM)
            finally:
                await _stop_epmd(port)


async def _stop_epmd(port: int) -> None:
    """A detached epmd outlives us all, unless it is told to go."""
    await until(lambda: not Epmd(port).names())
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"\0\1k")
    assert await reader.read() == b"OK"
    writer.close()


class TestTheirs:
    """The BEAM is killed, or stands still."""

    async def test_we_see_it_go_and_the_next_send_finds_the_new_one(
        self, release: Release, epmd_port: int
    ) -> None:
        async with contender(PY, epmd=epmd_port) as py:
            async with Beam(release, name=BEAM, epmd_port=epmd_port) as beam:
                await py.node.connect(BEAM)
                async with py.node.process() as me:
                    ref = await me.monitor(("init", BEAM))
                    beam.kill()
                    down = await me.receive(30)
                    assert down == ("DOWN", ref, "process", ("init", BEAM), "noconnection")
                await until(lambda: len(py.events) == 2)
                assert py.events == [f"NodeUp {BEAM}", f"NodeDown {BEAM}"]
                await freed(epmd_port, "beam")
            async with Beam(release, name=BEAM, epmd_port=epmd_port) as beam:
                await beam.eval(INBOX)
                await py.node.send(("inbox", BEAM), 7)
                await kept(beam, UP, "7")
                assert await beam.eval(PING) == "pong"

    async def test_an_old_connection_that_still_stands_is_replaced(
        self, release: Release, epmd_port: int
    ) -> None:
        """We say ``alive``, and the BEAM that it is not."""
        async with (
            contender(PY, epmd=epmd_port) as py,
            await RawPeer.dial(py.node.port or 0, BEAM, PY) as old,
        ):
            await until(lambda: py.events)
            async with Beam(release, name=BEAM, epmd_port=epmd_port) as beam:
                assert await beam.eval(PING) == "pong"
                assert py.verdicts["alive"] == 1
                await old.end()
                await until(lambda: len(py.events) == 3)
                assert py.events == [f"NodeUp {BEAM}", f"NodeDown {BEAM}", f"NodeUp {BEAM}"]
                assert await py.node.ping(BEAM)

    async def test_a_silent_one_is_given_up_after_the_ticktime(
        self, release: Release, epmd_port: int
    ) -> None:
        ticktime = ["-kernel", "net_ticktime", "2"]
        async with (
            Beam(release, name=BEAM, epmd_port=epmd_port, flags=ticktime) as beam,
            contender(PY, epmd=epmd_port, net_ticktime=2.0) as py,
        ):
            events = py.node.monitor_nodes()
            await py.node.connect(BEAM)
            assert await anext(events) == NodeUp(BEAM)
            beam.pause()
            down = await anext(events)
            assert isinstance(down, NodeDown)
            assert (down.name, down.reason) == (BEAM, "net_tick_timeout")
            assert py.node.list() == []
            beam.resume()
            assert await py.node.ping(BEAM)
