"""The mesh: whole nodes find each other through one; a name server that the test plays goes step by step."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.errors import ConnectFailed, NodeDown
from pyerlnode.otp.global_exchange import Exchange
from pyerlnode.otp.global_names import GlobalNameServer
from pyerlnode.runtime.events import NodeUp
from pyerlnode.runtime.exits import NORMAL
from pyerlnode.runtime.process import Process
from pyerlnode.term import Atom, Pid
from pyerlnode.wire import control as c
from tests.support.nodes import ME, PEER, FakePeer, Ports, make_router, nodes, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pyerlnode.node import Node
    from pyerlnode.term import Term

HIM, THIRD = Atom(PEER), Atom("third@127.0.0.1")
METHOD = (Atom("global"), Atom("random_exit_name"))


def are_meshed(*members: Node) -> bool:
    names = {member.name for member in members}
    return all(
        set(member.list()) == names - {member.name} == set(map(str, member._global.synced))
        and set(member._global.known) == names - {member.name}
        for member in members
    )


def is_idle(node: Node) -> bool:
    """Whether no exchange is under way and no lock is held."""
    server = node._global
    return not (server._exchanges or len(server.locks) or server._locker._meetings or server._pre_connect)


class TestMesh:
    async def test_two(self) -> None:
        async with nodes("a", "b") as (a, b):
            await a.connect(b.name)
            await until(lambda: are_meshed(a, b) and is_idle(a) and is_idle(b))

    @pytest.mark.parametrize("at_once", [True, False])
    async def test_three_find_each_other_through_one(self, at_once: bool) -> None:
        async with nodes("a", "b", "c") as (a, b, c):
            await a.connect(b.name)
            if not at_once:
                await until(lambda: are_meshed(a, b))
            await b.connect(c.name)
            await until(lambda: are_meshed(a, b, c) and all(map(is_idle, (a, b, c))))

    async def test_two_partitions_become_one(self) -> None:
        async with nodes("a", "b", "c", "d") as (a, b, c, d):
            await a.connect(b.name)
            await c.connect(d.name)
            await until(lambda: are_meshed(a, b) and are_meshed(c, d))
            await b.connect(c.name)
            await until(lambda: are_meshed(a, b, c, d) and all(map(is_idle, (a, b, c, d))))

    async def test_one_leaves_and_comes_back(self) -> None:
        async with nodes("a", "b", "c") as (a, b, c):
            await a.connect(b.name)
            await b.connect(c.name)
            await until(lambda: are_meshed(a, b, c))
            await c.stop()
            await until(lambda: are_meshed(a, b) and is_idle(a) and is_idle(b))
            await c.start()
            await c.connect(a.name)
            await until(lambda: are_meshed(a, b, c))

    async def test_hidden_ones_stay_out(self) -> None:
        ports = Ports()
        async with ports.node("a") as a, ports.node("b") as b, ports.node("h", hidden=True) as h:
            await a.connect(b.name)
            await h.connect(a.name)
            await until(lambda: are_meshed(a, b))
            assert b.list("connected") == [a.name]
            assert (h._global.known, h._global._exchanges, h._global._pre_connect) == ({}, {}, {})

    async def test_names_and_their_ends_travel(self) -> None:
        async with nodes("a", "b", "c") as (a, b, c):
            pid = await a.spawn(lambda me: asyncio.Event().wait())
            for node in (a, b):
                answer = await node.call("global_name_server", (Atom("register"), Atom("it"), pid, METHOD))
                assert answer == "yes"
            await a.connect(b.name)
            await until(lambda: are_meshed(a, b))
            await b.connect(c.name)
            await until(lambda: are_meshed(a, b, c))
            for node in (a, c):
                await until(lambda node=node: node._global.global_names() == [("it", pid)])
            async with a.process() as me:
                await me.exit(pid, Atom("boom"))
            for node in (a, c):
                await until(lambda node=node: node._global.global_names() == [])


class Played:
    """Our name server, and a visible peer whose name server and locker the test plays."""

    def __init__(self, name: str = ME) -> None:
        self.router = make_router(name)
        self.connected: list[str] = []
        self.reachable = True
        self.closed: list[tuple[str, str]] = []
        self.server = GlobalNameServer(self.router, self.connect, self.disconnect)
        self.peer = FakePeer(self.router)
        self.locker = self.peer.pid(5)

    async def connect(self, node: str) -> None:
        self.connected.append(node)
        if not self.reachable:
            raise ConnectFailed(node, "dns", "no such host")

    def disconnect(self, node: str, reason: str) -> bool:
        self.closed.append((node, reason))
        return True

    def up(self) -> int:
        """The connection stands; gives the tag of our exchange."""
        self.server.on_node_event(NodeUp(PEER))
        ((control, message),) = self.peer.take()
        assert control == c.RegSend(self.server.pid, Atom("global_name_server"))
        _, (word, (vsn, tag), me, (_, _, known, locker)) = message
        assert (word, vsn, me, known, locker) == ("init_connect", 8, ME, [], self.server._locker.process.pid)
        return int(tag)

    def says(self, message: Term) -> None:
        self.peer.says(c.RegSend(self.peer.pid(), Atom("global_name_server")), message)

    def casts(self, *message: Term) -> None:
        self.says((Atom("$gen_cast"), message))

    def asks(self, request: Term) -> Term:
        self.says((Atom("$gen_call"), (self.peer.pid(9), self.peer.ref()), request))
        answers = [message for control, message in self.peer.take() if isinstance(control, c.SendSender)]
        return answers[0][1] if answers else ...

    def init_connect(self, vsn: int, tag: Term) -> None:
        locker = (Atom("locker"), Atom("no_longer_a_pid"), [], self.locker)
        self.casts(Atom("init_connect"), (vsn, tag), HIM, locker)

    def messages(self) -> list[Term]:
        """What our name server said to the peer's, casts bare."""
        taken = [m for control, m in self.peer.take() if isinstance(control, c.RegSend)]
        return [m[1] if m[0] == "$gen_cast" else m for m in taken]

    def lock(self) -> None:
        """Both partitions are locked, as the locker would say."""
        self.server.lock_is_set(self._told(), (Atom("global"), [1]))

    def _told(self) -> Any:
        return self.server._locker.process._mailbox._messages[-1]


@pytest.fixture
async def played() -> AsyncIterator[Played]:
    played = Played()
    yield played
    await played.server.stop()


class TestExchange:
    async def test_from_the_greeting_to_the_end(self, played: Played) -> None:
        mine = played.up()
        played.init_connect(8, 77)
        assert played.messages() == [("init_connect_ack", ME, 77, mine)]
        played.says((Atom("init_connect_ack"), HIM, mine, 77))
        played.lock()
        assert played.messages() == [("exchange", ME, [], [], 77)]
        name = (Atom("it"), played.peer.pid(3), METHOD)
        played.casts(Atom("exchange"), HIM, [name, 1, (1, 2, 3)], [], mine)
        await until(lambda: len(played.peer.sent) == 1)
        assert played.messages() == [("resolved", ME, [], [], "unused", [], 77)]
        played.casts(Atom("resolved"), HIM, [], [(THIRD, 8), 7], Atom("unused"), [], mine)
        assert played.server.known == {HIM: 8, THIRD: 8}
        assert played.server.global_names() == [("it", played.peer.pid(3))]
        await until(lambda: played.connected)
        assert played.connected == [THIRD]
        assert played.server._exchanges == {}

    async def test_the_partition_is_told_before_the_lock_goes(self, played: Played) -> None:
        for vsn, node in ((8, "d@h"), (5, "e@h")):
            FakePeer(played.router, node)
            played.server.known[Atom(node)] = vsn
        played.server.on_node_event(NodeUp(PEER))
        tag = played.server._exchanges[HIM].my_tag
        played.init_connect(8, 77)
        played.lock()
        played.casts(Atom("exchange"), HIM, [], [], tag)
        await until(lambda: played.server._exchanges[HIM].ops is not None)
        played.casts(Atom("resolved"), HIM, [], [], Atom("unused"), [], tag)
        done = played._told()
        done.last()
        for node, listed in (("d@h", [(HIM, 8)]), ("e@h", [HIM])):
            peer: Any = played.router.sessions[node]
            ((_, (_, message)),) = peer.take()
            assert message[:5] == ("new_nodes", ME, [], [], listed)

    async def test_an_old_peer_needs_no_ack(self, played: Played) -> None:
        played.up()
        played.init_connect(5, 77)
        assert played.messages() == []
        assert played.server.version_of(HIM) == 5
        meeting = played._told()
        played.server.tell_lock_set(meeting, played.locker, is_set=True)
        ((control, message),) = played.peer.take()
        assert control == c.SendSender(played.server.pid, played.locker)
        assert message == ("lock_set", played.locker, True, [])

    @pytest.mark.parametrize("vsn", [7, 8, 9])
    async def test_lock_set_carries_the_tag_from_8_on(self, played: Played, vsn: int) -> None:
        played.up()
        played.init_connect(vsn, 77)
        played.messages()
        played.server.tell_lock_set(played._told(), played.locker, is_set=True)
        tag = (77,) if vsn >= 8 else ()
        assert played.messages() == [("lock_set", played.locker, True, [], *tag)]

    async def test_what_came_before_we_saw_it_up_counts(self, played: Played) -> None:
        played.init_connect(8, 77)
        assert played.messages() == []
        played.server.on_node_event(NodeUp(PEER))
        words = [message[0] for message in played.messages()]
        assert words == ["init_connect", "init_connect_ack"]
        assert played.server._pre_connect == {}

    async def test_a_second_greeting_starts_again(self, played: Played) -> None:
        first = played.up()
        played.init_connect(8, 77)
        played.messages()
        played.init_connect(8, 78)
        said = played.messages()
        assert [message[0] for message in said] == ["cancel_connect", "cancel_connect", "init_connect"]
        assert played.server._exchanges[HIM].my_tag != first

    @pytest.mark.parametrize("answer", ["ack", "cancel"])
    async def test_a_wrong_ack_or_a_cancel_starts_again(self, played: Played, answer: str) -> None:
        first = played.up()
        played.init_connect(8, 77)
        played.messages()
        if answer == "ack":
            played.says((Atom("init_connect_ack"), HIM, 1, 77))
        else:
            played.says((Atom("cancel_connect"), HIM, first))
        assert played.messages()[-1][0] == "init_connect"
        assert played.server._exchanges[HIM].my_tag != first

    async def test_old_tags_and_strangers_are_passed_over(self, played: Played) -> None:
        mine = played.up()
        played.init_connect(8, 77)
        played.messages()
        before = played.server._exchanges[HIM]
        played.says((Atom("cancel_connect"), HIM, mine + 1))
        played.says((Atom("init_connect_ack"), THIRD, 1, 2))
        played.casts(Atom("exchange"), HIM, [], [], mine + 1)
        played.casts(Atom("resolved"), HIM, [], [], Atom("unused"), [], mine + 1)
        played.casts(Atom("lock_set"), played.locker, True, [], mine + 1)
        assert played.server._exchanges == {HIM: before}
        assert (before.his_names, before.his_resolved) == (None, None)
        assert played.messages() == []

    async def test_a_lock_for_an_exchange_that_is_over_is_released(self, played: Played) -> None:
        played.up()
        played.init_connect(8, 77)
        meeting = played._told()
        played.peer.goes()
        played.server._node_down(HIM, _down("connection_closed"))
        played.server.lock_is_set(meeting, 1)
        assert (played._told().node, played._told().my_tag) == (HIM, meeting.my_tag)

    async def test_lock_set_reaches_the_locker(self, played: Played) -> None:
        mine = played.up()
        played.init_connect(8, 77)
        for send in (
            lambda: played.casts(Atom("lock_set"), played.locker, True, [], mine),
            lambda: played.casts(Atom("lock_set"), played.locker, True, []),
            lambda: played.says((Atom("lock_set"), played.locker, True, [])),
        ):
            before = played.server._locker.process.message_queue_len
            send()
            assert played.server._locker.process.message_queue_len == before + 1
            assert played._told().is_set

    async def test_the_loss_of_the_peer_ends_it(self, played: Played) -> None:
        played.up()
        played.init_connect(8, 77)
        played.lock()
        played.peer.goes()
        played.server.on_node_event(_down("connection_closed"))
        assert (played.server._exchanges, played.server.known) == ({}, {})


class TestNewNodes:
    async def test_they_are_met(self, played: Played) -> None:
        played.server.known[HIM] = 8
        insert = (Atom("insert"), (Atom("it"), played.peer.pid(3), METHOD))
        played.casts(Atom("new_nodes"), HIM, [insert, 1], [], [(THIRD, 8), HIM, Atom(ME), 7], [])
        await until(lambda: played.connected == [THIRD])
        assert played.server.known == {HIM: 8, THIRD: 8}
        assert played.server.global_names() == [("it", played.peer.pid(3))]
        played.casts(Atom("new_nodes"), HIM, [(Atom("delete"), Atom("it"))], [], [], [])
        assert played.server.global_names() == []

    async def test_who_cannot_be_reached_is_not_of_the_mesh(self, played: Played) -> None:
        played.reachable = False
        played.casts(Atom("new_nodes"), HIM, [], [], [(THIRD, 8)], [])
        await until(lambda: THIRD not in played.server.known)
        assert played.connected == [THIRD] * 3

    async def test_in_sync_ends_an_exchange(self, played: Played) -> None:
        played.up()
        played.casts(Atom("in_sync"), HIM, True)
        assert played.server.synced == {HIM}
        assert played.server._exchanges == {}
        assert played.messages() == []


class TestCalls:
    async def test_locks(self, played: Played) -> None:
        lock = (Atom("global"), [played.locker])
        assert played.asks((Atom("set_lock"), lock)) is True
        assert played.asks((Atom("set_lock"), (Atom("global"), 1))) is False
        assert played.server.may_lock(lock)
        assert played.asks((Atom("del_lock"), lock)) is True
        assert len(played.server.locks) == 0

    async def test_a_lock_goes_with_its_holder(self, played: Played) -> None:
        played.asks((Atom("set_lock"), (Atom("global"), 1)))
        played.peer.goes()
        assert len(played.server.locks) == 0

    async def test_names(self, played: Played) -> None:
        pid = played.peer.pid(3)
        assert played.asks((Atom("register"), Atom("it"), pid, METHOD)) == "yes"
        assert played.asks((Atom("register_ext"), [1], pid, METHOD, Atom(PEER))) == "yes"
        assert played.server.global_names() == [("it", pid), ([1], pid)]
        assert played.asks((Atom("unregister"), [1])) == "ok"
        assert played.asks((Atom("unregister"), Atom("nobody"))) == "ok"
        ref = next(iter(played.server.table._watched))
        played.peer.says(c.PayloadMonitorPExit(pid, played.server.pid, ref), NORMAL)
        assert played.server.global_names() == []
        assert len(played.server.table) == 0

    async def test_a_name_registered_anew_has_its_new_process(self, played: Played) -> None:
        for number in (3, 4):
            played.asks((Atom("register"), Atom("it"), played.peer.pid(number), METHOD))
        assert played.server.global_names() == [("it", played.peer.pid(4))]
        assert len(played.server.table) == 1

    async def test_a_name_of_a_dead_process_of_ours_is_none(self, played: Played) -> None:
        process = Process(played.router)
        process.end(NORMAL)
        played.asks((Atom("register"), Atom("it"), process.pid, METHOD))
        assert played.server.global_names() == []

    async def test_a_name_on_a_node_that_we_are_about_to_meet_is_kept(self, played: Played) -> None:
        pid = Pid(THIRD, 1, 0, 1)
        played.asks((Atom("register"), Atom("it"), pid, METHOD))
        third = FakePeer(played.router, THIRD)
        await until(lambda: third.sent)
        assert played.server.global_names() == [("it", pid)]
        third.goes()
        assert played.server.global_names() == []

    async def test_a_name_on_a_node_that_cannot_be_met_is_not(self, played: Played) -> None:
        played.reachable = False
        played.asks((Atom("register"), Atom("it"), Pid(THIRD, 1, 0, 1), METHOD))
        await until(lambda: not played.server.global_names())

    async def test_what_it_knows(self, played: Played) -> None:
        played.server.known[HIM] = 8
        played.server.synced.add(HIM)
        assert played.asks(Atom("get_known")) == [HIM]
        assert played.asks(Atom("get_synced")) == [HIM]
        assert played.asks(Atom("get_protocol_version")) == 8
        assert played.asks(Atom("get_names_ext")) == []
        assert played.asks(Atom("other")) is ...


class TestClashes:
    """ME and PEER differ in their first letter: m < p, so the clash is ours to settle."""

    async def _meet(self, played: Played, his: Pid) -> Pid:
        ours = Pid(Atom(PEER), 8, 0, 1)
        played.server.table.insert(Atom("it"), ours, METHOD)
        played.server._exchanges[HIM] = exchange = Exchange(1)
        exchange.his_tag, exchange.vsn, exchange.is_locked = 2, 8, True
        exchange.his_names = [(Atom("it"), his, METHOD)]
        played.server._resolve_when_ready(HIM, exchange)
        return ours

    async def _resolved(self, played: Played) -> list[Term]:
        await until(lambda: any(isinstance(control, c.RegSend) for control, _ in played.peer.sent))
        return [message[2] for message in played.messages()]

    async def test_the_method_decides_where_our_process_lives(self, played: Played) -> None:
        his = played.peer.pid(9)
        ours = await self._meet(played, his)
        await until(lambda: played.peer.sent and isinstance(played.peer.sent[-1][0], c.SpawnRequest))
        request, args = played.peer.take()[-1]
        assert args[1:] == ["global", "resolve_it", [METHOD, "it", his, ours]]
        worker = played.peer.pid(10)
        played.peer.says(c.SpawnReply(request.ref, request.sender, 2, worker))
        played.peer.says(
            c.PayloadMonitorPExit(worker, request.sender, request.ref), (args[0], Atom("return"), ours)
        )
        assert await self._resolved(played) == [[("insert", ("it", ours, METHOD))]]

    async def test_what_cannot_be_asked_yields(self, played: Played) -> None:
        await self._meet(played, played.peer.pid(9))
        await until(lambda: played.peer.sent and isinstance(played.peer.sent[-1][0], c.SpawnRequest))
        request, _ = played.peer.take()[-1]
        played.peer.says(c.SpawnReply(request.ref, request.sender, 0, Atom("notsup")))
        assert await self._resolved(played) == [[]]

    async def test_the_side_with_the_greater_name_leaves_it_to_the_other(self) -> None:
        played = Played("zz@127.0.0.1")
        await self._meet(played, played.peer.pid(9))
        assert await self._resolved(played) == [[]]


class TestPartitions:
    async def test_losing_a_node_is_told_to_those_who_understand(self, played: Played) -> None:
        lost = FakePeer(played.router, THIRD)
        old = FakePeer(played.router, "old@h")
        played.server.known |= {HIM: 8, THIRD: 8, Atom("old@h"): 5}
        lost.goes()
        played.server.on_node_event(_down("connection_closed", THIRD))
        ((word, me, _, _, node),) = played.messages()
        assert (word, me, node) == ("lost_connection", ME, THIRD)
        assert old.take() == []

    async def test_the_lost_one_is_asked_to_go(self, played: Played) -> None:
        lost = FakePeer(played.router, THIRD)
        played.server.known |= {HIM: 8, THIRD: 8}
        played.says((Atom("lost_connection"), HIM, 1, 1, THIRD))
        ((_, message),) = [sent for sent in lost.take() if sent[1][0] == "remove_connection"]
        assert message == ("remove_connection", ME)

    async def test_we_go_when_asked_to(self, played: Played) -> None:
        played.server.known[HIM] = 8
        played.says((Atom("remove_connection"), HIM))
        assert played.closed == [(PEER, "partition")]


class TestTheRest:
    async def test_hidden_peers_are_not_greeted(self, played: Played) -> None:
        played.server.on_node_event(NodeUp(PEER, visible=False))
        assert played.messages() == []

    async def test_known_ones_are_not_greeted_again(self, played: Played) -> None:
        played.server.known[HIM] = 8
        played.server.on_node_event(NodeUp(PEER))
        assert played.messages() == []

    async def test_nonsense_is_passed_over(self, played: Played) -> None:
        for message in (
            1,
            (),
            (1,),
            [1],
            (Atom("async"), 1),
            (Atom("$gen_cast"), 1),
            (Atom("$gen_cast"), ()),
        ):
            played.says(message)
        played.casts(Atom("async"), 1)
        assert played.peer.take() == []
        assert played.server.alive

    async def test_after_the_stop_nothing_is_begun(self, played: Played) -> None:
        await played.server.stop()
        played.server.on_node_event(NodeUp(PEER))
        played.casts(Atom("new_nodes"), HIM, [], [], [(THIRD, 8)], [])
        played.asks((Atom("register"), Atom("it"), Pid(THIRD, 1, 0, 1), METHOD))
        assert played.messages() == []
        assert played.server._tasks == set()

    async def test_it_says_nothing_to_itself(self, played: Played) -> None:
        played.server._cast(Atom(ME), Atom("x"))
        assert not played.router._queue


def _down(reason: str, node: str = PEER) -> NodeDown:
    return NodeDown(node, reason)
