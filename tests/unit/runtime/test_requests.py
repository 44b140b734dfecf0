"""Requests: the answer, the callee's death, the deadline, the asker's own end; and nothing is left behind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.errors import CallTimeout, ConnectFailed, EncodeError, Exit, NodeDown
from pyerlnode.runtime.actor import Reactor
from pyerlnode.runtime.exits import NOCONNECTION, NOPROC
from pyerlnode.runtime.process import Process
from pyerlnode.runtime.requests import Destination, alias_of, destination, request, tag_of
from pyerlnode.term import Atom, ImproperList, Pid
from pyerlnode.wire import control as c
from tests.support.nodes import ME, PEER, FakePeer, mailbox, make_router

if TYPE_CHECKING:
    from pyerlnode.runtime.actor import Actor, Answer
    from pyerlnode.runtime.router import Router
    from pyerlnode.term import Reference, Term

BOOM = Atom("boom")


@pytest.fixture
def router() -> Router:
    return make_router()


@pytest.fixture
def me(router: Router) -> Process:
    return Process(router)


def question(me: Actor) -> Any:
    def build(ref: Reference) -> Term:
        return (me.pid, tag_of(ref))

    return build


def ask(me: Actor, dest: Term, timeout: float | None = 30) -> asyncio.Task[Answer]:
    return asyncio.ensure_future(request(me, destination(me.router, dest), question(me), timeout))


def is_clean(me: Actor) -> bool:
    """Whether nothing of a request is left."""
    return not (me.requests or me.monitors or me.aliases or me.router._aliases or me.router._watched)


class TestDestinations:
    def test_as_users_write_them(self, router: Router, me: Process) -> None:
        alias = me.alias()
        assert destination(router, me.pid) == (me.pid, ME)
        assert destination(router, alias) == (alias, ME)
        assert destination(router, "x") == (Atom("x"), ME)
        assert destination(router, ("x", PEER)) == (Atom("x"), PEER)

    @pytest.mark.parametrize("dest", [1, None, (1, PEER), ("x",), ("x", PEER, 1), b"x"])
    def test_anything_else_is_a_type_error(self, router: Router, dest: Term) -> None:
        with pytest.raises(TypeError, match="a destination is"):
            destination(router, dest)

    def test_shown(self, me: Process) -> None:
        assert str(Destination(Atom("x"), Atom(PEER))) == f"x at {PEER}"
        assert str(Destination(me.pid, me.pid.node)) != ""


class TestAnswers:
    async def test_at_once(self, router: Router, me: Process) -> None:
        echo = Reactor(router, lambda message: router.reply(echo, message, "hi") and None)
        answer = await ask(me, echo.pid)
        assert (answer.down, answer.value) == (False, b"hi")
        assert is_clean(me)

    async def test_from_afar_to_the_pid_or_the_alias(self, router: Router, me: Process) -> None:
        peer = FakePeer(router)
        for by_alias in (True, False):
            asked = ask(me, ("x", PEER))
            await asyncio.sleep(0)
            (monitor, _), (_, (pid, tag)) = peer.take()
            assert monitor == c.MonitorP(me.pid, Atom("x"), tag.tail)
            to: Any = c.AliasSend(peer.pid(), tag.tail) if by_alias else c.SendSender(peer.pid(), pid)
            peer.says(to, (tag, 42))
            assert (await asked).value == 42
            assert peer.take() == [(c.DemonitorP(me.pid, Atom("x"), tag.tail), None)]
            assert is_clean(me)
        assert mailbox(me) == []

    async def test_the_first_one_counts(self, router: Router, me: Process) -> None:
        peer = FakePeer(router)
        asked = ask(me, ("x", PEER))
        await asyncio.sleep(0)
        _, (_, (_, tag)) = peer.take()
        peer.says(c.SendSender(peer.pid(), me.pid), (tag, 1))
        peer.says(c.SendSender(peer.pid(), me.pid), (tag, 2))
        peer.says(c.PayloadMonitorPExit(Atom("x"), me.pid, tag.tail), BOOM)
        assert (await asked).value == 1
        assert mailbox(me) == []

    async def test_to_an_alias_without_a_monitor(self, router: Router, me: Process) -> None:
        other = Process(router)
        asked = ask(me, other.alias())
        await asyncio.sleep(0)
        assert other.watchers == {}
        router.reply(other, mailbox(other)[0], 1)
        assert (await asked).value == 1

    async def test_the_death_of_the_callee(self, router: Router, me: Process) -> None:
        other = Process(router)
        asked = ask(me, other.pid)
        await asyncio.sleep(0)
        other.end(BOOM)
        assert await asked == (True, BOOM)
        assert await ask(me, "nobody") == (True, NOPROC)
        assert is_clean(me)

    async def test_the_loss_of_its_node(self, router: Router, me: Process) -> None:
        peer = FakePeer(router)
        asked = ask(me, ("x", PEER))
        await asyncio.sleep(0)
        peer.goes()
        assert await asked == (True, NOCONNECTION)
        assert is_clean(me)


class TestNoAnswer:
    async def test_the_deadline(self, router: Router, me: Process) -> None:
        other = Process(router)
        other.register("slow")
        with pytest.raises(CallTimeout, match=rf"no answer from slow at {ME} within 0 s"):
            await ask(me, "slow", timeout=0)
        assert is_clean(me)
        assert other.watchers == {}
        router.reply(other, mailbox(other)[0], "late")
        assert mailbox(me) == []

    async def test_the_deadline_covers_dialling(self, router: Router, me: Process) -> None:
        async def for_ever(node: str) -> None:
            await asyncio.Event().wait()

        router.reach = for_ever
        with pytest.raises(CallTimeout):
            await ask(me, ("x", "far@host"), timeout=0)
        assert is_clean(me)

    async def test_a_call_timeout_from_within_keeps_its_text(self, router: Router, me: Process) -> None:
        async def times_out(node: str) -> None:
            raise CallTimeout("inner")

        router.reach = times_out
        with pytest.raises(CallTimeout, match=r"^inner$"):
            await ask(me, ("x", "far@host"), timeout=None)

    async def test_a_node_that_cannot_be_reached(self, router: Router, me: Process) -> None:
        async def unreachable(node: str) -> None:
            raise ConnectFailed(node, "dns", "no such host")

        router.reach = unreachable
        with pytest.raises(NodeDown, match="no such host") as caught:
            await ask(me, Pid(Atom("far@host"), 1, 0, 1))
        assert caught.value.name == "far@host"
        assert isinstance(caught.value.__cause__, ConnectFailed)

    async def test_cancelling_takes_everything_back(self, router: Router, me: Process) -> None:
        peer = FakePeer(router)
        asked = ask(me, ("x", PEER))
        await asyncio.sleep(0)
        _, (_, (_, tag)) = peer.take()
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert is_clean(me)
        assert peer.take() == [(c.DemonitorP(me.pid, Atom("x"), tag.tail), None)]
        peer.says(c.SendSender(peer.pid(), me.pid), (tag, "late"))
        assert mailbox(me) == []

    async def test_a_question_without_a_term_leaves_nothing(self, me: Process) -> None:
        with pytest.raises(EncodeError):
            await request(me, destination(me.router, "x"), lambda ref: object(), None)
        assert is_clean(me)


class TestTheAskersEnd:
    async def test_a_helper_task_of_the_process_hears_of_it(self, router: Router, me: Process) -> None:
        other = Process(router)
        asked = ask(me, other.pid, timeout=None)
        await asyncio.sleep(0)
        me.end(BOOM)
        with pytest.raises(Exit) as caught:
            await asked
        assert caught.value.reason == BOOM
        assert is_clean(me)
        assert other.watchers == {}

    async def test_its_body_is_cancelled(self, router: Router) -> None:
        other, process = Process(router), Process(router)

        async def body(me: Process) -> None:
            await ask(me, other.pid, timeout=None)

        task = process.start(body, ())
        while not other.watchers:
            await asyncio.sleep(0)
        process.end(BOOM)
        await asyncio.wait([task])
        assert is_clean(process)
        assert other.watchers == {}

    async def test_the_dead_do_not_ask(self, router: Router, me: Process) -> None:
        other = Process(router)
        me.end(BOOM)
        with pytest.raises(Exit):
            await ask(me, other.pid, timeout=None)
        assert is_clean(me)
        assert mailbox(other) == []


def test_the_alias_that_a_tag_carries(router: Router) -> None:
    peer = FakePeer(router)
    ref, alias = peer.ref(1), peer.ref(2)
    inner = ImproperList((Atom("alias"),), alias)
    assert alias_of(inner) == alias
    assert alias_of(ImproperList((inner,), ref)) == alias
    assert alias_of(ref) is None
    assert alias_of((ref, "node")) is None
    assert alias_of(ImproperList((Atom("alias"),), 1)) is None
    assert alias_of(ImproperList((Atom("other"),), ref)) is None
    assert alias_of(ImproperList((Atom("alias"), 1), ref)) is None
