"""Attacks made on purpose: what each of them may cost is bounded, and nobody else pays."""

from __future__ import annotations

import asyncio
import struct
import zlib
from typing import TYPE_CHECKING

import pytest

from pyerlnode import Limits
from pyerlnode.limits import KIB, MIB
from pyerlnode.net.session import OVERFLOW, VIOLATION
from pyerlnode.term import Atom, Pid, Reference, encode_bare
from pyerlnode.wire import control as c
from pyerlnode.wire.flags import VISIBLE, Flags
from pyerlnode.wire.framing import frame2, frame4
from pyerlnode.wire.handshake import Hello, LocalNode, initiate
from tests.support.contender import Contender, contender, until
from tests.support.ports import free_port
from tests.support.raw_peer import RawListener, RawPeer
from tests.support.sentry import Sentry, sentry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from pyerlnode.runtime.process import Process
    from pyerlnode.term import Term

ME, INNOCENT, RAW = "me@127.0.0.1", "innocent@127.0.0.1", "raw@127.0.0.1"
LIMITS = Limits(
    handshake_time=1.0,
    unauthenticated=16,
    frame=1 * MIB,
    message=2 * MIB,
    fragmented=32,
    fragmented_bytes=4 * MIB,
    outbox=64 * KIB,
    outbox_max=4 * MIB,
    mailbox=1_000,
    elements=100_000,
)
HEADER = b"\x83D\0"
NOBODY = 30_000
FIRST, NEXT = b"\x83E", b"\x83F"


@pytest.fixture
async def pair() -> AsyncIterator[tuple[Contender, Contender]]:
    ports = {ME: free_port(), INNOCENT: free_port()}
    async with (
        contender(ME, port=ports[ME], peer_ports=ports, limits=LIMITS) as me,
        contender(INNOCENT, port=ports[INNOCENT], peer_ports=ports) as innocent,
    ):
        yield me, innocent


@pytest.fixture
async def me(pair: tuple[Contender, Contender]) -> Contender:
    return pair[0]


@pytest.fixture
async def watch(pair: tuple[Contender, Contender]) -> AsyncIterator[Sentry]:
    async with sentry(*pair) as watch:
        yield watch
        await watch.check()


@pytest.fixture
async def raw(me: Contender, watch: Sentry) -> AsyncIterator[RawPeer]:
    """A peer that has proven the cookie, and takes no part in anything."""
    async with await RawPeer.dial(me.node.port or 0, RAW, ME) as raw:
        await until(lambda: RAW in me.sessions)
        yield raw


async def proves_harmless(raw: RawPeer, me: Contender) -> None:
    """All that was sent is handled, and the connection stands."""
    probe, nobody = raw.pid(32_000, 8_000), me.router.registry.pid(NOBODY)
    raw.send(c.Link(probe, nobody))
    while c.PayloadExit(nobody, probe) != (await raw.message())[0]:
        pass
    assert me.sessions[RAW].is_open


async def is_thrown_out(raw: RawPeer, me: Contender, reason: str = VIOLATION) -> None:
    """The connection is closed for that reason."""
    session = me.sessions.get(RAW)
    await raw.end()
    await until(lambda: RAW not in me.sessions)
    assert session is None or session.reason == reason


def message(control: c.Control, payload: bytes, header: bytes = HEADER) -> bytes:
    """A frame with any bytes as its payload."""
    return frame4(header + encode_bare(control.to_term()) + payload)


def to_inbox(raw: RawPeer) -> c.RegSend:
    return c.RegSend(raw.pid(1), Atom("inbox"))


# ------------------------------------------------------------------------------- without the cookie


class TestWithoutTheCookie:
    async def test_slow_handshakes_are_ended(self, me: Contender, watch: Sentry) -> None:
        """One byte at a time, each before anything could expire; the whole has one deadline."""
        hello = frame2(Hello(RAW, VISIBLE, 1).to_bytes())

        async def drip() -> None:
            async with await RawPeer.open(me.node.port or 0) as slow:
                ended = asyncio.create_task(slow.end())
                for byte in hello[:-1]:
                    slow.write(bytes([byte]))
                    await asyncio.sleep(0.01)
                assert await ended == b""

        async with asyncio.TaskGroup() as group:
            for _ in range(8):
                group.create_task(drip())
        assert watch.ear.starting("connection attempt from %s ended: its handshake took too long") == 8

    async def test_thousands_of_connections_that_say_nothing(self, me: Contender, watch: Sentry) -> None:
        """The oldest makes room: no more than the limit are ever held, and real peers get in."""
        silent: list[RawPeer] = []
        for number in range(2_000):
            silent.append(await RawPeer.open(me.node.port or 0))
            assert me.listener.pending <= LIMITS.unauthenticated
            if number % 500 == 0:
                async with await RawPeer.dial(me.node.port or 0, RAW, ME):
                    await until(lambda: RAW in me.sessions)
                await until(lambda: RAW not in me.sessions)
            if len(silent) > 100:
                await silent.pop(0).close()
        for one in silent:
            await one.end()
            await one.close()

    @pytest.mark.parametrize("length", [b"\xff\xff", b"\x04\x01"])
    async def test_a_giant_length(self, me: Contender, watch: Sentry, length: bytes) -> None:
        async with await RawPeer.open(me.node.port or 0) as raw:
            raw.write(length + b"N" * 2_000)
            assert await raw.end() == b""

    async def test_names_in_use_change_nothing(
        self, pair: tuple[Contender, Contender], watch: Sentry
    ) -> None:
        """Whoever says that it is our peer, or us, and cannot prove it."""
        me, _ = pair
        for name in (INNOCENT, ME, "other@127.0.0.1"):
            for _ in range(50):
                async with await RawPeer.open(me.node.port or 0) as raw:
                    raw.write(frame2(Hello(name, VISIBLE, 1).to_bytes()) + frame2(b"strue"))
                    raw.write(frame2(b"r" + bytes(20)))
                    assert len(await raw.end()) < 200
        assert me.sessions[INNOCENT].is_open


# ----------------------------------------------------------------------------------- with the cookie


class TestBadPackets:
    async def test_a_giant_length(self, me: Contender, raw: RawPeer) -> None:
        raw.write(b"\xff\xff\xff\xff")
        await is_thrown_out(raw, me)

    async def test_a_packet_that_never_ends_costs_what_was_sent(self, me: Contender, raw: RawPeer) -> None:
        raw.write(struct.pack(">I", LIMITS.frame) + b"\x83D")
        await proves_that_innocent_is_served(me)
        raw.abort()

    @pytest.mark.parametrize(
        "payload",
        [
            b"l\xff\xff\xff\xff" + b"a\1" * 10,
            b"i\xff\xff\xff\xff",
            b"t\xff\xff\xff\xff",
            b"m\xff\xff\xff\xff",
            b"o\xff\xff\xff\xff\0",
            b"M\xff\xff\xff\xff\x07",
            b"p\xff\xff\xff\xff\1" + bytes(16),
            b"Z\xff\xff" + encode_bare(Atom("x")) + bytes(4),
            b"C\xff\xff\xff\xff\0",
            b"l\0\1\x86\xa1" + b"j" * 100_001 + b"j",
        ],
        ids=["list", "tuple", "map", "binary", "integer", "bits", "fun", "reference", "record", "elements"],
    )
    async def test_lying_counts(self, me: Contender, raw: RawPeer, payload: bytes) -> None:
        raw.write(message(to_inbox(raw), payload))
        await is_thrown_out(raw, me)
        assert me.received == []

    @pytest.mark.parametrize("level", [b"h\1", b"l\0\0\0\1", b"t\0\0\0\1j"], ids=["tuple", "list", "map"])
    async def test_deep_nesting(self, me: Contender, raw: RawPeer, level: bytes) -> None:
        raw.write(message(to_inbox(raw), level * 100_000 + b"j"))
        await is_thrown_out(raw, me)

    async def test_deep_control_messages(self, me: Contender, raw: RawPeer) -> None:
        raw.write(frame4(HEADER + b"h\1" * 300_000))
        await is_thrown_out(raw, me)

    async def test_nothing_is_inflated(self, me: Contender, raw: RawPeer) -> None:
        """The compressed form does not exist behind a distribution header."""
        bomb = b"P" + struct.pack(">I", 2**31) + zlib.compress(bytes(64 * MIB))
        raw.write(message(to_inbox(raw), bomb))
        await is_thrown_out(raw, me)

    async def test_a_huge_integer_as_a_control_message(self, me: Contender, raw: RawPeer) -> None:
        """It must not be printed for the log, which would take minutes."""
        raw.write(frame4(HEADER + b"o" + struct.pack(">IB", 900_000, 0) + b"\xff" * 900_000))
        await is_thrown_out(raw, me)


async def proves_that_innocent_is_served(me: Contender) -> None:
    assert await me.node.ping(INNOCENT)


class TestAtoms:
    async def test_endless_atoms_are_not_kept(self, me: Contender, watch: Sentry, raw: RawPeer) -> None:
        from pyerlnode.term import atom

        rounds, each = 100, 1_000
        for number in range(rounds):
            names = [b"w\x0c%012d" % (number * each + index) for index in range(each)]
            raw.write(message(to_inbox(raw), b"l" + struct.pack(">I", each) + b"".join(names) + b"j"))
            await raw.drain()
        await until(lambda: len(me.received) == rounds)
        await proves_harmless(raw, me)
        assert len(atom._by_name) <= LIMITS.atoms
        assert len(atom.by_utf8) <= LIMITS.atoms

    async def test_the_atom_cache_may_be_overwritten_for_ever(self, me: Contender, raw: RawPeer) -> None:
        """Each message fills all the 255 slots of a segment anew."""
        for number in range(300):
            segment = number % 8
            nibbles = [8 | segment] * 255 + [0]
            flags = bytes(nibbles[i] | nibbles[i + 1] << 4 for i in range(0, 256, 2))
            texts = b"".join(struct.pack("BB", slot, 4) + b"%04d" % (slot + number) for slot in range(255))
            header = b"\x83D\xff" + flags + texts
            raw.write(message(to_inbox(raw), b"R\xfe", header))
        await until(lambda: len(me.received) == 300)
        assert me.received[-1] == f"{254 + 299:04d}"
        await proves_harmless(raw, me)

    async def test_an_empty_slot(self, me: Contender, raw: RawPeer) -> None:
        raw.write(message(to_inbox(raw), b"R\0", b"\x83D\1\0\x63"))
        await is_thrown_out(raw, me)


class TestFragments:
    def first(self, raw: RawPeer, seq: int, count: int, payload: bytes) -> bytes:
        head = FIRST + struct.pack(">QQ", seq, count) + b"\0" + encode_bare(to_inbox(raw).to_term())
        return frame4(head + payload)

    async def test_beginnings_without_an_end(self, me: Contender, raw: RawPeer) -> None:
        for seq in range(1, LIMITS.fragmented + 1):
            raw.write(self.first(raw, seq, 2**63, b"m"))
        await proves_harmless(raw, me)
        raw.write(self.first(raw, 2**40, 2, b"m"))
        await is_thrown_out(raw, me)

    async def test_a_message_that_grows_for_ever(self, me: Contender, raw: RawPeer) -> None:
        raw.write(self.first(raw, 1, 2**60, b"m"))
        for left in range(2**60 - 1, 2**60 - 10, -1):
            raw.write(frame4(NEXT + struct.pack(">QQ", 1, left) + bytes(512 * KIB)))
        await is_thrown_out(raw, me)

    async def test_many_that_grow_a_little(self, me: Contender, raw: RawPeer) -> None:
        for seq in range(1, LIMITS.fragmented + 1):
            raw.write(self.first(raw, seq, 2, bytes(512 * KIB)))
        await is_thrown_out(raw, me)

    async def test_a_million_empty_fragments(self, me: Contender, raw: RawPeer) -> None:
        count = 200_000
        raw.write(self.first(raw, 1, count, encode_bare(7)))
        for start in range(count - 1, 0, -1_000):
            lefts = range(start, max(0, start - 1_000), -1)
            raw.write(b"".join(frame4(NEXT + struct.pack(">QQ", 1, left)) for left in lefts))
            await raw.drain()
        await until(lambda: me.received == [7])
        await proves_harmless(raw, me)


class TestFloods:
    """Signals that are valid, and far too many."""

    COUNT = 20_000

    async def test_links_to_nobody(self, me: Contender, watch: Sentry, raw: RawPeer) -> None:
        """Each is answered, none is kept."""
        nobody = me.router.registry.pid(NOBODY)
        before = watch.tables()["relations"]
        reading = asyncio.create_task(self.count(raw, c.PayloadExit))
        for number in range(self.COUNT):
            raw.send(c.Link(raw.pid(number % 32_000, number // 32_000), nobody))
            await self.pace(raw, number)
        assert await reading == self.COUNT
        assert watch.tables()["relations"] == before

    async def test_monitors_of_nobody(self, me: Contender, watch: Sentry, raw: RawPeer) -> None:
        nobody: list[Pid | Atom] = [me.router.registry.pid(NOBODY), Atom("nobody")]
        before = watch.tables()
        reading = asyncio.create_task(self.count(raw, c.PayloadMonitorPExit))
        for number in range(self.COUNT):
            raw.send(c.MonitorP(raw.pid(1), nobody[number % 2], raw.ref(number)))
            await self.pace(raw, number)
        assert await reading == self.COUNT
        after = watch.tables()
        assert (after["relations"], after["watched"]) == (before["relations"], before["watched"])

    async def test_unlinks_of_what_was_never_linked(self, me: Contender, raw: RawPeer) -> None:
        inbox = me.node.whereis("inbox")
        assert inbox is not None
        reading = asyncio.create_task(self.count(raw, c.UnlinkIdAck))
        for number in range(self.COUNT):
            raw.send(c.UnlinkId(number + 1, raw.pid(number % 32_000), inbox))
            await self.pace(raw, number)
        assert await reading == self.COUNT

    async def test_answers_that_nobody_asked_for(self, me: Contender, watch: Sentry, raw: RawPeer) -> None:
        inbox = me.node.whereis("inbox")
        assert inbox is not None
        stale = Pid(Atom(ME), inbox.id, inbox.serial, me.node.creation ^ 1)
        before = watch.tables()
        for number in range(self.COUNT // 10):
            mine, ref = raw.pid(number), Reference(Atom(ME), me.node.creation, (number, 0, 0))
            for target in (inbox, stale, me.router.registry.pid(NOBODY)):
                raw.send(c.UnlinkIdAck(number + 1, mine, target))
                raw.send(c.PayloadExit(mine, target), Atom("killed"))
                raw.send(c.PayloadMonitorPExit(mine, target, ref), Atom("killed"))
                raw.send(c.DemonitorP(mine, target, raw.ref(number)))
                raw.send(c.SpawnReply(ref, target, 3, mine))
            raw.send(c.AliasSend(mine, ref), b"late")
            raw.send(c.AltactSigSend(4, mine, ref), b"late")
            raw.send(c.RegSend(mine, Atom("nobody")), b"?")
            await raw.drain()
        await proves_harmless(raw, me)
        after = watch.tables()
        for table in ("relations", "watched", "aliases", "actors"):
            assert after[table] == before[table]
        assert me.received == []

    async def test_spawns_of_what_is_not_exported(self, me: Contender, watch: Sentry, raw: RawPeer) -> None:
        reading = asyncio.create_task(self.count(raw, c.PayloadMonitorPExit, 2_000))
        actors = len(me.router.registry)
        for number in range(2_000):
            request = c.SpawnRequest(
                raw.ref(number), raw.pid(1), raw.pid(1), Atom("os"), Atom("cmd"), 1, [Atom("monitor")]
            )
            raw.send(request, [b"true"])
            await self.pace(raw, number)
        assert await reading == 2_000
        assert len(me.router.registry) == actors

    async def test_spawns_with_bad_options(self, me: Contender, raw: RawPeer) -> None:
        reading = asyncio.create_task(self.count(raw, c.SpawnReply, 2_000))
        actors = len(me.router.registry)
        for number in range(2_000):
            request = c.SpawnRequest(
                raw.ref(number), raw.pid(1), raw.pid(1), Atom("m"), Atom("f"), 0, [(Atom("x"), number)]
            )
            raw.send(request, [])
            await self.pace(raw, number)
        assert await reading == 2_000
        assert len(me.router.registry) == actors

    async def test_a_mailbox(self, me: Contender, watch: Sentry, raw: RawPeer) -> None:
        """A process that does not keep up ends; it alone."""

        async def sleep(_: Process) -> None:
            await asyncio.Event().wait()

        await me.node.spawn(sleep, name="sleeper")
        for number in range(2 * LIMITS.mailbox):
            raw.send(c.RegSend(raw.pid(1), Atom("sleeper")), number)
        await raw.drain()
        await until(lambda: me.node.whereis("sleeper") is None)
        await proves_harmless(raw, me)

    async def test_questions_whose_answers_are_never_read(
        self, me: Contender, watch: Sentry, raw: RawPeer
    ) -> None:
        """What is unsent is bounded; then the connection goes."""
        nobody = me.router.registry.pid(NOBODY)
        session = me.sessions[RAW]
        frame = b"".join(raw.channel.encode(c.Link(raw.pid(1), nobody)))
        while session.is_open:
            raw.write(frame * 1_000)
            await raw.drain()
            await asyncio.sleep(0)
            assert session._outbox.size <= LIMITS.outbox_max + 64 * KIB
        assert session.reason == OVERFLOW

    async def test_ticks(self, me: Contender, raw: RawPeer) -> None:
        for _ in range(100):
            raw.write(bytes(4) * 10_000)
            await raw.drain()
        await proves_harmless(raw, me)

    async def test_names_of_nodes_that_do_not_exist(self, me: Contender, watch: Sentry, raw: RawPeer) -> None:
        """Casts to the name server, each with another node that would like to meet us."""
        cast = Atom("$gen_cast")
        for number in range(2_000):
            node = Atom(f"n{number}@127.0.0.1")
            word: Term = (Atom("locker"), Atom("no_longer_a_pid"), [], raw.pid(1))
            hello = (cast, (Atom("init_connect"), (8, number), node, word))
            raw.send(c.RegSend(raw.pid(1), Atom("global_name_server")), hello)
            await self.pace(raw, number)
        await proves_harmless(raw, me)
        assert not me.node._global._pre_connect

    async def test_names_that_are_in_sync_with_us(self, me: Contender, watch: Sentry, raw: RawPeer) -> None:
        for number in range(2_000):
            word: Term = (Atom("in_sync"), Atom(f"n{number}@127.0.0.1"), True)
            raw.send(c.RegSend(raw.pid(1), Atom("global_name_server")), (Atom("$gen_cast"), word))
            await self.pace(raw, number)
        await proves_harmless(raw, me)
        assert me.node._global.synced == {INNOCENT}

    async def test_locks_of_processes_on_nodes_that_are_not_there(
        self, me: Contender, watch: Sentry, raw: RawPeer
    ) -> None:
        """Nobody would ever release them."""
        far = Pid(Atom("far@127.0.0.1"), 1, 0, 1)
        call = Atom("$gen_call")
        for number in range(100):
            request = (call, (far, raw.ref(number)), (Atom("set_lock"), (number, far)))
            raw.send(c.RegSend(raw.pid(1), Atom("global_name_server")), request)
        await proves_harmless(raw, me)
        assert len(me.node._global.locks) == 0

    async def pace(self, raw: RawPeer, number: int) -> None:
        if number % 200 == 0:
            await raw.drain()

    async def count(self, raw: RawPeer, kind: type, wanted: int = COUNT) -> int:
        """Read until `wanted` messages of that kind have come."""
        seen = 0
        while seen < wanted:
            seen += isinstance((await raw.message())[0], kind)
        return seen


class TestRumours:
    async def test_a_mesh_that_is_said_to_have_hundreds_of_members(self) -> None:
        """They are not all dialled at once: each dial costs a socket, for as long as nobody answers."""
        listener = RawListener("silent@127.0.0.1")
        async with (
            listener,
            contender(ME, port=free_port(), peer_ports=listener.port, limits=LIMITS) as me,
            await RawPeer.dial(me.node.port or 0, RAW, ME) as raw,
        ):
            members: Term = [(Atom(f"n{number}@127.0.0.1"), 8) for number in range(300)]
            word: Term = (Atom("new_nodes"), Atom(RAW), [], [], members, [])
            raw.send(c.RegSend(raw.pid(1), Atom("global_name_server")), (CAST, word))
            await until(lambda: me.peers._attempts)
            await proves_harmless(raw, me)
            for _ in range(10):
                await listener.opened()
            assert 10 <= len(me.peers._attempts) <= 32


class TestGuests:
    async def test_nodes_that_we_gave_a_name_are_forgotten_when_they_go(
        self, me: Contender, watch: Sentry
    ) -> None:
        """Each has another name, and none comes back to it."""
        known = me.node.list("known")
        for _ in range(20):
            async with await RawPeer.open(me.node.port or 0) as guest:
                nameless = LocalNode("127.0.0.1", VISIBLE | Flags.NAME_ME, 0, dynamic=True)
                info = await guest.converse(initiate(nameless, ME, "cookie", 1))
                await until(lambda name=info.local_name: name in me.node.list("known"))  # type: ignore[misc]
            await until(lambda: len(me.sessions) == 1)
        assert me.node.list("known") == known


class TestForgery:
    """Signals about others' relations."""

    async def test_a_monitor_under_anothers_reference(
        self, pair: tuple[Contender, Contender], watch: Sentry, raw: RawPeer
    ) -> None:
        me, innocent = pair
        inbox = me.node.whereis("inbox")
        assert inbox is not None
        async with innocent.node.process() as watcher:
            ref = await watcher.monitor(inbox)
            await until(lambda: ref in me.router._watched)
            raw.send(c.MonitorP(raw.pid(1), Atom("rex"), ref))
            await is_thrown_out(raw, me)
            await watcher.demonitor(ref)
            await until(lambda: ref not in me.router._watched)


def deep(levels: int) -> Term:
    term: Term = []
    for _ in range(levels):
        term = [term]
    return term


CALL, CAST, USER = Atom("$gen_call"), Atom("$gen_cast"), Atom("user")
SERVICES: list[tuple[str, Callable[[RawPeer, Term], Term]]] = [
    ("rex", lambda raw, t: (raw.pid(1), (Atom("call"), Atom("m"), Atom("f"), t, USER))),
    ("rex", lambda raw, t: (raw.pid(1), (Atom("call"), t, Atom("f"), [], USER))),
    ("rex", lambda raw, t: (raw.pid(1), (Atom("sbcast"), t, 1))),
    ("rex", lambda raw, t: (raw.pid(1), (Atom("sbcast"), Atom("inbox"), t))),
    ("rex", lambda raw, t: (raw.pid(1), (Atom("send"), Atom("inbox"), t))),
    ("rex", lambda raw, t: (CALL, (raw.pid(1), raw.ref(1)), (Atom("call"), Atom("m"), Atom("f"), t, USER))),
    ("rex", lambda raw, t: (CALL, (raw.pid(1), t), (Atom("call"), Atom("m"), Atom("f"), [], USER))),
    ("rex", lambda raw, t: (CALL, (raw.pid(1), t), 1)),
    ("rex", lambda raw, t: (CAST, (Atom("cast"), t, t, t, USER))),
    ("net_kernel", lambda raw, t: (CALL, (raw.pid(1), t), (Atom("is_auth"), 1))),
    ("net_kernel", lambda raw, t: (CALL, (raw.pid(1), raw.ref(1)), t)),
    ("user", lambda raw, t: (Atom("io_request"), raw.pid(1), t, Atom("getopts"))),
    ("user", lambda raw, t: (Atom("io_request"), raw.pid(1), t, (Atom("requests"), [Atom("getopts")]))),
    ("user", lambda raw, t: (Atom("io_request"), raw.pid(1), 1, (Atom("put_chars"), Atom("unicode"), t))),
    ("global_name_server", lambda raw, t: (CALL, (raw.pid(1), t), Atom("get_known"))),
    ("global_name_server", lambda raw, t: (CALL, (raw.pid(1), t), (Atom("set_lock"), (1, t)))),
    ("global_name_server", lambda raw, t: (CALL, (raw.pid(1), t), (Atom("register"), t, raw.pid(1), t))),
    ("global_name_server", lambda raw, t: (Atom("lost_connection"), Atom("a@b"), t, 1, Atom("c@d"))),
    (
        "global_name_server",
        lambda raw, t: (
            CAST,
            (Atom("init_connect"), (8, t), Atom(RAW), (Atom("locker"), 1, 2, raw.pid(1))),
        ),
    ),
]


class TestDepth:
    """Terms as deep as they may be, which an answer would carry deeper still."""

    @pytest.mark.parametrize("levels", range(LIMITS.nesting - 10, LIMITS.nesting))
    async def test_services_answer_or_not_but_live(self, me: Contender, watch: Sentry, levels: int) -> None:
        term: Term = []
        for _ in range(levels):
            term = (term,)
        for name, build in SERVICES:
            async with await RawPeer.dial(me.node.port or 0, RAW, ME) as raw:
                payload = encode_bare(build(raw, term), LARGE)
                raw.send(c.RegSend(raw.pid(1), Atom(name)), encoded=payload)
                raw.send(c.Link(raw.pid(1), me.router.registry.pid(NOBODY)))
                raw.finish()
                await raw.end()
            await until(lambda: RAW not in me.sessions)

    async def test_requests_in_requests(self, me: Contender, raw: RawPeer) -> None:
        request: Term = Atom("getopts")
        for _ in range(LIMITS.nesting // 2 - 4):
            request = (Atom("requests"), [request])
        raw.send(c.RegSend(raw.pid(1), USER), (Atom("io_request"), raw.pid(1), 1, request))
        await proves_harmless(raw, me)


LARGE = Limits(nesting=10_000)
