from __future__ import annotations

import asyncio
import errno
import logging
import os
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from pyerlnode.errors import CookieMismatch, HandshakeError, MissingFlags, Refused, RemoteProtocolError
from pyerlnode.limits import DEFAULT, Limits
from pyerlnode.net.dial import Address, dial
from pyerlnode.net.listen import TRIES, Listener
from pyerlnode.net.session import Session
from pyerlnode.net.stream import Stream
from pyerlnode.term import encode_bare
from pyerlnode.testing import OpenGate, memory_streams
from pyerlnode.wire.challenge import digest
from pyerlnode.wire.channel import Channel
from pyerlnode.wire.control import SendSender
from pyerlnode.wire.flags import VISIBLE, Flags
from pyerlnode.wire.framing import frame2
from pyerlnode.wire.handshake import LocalNode, PeerInfo, Status
from pyerlnode.wire.hello import Hello, Reply, parse_challenge
from tests.support.net import LEFT, RIGHT, Recorder, local, pid

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HELLO = frame2(Hello(LEFT, VISIBLE, 1, 6).to_bytes())


class Gate(OpenGate):
    """An open gate that attaches a session to who comes in, and remembers who did not."""

    def __init__(self, cookie: str = "cookie", status: Status = Status.OK) -> None:
        super().__init__(cookie, status)
        self.sessions: list[Session] = []
        self.sink = Recorder()
        self.failures: list[tuple[str | None, Exception]] = []
        self.changed = asyncio.Event()

    def established(self, stream: Stream, info: PeerInfo) -> None:
        self.sink = Recorder()
        session = Session(stream, info, self.sink)
        self.sessions.append(session)
        session.start()
        self.changed.set()

    def failed(self, peer: str | None, error: Exception) -> None:
        self.failures.append((peer, error))
        self.changed.set()

    async def failure(self, number: int = 1) -> tuple[str | None, Exception]:
        async with asyncio.timeout(30):
            while len(self.failures) < number:
                self.changed.clear()
                await self.changed.wait()
        return self.failures[number - 1]


@asynccontextmanager
async def listening(gate: Gate, *, limits: Limits = DEFAULT) -> AsyncIterator[tuple[Listener, Address]]:
    listener = Listener(lambda: local(RIGHT), gate, limits=limits)
    port = await listener.start("127.0.0.1")
    try:
        yield listener, Address("127.0.0.1", port)
    finally:
        await listener.stop()
        for session in gate.sessions:
            session.close("test over")
            while not session._stream.closed:
                await asyncio.sleep(0)


async def raw(address: Address) -> Stream:
    loop = asyncio.get_running_loop()
    _, stream = await loop.create_connection(Stream, address.host, address.port)
    return stream


async def ended(stream: Stream) -> list[bytes]:
    """What the listener says until it closes."""
    frames = []
    try:
        while True:
            frames.append(await stream.read_frame())
    except EOFError:
        return frames


# ---------------------------------------------------------------------- who comes in


async def test_a_dialler_with_the_cookie_comes_in() -> None:
    gate = Gate()
    async with listening(gate) as (listener, address):
        stream, info = await dial(address, local(LEFT), RIGHT, "cookie")
        assert info.name == RIGHT
        assert [session.name for session in gate.sessions] == [LEFT]
        assert [info.name for info in gate.admitted] == [LEFT]
        assert listener.pending == 0
        assert gate.failures == []
        stream.abort()


async def test_messages_right_behind_the_handshake_are_not_lost() -> None:
    class Greeting(Gate):
        def established(self, stream: Stream, info: PeerInfo) -> None:
            super().established(stream, info)
            self.sessions[-1].send(SendSender(pid(1, RIGHT), pid(1)), encode_bare("welcome"))

    gate = Greeting()
    async with listening(gate) as (_, address):
        for _ in range(20):
            stream, info = await dial(address, local(LEFT), RIGHT, "cookie")
            sink = Recorder()
            session = Session(stream, info, sink)
            session.start()
            session.send(SendSender(pid(1), pid(1, RIGHT)), encode_bare("thanks"))
            assert await sink.count(1) == [b"welcome"]
            assert await gate.sink.count(1) == [b"thanks"]
            session.close("next")


async def test_the_session_stands_in_the_turn_of_the_proof() -> None:
    """A dialler that talks on without waiting for our ack loses nothing: all of it is in one read."""
    gate = Gate()
    async with listening(gate) as (_, address):
        stream = await raw(address)
        stream.write(HELLO)
        assert await stream.read_frame() == Status.OK.to_bytes()
        await dial_on(stream, await stream.read_frame())
        await gate.changed.wait()
        assert (await gate.sink.count(1)) == [b"early"]
        stream.abort()


async def dial_on(stream: Stream, challenge: bytes) -> None:
    reply = Reply(1, digest("cookie", parse_challenge(challenge).challenge)).to_bytes()
    early = Channel(VISIBLE).encode(SendSender(pid(1), pid(1, RIGHT)), encode_bare("early"))
    stream.write(frame2(reply) + b"".join(early))


async def test_established_sessions_outlive_the_listener() -> None:
    gate = Gate()
    async with listening(gate) as (listener, address):
        stream, info = await dial(address, local(LEFT), RIGHT, "cookie")
        await listener.stop()
        session = Session(stream, info, Recorder())
        session.start()
        session.send(SendSender(pid(1), pid(1, RIGHT)), encode_bare("still here"))
        assert await gate.sink.count(1) == [b"still here"]
        session.close("test over")


# ---------------------------------------------------------------------- who does not


async def test_another_cookie_is_rejected_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate("ours")
    async with listening(gate) as (_, address):
        with pytest.raises(CookieMismatch):
            await dial(address, local(LEFT), RIGHT, "theirs")
        peer, error = await gate.failure()
    assert peer == LEFT
    assert isinstance(error, CookieMismatch)
    (record,) = [record for record in caplog.records if record.name == "pyerlnode.net.listen"]
    assert record.levelno == logging.WARNING
    assert record.message.startswith(f"connection attempt from node {LEFT} (127.0.0.1:")
    assert "ours" not in record.message.replace("yours", "")


@pytest.mark.parametrize("status", [Status.NOK, Status.NOT_ALLOWED])
async def test_whom_the_gate_turns_away_is_told(status: Status) -> None:
    gate = Gate(status=status)
    async with listening(gate) as (_, address):
        with pytest.raises(Refused) as caught:
            await dial(address, local(LEFT), RIGHT, "cookie")
        assert caught.value.status == status
        peer, error = await gate.failure()
        assert peer == LEFT
        assert isinstance(error, Refused)


async def test_a_dialler_that_lacks_flags_is_not_asked_about() -> None:
    gate = Gate()
    async with listening(gate) as (_, address):
        old = LocalNode(LEFT, VISIBLE & ~(Flags.UTF8_ATOMS | Flags.MANDATORY_25_DIGEST), 1)
        with pytest.raises(Refused):
            await dial(address, old, RIGHT, "cookie")
        peer, error = await gate.failure()
        assert peer is None
        assert isinstance(error, MissingFlags)
        assert gate.asked == []


async def test_a_dialler_that_says_nothing_is_dropped_in_time() -> None:
    gate = Gate()
    async with listening(gate, limits=Limits(handshake_time=0.05)) as (listener, address):
        stream = await raw(address)
        assert await ended(stream) == []
        peer, error = await gate.failure()
        assert peer is None
        assert isinstance(error, TimeoutError)
        assert listener.pending == 0


async def test_the_deadline_is_for_the_whole_handshake() -> None:
    gate = Gate()
    async with listening(gate, limits=Limits(handshake_time=0.5)) as (_, address):
        stream = await raw(address)
        stream.write(HELLO)
        assert len(await ended(stream)) == 2
        assert (await gate.failure())[0] == LEFT


async def test_the_oldest_makes_room_when_too_many_are_pending() -> None:
    gate = Gate()
    async with listening(gate, limits=Limits(unauthenticated=3)) as (listener, address):
        streams = []
        for _ in range(3):
            streams.append(await raw(address))
            streams[-1].write(HELLO)
            await streams[-1].read_frame()
        assert listener.pending == 3
        stream, _ = await dial(address, local("fresh@127.0.0.1"), RIGHT, "cookie")
        assert len(await ended(streams[0])) == 1
        assert not streams[1].closed
        assert (await gate.failure())[0] == LEFT
        assert len(gate.sessions) == 1
        for other in (*streams, stream):
            other.abort()


async def test_stopping_drops_whoever_is_pending() -> None:
    gate = Gate()
    async with listening(gate) as (listener, address):
        stream = await raw(address)
        stream.write(HELLO)
        await stream.read_frame()
        await listener.stop()
        assert len(await ended(stream)) == 1
        peer, error = gate.failures[0]
        assert peer == LEFT
        assert isinstance(error, HandshakeError)
        assert (listener.pending, listener.port) == (0, 0)
        with pytest.raises(OSError, match=r".+"):
            await dial(address, local(LEFT), RIGHT, "cookie")


async def test_a_gate_that_fails_costs_one_connection(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(Gate):
        def established(self, stream: Stream, info: PeerInfo) -> None:
            raise ZeroDivisionError

    async with listening(Failing()) as (_, address):
        stream, _ = await dial(address, local(LEFT), RIGHT, "cookie")
        assert await ended(stream) == []
        stream, _ = await dial(address, local(LEFT), RIGHT, "cookie")
        stream.abort()
    assert "ZeroDivisionError" in caplog.text


async def test_a_gate_that_fails_early_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(Gate):
        def decide(self, hello: Hello) -> Status:
            raise ZeroDivisionError

    gate = Failing()
    async with listening(gate) as (_, address):
        with pytest.raises(Refused):
            await dial(address, local(LEFT), RIGHT, "cookie")
        assert isinstance((await gate.failure())[1], ZeroDivisionError)
    assert "ZeroDivisionError" in caplog.text


def garbage(number: int) -> bytes:
    """Something that is no handshake: random bytes, a cut or a changed name message, a huge length."""
    chance = random.Random(number)
    match number % 5:
        case 0:
            return chance.randbytes(chance.randrange(1, 200))
        case 1:
            return HELLO[: chance.randrange(len(HELLO))]
        case 2:
            place = chance.randrange(len(HELLO))
            return HELLO[:place] + chance.randbytes(1) + HELLO[place + 1 :]
        case 3:
            return HELLO + frame2(chance.randbytes(chance.randrange(40)))
    return b"\xff\xff" + bytes(5000)


async def test_hundreds_of_bad_diallers_leave_nothing_behind() -> None:
    gate = Gate()
    async with listening(gate) as (listener, address):
        descriptors = len(os.listdir("/proc/self/fd"))
        for number in range(500):
            stream = await raw(address)
            stream.write(garbage(number))
            (stream.abort if number % 7 == 0 else stream.close)()
        await gate.failure(500)
        while listener._tasks or listener.pending:
            await asyncio.sleep(0)
        assert len(gate.failures) == 500
        assert gate.sessions == []
        assert {type(error) for _, error in gate.failures} <= {
            RemoteProtocolError,
            HandshakeError,
            MissingFlags,
            CookieMismatch,
        }
        for _ in range(10):
            await asyncio.sleep(0)
        assert len(os.listdir("/proc/self/fd")) <= descriptors + 1
        stream, _ = await dial(address, local(LEFT), RIGHT, "cookie")
        stream.abort()


# ---------------------------------------------------------------------- where


async def test_several_hosts_share_one_port() -> None:
    gate = Gate()
    listener = Listener(lambda: local(RIGHT), gate)
    port = await listener.start(["127.0.0.1", "127.0.0.2", "127.0.0.1"])
    for host in ("127.0.0.1", "127.0.0.2"):
        stream, _ = await dial(Address(host, port), local(LEFT), RIGHT, "cookie")
        stream.abort()
    assert listener.port == port
    await listener.stop()
    assert len(gate.sessions) == 2
    for session in gate.sessions:
        session.close("test over")


async def test_a_taken_port_is_an_error_and_leaves_nothing_open() -> None:
    async with listening(Gate()) as (_, address):
        other = Listener(lambda: local(RIGHT), Gate())
        with pytest.raises(OSError, match=r".+"):
            await other.start(["127.0.0.3", "127.0.0.1"], address.port)
        assert (other.port, other._servers) == (0, [])


async def test_the_same_port_is_free_again_after_a_stop() -> None:
    gate = Gate()
    async with listening(gate) as (listener, address):
        stream, _ = await dial(address, local(LEFT), RIGHT, "cookie")
        await listener.stop()
        again = Listener(lambda: local(RIGHT), gate)
        assert await again.start("127.0.0.1", address.port) == address.port
        await again.stop()
        stream.abort()


async def test_a_port_that_is_taken_on_one_host_is_not_taken_on_any(monkeypatch: pytest.MonkeyPatch) -> None:
    listener = Listener(lambda: local(RIGHT), Gate())
    bind, failures = listener._bind, [errno.EADDRINUSE, errno.EADDRINUSE]

    async def unlucky(addresses: list[str], port: int) -> int:
        found = await bind(addresses, port)
        if failures:
            raise OSError(failures.pop(), "taken")
        return found

    monkeypatch.setattr(listener, "_bind", unlucky)
    port = await listener.start(["127.0.0.1", "127.0.0.2"])
    assert len(listener._servers) == 2
    assert listener.port == port > 0
    await listener.stop()
    failures[:] = [errno.EACCES]
    with pytest.raises(PermissionError):
        await listener.start("127.0.0.1")
    failures[:] = [errno.EADDRINUSE] * TRIES
    with pytest.raises(OSError, match="taken"):
        await listener.start("127.0.0.1")


async def test_a_connection_that_comes_while_we_stop_is_dropped() -> None:
    gate = Gate()
    listener = Listener(lambda: local(RIGHT), gate)
    one, two = memory_streams()
    listener._accepted(two)
    while not one.closed:
        await asyncio.sleep(0)
    assert listener.pending == 0


async def test_the_log_names_strangers_as_well_as_it_can(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    gate = Gate()
    async with listening(gate) as (listener, _):
        one, two = memory_streams()
        listener._accepted(two)
        one.write(b"\0\5hello")
        await gate.failure()
    assert "connection attempt from an unknown address rejected" in caplog.text


async def test_ipv6_works_like_ipv4(caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate("ours")
    listener = Listener(lambda: local(RIGHT), gate)
    port = await listener.start("::1")
    with pytest.raises(CookieMismatch):
        await dial(Address("::1", port), local(LEFT), RIGHT, "theirs")
    await gate.failure()
    await listener.stop()
    assert f"node {LEFT} ([::1]:" in caplog.text


async def test_one_that_goes_without_a_word_is_no_news(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    gate = Gate()
    async with listening(gate) as (listener, _):
        one, two = memory_streams()
        listener._accepted(two)
        one.close()
        await gate.failure()
    (record,) = [record for record in caplog.records if "ended: the dialler closed" in record.getMessage()]
    assert record.levelno == logging.DEBUG


@pytest.mark.parametrize(
    ("status", "level"), [(Status.NOK, logging.DEBUG), (Status.NOT_ALLOWED, logging.INFO)]
)
async def test_one_that_loses_to_our_own_dial_is_no_news(
    caplog: pytest.LogCaptureFixture, status: Status, level: int
) -> None:
    caplog.set_level(logging.DEBUG)
    gate = Gate(status=status)
    async with listening(gate) as (_, address):
        with pytest.raises(Refused):
            await dial(address, local(LEFT), RIGHT, "cookie")
        await gate.failure()
    (record,) = [record for record in caplog.records if "turned away" in record.getMessage()]
    assert record.levelno == level
