"""Signals from and to peers: their order, what is answered and refused, what the loss of a node does."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from pyerlnode.errors import NodeNotRunning, NotConnected, RemoteProtocolError, TermError
from pyerlnode.limits import Limits
from pyerlnode.runtime.actor import LINKED, Reactor
from pyerlnode.runtime.exits import KILL, KILLED, NOCONNECTION, NOPROC, NORMAL
from pyerlnode.runtime.process import Process
from pyerlnode.term import Atom, ImproperList, Pid, Reference, encode_bare
from pyerlnode.wire import control as c
from pyerlnode.wire.flags import VISIBLE, Flags
from tests.support.nodes import ME, PEER, FakePeer, mailbox, make_router

if TYPE_CHECKING:
    from pyerlnode.runtime.router import Router
    from pyerlnode.term import Term

BOOM = Atom("boom")


@pytest.fixture
def router() -> Router:
    return make_router()


@pytest.fixture
def peer(router: Router) -> FakePeer:
    return FakePeer(router)


@pytest.fixture
def me(router: Router) -> Process:
    return Process(router)


class TestMessages:
    def test_by_pid_by_name_by_alias(self, me: Process, peer: FakePeer) -> None:
        me.register("me")
        alias = me.alias()
        them = peer.pid()
        peer.says(c.Send(me.pid), 1)
        peer.says(c.SendSender(them, me.pid), 2)
        peer.says(c.RegSend(them, Atom("me")), 3)
        peer.says(c.AliasSend(them, alias), 4)
        peer.says(c.AltactSigSend(4, them, alias), 5)
        peer.says(c.AltactSigSend(0, them, me.pid), 6)
        peer.says(c.AltactSigSend(8 | 1, them, Atom("me")), 7)
        assert mailbox(me) == [1, 2, 3, 4, 5, 6, 7]

    def test_to_nobody_vanishes_undecoded(self, router: Router, peer: FakePeer) -> None:
        nobody = Pid(router.node, 99, 0, 7)
        for control in (
            c.SendSender(peer.pid(), nobody),
            c.RegSend(peer.pid(), Atom("nobody")),
            c.AliasSend(peer.pid(), router.registry.reference()),
            c.AltactSigSend(16, peer.pid(), nobody),
            c.AltactSigSend(16 | 8, peer.pid(), Atom("nobody")),
            c.PayloadExit(peer.pid(), nobody),
            c.PayloadExit2(peer.pid(), nobody),
            c.PayloadMonitorPExit(peer.pid(), nobody, peer.ref()),
        ):
            peer.says_nonsense(control)
        assert peer.take() == []

    def test_to_an_earlier_incarnation_vanishes(self, me: Process, peer: FakePeer) -> None:
        earlier = Pid(me.pid.node, me.pid.id, me.pid.serial, 6)
        peer.says(c.SendSender(peer.pid(), earlier), 1)
        assert mailbox(me) == []

    def test_text_and_limits_hold_for_payloads(self) -> None:
        router = make_router(text="utf8", limits=Limits(elements=3))
        me, peer = Process(router), FakePeer(router)
        peer.says(c.SendSender(peer.pid(), me.pid), b"caf\xc3\xa9")
        with pytest.raises(TermError):
            peer.says(c.SendSender(peer.pid(), me.pid), [[1], [2], [3]])
        assert mailbox(me) == ["café"]

    def test_order_between_two_is_kept_whatever_the_way(self, me: Process, router: Router) -> None:
        other = Process(router)
        me.register("me")
        alias = me.alias()
        for number in range(30):
            target = (me.pid, Atom("me"), alias)[number % 3]
            other.emit_message(router.node, target, encode_bare(number))
        assert mailbox(me) == list(range(30))


class TestPayloadsThatDoNotDecode:
    def test_they_raise_and_nothing_is_half_done(self, me: Process, peer: FakePeer) -> None:
        """The session that delivers ends for it; the router goes on as if nothing had come."""
        me.emit_link(peer.pid())
        ref = me.emit_monitor(peer.pid(), Atom(PEER))
        alias = me.alias(once=True)
        for control in (
            c.SendSender(peer.pid(), me.pid),
            c.AliasSend(peer.pid(), alias),
            c.PayloadExit(peer.pid(), me.pid),
            c.PayloadExit2(peer.pid(), me.pid),
            c.PayloadMonitorPExit(peer.pid(), me.pid, ref),
            c.AltactSigSend(16, peer.pid(), me.pid),
        ):
            with pytest.raises(TermError):
                peer.says_nonsense(control)
        assert me.alive
        assert (me.links, list(me.monitors), list(me.aliases)) == ({peer.pid(): LINKED}, [ref], [alias])
        assert not me.router._busy
        peer.says(c.AliasSend(peer.pid(), alias), 1)
        assert mailbox(me) == [1]


class TestLocalSignals:
    def test_what_a_signal_causes_is_handled_next_not_nested(self, router: Router) -> None:
        log: list[str] = []

        def first(message: Term) -> None:
            log.append("first in")
            one.emit_message(router.node, Atom("second"), encode_bare(1))
            log.append("first out")

        one = Reactor(router, first, "first")
        Reactor(router, lambda message: log.append("second"), "second")
        one.emit_message(router.node, Atom("first"), encode_bare(0))
        assert log == ["first in", "first out", "second"]

    def test_the_same_from_a_peer(self, router: Router, peer: FakePeer) -> None:
        log: list[str] = []

        def first(message: Term) -> None:
            log.append("first in")
            one.emit_message(router.node, Atom("second"), encode_bare(1))
            log.append("first out")

        one = Reactor(router, first, "first")
        Reactor(router, lambda message: log.append("second"), "second")
        peer.says(c.RegSend(peer.pid(), Atom("first")), 0)
        assert log == ["first in", "first out", "second"]

    def test_one_that_fails_holds_nobody_up(self, caplog: pytest.LogCaptureFixture) -> None:
        router = make_router(limits=Limits(elements=2))
        me, other = Process(router), Process(router)

        def pass_on(message: Term) -> None:
            one.emit_message(router.node, me.pid, encode_bare([1, 2, 3]))  # too large to be decoded here
            one.emit_message(router.node, me.pid, encode_bare("next"))

        one = Reactor(router, pass_on)
        other.emit_message(router.node, one.pid, encode_bare(0))
        assert mailbox(me) == [b"next"]
        assert not router._busy
        assert not router._queue
        assert "could not be handled" in caplog.text

    def test_one_that_fails_is_not_the_fault_of_the_peer_that_caused_it(self) -> None:
        router = make_router(limits=Limits(elements=2))
        me, peer = Process(router), FakePeer(router)
        one = Reactor(router, lambda m: one.emit_message(ME, me.pid, encode_bare([1, 2, 3])) and None)
        peer.says(c.SendSender(peer.pid(), one.pid), 0)
        peer.says(c.SendSender(peer.pid(), me.pid), 1)
        assert mailbox(me) == [1]

    def test_an_interrupt_leaves_the_queue_in_order(self, router: Router, me: Process) -> None:
        def interrupted(message: Term) -> None:
            one.emit_message(ME, me.pid, encode_bare(1))
            raise KeyboardInterrupt

        one = Reactor(router, interrupted)
        with pytest.raises(KeyboardInterrupt):
            me.emit_message(ME, one.pid, encode_bare(0))
        me.emit_message(ME, me.pid, encode_bare(2))
        assert mailbox(me) == [1, 2]


class TestWhoMaySay:
    def test_signals_of_relations_must_be_of_the_peer_itself(self, me: Process, peer: FakePeer) -> None:
        stranger = Pid(Atom("stranger@host"), 1, 0, 1)
        for control in (
            c.Link(stranger, me.pid),
            c.Unlink(stranger, me.pid),
            c.UnlinkId(1, stranger, me.pid),
            c.UnlinkIdAck(1, stranger, me.pid),
            c.MonitorP(stranger, me.pid, peer.ref()),
            c.DemonitorP(stranger, me.pid, peer.ref()),
            c.Exit(stranger, me.pid, BOOM),
            c.PayloadExit(stranger, me.pid),
            c.SpawnRequest(peer.ref(), stranger, stranger, Atom("m"), Atom("f"), 0, []),
        ):
            with pytest.raises(RemoteProtocolError, match=r"peer@127\.0\.0\.1 sent a .*stranger"):
                peer.says(control, None) if control.HAS_PAYLOAD else peer.says(control)

    def test_a_message_may_come_on_behalf_of_another(self, me: Process, peer: FakePeer) -> None:
        stranger = Pid(Atom("stranger@host"), 1, 0, 1)
        peer.says(c.SendSender(stranger, me.pid), 1)
        assert mailbox(me) == [1]


class TestLinksFromPeers:
    def test_link_to_the_dead_is_answered_noproc(self, router: Router, peer: FakePeer) -> None:
        nobody = Pid(router.node, 99, 0, 7)
        peer.says(c.Link(peer.pid(), nobody))
        assert peer.take() == [(c.PayloadExit(nobody, peer.pid()), NOPROC)]

    def test_link_then_exit(self, me: Process, peer: FakePeer) -> None:
        peer.says(c.Link(peer.pid(), me.pid))
        peer.says(c.Exit(peer.pid(), me.pid, BOOM))
        assert me.exit_reason == BOOM
        assert peer.take() == []

    def test_exit_without_a_link_is_ignored(self, me: Process, peer: FakePeer) -> None:
        peer.says(c.PayloadExit(peer.pid(), me.pid), BOOM)
        assert me.alive

    @pytest.mark.parametrize("linked", [True, False])
    def test_unlink_id_is_acknowledged_first_and_always(
        self, me: Process, peer: FakePeer, linked: bool
    ) -> None:
        if linked:
            peer.says(c.Link(peer.pid(), me.pid))
        peer.says(c.UnlinkId(5, peer.pid(), me.pid))
        assert peer.take() == [(c.UnlinkIdAck(5, me.pid, peer.pid()), None)]
        assert me.links == {}

    def test_unlink_id_of_the_dead_is_acknowledged(self, router: Router, peer: FakePeer) -> None:
        nobody = Pid(router.node, 99, 0, 7)
        peer.says(c.UnlinkId(5, peer.pid(), nobody))
        assert peer.take() == [(c.UnlinkIdAck(5, nobody, peer.pid()), None)]

    def test_an_ack_to_the_dead_is_ignored(self, router: Router, peer: FakePeer) -> None:
        peer.says(c.UnlinkIdAck(5, peer.pid(), Pid(router.node, 99, 0, 7)))
        assert peer.take() == []

    def test_the_old_unlink_needs_no_answer(self, me: Process, peer: FakePeer) -> None:
        peer.says(c.Link(peer.pid(), me.pid))
        peer.says(c.Unlink(peer.pid(), me.pid))
        peer.says(c.Unlink(peer.pid(), me.pid))
        assert me.links == {}
        assert peer.take() == []

    def test_our_own_unlink_is_over_with_its_ack(self, me: Process, peer: FakePeer) -> None:
        me.emit_link(peer.pid())
        me.emit_unlink(peer.pid())
        peer.says(c.UnlinkIdAck(me.links[peer.pid()], peer.pid(), me.pid))
        assert me.links == {}

    def test_unlink_ids_are_never_zero(self, router: Router) -> None:
        router._last_unlink = 2**64 - 2
        assert [router.unlink_id() for _ in range(2)] == [2**64 - 1, 1]


class TestExitsFromPeers:
    @pytest.mark.parametrize("control", [c.PayloadExit2, c.Exit2])
    def test_exit_2(self, me: Process, peer: FakePeer, control: type) -> None:
        if control is c.Exit2:
            peer.says(c.Exit2(peer.pid(), me.pid, KILL))
        else:
            peer.says(c.PayloadExit2(peer.pid(), me.pid), KILL)
        assert me.exit_reason == KILLED

    def test_a_priority_exit_by_pid_and_by_alias(self, router: Router, peer: FakePeer) -> None:
        one, two = Process(router), Process(router)
        peer.says(c.AltactSigSend(16 | 1, peer.pid(), one.pid), BOOM)
        peer.says(c.AltactSigSend(16 | 4, peer.pid(), two.alias()), BOOM)
        assert one.exit_reason == two.exit_reason == BOOM

    def test_priority_counts_where_the_alias_is_one_for_it(self, me: Process, peer: FakePeer) -> None:
        me.trap_exit = True
        alias = me.alias(priority=True)
        me.deliver("ordinary")
        peer.says(c.AltactSigSend(1 | 4, peer.pid(), alias), 1)
        peer.says(c.AltactSigSend(4, peer.pid(), alias), 2)
        peer.says(c.AltactSigSend(1 | 4, peer.pid(), me.alias()), 3)
        peer.says(c.AltactSigSend(16 | 1 | 4, peer.pid(), alias), BOOM)
        assert mailbox(me) == [1, ("EXIT", peer.pid(), BOOM), "ordinary", 2, 3]

    def test_what_goes_to_a_peer_with_priority(self, me: Process, peer: FakePeer) -> None:
        alias = peer.ref()
        me.emit_message(Atom(PEER), alias, encode_bare(1), priority=True)
        me.emit_message(Atom(PEER), peer.pid(), encode_bare(2), priority=True)
        me.emit_alias_exit(Atom(PEER), alias, BOOM, priority=True)
        me.emit_alias_exit(Atom(PEER), alias, BOOM)
        assert peer.take() == [
            (c.AltactSigSend(1 | 4, me.pid, alias), 1),
            (c.SendSender(me.pid, peer.pid()), 2),
            (c.AltactSigSend(16 | 1 | 4, me.pid, alias), BOOM),
            (c.AltactSigSend(16 | 4, me.pid, alias), BOOM),
        ]


class TestMonitorsFromPeers:
    def test_by_pid_and_by_name(self, me: Process, peer: FakePeer) -> None:
        me.register("me")
        peer.says(c.MonitorP(peer.pid(), me.pid, peer.ref(1)))
        peer.says(c.MonitorP(peer.pid(), Atom("me"), peer.ref(2)))
        me.end(BOOM)
        assert peer.take() == [
            (c.PayloadMonitorPExit(me.pid, peer.pid(), peer.ref(1)), BOOM),
            (c.PayloadMonitorPExit(Atom("me"), peer.pid(), peer.ref(2)), BOOM),
        ]

    def test_noproc_at_once(self, router: Router, peer: FakePeer) -> None:
        nobody = Pid(router.node, 99, 0, 7)
        peer.says(c.MonitorP(peer.pid(), nobody, peer.ref(1)))
        peer.says(c.MonitorP(peer.pid(), Atom("nobody"), peer.ref(2)))
        assert peer.take() == [
            (c.PayloadMonitorPExit(nobody, peer.pid(), peer.ref(1)), NOPROC),
            (c.PayloadMonitorPExit(Atom("nobody"), peer.pid(), peer.ref(2)), NOPROC),
        ]

    def test_demonitor(self, me: Process, peer: FakePeer) -> None:
        peer.says(c.MonitorP(peer.pid(1), me.pid, peer.ref()))
        peer.says(c.DemonitorP(peer.pid(2), me.pid, peer.ref()))  # not who watches
        assert list(me.watchers) == [peer.ref()]
        peer.says(c.DemonitorP(peer.pid(1), me.pid, peer.ref()))
        peer.says(c.DemonitorP(peer.pid(1), me.pid, peer.ref()))
        me.end(BOOM)
        assert peer.take() == []
        assert me.router._watched == {}

    def test_one_reference_used_for_two_monitors_breaks_nothing(self, router: Router, peer: FakePeer) -> None:
        one, two = Process(router), Process(router)
        for target in (one, two, one):
            peer.says(c.MonitorP(peer.pid(), target.pid, peer.ref()))
        peer.says(c.DemonitorP(peer.pid(), one.pid, peer.ref()))
        peer.says(c.DemonitorP(peer.pid(), two.pid, peer.ref()))
        one.end(BOOM)
        two.end(BOOM)
        peer.goes()
        assert router._watched == {}

    @pytest.mark.parametrize("payload", [True, False])
    def test_down_of_theirs(self, me: Process, peer: FakePeer, payload: bool) -> None:
        ref = me.emit_monitor(peer.pid(), Atom(PEER))
        if payload:
            peer.says(c.PayloadMonitorPExit(peer.pid(), me.pid, ref), BOOM)
        else:
            peer.says(c.MonitorPExit(peer.pid(), me.pid, ref, BOOM))
        assert mailbox(me) == [("DOWN", ref, "process", peer.pid(), BOOM)]


class TestLossOfANode:
    """Smell 1: the loss of a connection is noticed, and forgotten entirely."""

    def test_everything_that_hung_on_it_fires_once(self, me: Process, peer: FakePeer) -> None:
        me.trap_exit = True
        them = peer.pid()
        ref = me.emit_monitor(Atom("name"), Atom(PEER))
        me.emit_link(them)
        peer.says(c.MonitorP(them, me.pid, peer.ref()))
        assert peer.goes() is True
        assert peer.goes() is False
        assert mailbox(me) == [
            ("EXIT", them, NOCONNECTION),  # first, as from a BEAM
            ("DOWN", ref, "process", ("name", PEER), NOCONNECTION),
        ]
        router = me.router
        assert (me.links, me.monitors, me.watchers) == ({}, {}, {})
        assert (router.sessions, router._touching, router._watched) == ({}, {}, {})

    def test_it_ends_a_chain_of_those_that_it_concerns(
        self, router: Router, peer: FakePeer, caplog: pytest.LogCaptureFixture
    ) -> None:
        one, two, three = Process(router), Process(router), Process(router)
        for actor in (one, two, three):
            actor.emit_link(peer.pid())
        one.emit_link(two.pid)
        two.emit_link(three.pid)
        peer.goes()
        assert [actor.exit_reason for actor in (one, two, three)] == [NOCONNECTION] * 3
        assert (one.links, two.links, three.links, router._touching) == ({}, {}, {}, {})
        assert caplog.records == []

    def test_others_are_not_disturbed(self, router: Router, me: Process, peer: FakePeer) -> None:
        third = FakePeer(router, "third@127.0.0.1")
        me.emit_link(third.pid())
        me.emit_monitor(third.pid(), Atom(third.name))
        third.says(c.MonitorP(third.pid(), me.pid, third.ref()))
        me.emit_monitor(peer.pid(), Atom(PEER))
        peer.goes()
        assert me.alive
        assert (len(me.links), len(me.monitors), len(me.watchers), len(mailbox(me))) == (1, 1, 1, 1)

    def test_a_replaced_session_has_been_lost_already(
        self, router: Router, me: Process, peer: FakePeer
    ) -> None:
        me.emit_monitor(peer.pid(), Atom(PEER))
        newer = FakePeer(router)
        assert peer.goes() is False
        assert list(router.sessions.values()) == [newer]
        assert mailbox(me) == []

    def test_who_ended_before_is_left_alone(self, me: Process, peer: FakePeer) -> None:
        me.emit_monitor(peer.pid(), Atom(PEER))
        me.end(NORMAL)
        peer.goes()
        assert mailbox(me) == []

    def test_links_between_those_who_lose_it_break_in_turn(self, router: Router, peer: FakePeer) -> None:
        one, two = Process(router), Process(router)
        one.emit_link(two.pid)
        for process in (one, two):
            process.emit_link(peer.pid())
        peer.goes()
        assert one.exit_reason == two.exit_reason == NOCONNECTION

    def test_spawn_requests_are_answered(self, me: Process, peer: FakePeer) -> None:
        from pyerlnode.runtime.actor import Spawning

        answers: list[Term] = []
        me.router.touch(PEER, me)
        me.spawning[peer.ref()] = Spawning(Atom(PEER), answers.append)
        me.spawning[peer.ref(2)] = Spawning(Atom("third@host"), answers.append)
        peer.goes()
        assert answers == [NOCONNECTION]
        assert list(me.spawning) == [peer.ref(2)]


class TestReplies:
    def test_to_the_alias_that_the_tag_carries(self, me: Process, peer: FakePeer) -> None:
        tag = ImproperList((Atom("alias"),), peer.ref())
        assert me.router.reply(me, (peer.pid(), tag), 1)
        assert peer.take() == [(c.AltactSigSend(4, me.pid, peer.ref()), (tag, 1))]

    def test_to_the_pid_where_the_peer_knows_no_aliases(self, router: Router, me: Process) -> None:
        old = FakePeer(router, flags=VISIBLE & ~(Flags.ALIAS | Flags.ALTACT_SIG))
        tag = ImproperList((Atom("alias"),), old.ref())
        assert me.router.reply(me, (old.pid(), tag), 1)
        assert old.take() == [(c.SendSender(me.pid, old.pid()), (tag, 1))]

    def test_to_the_pid_for_other_tags(self, me: Process, peer: FakePeer) -> None:
        assert me.router.reply(me, (peer.pid(), (peer.ref(), Atom("node"))), 1)
        assert peer.take() == [(c.SendSender(me.pid, peer.pid()), ((peer.ref(), "node"), 1))]

    @pytest.mark.parametrize("caller", [1, (1, 2), (1, 2, 3), [1, 2]])
    def test_not_to_what_is_no_caller(self, me: Process, caller: Term) -> None:
        assert me.router.reply(me, caller, 1) is False


class TestTheRest:
    def test_group_leader(self, me: Process, peer: FakePeer) -> None:
        peer.says(c.GroupLeader(peer.pid(), me.pid))
        assert me.group_leader == peer.pid()
        peer.says(c.GroupLeader(peer.pid(), Pid(me.pid.node, 99, 0, 7)))

    def test_spawn_requests_without_a_spawner_are_not_supported(self, router: Router, peer: FakePeer) -> None:
        peer.says(c.SpawnRequest(peer.ref(), peer.pid(), peer.pid(), Atom("m"), Atom("f"), 0, []), [])
        assert peer.take() == [(c.SpawnReply(peer.ref(), peer.pid(), 0, Atom("notsup")), None)]

    def test_spawn_requests_and_replies_find_whom_they_concern(self, me: Process, peer: FakePeer) -> None:
        asked: list[Term] = []
        me.router.spawner = lambda control, args: asked.append(args)
        peer.says(c.SpawnRequest(peer.ref(), peer.pid(), peer.pid(), Atom("m"), Atom("f"), 1, []), [1])
        assert asked == [[1]]
        peer.says(c.SpawnReply(peer.ref(), me.pid, 0, peer.pid(5)))
        assert me.alive

    def test_nobody_may_watch_under_the_reference_of_another(self, me: Process, peer: FakePeer) -> None:
        ours = me.router.registry.reference()
        with pytest.raises(RemoteProtocolError, match="reference"):
            peer.says(c.MonitorP(peer.pid(), me.pid, ours))
        assert me.watchers == {}

    def test_a_linked_process_spawned_for_one_that_has_ended_is_told(
        self, router: Router, peer: FakePeer
    ) -> None:
        nobody, child = Pid(router.node, 99, 0, 7), peer.pid(5)
        peer.says(c.SpawnReply(peer.ref(1), nobody, 1, child))
        assert peer.take() == [(c.PayloadExit(nobody, child), NOPROC)]
        peer.says(c.SpawnReply(peer.ref(2), nobody, 2, child))
        peer.says(c.SpawnReply(peer.ref(2), nobody, 1, Atom("badopt")))
        assert peer.take() == []

    def test_emit_to_who_is_not_connected_is_false(self, router: Router, me: Process) -> None:
        assert router.emit("far@host", c.Link(me.pid, me.pid)) is False

    def test_what_a_peer_cannot_take_is_not_sent(self, router: Router, me: Process) -> None:
        old = FakePeer(router, flags=Flags(0))
        assert router.emit(PEER, c.UnlinkIdAck(1, me.pid, old.pid())) is True
        assert old.take() == []

    async def test_before_the_start_nobody_can_be_reached(self, router: Router) -> None:
        with pytest.raises(NodeNotRunning):
            await router.reach("far@host")

    async def test_room_waits_only_where_there_is_none(self, router: Router, peer: FakePeer) -> None:
        await router.room("far@host")
        await router.room(PEER)
        assert peer.drained == 0
        peer.congested = True
        await router.room(PEER)
        assert peer.drained == 1

    async def test_a_connection_lost_while_waiting_for_room_is_no_error(
        self, router: Router, peer: FakePeer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def drain(sender: Pid | None) -> None:
            raise NotConnected("lost")

        peer.congested = True
        monkeypatch.setattr(peer, "drain", drain)
        await router.room(PEER)  # what was sent vanishes, as on any connection that is lost

    def test_references_and_pids_carry_this_node(self, router: Router, me: Process) -> None:
        assert me.pid == Pid(Atom(ME), 1, 0, 7)
        assert isinstance(router.registry.reference(), Reference)

    def test_guarded_logs_what_a_service_raises(
        self, router: Router, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.ERROR):
            router.guarded(_fail, "x")
        assert "ZeroDivisionError" in caplog.text


def _fail(message: Term) -> None:
    raise ZeroDivisionError(message)
