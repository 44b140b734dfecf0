"""The client, against our own port mapper and against things that are none."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pyerlnode.errors import EpmdError, LocalProtocolError, NameTaken
from pyerlnode.limits import DEFAULT
from pyerlnode.net.epmd_client import EpmdClient
from pyerlnode.net.epmd_server import EpmdServer
from pyerlnode.wire import epmd

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from pyerlnode.net.epmd_client import Registration

QUICK = replace(DEFAULT, epmd_time=0.5, epmd_reply=64)


@pytest.fixture
async def server() -> AsyncIterator[EpmdServer]:
    async with EpmdServer(0, ["127.0.0.1"], relaxed=True) as server:
        yield server


@pytest.fixture
def client(server: EpmdServer) -> EpmdClient:
    return EpmdClient(port=server.port, retry=0.01)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def registered(client: EpmdClient, name: str = "py", port: int = 7) -> AsyncIterator[Registration]:
    registration = await client.register(name, port)
    try:
        yield registration
    finally:
        await registration.close()


@contextlib.asynccontextmanager
async def impostor(*chunks: bytes, close: bool = True) -> AsyncIterator[EpmdClient]:
    """Something that is not epmd: it answers any first bytes with ``chunks``."""
    writers: list[asyncio.StreamWriter] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await reader.read(100)
        for chunk in chunks:
            writer.write(chunk)
            await asyncio.sleep(0)
        if close:
            writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield EpmdClient(port=listening.sockets[0].getsockname()[1], limits=QUICK)
    finally:
        listening.close()
        for writer in writers:
            writer.transport.abort()


class TestQuestions:
    async def test_a_registered_node_is_found(self, client: EpmdClient) -> None:
        async with registered(client, "på", 4711):
            assert await client.lookup("på") == epmd.NodeEntry("på", 4711)
            assert await client.names() == [("på", 4711)]

    async def test_a_hidden_node_says_so(self, client: EpmdClient) -> None:
        registration = await client.register("py", 7, hidden=True)
        entry = await client.lookup("py")
        assert entry is not None
        assert entry.hidden
        await registration.close()

    async def test_an_unknown_one_is_not(self, client: EpmdClient) -> None:
        assert await client.lookup("nobody") is None
        assert await client.names() == []

    @pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
    async def test_any_host_can_be_asked(self, server: EpmdServer, host: str) -> None:
        there = EpmdClient(host, server.port)
        async with registered(there):
            away = EpmdClient(port=server.port)
            assert await away.names(host) == [("py", 7)]
            assert await away.lookup("py", host) == epmd.NodeEntry("py", 7)

    async def test_dump_tells_of_old_names_too(self, client: EpmdClient) -> None:
        async with registered(client, "old"):
            pass
        async with registered(client, "live", 8):
            lines = (await client.dump()).splitlines()
        assert [line.partition(", ")[0].partition(" at ")[0] for line in lines] == [
            "active name     <live>",
            "old/unused name <old>",
        ]

    async def test_stop(self, client: EpmdClient) -> None:
        assert not await client.stop("nobody")
        async with registered(client) as registration:
            assert await client.stop("py")
            await registration.lost.wait()

    async def test_stop_without_permission(self) -> None:
        async with EpmdServer(0, ["127.0.0.1"]) as strict:
            with pytest.raises(EpmdError, match="-relaxed_command_check"):
                await EpmdClient(port=strict.port).stop("py")

    async def test_kill(self) -> None:
        async with EpmdServer(0, ["127.0.0.1"]) as strict:
            client = EpmdClient(port=strict.port)
            async with registered(client):
                assert not await client.kill()
            assert await client.kill()
            await strict.wait_ended()

    async def test_whether_one_runs(self, server: EpmdServer, client: EpmdClient) -> None:
        assert await client.is_running()
        await server.stop()
        assert not await client.is_running()

    async def test_questions_leave_no_connection_behind(self, server: EpmdServer, client: EpmdClient) -> None:
        for _ in range(20):
            await asyncio.gather(client.lookup("x"), client.names(), client.dump())
        await until(lambda: not server.connections)


class TestWhatIsNoEpmd:
    async def test_nobody_there(self, server: EpmdServer, client: EpmdClient) -> None:
        await server.stop()
        with pytest.raises(
            EpmdError, match=rf"no epmd answers at 127.0.0.1:{server.port} \(connection refused\)"
        ) as no:
            await client.lookup("py")
        assert isinstance(no.value.__cause__, ConnectionRefusedError)
        with pytest.raises(EpmdError, match="no epmd answers"):
            await client.register("py", 7)

    async def test_a_host_that_does_not_exist(self, server: EpmdServer) -> None:
        for host in ("nowhere.invalid", "x" * 64 + ".invalid"):
            with pytest.raises(EpmdError, match="no epmd answers at"):
                await EpmdClient(host, server.port).names()

    @pytest.mark.parametrize("reply", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0", b"v\0\0"])
    async def test_another_protocol(self, reply: bytes) -> None:
        async with impostor(reply) as client:
            with pytest.raises(EpmdError):
                await client.lookup("py")
            with pytest.raises(EpmdError):
                await client.register("py", 7)
            with pytest.raises(EpmdError):
                await client.names()
            with pytest.raises(EpmdError):
                await client.is_running()

    @pytest.mark.parametrize("chunks", [(), (b"w",), (b"w\0\0",)])
    async def test_an_answer_that_ends_early(self, chunks: tuple[bytes, ...]) -> None:
        async with impostor(*chunks) as client:
            with pytest.raises(EpmdError, match="without a whole answer"):
                await client.lookup("py")

    async def test_answers_in_pieces_are_put_together(self) -> None:
        data = epmd.port2_found(epmd.Alive2Req(b"py", 7, extra=b"e"))
        async with impostor(*(bytes((byte,)) for byte in data), close=False) as client:
            assert await client.lookup("py") == epmd.NodeEntry("py", 7, extra=b"e")

    async def test_an_answer_that_breaks_off(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.setblocking(False)
            client = EpmdClient(port=listening.getsockname()[1])
            question = asyncio.create_task(client.names())
            accepted, _ = await asyncio.get_running_loop().sock_accept(listening)
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            accepted.close()
            with pytest.raises(EpmdError, match=r"broke|without a port"):
                await question

    async def test_another_port_than_the_one_dialled(self) -> None:
        async with impostor(epmd.format_names(1, [])) as client:
            with pytest.raises(EpmdError, match="listens on port 1: the port is forwarded"):
                await client.names()

    async def test_an_endless_answer(self) -> None:
        async with impostor(b"\0\0\0\1", b"x" * 65, close=False) as client:
            with pytest.raises(EpmdError, match="longer than 64 bytes"):
                await client.names()

    @pytest.mark.parametrize(
        "question",
        [
            lambda client: client.lookup("py"),
            lambda client: client.names(),
            lambda client: client.dump(),
            lambda client: client.kill(),
            lambda client: client.stop("py"),
            lambda client: client.register("py", 7),
            lambda client: client.is_running(),
        ],
    )
    async def test_silence(self, question: Callable[[EpmdClient], Awaitable[object]]) -> None:
        async with impostor(close=False) as client:
            with pytest.raises(EpmdError, match=r"did not answer within 0\.5 s"):
                await question(client)

    async def test_neither_yes_nor_no_to_kill(self) -> None:
        async with impostor(b"?") as client:
            with pytest.raises(EpmdError, match="no answer to KILL"):
                await client.kill()


class TestRegistration:
    async def test_it_keeps_the_name_until_closed(self, client: EpmdClient) -> None:
        registration = await client.register("py", 7)
        assert (registration.name, registration.port) == ("py", 7)
        assert registration.held.is_set()
        assert not registration.lost.is_set()
        await registration.close()
        await registration.close()
        assert await client.names() == []
        assert registration.lost.is_set()
        assert not registration.held.is_set()

    @pytest.mark.parametrize(("name", "port"), [("", 7), ("py", 65536)])
    async def test_what_no_epmd_takes_is_our_error(self, client: EpmdClient, name: str, port: int) -> None:
        with pytest.raises(LocalProtocolError):
            await client.register(name, port)

    async def test_a_cancelled_close_is_cancelled_and_closes(self, client: EpmdClient) -> None:
        registration = await client.register("py", 7)
        closing = asyncio.create_task(registration.close())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        assert registration.lost.is_set()

    async def test_two_nodes_cannot_have_one_name(self, server: EpmdServer, client: EpmdClient) -> None:
        async with registered(client):
            with pytest.raises(NameTaken, match="refuses the name 'py': a live node holds it"):
                await client.register("py", 8)
            assert await client.names() == [("py", 7)]
        await until(lambda: not server.connections)

    async def test_it_comes_back_with_epmd_and_keeps_its_creation(
        self, server: EpmdServer, client: EpmdClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "pyerlnode.epmd")
        async with registered(client) as registration:
            first = registration.creation
            await server.stop()
            await registration.lost.wait()
            async with EpmdServer(server.port, ["127.0.0.1"], clock=lambda: 1e9) as successor:
                await registration.held.wait()
                assert await EpmdClient(port=successor.port).names() == [("py", 7)]
                assert registration.creation == first
                await registration.close()
        assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]

    async def test_while_epmd_is_away_it_says_so_once(
        self, server: EpmdServer, client: EpmdClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        tried = 0
        enter = client.enter

        async def counted(request: epmd.Alive2Req) -> object:
            nonlocal tried
            tried += 1
            return await enter(request)

        async with registered(client):
            client.enter = counted  # type: ignore[assignment, method-assign]
            await server.stop()
            await until(lambda: tried >= 5)
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert "py stays up" in caplog.text

    async def test_a_name_taken_meanwhile_is_waited_for(
        self, server: EpmdServer, client: EpmdClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with registered(client) as registration:
            await client.stop("py")
            usurper = EpmdClient(port=server.port)
            other = await usurper.register("py", 8)
            await registration.lost.wait()
            await until(lambda: "cannot register py again" in caplog.text)
            assert await usurper.names() == [("py", 8)]
            await other.close()
            await registration.held.wait()
            assert await usurper.names() == [("py", 7)]
        assert caplog.text.count("cannot register py again") == 1

    async def test_an_epmd_that_talks_is_left_and_asked_again(self) -> None:
        reply = epmd.Alive2Resp(0, 77).to_bytes()
        async with impostor(reply, b"more", close=False) as client:
            registration = await client.register("py", 7)
            assert registration.creation == 77
            await registration.lost.wait()
            await registration.close()

    async def test_closing_while_it_tries_leaves_nothing(
        self, server: EpmdServer, client: EpmdClient
    ) -> None:
        registration = await client.register("py", 7)
        await server.stop()
        await registration.lost.wait()
        await registration.close()
        gc.collect()
        assert [task for task in asyncio.all_tasks() if "epmd" in task.get_name()] == []
