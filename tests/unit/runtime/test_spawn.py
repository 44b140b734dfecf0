"""Spawn requests, both ways: options, ties, and the order of what follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyerlnode.runtime import spawn
from pyerlnode.runtime.actor import LINKED
from pyerlnode.runtime.exits import NOCONNECTION
from pyerlnode.runtime.process import Process
from pyerlnode.runtime.spawn import Options, parse_options
from pyerlnode.term import Atom, ImproperList, Pid
from pyerlnode.wire import control as c
from tests.support.nodes import PEER, FakePeer, mailbox, make_router

if TYPE_CHECKING:
    from pyerlnode.runtime.router import Router
    from pyerlnode.term import Term

BOOM, LINK, MONITOR = Atom("boom"), Atom("link"), Atom("monitor")


@pytest.fixture
def router() -> Router:
    return make_router()


@pytest.fixture
def peer(router: Router) -> FakePeer:
    return FakePeer(router)


@pytest.fixture
def me(router: Router) -> Process:
    return Process(router)


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "parsed"),
        [
            ([], Options()),
            ([LINK], Options(link=True)),
            ([MONITOR], Options(monitor=True)),
            ([(MONITOR, [])], Options(monitor=True)),
            ([LINK, MONITOR, LINK], Options(link=True, monitor=True)),
            ([(Atom("priority"), Atom("high")), (Atom("min_heap_size"), 1), LINK], Options(link=True)),
            ([(Atom("max_heap_size"), 0)], Options()),
            ([(Atom("max_heap_size"), {Atom("size"): 1000, Atom("kill"): False})], Options()),
            ([(Atom("message_queue_data"), Atom("off_heap")), (Atom("scheduler"), 3)], Options()),
            ([(Atom("fullsweep_after"), 65536), (Atom("async_dist"), True)], Options()),
        ],
    )
    def test_what_is_understood(self, options: Term, parsed: Options) -> None:
        assert parse_options(options) == parsed

    @pytest.mark.parametrize(
        "options",
        [
            Atom("link"),
            (LINK,),
            ImproperList((LINK,), MONITOR),
            ["link"],
            [Atom("other")],
            [(Atom("reply"), Atom("no"))],
            [(MONITOR, 1)],
            [[MONITOR, []]],
            [[Atom("priority"), 1]],
            [(Atom("priority"),)],
            [(Atom("priority"), 1)],
            [(Atom("priority"), "high")],
            [(Atom("min_heap_size"), -1)],
            [(Atom("min_heap_size"), True)],
            [(Atom("min_bin_vheap_size"), 1 << 70)],
            [(Atom("max_heap_size"), 1)],
            [(Atom("max_heap_size"), {})],
            [(Atom("max_heap_size"), {Atom("size"): 0, Atom("kill"): 1})],
            [(Atom("max_heap_size"), {Atom("size"): {Atom("size"): 0}})],
            [(Atom("message_queue_data"), Atom("here"))],
            [(Atom("scheduler"), Atom("x"))],
            [(Atom("async_dist"), Atom("x"))],
            [1],
        ],
    )
    def test_what_is_badopt(self, options: Term) -> None:
        assert parse_options(options) is None

    @pytest.mark.parametrize(
        ("options", "flags"),
        [(Options(), 0), (Options(link=True), 1), (Options(monitor=True), 2), (Options(True, True), 3)],
    )
    def test_flags(self, options: Options, flags: int) -> None:
        assert options.flags == flags


def asked(peer: FakePeer) -> c.SpawnRequest:
    return c.SpawnRequest(peer.ref(), peer.pid(1), peer.pid(2), Atom("m"), Atom("f"), 0, [])


class TestTheirs:
    def test_refusal(self, router: Router, peer: FakePeer) -> None:
        spawn.refuse(router, asked(peer), spawn.BADOPT)
        assert peer.take() == [(c.SpawnReply(peer.ref(), peer.pid(1), 0, Atom("badopt")), None)]

    def test_reply_exit_down_in_this_order(self, router: Router, me: Process, peer: FakePeer) -> None:
        spawn.tie(router, me, asked(peer), Options(link=True, monitor=True))
        me.end(BOOM)
        assert peer.take() == [
            (c.SpawnReply(peer.ref(), peer.pid(1), 3, me.pid), None),
            (c.PayloadExit(me.pid, peer.pid(1)), BOOM),
            (c.PayloadMonitorPExit(me.pid, peer.pid(1), peer.ref()), BOOM),
        ]
        assert me.group_leader == peer.pid(2)

    def test_without_ties_there_is_only_the_reply(self, router: Router, me: Process, peer: FakePeer) -> None:
        spawn.tie(router, me, asked(peer), Options())
        me.end(BOOM)
        assert peer.take() == [(c.SpawnReply(peer.ref(), peer.pid(1), 0, me.pid), None)]

    def test_it_can_be_demonitored_and_unlinked(self, router: Router, me: Process, peer: FakePeer) -> None:
        spawn.tie(router, me, asked(peer), Options(link=True, monitor=True))
        peer.says(c.DemonitorP(peer.pid(1), me.pid, peer.ref()))
        peer.says(c.UnlinkId(1, peer.pid(1), me.pid))
        peer.take()
        me.end(BOOM)
        assert peer.take() == []

    def test_the_loss_of_the_node_ends_what_is_linked(
        self, router: Router, me: Process, peer: FakePeer
    ) -> None:
        spawn.tie(router, me, asked(peer), Options(link=True, monitor=True))
        peer.goes()
        assert me.exit_reason == NOCONNECTION
        assert router._watched == {}


class TestOurs:
    def ask(self, me: Process, peer: FakePeer, answers: list[Pid | Atom], **ties: bool) -> bool:
        return spawn.request(
            me, Atom(peer.name), peer.ref(), ("m", "f"), [1], leader=me.pid, answered=answers.append, **ties
        )

    @pytest.mark.parametrize(
        ("link", "monitor"), [(True, True), (True, False), (False, True), (False, False)]
    )
    def test_ties_stand_with_the_reply(self, me: Process, peer: FakePeer, link: bool, monitor: bool) -> None:
        answers: list[Pid | Atom] = []
        me.trap_exit = True
        assert self.ask(me, peer, answers, link=link, monitor=monitor)
        options = [LINK] * link + [MONITOR] * monitor
        request = c.SpawnRequest(peer.ref(), me.pid, me.pid, Atom("m"), Atom("f"), 1, options)
        assert peer.take() == [(request, [1])]
        child = peer.pid(9)
        peer.says(c.SpawnReply(peer.ref(), me.pid, 1 * link | 2 * monitor, child))
        assert answers == [child]
        assert me.links == ({child: LINKED} if link else {})
        assert list(me.monitors) == ([peer.ref()] if monitor else [])
        peer.goes()
        assert len(mailbox(me)) == link + monitor

    def test_a_refusal_ties_nothing(self, me: Process, peer: FakePeer) -> None:
        answers: list[Pid | Atom] = []
        self.ask(me, peer, answers, link=True, monitor=True)
        peer.says(c.SpawnReply(peer.ref(), me.pid, 0, Atom("badopt")))
        assert answers == ["badopt"]
        assert (me.links, me.monitors, me.spawning) == ({}, {}, {})

    def test_a_node_that_is_not_connected(self, router: Router, me: Process, peer: FakePeer) -> None:
        answers: list[Pid | Atom] = []
        del router.sessions[PEER]
        assert self.ask(me, peer, answers) is False
        assert (answers, me.spawning, router._touching) == ([], {}, {})

    def test_the_end_of_the_asker_forgets_it(self, me: Process, peer: FakePeer) -> None:
        answers: list[Pid | Atom] = []
        self.ask(me, peer, answers)
        me.end(BOOM)
        peer.goes()
        assert (answers, me.spawning) == ([], {})
