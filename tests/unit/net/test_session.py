from __future__ import annotations

import asyncio
import logging
import platform
import random
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pyerlnode.errors import EncodeError, LocalProtocolError, NotConnected, RemoteProtocolError
from pyerlnode.limits import MIB, Limits
from pyerlnode.net.session import CLOSED, FAILURE, OVERFLOW, SILENT, VIOLATION, Session
from pyerlnode.term import Atom, encode_bare
from pyerlnode.testing import ManualClock, memory_streams
from pyerlnode.wire.channel import Channel
from pyerlnode.wire.control import Exit, Link, SendSender
from pyerlnode.wire.flags import VISIBLE, Flags, without
from pyerlnode.wire.framing import TICK, frame4
from tests.support.net import LEFT, PIPES, RIGHT, Recorder, connected, info_of, pid, sessions

if TYPE_CHECKING:
    from pyerlnode.net.stream import Stream
    from pyerlnode.term import Term
    from pyerlnode.wire.control import Control

TARGET = pid(1, RIGHT)
LARGE = bytes(10 * MIB)


def send(session: Session, term: Term, sender: int = 1) -> None:
    session.send(SendSender(pid(sender), TARGET), encode_bare(term))


def packets(*terms: Term) -> bytes:
    channel = Channel(VISIBLE)
    control = SendSender(pid(1), TARGET)
    return b"".join(b"".join(channel.encode(control, encode_bare(term))) for term in terms)


# ---------------------------------------------------------------------- signals


@pytest.mark.parametrize("kind", PIPES)
async def test_two_sessions_talk_both_ways_in_order(kind: str) -> None:
    async with sessions(kind) as (left, right, left_sink, right_sink):
        for number in range(50):
            send(left, number)
            send(right, (number,))
        left.send(Link(pid(1), TARGET))
        assert (await right_sink.count(51))[:50] == list(range(50))
        assert right_sink.messages[50] == (Link(pid(1), TARGET), None)
        assert await left_sink.count(50) == [(number,) for number in range(50)]
        assert (left.name, right.name) == (RIGHT, LEFT)


async def test_one_read_of_many_frames_is_delivered_in_one_call() -> None:
    turns: list[int] = []
    sink = Recorder(lambda *_: turns.append(turn))
    turn = 0
    async with connected("memory") as (one, two):
        Session(two, info_of(LEFT, RIGHT), sink).start()
        one.write(packets(*range(200)))
        while not turns:
            turn += 1
            await asyncio.sleep(0)
        assert sink.terms == list(range(200))
        assert set(turns) == {turn}


async def test_what_one_turn_sends_is_one_write() -> None:
    async with connected("memory") as (one, two):
        writes: list[bytes] = []
        one.write = lambda data: writes.append(bytes(data))  # type: ignore[method-assign]
        session = Session(one, info_of(RIGHT, LEFT), Recorder())
        session.start()
        for number in range(20):
            send(session, number)
        assert writes == []
        await asyncio.sleep(0)
        assert writes == [packets(*range(20))]
        session.close("test over")
        two.abort()


@pytest.mark.parametrize("kind", PIPES)
async def test_messages_that_go_the_short_way_keep_their_place(kind: str) -> None:
    async with sessions(kind) as (left, _right, _, right_sink):
        for number in range(0, 90, 3):
            assert left.post(pid(1), TARGET, number) is True
            send(left, number + 1)
            rest = left.post(pid(1), TARGET, (number + 2, bytes(20_000)))
            assert not isinstance(rest, bool)
            left.send(SendSender(pid(1), TARGET), rest)
            await left.flush()
        terms = await right_sink.count(90)
        assert [term[0] if isinstance(term, tuple) else term for term in terms] == list(range(90))


async def test_what_goes_the_short_way_is_written_in_the_same_turn_and_ends_with_the_session() -> None:
    async with connected("memory") as (one, two):
        writes: list[bytes] = []
        one.write = lambda data: writes.append(bytes(data))  # type: ignore[method-assign]
        session = Session(one, info_of(RIGHT, LEFT), Recorder())
        session.start()
        for number in range(20):
            session.post(pid(1), TARGET, number)
        assert writes == []
        await asyncio.sleep(0)
        assert writes == [packets(*range(20))]
        session.close("test over")
        assert not isinstance(session.post(pid(1), TARGET, 1), bool)
        await asyncio.sleep(0)
        assert len(writes) == 1
        two.abort()


@pytest.mark.parametrize("kind", ["memory", "tcp"])
@pytest.mark.parametrize("flags", [VISIBLE, without(VISIBLE, Flags.FRAGMENTS)], ids=["fragments", "whole"])
async def test_large_messages_arrive_whole(kind: str, flags: Flags) -> None:
    blob = bytes(range(256)) * 40_000
    async with sessions(kind, flags=flags) as (left, right, left_sink, right_sink):
        send(left, blob)
        send(right, blob)
        send(left, Atom("end"))
        assert await right_sink.count(2) == [blob, Atom("end")]
        assert await left_sink.count(1) == [blob]


@pytest.mark.parametrize("kind", ["memory", "tcp"])
async def test_small_messages_of_others_overtake_a_large_one(kind: str) -> None:
    async with sessions(kind) as (left, _, _, sink):
        send(left, ("large", LARGE), sender=1)
        send(left, "after large", sender=1)
        for number in range(5):
            send(left, number, sender=2)
        terms = await sink.count(7)
        order = [term[0] if type(term) is tuple else term for term in terms]
        assert order == [0, 1, 2, 3, 4, b"large", b"after large"]


async def test_small_messages_sent_while_a_large_one_is_under_way_overtake_it_too() -> None:
    async with sessions("memory") as (left, right, _, sink):
        send(left, LARGE)
        while right._stream.bytes_read < MIB:
            await asyncio.sleep(0)
        send(left, "small", sender=2)
        assert await sink.count(1) == [b"small"]
        assert await sink.count(2) == [b"small", LARGE]


# ---------------------------------------------------------------------- back-pressure


@pytest.mark.parametrize("kind", ["memory", "tcp"])
async def test_senders_wait_for_a_peer_that_does_not_read(kind: str) -> None:
    limits = Limits(outbox=64 * 1024)
    async with connected(kind, limits=limits) as (one, two):
        left = Session(one, info_of(RIGHT, LEFT), Recorder(), limits=limits)
        left.start()
        sent = 0

        async def flood() -> None:
            nonlocal sent
            while sent < 64 * MIB:
                await left.drain()
                send(left, bytes(50_000))
                sent += 50_000

        flooding = asyncio.create_task(flood())
        before = -1
        while sent != before or not left.congested:
            before = sent
            for _ in range(10):
                await asyncio.sleep(0)
        assert left.congested
        assert sent < 64 * MIB
        assert left._outbox.size < 200_000
        assert one._transport.get_write_buffer_size() < 300_000
        sink = Recorder()
        Session(two, info_of(LEFT, RIGHT), sink).start()
        await flooding
        await sink.count(-(-64 * MIB // 50_000))
        assert not left.congested
        left.close("test over")


async def test_of_many_waiting_senders_only_so_many_continue_at_once() -> None:
    limits = Limits(outbox=100_000)
    peak = 0
    async with sessions("memory", limits=limits) as (left, _, _, sink):

        async def one(number: int) -> None:
            nonlocal peak
            await left.drain()
            send(left, bytes(60_000), sender=number)
            peak = max(peak, left._outbox.size)

        await asyncio.gather(*(one(number) for number in range(100)))
        await sink.count(100)
    assert peak < 200_000


async def test_a_large_message_holds_up_its_own_sender_only() -> None:
    limits = Limits(outbox=100_000)
    async with sessions("memory", limits=limits) as (left, _, _, sink):
        send(left, LARGE, sender=1)
        own = asyncio.create_task(left.drain(pid(1)))
        anybody = asyncio.create_task(left.drain())
        await asyncio.sleep(0)
        for number in range(1000):
            send(left, number, sender=2)
            await left.drain(pid(2))
        assert left.congested
        assert not own.done()
        assert not anybody.done()
        assert await sink.count(1001) == [*range(1000), LARGE]
        await asyncio.gather(own, anybody)
        left.close("test over")


async def test_those_who_wait_have_their_turns() -> None:
    """Each sends as much as it may when it is let in: whoever waits longest is next."""
    limits = Limits(outbox=100_000)
    sent = dict.fromkeys(range(5), 0)
    async with sessions("memory", limits=limits) as (left, _, _, sink):

        async def one(number: int) -> None:
            while min(sent.values()) < 1000 > sent[number] - 1000:
                sent[number] += 1
                send(left, bytes(1000), sender=number)
                await left.drain(pid(number))

        await asyncio.gather(*(one(number) for number in sent))
        assert max(sent.values()) < 2000
        await sink.count(sum(sent.values()))
        left.close("test over")


async def test_large_messages_that_are_waited_for_overflow_nothing() -> None:
    limits = Limits(outbox=1000, outbox_max=500_000)
    async with sessions("memory", limits=limits) as (left, _, _, sink):

        async def one(number: int) -> None:
            send(left, bytes(400_000), sender=number % 5)
            await left.drain(pid(number % 5))

        await asyncio.gather(*(one(number) for number in range(10)))
        await sink.count(10)
        assert left.is_open


async def test_waiting_senders_hear_of_the_loss() -> None:
    limits = Limits(outbox=1000)
    async with connected("tcp", limits=limits) as (one, two):
        left = Session(one, info_of(RIGHT, LEFT), Recorder(), limits=limits)
        left.start()
        for _ in range(400):
            send(left, bytes(60_000))
        waiting = asyncio.create_task(left.drain())
        flushing = asyncio.create_task(left.flush())
        cancelled = asyncio.create_task(left.drain())
        await asyncio.sleep(0)
        cancelled.cancel()
        two.abort()
        with pytest.raises(NotConnected, match=RIGHT):
            await waiting
        assert not await flushing
        with pytest.raises(NotConnected):
            await left.drain()
        assert not left._waiting
        assert not left._flushing


async def test_a_peer_that_asks_and_never_reads_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    limits = Limits(outbox_max=100_000)
    async with connected("memory", limits=limits) as (one, _two):
        sink = Recorder()
        left = Session(one, info_of(RIGHT, LEFT), sink, limits=limits)
        left.start()
        for _ in range(10):
            send(left, bytes(50_000))
        assert sink.reasons == [OVERFLOW]
        assert not left.is_open
    assert "does not read" in caplog.text


async def test_a_sender_that_gives_up_is_not_waited_for() -> None:
    limits = Limits(outbox=1000)
    async with connected("memory", limits=limits) as (one, _two):
        left = Session(one, info_of(RIGHT, LEFT), Recorder(), limits=limits)
        left.start()
        send(left, bytes(500_000))
        waiting, other = asyncio.create_task(left.drain()), asyncio.create_task(left.drain())
        await asyncio.sleep(0)
        waiting.cancel()
        left.close("gone")
        with pytest.raises(asyncio.CancelledError):
            await waiting
        with pytest.raises(NotConnected):
            await other


async def test_flush_waits_until_all_is_with_the_kernel() -> None:
    async with sessions("tcp") as (left, _, _, sink):
        assert await left.flush()
        send(left, LARGE)
        assert await left.flush()
        left.close("done")
        assert await sink.count(1) == [LARGE]
        assert await sink.reason() == CLOSED


async def test_flush_gives_up_in_time() -> None:
    async with connected("tcp") as (one, _two):
        left = Session(one, info_of(RIGHT, LEFT), Recorder())
        left.start()
        send(left, bytes(50 * MIB))
        assert not await left.flush(timeout=0.01)
        left.close("test over")
        assert not await left.flush()


# ---------------------------------------------------------------------- the end


@pytest.mark.parametrize("kind", PIPES)
async def test_a_close_is_heard_once_on_both_sides(kind: str) -> None:
    async with sessions(kind) as (left, right, left_sink, right_sink):
        send(left, "last")
        left.close("disconnect")
        assert left_sink.reasons == ["disconnect"]
        assert await right_sink.reason() == CLOSED
        assert right_sink.terms == [b"last"]
        left.close("again")
        send(left, "too late")
        send(right, "too late")
        assert left.data_received(memoryview(b"too late")) == 8
        assert (left.reason, right.reason) == ("disconnect", CLOSED)
    assert (left_sink.reasons, right_sink.reasons) == (["disconnect"], [CLOSED])


async def test_a_close_out_of_deliver_ends_delivery() -> None:
    states: list[list[str]] = []

    def react(session: Session, control: Control, term: Term) -> None:
        if term == 2:
            session.close("enough")
            states.append(list(sink.reasons))

    sink = Recorder(react)
    async with connected("memory") as (one, two):
        Session(two, info_of(LEFT, RIGHT), sink).start()
        one.write(packets(*range(10)))
        assert await sink.reason() == "enough"
        assert sink.terms == [0, 1, 2]
        assert states == [[]], "lost must not be called inside deliver"
        one.write(packets(11))
        while not two.closed:
            await asyncio.sleep(0)
    assert sink.reasons == ["enough"]


async def test_a_session_closed_before_its_start_never_begins() -> None:
    async with connected("memory") as (one, _two):
        sink = Recorder()
        session = Session(one, info_of(RIGHT, LEFT), sink)
        session.close("changed our mind")
        session.start()
        assert sink.reasons == ["changed our mind"]


async def test_a_peer_that_closes_in_the_middle_of_a_frame() -> None:
    async with connected("tcp") as (one, two):
        sink = Recorder()
        Session(two, info_of(LEFT, RIGHT), sink).start()
        one.write(packets("whole") + packets("cut")[:-2])
        one.close()
        assert await sink.reason() == CLOSED
        assert sink.terms == [b"whole"]


@pytest.mark.parametrize(
    "garbage",
    [b"\0\0\0\1x", frame4(b"\x83D\0" + encode_bare((99,))), b"\xff\xff\xff\xff", frame4(b"\x83D\5")],
    ids=["no header", "unknown operation", "length", "header cut off"],
)
@pytest.mark.parametrize("kind", ["memory", "bytewise"])
async def test_a_peer_that_breaks_the_protocol_is_cut_off(
    kind: str, garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with connected(kind) as (one, two):
        sink = Recorder()
        Session(two, info_of(LEFT, RIGHT), sink).start()
        one.write(packets("good") + garbage + packets("never seen"))
        assert await sink.reason() == VIOLATION
        assert sink.terms == [b"good"]
        while not one.closed:
            await asyncio.sleep(0)
    (record,) = [record for record in caplog.records if record.name == "pyerlnode.net.session"]
    assert record.levelno == logging.WARNING
    assert LEFT in record.message


async def test_a_sink_that_refuses_a_message_ends_the_session_as_the_peers_fault() -> None:
    def react(session: Session, control: Control, term: Term) -> None:
        raise RemoteProtocolError("a pid of another node")

    sink = Recorder(react)
    async with connected("memory") as (one, two):
        Session(two, info_of(LEFT, RIGHT), sink).start()
        one.write(packets(1, 2))
        assert await sink.reason() == VIOLATION
        assert sink.terms == [1]


async def test_a_payload_that_does_not_decode_ends_the_session() -> None:
    async with connected("memory") as (one, two):
        sink = Recorder()
        Session(two, info_of(LEFT, RIGHT), sink).start()
        channel = Channel(VISIBLE)
        one.write(b"".join(channel.encode(SendSender(pid(1), TARGET), b"\xff\xff")))
        assert await sink.reason() == VIOLATION


async def test_a_sink_that_fails_ends_the_session_not_the_loop(caplog: pytest.LogCaptureFixture) -> None:
    def react(session: Session, control: Control, term: Term) -> None:
        raise ZeroDivisionError("a bug of ours")

    sink = Recorder(react)
    async with connected("memory") as (one, two):
        Session(two, info_of(LEFT, RIGHT), sink).start()
        one.write(packets("secret payload"))
        assert await sink.reason() == FAILURE
    assert "ZeroDivisionError" in caplog.text
    assert "secret" not in caplog.text


async def test_a_sink_that_fails_at_the_loss_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(Recorder):
        def lost(self, session: Session, reason: str) -> None:
            raise ZeroDivisionError

    async with connected("memory") as (one, _two):
        Session(one, info_of(RIGHT, LEFT), Failing()).close("x")
    assert "ZeroDivisionError" in caplog.text


async def test_what_cannot_be_sent_raises_in_the_caller() -> None:
    async with sessions("memory") as (left, _, _, sink):
        with pytest.raises(LocalProtocolError):
            left.send(SendSender(pid(1), TARGET))
        with pytest.raises(EncodeError):
            left.send(Exit(pid(1), TARGET, object()))
        send(left, "fine")
        assert await sink.count(1) == [b"fine"]


async def test_messages_behind_the_handshake_are_delivered_by_start() -> None:
    async with connected("memory") as (one, two):
        one.write(b"\0\3ack" + packets("first"))
        assert await two.read_frame() == b"ack"
        sink = Recorder()
        Session(two, info_of(LEFT, RIGHT), sink).start()
        assert sink.terms == [b"first"]


async def test_changed_packets_end_one_session_at_most(caplog: pytest.LogCaptureFixture) -> None:
    """Good packets with a few bytes changed: each session ends as the peer's fault, or goes on."""
    chance = random.Random(20)
    good = packets(("gen", [1, 2.5, Atom("a")], {"k": b"v"}), bytes(300))
    reasons = set()
    for _ in range(400):
        bad = bytearray(good)
        for _ in range(chance.randint(1, 4)):
            bad[chance.randrange(len(bad))] = chance.randrange(256)
        async with connected("memory") as (one, two):
            sink = Recorder()
            session = Session(two, info_of(LEFT, RIGHT), sink)
            session.start()
            one.write(bytes(bad))
            while two.bytes_read < len(bad) and session.is_open:
                await asyncio.sleep(0)
            reasons.add(session.reason)
            session.close("next")
            assert len(sink.reasons) == 1
    assert reasons == {None, VIOLATION}
    assert "Traceback" not in caplog.text


# ---------------------------------------------------------------------- ticks


class Raw:
    """The other end as bytes."""

    def __init__(self, stream: Stream) -> None:
        self.data = b""
        self.lost = False
        stream.attach(self)

    def data_received(self, data: memoryview) -> int:
        self.data += bytes(data)
        return len(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True

    def pause_writing(self) -> None: ...

    def resume_writing(self) -> None: ...


async def settle() -> None:
    """Let the memory transport carry what is under way."""
    for _ in range(20):
        await asyncio.sleep(0)


def ticking(*, visible: bool = True) -> tuple[Session, Recorder, Stream, Raw, ManualClock]:
    one, two = memory_streams()
    clock, sink = ManualClock(), Recorder()
    session = Session(one, info_of(RIGHT, LEFT, visible=visible), sink, ticktime=8.0, clock=clock)
    session.start()
    return session, sink, two, Raw(two), clock


async def test_a_quiet_connection_ticks_every_quarter_of_the_ticktime() -> None:
    session, sink, other, raw, clock = ticking()
    for _ in range(10):
        other.write(TICK)
        await settle()
        clock.advance(2.0)
    await settle()
    assert raw.data == TICK * 10
    assert session.is_open
    assert sink.messages == []
    session.close("test over")
    clock.advance(100.0)
    await settle()
    assert raw.data == TICK * 10


async def test_a_quiet_connection_gives_its_receive_buffer_back() -> None:
    one, two = memory_streams()
    clock = ManualClock()
    session = Session(one, info_of(RIGHT, LEFT), Recorder(), ticktime=8.0, clock=clock)
    session.start()
    for data in (packets(bytes(2000)), TICK, packets(bytes(2000))):
        two.write(data)
        await settle()
        assert len(one._buffer) > 0
        clock.advance(2.0)
        assert (len(one._buffer) == 0) == (data == TICK)
    session.close("test over")
    two.abort()


FAULTS = """
import asyncio, resource
from tests.support.net import Recorder, connected, info_of, pid, LEFT, RIGHT
from pyerlnode.net.session import Session
from pyerlnode.term import encode_bare
from pyerlnode.wire.control import SendSender

async def main():
    payload = encode_bare(bytes(2**20))
    sink = Recorder()
    async with connected("tcp") as (one, two):
        Session(one, info_of(LEFT, RIGHT), sink).start()
        sender = Session(two, info_of(RIGHT, LEFT), Recorder())
        sender.start()
        for number in range(60):
            if number == 20:
                before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            for _ in range(4):
                sender.send(SendSender(pid(1, RIGHT), pid(1)), payload)
            await sink.count(4)
            sink.messages.clear()
        print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) // 40)
        sender.close("test over")

asyncio.run(main())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is glibc's allocator that has to be told")
def test_the_memory_of_large_messages_is_kept_for_the_next() -> None:
    """Four messages of 1 MiB that are written to fresh memory cost 1024 page faults."""
    run = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True)
    assert int(run.stdout) < 256


async def test_a_busy_connection_needs_no_ticks() -> None:
    session, _, other, raw, clock = ticking()
    for number in range(5):
        other.write(TICK)
        send(session, number)
        await settle()
        clock.advance(2.0)
    await settle()
    assert raw.data == packets(*range(5))
    session.close("test over")


async def test_a_silent_peer_is_down_after_the_ticktime() -> None:
    _session, sink, other, raw, clock = ticking()
    other.write(TICK)
    await settle()
    clock.advance(8.0)
    assert sink.reasons == []
    clock.advance(2.0)
    assert sink.reasons == [SILENT]
    await settle()
    assert raw.lost
    clock.advance(100.0)
    assert sink.reasons == [SILENT]


async def test_a_tick_never_queues_behind_data() -> None:
    session, sink, other, raw, clock = ticking(visible=False)
    other._transport.pause_reading()
    for _ in range(20):
        send(session, bytes(500_000))
    send(session, "small", sender=2)
    await settle()
    queued = session._outbox.size
    clock.advance(2.0)  # nothing was read: a hidden peer is ticked though data waits
    other._transport.resume_reading()
    await settle()
    assert queued > 9 * MIB
    assert session._outbox.size < queued
    while session._outbox:
        await asyncio.sleep(0)
    await settle()
    frames = split(raw.data)
    assert b"" in frames
    assert frames.index(b"") < len(frames) // 2
    assert sink.reasons == []
    session.close("test over")


async def test_a_tick_never_splits_a_frame() -> None:
    one, two = memory_streams()
    clock = ManualClock()
    info = info_of(RIGHT, LEFT, flags=without(VISIBLE, Flags.FRAGMENTS), visible=False)
    session = Session(one, info, Recorder(), ticktime=8.0, clock=clock)
    session.start()
    raw = Raw(two)
    send(session, bytes(MIB))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not session._outbox.at_boundary
    clock.advance(2.0)
    while session._outbox:
        await asyncio.sleep(0)
    await settle()
    assert [len(frame) > MIB for frame in split(raw.data)] == [True]
    session.close("test over")


def split(data: bytes) -> list[bytes]:
    frames = []
    while data:
        size = int.from_bytes(data[:4], "big")
        frames.append(data[4 : 4 + size])
        data = data[4 + size :]
    return frames
