"""Links, monitors, aliases and ends, seen from one actor; the other node is played by the test."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

import pytest

from pyerlnode.errors import Exit, NodeNotRunning
from pyerlnode.runtime.actor import LINKED, Reactor
from pyerlnode.runtime.exits import KILL, KILLED, NOCONNECTION, NOPROC, NORMAL, SHUTDOWN
from pyerlnode.runtime.process import Process
from pyerlnode.term import Atom, ImproperList, Pid, encode_bare
from pyerlnode.wire import control as c
from pyerlnode.wire.flags import VISIBLE, Flags
from tests.support.nodes import PEER, FakePeer, mailbox, make_router

if TYPE_CHECKING:
    from pyerlnode.runtime.router import Router

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


@pytest.fixture
def other(router: Router) -> Process:
    return Process(router)


class TestExitSignals:
    """Smell 5: not every exit signal kills."""

    @pytest.mark.parametrize(
        ("reason", "linked", "ends_with"),
        [
            (BOOM, True, BOOM),
            (BOOM, False, BOOM),
            (KILL, False, KILLED),
            (KILL, True, KILL),  # over a link it is a reason like any other
            (NORMAL, True, None),
            (NORMAL, False, None),
            ("normal", False, "normal"),  # a text is not the atom
        ],
    )
    def test_who_does_not_trap(
        self, me: Process, other: Process, reason: object, linked: bool, ends_with: object
    ) -> None:
        me.deliver_exit(other.pid, reason, linked=linked)
        assert me.alive is (ends_with is None)
        assert me.exit_reason == ends_with
        assert mailbox(me) == []

    @pytest.mark.parametrize("reason", [BOOM, NORMAL])
    def test_who_traps_gets_a_message(self, me: Process, other: Process, reason: Atom) -> None:
        me.trap_exit = True
        me.deliver_exit(other.pid, reason, linked=True)
        me.deliver_exit(other.pid, reason, linked=False)
        assert mailbox(me) == [("EXIT", other.pid, reason)] * 2

    def test_kill_cannot_be_trapped_but_over_a_link_it_can(self, me: Process, other: Process) -> None:
        me.trap_exit = True
        me.deliver_exit(other.pid, KILL, linked=True)
        assert mailbox(me) == [("EXIT", other.pid, KILL)]
        me.deliver_exit(other.pid, KILL, linked=False)
        assert me.exit_reason == KILLED

    def test_normal_to_oneself_ends(self, me: Process) -> None:
        me.emit_exit(me.pid, NORMAL)
        assert me.exit_reason == NORMAL
        assert not me.alive

    def test_a_kill_reaches_the_linked_as_killed(self, me: Process, other: Process) -> None:
        me.emit_link(other.pid)
        third = Process(me.router)
        third.emit_exit(other.pid, KILL)
        assert other.exit_reason == KILLED
        assert me.exit_reason == KILLED

    def test_exit_to_a_dead_process_or_a_lost_node_is_nothing(self, me: Process, other: Process) -> None:
        other.end(NORMAL)
        me.emit_exit(other.pid, BOOM)
        me.emit_exit(Pid(Atom("gone@nowhere"), 1, 0, 1), BOOM)
        assert other.exit_reason == NORMAL


class TestLinks:
    def test_the_end_of_one_is_the_end_of_the_other(self, me: Process, other: Process) -> None:
        me.emit_link(other.pid)
        assert (me.links, other.links) == ({other.pid: LINKED}, {me.pid: LINKED})
        other.end(BOOM)
        assert me.exit_reason == BOOM
        assert me.links == {}

    def test_a_second_link_is_no_second_exit(self, me: Process, other: Process) -> None:
        me.trap_exit = True
        me.emit_link(other.pid)
        me.emit_link(other.pid)
        other.emit_link(me.pid)
        other.end(BOOM)
        assert mailbox(me) == [("EXIT", other.pid, BOOM)]

    def test_a_link_to_oneself_is_none(self, me: Process) -> None:
        me.emit_link(me.pid)
        assert me.links == {}

    def test_a_dead_process_answers_noproc(self, me: Process, other: Process) -> None:
        other.end(NORMAL)
        me.trap_exit = True
        me.emit_link(other.pid)
        assert mailbox(me) == [("EXIT", other.pid, NOPROC)]
        assert me.links == {}

    def test_a_node_that_is_not_connected_is_noconnection(self, me: Process) -> None:
        me.trap_exit = True
        far = Pid(Atom("far@host"), 1, 0, 1)
        me.emit_link(far)
        assert mailbox(me) == [("EXIT", far, NOCONNECTION)]
        assert me.router._touching == {}

    def test_a_local_unlink_leaves_nothing_behind(self, me: Process, other: Process) -> None:
        me.emit_link(other.pid)
        me.emit_unlink(other.pid)
        assert (me.links, other.links) == ({}, {})
        other.emit_link(me.pid)  # would be ignored while an unlink of ours is outstanding
        assert (me.links, other.links) == ({other.pid: LINKED}, {me.pid: LINKED})

    def test_unlink_without_a_link_is_nothing(self, me: Process, peer: FakePeer) -> None:
        me.emit_unlink(peer.pid())
        assert peer.take() == []

    def test_a_remote_unlink_waits_for_its_ack(self, me: Process, peer: FakePeer) -> None:
        them = peer.pid()
        me.emit_link(them)
        me.emit_unlink(them)
        assert peer.take() == [(c.Link(me.pid, them), None), (c.UnlinkId(1, me.pid, them), None)]
        me.emit_unlink(them)
        assert peer.take() == []  # one is enough
        peer.says(c.PayloadExit(them, me.pid), BOOM)  # over a link that is inactive: ignored
        assert me.alive
        peer.says(c.UnlinkIdAck(99, them, me.pid))  # not ours
        assert me.links == {them: 1}
        peer.says(c.UnlinkIdAck(1, them, me.pid))
        assert me.links == {}

    def test_linking_anew_while_an_unlink_is_outstanding_clears_it(self, me: Process, peer: FakePeer) -> None:
        them = peer.pid()
        me.emit_link(them)
        me.emit_unlink(them)
        me.emit_link(them)
        assert peer.take()[-1] == (c.Link(me.pid, them), None)
        peer.says(c.UnlinkIdAck(1, them, me.pid))
        assert me.links == {them: LINKED}
        peer.says(c.PayloadExit(them, me.pid), BOOM)
        assert me.exit_reason == BOOM

    def test_a_link_that_crosses_our_unlink_is_ignored(self, me: Process, peer: FakePeer) -> None:
        them = peer.pid()
        me.emit_link(them)
        me.emit_unlink(them)
        peer.says(c.Link(them, me.pid))
        assert me.links == {them: 1}

    def test_both_unlink_at_once(self, me: Process, peer: FakePeer) -> None:
        them = peer.pid()
        me.emit_link(them)
        me.emit_unlink(them)
        peer.take()
        peer.says(c.UnlinkId(7, them, me.pid))
        assert peer.take() == [(c.UnlinkIdAck(7, me.pid, them), None)]
        peer.says(c.UnlinkIdAck(1, them, me.pid))
        assert me.links == {}

    def test_an_end_while_an_unlink_is_outstanding_tells_nobody(self, me: Process, peer: FakePeer) -> None:
        me.emit_link(peer.pid())
        me.emit_unlink(peer.pid())
        peer.take()
        me.end(BOOM)
        assert peer.take() == []

    def test_a_lost_node_while_an_unlink_is_outstanding_is_no_exit(self, me: Process, peer: FakePeer) -> None:
        me.emit_link(peer.pid())
        me.emit_unlink(peer.pid())
        peer.goes()
        assert me.alive
        assert me.links == {}

    def test_otp_23_does_not_ack(self, router: Router, me: Process) -> None:
        old = FakePeer(router, flags=VISIBLE & ~Flags.UNLINK_ID)
        me.emit_link(old.pid())
        me.emit_unlink(old.pid())
        assert old.take()[-1] == (c.Unlink(me.pid, old.pid()), None)
        assert me.links == {}

    def test_unlinking_from_a_lost_node(self, router: Router, me: Process, peer: FakePeer) -> None:
        me.emit_link(peer.pid())
        del router.sessions[PEER]
        me.emit_unlink(peer.pid())
        assert me.links == {}

    def test_a_chain_of_ten_thousand_links_breaks_without_recursion(self, router: Router) -> None:
        chain = [Process(router) for _ in range(10_000)]
        for one, two in itertools.pairwise(chain):
            one.emit_link(two.pid)
        chain[0].end(BOOM)
        assert {one.exit_reason for one in chain} == {BOOM}
        assert len(router.registry) == 0


class TestMonitors:
    """Smells 2 and 3: demonitor is real, and the dead are reported."""

    def test_down_says_who_and_why_once(self, me: Process, other: Process) -> None:
        ref = me.emit_monitor(other.pid, other.pid.node)
        other.end(BOOM)
        assert mailbox(me) == [("DOWN", ref, "process", other.pid, BOOM)]
        assert (me.monitors, me.router._watched) == ({}, {})

    def test_by_name_down_carries_name_and_node(self, me: Process, other: Process) -> None:
        other.register("it")
        ref = me.emit_monitor(Atom("it"), me.router.node)
        other.end(BOOM)
        assert mailbox(me) == [("DOWN", ref, "process", ("it", me.router.node), BOOM)]

    def test_noproc_at_once(self, me: Process, other: Process) -> None:
        other.end(NORMAL)
        one = me.emit_monitor(other.pid, me.router.node)
        two = me.emit_monitor(Atom("nobody"), me.router.node)
        assert mailbox(me) == [
            ("DOWN", one, "process", other.pid, NOPROC),
            ("DOWN", two, "process", ("nobody", me.router.node), NOPROC),
        ]

    def test_a_node_that_is_not_connected_is_noconnection(self, me: Process) -> None:
        ref = me.emit_monitor(Atom("x"), Atom("far@host"))
        assert mailbox(me) == [("DOWN", ref, "process", ("x", "far@host"), NOCONNECTION)]
        assert me.router._touching == {}

    def test_no_down_after_demonitor(self, me: Process, other: Process) -> None:
        ref = me.emit_monitor(other.pid, me.router.node)
        assert me.emit_demonitor(ref) is True
        assert me.emit_demonitor(ref) is False
        assert (other.watchers, me.router._watched) == ({}, {})
        other.end(BOOM)
        assert mailbox(me) == []

    def test_a_down_that_crosses_our_demonitor_vanishes(self, me: Process, peer: FakePeer) -> None:
        ref = me.emit_monitor(peer.pid(), Atom(PEER))
        me.emit_demonitor(ref)
        assert peer.take() == [
            (c.MonitorP(me.pid, peer.pid(), ref), None),
            (c.DemonitorP(me.pid, peer.pid(), ref), None),
        ]
        peer.says(c.PayloadMonitorPExit(peer.pid(), me.pid, ref), BOOM)
        assert mailbox(me) == []

    def test_a_watcher_that_reacts_to_the_first_down_by_ending_its_other_monitor(
        self, router: Router, other: Process
    ) -> None:
        heard: list[object] = []

        def react(message: object) -> None:
            heard.append(message)
            for ref in refs:
                watcher.emit_demonitor(ref)

        watcher = Reactor(router, react)
        refs = [watcher.emit_monitor(other.pid, router.node) for _ in range(2)]
        other.end(BOOM)
        assert len(heard) == 1
        assert (watcher.monitors, router._watched) == ({}, {})

    def test_several_monitors_of_one_are_several_downs(self, me: Process, other: Process) -> None:
        refs = [me.emit_monitor(other.pid, me.router.node) for _ in range(3)]
        other.end(BOOM)
        assert [message[1] for message in mailbox(me)] == refs

    def test_a_watcher_that_a_link_takes_along_has_nothing_to_take_back(
        self, me: Process, other: Process, caplog: pytest.LogCaptureFixture
    ) -> None:
        me.emit_link(other.pid)
        me.emit_monitor(other.pid, me.router.node)
        other.end(BOOM)
        assert (me.alive, me.exit_reason, me.router._watched) == (False, BOOM, {})
        assert caplog.text == ""

    def test_the_end_of_the_watcher_takes_its_monitors_back(self, me: Process, peer: FakePeer) -> None:
        ref = me.emit_monitor(Atom("x"), Atom(PEER))
        peer.take()
        me.end(NORMAL)
        assert peer.take() == [(c.DemonitorP(me.pid, Atom("x"), ref), None)]
        assert me.router._touching == {PEER: {}}

    def test_links_hear_before_watchers(self, me: Process, peer: FakePeer) -> None:
        peer.says(c.MonitorP(peer.pid(1), me.pid, peer.ref()))
        peer.says(c.Link(peer.pid(1), me.pid))
        me.end(BOOM)
        assert peer.take() == [
            (c.PayloadExit(me.pid, peer.pid(1)), BOOM),
            (c.PayloadMonitorPExit(me.pid, peer.pid(1), peer.ref()), BOOM),
        ]


class TestEnds:
    def test_only_the_first_reason_counts(self, me: Process) -> None:
        me.end(BOOM)
        me.end(SHUTDOWN)
        assert me.exit_reason == BOOM

    def test_nothing_of_it_is_left(self, me: Process, other: Process, peer: FakePeer) -> None:
        me.register("me")
        me.emit_link(other.pid)
        other.trap_exit = True
        me.emit_link(peer.pid(1))
        me.emit_monitor(peer.pid(2), Atom(PEER))
        other.emit_monitor(me.pid, me.router.node)
        me.alias()
        me.end(BOOM)
        router = me.router
        assert list(router.registry) == [other]
        assert (router._aliases, router._watched, router._touching) == ({}, {}, {PEER: {}})
        assert (me.links, me.monitors, me.watchers, me.aliases, me.names) == ({}, {}, {}, {}, [])
        assert other.links == {}

    def test_a_reason_without_a_term_is_described_to_everybody(self, me: Process, other: Process) -> None:
        ref = other.emit_monitor(me.pid, me.router.node)
        me.end(object)
        assert not me.alive
        assert mailbox(other)[0][:2] == ("DOWN", ref)
        assert mailbox(other)[0][4][0] == "python_reason"

    def test_messages_to_the_dead_vanish(self, me: Process, other: Process) -> None:
        me.end(NORMAL)
        assert other.emit_message(me.router.node, me.pid, encode_bare(1)) is True
        assert mailbox(me) == []

    def test_the_dead_start_nothing_new(self, me: Process, other: Process) -> None:
        me.end(BOOM)
        for attempt in (
            lambda: me.emit_link(other.pid),
            lambda: me.emit_monitor(other.pid, me.router.node),
            me.alias,
        ):
            with pytest.raises(Exit) as caught:
                attempt()
            assert caught.value.reason == BOOM
        assert (other.links, other.watchers, me.router._aliases) == ({}, {}, {})


class TestAliases:
    def test_messages_to_an_alias_arrive_until_it_ends(self, me: Process, other: Process) -> None:
        alias = me.alias()
        other.emit_message(alias.node, alias, encode_bare(1))
        other.emit_message(alias.node, alias, encode_bare(2))
        assert me.unalias(alias) is True
        assert me.unalias(alias) is False
        other.emit_message(alias.node, alias, encode_bare(3))
        assert mailbox(me) == [1, 2]

    def test_once_is_once(self, me: Process, other: Process) -> None:
        alias = me.alias(once=True)
        other.emit_message(alias.node, alias, encode_bare(1))
        other.emit_message(alias.node, alias, encode_bare(2))
        assert mailbox(me) == [1]
        assert (me.aliases, me.router._aliases) == ({}, {})

    def test_a_priority_alias_brings_priority_messages_before_the_ordinary(
        self, me: Process, other: Process
    ) -> None:
        alias, plain = me.alias(priority=True), me.alias()
        for target, priority, message in (
            (me.pid, True, 1),
            (alias, True, "first"),
            (alias, False, 2),
            (plain, True, 3),
            (alias, True, "second"),
        ):
            other.emit_message(alias.node, target, encode_bare(message), priority=priority)
        assert mailbox(me) == [b"first", b"second", 1, 2, 3]

    def test_a_priority_alias_brings_exits_of_those_who_trap(self, me: Process, other: Process) -> None:
        me.trap_exit = True
        alias, plain = me.alias(priority=True, once=True), me.alias()
        me.deliver(1)
        for target, priority in ((alias, False), (plain, True), (alias, True)):
            other.emit_alias_exit(alias.node, target, (BOOM, priority), priority=priority)
        assert [message[-1] if type(message) is tuple else message for message in mailbox(me)] == [
            (BOOM, True),
            1,
            (BOOM, False),
            (BOOM, True),
        ]
        assert list(me.aliases) == [alias, plain]  # an exit is no reply

    def test_nothing_stays_of_a_priority_alias(self, me: Process, other: Process) -> None:
        me.unalias(me.alias(priority=True))
        alias = me.alias(priority=True, once=True)
        other.emit_message(alias.node, alias, encode_bare(1), priority=True)
        assert (me.aliases, me.urgent) == ({}, {})

    def test_a_link_and_a_monitor_with_priority(self, me: Process, other: Process) -> None:
        me.trap_exit = True
        me.emit_link(other.pid, priority=True)
        ref = me.emit_monitor(other.pid, other.pid.node, priority=True)
        me.deliver(1)
        other.end(BOOM)
        assert mailbox(me) == [("EXIT", other.pid, BOOM), ("DOWN", ref, "process", other.pid, BOOM), 1]
        assert me.urgent == {}

    def test_linking_once_more_and_unlinking_take_the_priority_back(
        self, me: Process, other: Process, peer: FakePeer
    ) -> None:
        me.emit_link(other.pid, priority=True)
        me.emit_link(other.pid)
        assert me.urgent == {}
        me.emit_link(peer.pid(), priority=True)
        me.emit_unlink(peer.pid())
        assert me.urgent == {}
        me.emit_link(peer.pid(2), priority=True)
        peer.says(c.UnlinkId(1, peer.pid(2), me.pid))
        assert me.urgent == {}

    def test_a_late_reply_to_our_own_request_vanishes(self, me: Process) -> None:
        tag = ImproperList((Atom("alias"),), me.router.registry.reference())
        me.deliver((tag, "late"))
        assert mailbox(me) == []

    def test_a_reply_with_the_tag_of_an_alias_that_the_process_made_itself_arrives(self, me: Process) -> None:
        for once in (True, False):
            alias = me.alias(once=once)
            reply = (ImproperList((Atom("alias"),), alias), 42)
            me.emit_message(alias.node, alias, encode_bare(reply))
            assert mailbox(me)[-1:] == [reply]

    def test_what_only_looks_like_a_reply_arrives(self, me: Process, peer: FakePeer) -> None:
        foreign = (ImproperList((Atom("alias"),), peer.ref()), 1)
        messages = [foreign, (peer.ref(), 1), (ImproperList((Atom("alias"),), 7), 1), ("a", 1), (1, 2, 3)]
        for message in messages:
            me.deliver(message)
        assert mailbox(me) == messages


class TestReactor:
    def test_it_takes_each_message_at_once(self, router: Router) -> None:
        got: list[object] = []
        reactor = Reactor(router, got.append, "service")
        Process(router).emit_message(router.node, Atom("service"), encode_bare([1]))
        assert got == [[1]]
        assert router.registry.whereis("service") is reactor

    def test_an_error_in_it_is_logged_and_ends_nothing(
        self, router: Router, caplog: pytest.LogCaptureFixture
    ) -> None:
        def react(message: object) -> None:
            raise ZeroDivisionError("in react")

        reactor = Reactor(router, react)
        reactor.deliver("x")
        assert "in react" in caplog.text
        assert reactor.alive

    def test_a_service_outlives_who_linked_to_it(self, router: Router, peer: FakePeer) -> None:
        got: list[object] = []
        reactor = Reactor(router, got.append)
        peer.says(c.Link(peer.pid(), reactor.pid))
        peer.says(c.PayloadExit(peer.pid(), reactor.pid), BOOM)
        assert reactor.alive
        assert got == [("EXIT", peer.pid(), BOOM)]

    def test_its_end_has_no_body_to_stop(self, router: Router) -> None:
        reactor = Reactor(router, lambda message: None)
        reactor.end(NORMAL)
        assert not reactor.alive

    def test_reply_answers_a_caller(self, router: Router, peer: FakePeer) -> None:
        reactor = Reactor(router, lambda message: None)
        reactor.reply((peer.pid(), peer.ref()), 1)
        assert peer.take() == [(c.SendSender(reactor.pid, peer.pid()), (peer.ref(), 1))]


class TestSpawning:
    def test_an_answer_comes_once_and_unknown_ones_are_ignored(self, me: Process, peer: FakePeer) -> None:
        from pyerlnode.runtime.actor import Spawning

        answers: list[object] = []
        me.spawning[peer.ref()] = Spawning(Atom(PEER), answers.append)
        me.deliver_spawned(peer.ref(), peer.pid())
        me.deliver_spawned(peer.ref(), peer.pid())
        assert answers == [peer.pid()]


class TestRenaming:
    def test_relations_follow_the_name_of_the_node(self, router: Router, me: Process, other: Process) -> None:
        other.register("other")
        me.trap_exit = True
        me.emit_link(other.pid)
        refs = [me.emit_monitor(target, router.node) for target in (other.pid, Atom("other"))]
        router.registry.rename(Atom("new@host"), 9)
        other.end(BOOM)
        assert mailbox(me) == [
            ("EXIT", other.pid, BOOM),
            ("DOWN", refs[0], "process", other.pid, BOOM),
            ("DOWN", refs[1], "process", ("other", "new@host"), BOOM),
        ]
        assert (me.links, me.monitors, router._watched) == ({}, {}, {})
        assert other.pid.node == "new@host"


class TestRequestsOfTheDead:
    async def test_they_fail_and_those_that_are_answered_do_not(self, router: Router, me: Process) -> None:
        loop = asyncio.get_running_loop()
        answered, unanswered = loop.create_future(), loop.create_future()
        answered.set_result("x")
        me.requests = {router.registry.reference(): answered, router.registry.reference(): unanswered}
        me.end(BOOM)
        with pytest.raises(Exit):
            await unanswered
        assert await answered == "x"

    def test_services_end_with_their_node(self, router: Router) -> None:
        reactor = Reactor(router, lambda message: None)
        reactor.end(SHUTDOWN)
        with pytest.raises(NodeNotRunning):
            reactor.check_alive()
