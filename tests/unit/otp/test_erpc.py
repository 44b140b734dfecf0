"""Remote calls, both ways: every outcome, and only what is exported."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.errors import CallTimeout, ConnectFailed, Exit, NodeDown, RemoteError
from pyerlnode.limits import Limits
from pyerlnode.otp import erpc
from pyerlnode.otp.gen import Process
from pyerlnode.runtime.actor import Reactor
from pyerlnode.term import Atom, Pid
from pyerlnode.wire import control as c
from tests.support.nodes import PEER, FakePeer, make_router, nodes, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pyerlnode.node import Node
    from pyerlnode.runtime.router import Router
    from pyerlnode.term import Term

BOOM = Atom("boom")


class Calling:
    """A call of ours to a node that the test plays."""

    def __init__(self, timeout: float | None = 30) -> None:
        self.router = make_router()
        self.peer = FakePeer(self.router)
        self.me = Reactor(self.router, lambda message: None)
        self.task = asyncio.ensure_future(self._call(timeout))
        self.result_ref: Term = None
        self.ref: Any = None

    async def _call(self, timeout: float | None) -> Term:
        return await erpc.call(self.me, PEER, "m", "f", [1], timeout, self.me.pid)

    async def asked(self) -> None:
        await until(lambda: self.peer.sent)
        ((control, args),) = self.peer.take()
        assert isinstance(control, c.SpawnRequest)
        self.ref, self.result_ref = control.ref, args[0]
        assert (control.module, control.function, control.options) == ("erpc", "execute_call", ["monitor"])
        assert args[1:] == ["m", "f", [1]]

    def started(self) -> None:
        self.peer.says(c.SpawnReply(self.ref, self.me.pid, 2, self.peer.pid(9)))

    def ends(self, reason: Term) -> None:
        self.peer.says(c.PayloadMonitorPExit(self.peer.pid(9), self.me.pid, self.ref), reason)

    async def outcome(self, reason: Term) -> Term:
        await self.asked()
        self.started()
        self.ends(reason(self.result_ref) if callable(reason) else reason)
        return await self.task

    def is_clean(self) -> bool:
        me, router = self.me, self.router
        return not (me.requests or me.monitors or me.aliases or me.spawning or router._aliases)


class TestOurs:
    async def test_return(self) -> None:
        calling = Calling()
        assert await calling.outcome(lambda ref: (ref, Atom("return"), 42)) == 42
        assert calling.is_clean()

    @pytest.mark.parametrize(
        ("shape", "kind", "reason", "stack"),
        [
            ((Atom("throw"), 1), "throw", 1, []),
            ((Atom("exit"), BOOM), "exit", BOOM, []),
            ((Atom("error"), BOOM, [1]), "error", BOOM, [1]),
            ((Atom("error"), (Atom("erpc"), Atom("badarg"))), "erpc", "badarg", []),
        ],
    )
    async def test_what_it_raised_there(self, shape: Any, kind: str, reason: Term, stack: Term) -> None:
        calling = Calling()
        with pytest.raises(RemoteError, match=r"m:f/1 at peer@127\.0\.0\.1 failed") as caught:
            await calling.outcome(lambda ref: (ref, *shape))
        assert (caught.value.kind, caught.value.reason, caught.value.stack) == (kind, reason, stack)
        assert calling.is_clean()

    @pytest.mark.parametrize("reason", [Atom("killed"), (1, Atom("return"), 2), (1, 2, 3, 4)])
    async def test_another_end_is_a_signal(self, reason: Term) -> None:
        with pytest.raises(RemoteError) as caught:
            await Calling().outcome(reason)
        assert (caught.value.kind, caught.value.reason) == ("signal", reason)

    async def test_a_refusal(self) -> None:
        calling = Calling()
        await calling.asked()
        calling.peer.says(c.SpawnReply(calling.ref, calling.me.pid, 0, Atom("system_limit")))
        with pytest.raises(RemoteError, match="could not be started: system_limit"):
            await calling.task
        assert calling.is_clean()

    @pytest.mark.parametrize("started", [True, False])
    async def test_the_loss_of_the_node(self, started: bool) -> None:
        calling = Calling()
        await calling.asked()
        if started:
            calling.started()
        calling.peer.goes()
        with pytest.raises(NodeDown):
            await calling.task
        assert calling.is_clean()

    async def test_too_late(self) -> None:
        calling = Calling(timeout=0)
        with pytest.raises(CallTimeout, match=r"no result of m:f/1 at peer@127\.0\.0\.1 within 0 s"):
            await calling.task
        await calling.asked()
        calling.started()
        assert calling.peer.take() == [(c.DemonitorP(calling.me.pid, calling.peer.pid(9), calling.ref), None)]
        assert calling.is_clean()

    async def test_a_late_refusal_is_nothing(self) -> None:
        calling = Calling(timeout=0)
        with pytest.raises(CallTimeout):
            await calling.task
        await calling.asked()
        calling.peer.says(c.SpawnReply(calling.ref, calling.me.pid, 0, Atom("system_limit")))
        assert calling.is_clean()

    async def test_a_node_that_cannot_be_reached(self) -> None:
        router = make_router()
        me = Reactor(router, lambda message: None)

        async def unreachable(node: str) -> None:
            raise ConnectFailed(node, "dns", "no such host")

        async def vanishes(node: str) -> None:
            """It was there for a moment."""

        async def too_late(node: str) -> None:
            raise CallTimeout("inner")

        for reach, error in ((unreachable, NodeDown), (vanishes, NodeDown), (too_late, CallTimeout)):
            router.reach = reach
            with pytest.raises(error):
                await erpc.call(me, "far@host", "m", "f", [], None, me.pid)
        assert (me.requests, me.spawning, me.aliases) == ({}, {}, {})


@pytest.fixture
async def pair() -> AsyncIterator[list[Node]]:
    async with nodes("a", "b") as pair:
        yield pair


async def outcomes(kind: str, *args: Term) -> Any:
    match kind:
        case "exit":
            raise Exit(BOOM)
        case "error":
            raise ValueError("so wrong")
        case "unencodable":
            return object()
        case "die":
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await asyncio.sleep(0)
    return [*args]


class TestTheirs:
    async def test_a_call_between_two_nodes(self, pair: list[Node]) -> None:
        a, b = pair
        b.export("py", "outcomes", outcomes)
        assert await a.rpc(b.name, "py", "outcomes", [Atom("return"), 1, 2]) == [1, 2]
        assert await b.rpc(b.name, "py", "outcomes", [Atom("return")]) == []

    @pytest.mark.parametrize(
        ("kind", "error", "text"),
        [
            ("exit", "exit", "boom"),
            ("error", "error", "ValueError: so wrong"),
            ("unencodable", "error", "EncodeError"),
            ("die", "signal", "killed"),
        ],
    )
    async def test_what_goes_wrong(self, pair: list[Node], kind: str, error: str, text: str) -> None:
        a, b = pair
        b.export("py", "outcomes", outcomes)
        with pytest.raises(RemoteError, match=text) as caught:
            await a.rpc(b.name, "py", "outcomes", [Atom(kind)])
        assert caught.value.kind == error
        if kind == "error":
            assert caught.value.stack[0][1] == "outcomes"  # type: ignore[index]

    @pytest.mark.parametrize(
        ("module", "function", "args"),
        [("os", "system", [b"true"]), ("py", "outcomes", []), ("py", "other", [1])],
    )
    async def test_what_is_not_exported_is_undef(
        self, pair: list[Node], module: str, function: str, args: list[Term]
    ) -> None:
        a, b = pair
        b.export("py", "outcomes", outcomes)
        with pytest.raises(RemoteError) as caught:
            await a.rpc(b.name, module, function, args)
        assert (caught.value.kind, caught.value.reason) == ("error", "undef")
        assert caught.value.stack == [(module, function, args, [])]

    async def test_no_more_at_once_than_the_limit(self) -> None:
        begun, go = asyncio.Semaphore(0), asyncio.Event()

        async def wait() -> bool:
            begun.release()
            return await go.wait()

        async with nodes("a", "b", limits=Limits(spawned=2)) as (a, b):
            b.export("py", "wait", wait)
            calls = [asyncio.ensure_future(a.rpc(b.name, "py", "wait")) for _ in range(2)]
            await begun.acquire()
            await begun.acquire()
            with pytest.raises(RemoteError, match="could not be started: system_limit"):
                await a.rpc(b.name, "py", "wait")
            go.set()
            assert await asyncio.gather(*calls) == [True, True]
            for _ in range(5):
                assert await a.rpc(b.name, "py", "wait") is True

    async def test_the_loss_of_the_node_while_it_runs(self, pair: list[Node]) -> None:
        a, b = pair
        running = asyncio.Event()

        async def wait() -> None:
            running.set()
            await asyncio.Event().wait()

        b.export("py", "wait", wait)
        calling = asyncio.ensure_future(a.rpc(b.name, "py", "wait", timeout=None))
        await running.wait()
        await b.stop()
        with pytest.raises((NodeDown, RemoteError)):
            await calling


class TestSpawner:
    """What arrives as a spawn request, from a node that the test plays."""

    @pytest.fixture
    def router(self, pair: list[Node]) -> Router:
        pair[0].export("py", "outcomes", outcomes)
        return pair[0]._router

    @pytest.fixture
    def peer(self, router: Router) -> FakePeer:
        return FakePeer(router)

    def ask(self, peer: FakePeer, mfa: tuple[str, str], args: Term, options: Term) -> None:
        module, function = map(Atom, mfa)
        control = c.SpawnRequest(peer.ref(), peer.pid(1), peer.pid(2), module, function, 0, options)
        peer.says(control, args)

    @pytest.mark.parametrize(
        ("args", "options"), [([], [Atom("x")]), ([], Atom("link")), (Atom("x"), []), ((1,), [])]
    )
    async def test_bad_options_are_badopt(self, peer: FakePeer, args: Term, options: Term) -> None:
        self.ask(peer, ("py", "outcomes"), args, options)
        assert peer.take() == [(c.SpawnReply(peer.ref(), peer.pid(1), 0, Atom("badopt")), None)]

    async def test_reply_exit_down(self, router: Router, peer: FakePeer) -> None:
        self.ask(peer, ("py", "outcomes"), [Atom("exit")], [Atom("link"), Atom("monitor")])
        await until(lambda: len(peer.sent) == 3)
        (reply, _), exit_, down = peer.take()
        assert isinstance(reply, c.SpawnReply)
        assert isinstance(reply.result, Pid)
        child = reply.result
        assert reply == c.SpawnReply(peer.ref(), peer.pid(1), 3, child)
        assert exit_ == (c.PayloadExit(child, peer.pid(1)), BOOM)
        assert down == (c.PayloadMonitorPExit(child, peer.pid(1), peer.ref()), BOOM)

    async def test_spawning_what_is_not_exported(self, peer: FakePeer) -> None:
        self.ask(peer, ("os", "system"), [b"x"], [Atom("monitor")])
        await until(lambda: len(peer.sent) == 2)
        assert peer.take()[1][1] == ("undef", [("os", "system", [b"x"], [])])

    async def test_execute_cast(self, peer: FakePeer) -> None:
        self.ask(
            peer, ("erpc", "execute_cast"), [Atom("py"), Atom("outcomes"), [Atom("exit")]], [Atom("monitor")]
        )
        await until(lambda: len(peer.sent) == 2)
        assert peer.take()[1][1] == BOOM

    @pytest.mark.parametrize(
        ("mfa", "args"),
        [
            (("py", "outcomes"), [Atom("exit")]),
            (("erpc", "execute_call"), [1, Atom("py"), Atom("outcomes"), [Atom("exit")]]),
            (("erpc", "execute_cast"), [Atom("py"), Atom("outcomes"), [Atom("exit")]]),
        ],
    )
    async def test_spawns_calls_and_casts_count_for_one_limit(
        self, router: Router, peer: FakePeer, mfa: tuple[str, str], args: Term
    ) -> None:
        spawner: Any = router.spawner
        others = [Process(router) for _ in range(router.limits.spawned)]
        for other in others:
            spawner._exports.started(other)
        self.ask(peer, mfa, args, [])
        assert peer.take() == [(c.SpawnReply(peer.ref(), peer.pid(1), 0, Atom("system_limit")), None)]
        others[0].end(BOOM)
        self.ask(peer, mfa, args, [])
        ((reply, _),) = peer.take()
        assert isinstance(reply, c.SpawnReply)
        assert isinstance(reply.result, Pid)

    async def test_malformed_erpc_is_undef(self, peer: FakePeer) -> None:
        self.ask(peer, ("erpc", "execute_call"), [1, 2], [Atom("monitor")])
        await until(lambda: len(peer.sent) == 2)
        assert peer.take()[1][1] == ("undef", [("erpc", "execute_call", [1, 2], [])])

    async def test_the_process_has_the_group_leader_that_was_asked_for(
        self, router: Router, peer: FakePeer
    ) -> None:
        leaders: list[Pid | None] = []

        async def note() -> None:
            leaders.extend(actor.group_leader for actor in router.registry if type(actor) is Process)

        spawner: Any = router.spawner
        spawner._exports.add("py", "note", note)
        self.ask(peer, ("py", "note"), [], [])
        await until(lambda: leaders)
        assert peer.pid(2) in leaders


class TestCasts:
    async def test_a_cast_runs_and_tells_nobody(self) -> None:
        async with nodes("a", "b") as (a, b):
            ran: list[Any] = []
            b.export("m", "f", ran.append)
            await a.rpc_cast(b.name, "m", "f", [1])
            await a.rpc_cast(b.name, "m", "nothing", [1])
            await until(lambda: ran == [1])

    async def test_a_cast_to_a_node_that_cannot_be_reached(self) -> None:
        async with nodes("a") as (a,):
            with pytest.raises(NodeDown):
                await a.rpc_cast("b@127.0.0.1", "m", "f")


async def test_a_multicall_gives_results_and_errors_by_node() -> None:
    async with nodes("a", "b", "c") as (a, b, c_):
        b.export("m", "f", lambda x: x + 1)
        results, errors = await a.multicall([b.name, c_.name, "d@127.0.0.1", b.name], "m", "f", [1])
        assert results == {b.name: 2}
        assert {name: type(error) for name, error in errors.items()} == {
            c_.name: RemoteError,
            "d@127.0.0.1": NodeDown,
        }
