"""Supervisors: what they start, in which order, what they start again, and when they give up."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.errors import ConfigError, Exit, NoProc
from pyerlnode.otp.child import Child, Supervisor
from pyerlnode.otp.gen_server import GenServer, Ignore, Stop
from pyerlnode.otp.supervisor import SupervisorServer
from pyerlnode.runtime.exits import KILL, KILLED, NORMAL, SHUTDOWN
from pyerlnode.term import Atom, Pid
from tests.support.nodes import Ports, until

if TYPE_CHECKING:
    from pyerlnode.node import Node
    from pyerlnode.otp.gen import Process
    from pyerlnode.term import Term

BOOM = Atom("boom")
OK, ERROR = Atom("ok"), Atom("error")


class World:
    """What the children of a test do, in order, and what they are to do next."""

    def __init__(self) -> None:
        self.log: list[tuple[str, Any]] = []
        self.fail: dict[str, int] = {}

    def server(self, name: str, **options: Any) -> Child:
        return Child(Worker, self, name, **({"name": name} | options))

    def take(self) -> list[tuple[str, Any]]:
        found, self.log = self.log, []
        return found


class Worker(GenServer):
    """Tells when it starts and when it is asked to end, and ends as it is told."""

    async def init(self, world: World, label: str) -> None:
        self._world, self._label = world, label
        if world.fail.get(label, 0) > 0:
            world.fail[label] -= 1
            raise Stop(Atom("no_way"))
        self.me.trap_exit = True
        world.log.append(("start", label))

    async def handle_call(self, request: Term, caller: Any) -> Term:
        return request

    async def handle_cast(self, request: Term) -> None:
        raise Stop(request)

    async def terminate(self, reason: Term) -> None:
        self._world.log.append((self._label, reason))


class Idle(GenServer):
    """Does nothing, and traps no exits."""


async def end_of(me: Process, pid: Pid) -> Term:
    """Waits until `pid` ends; its reason."""
    ref = await me.monitor(pid)
    message = await me.receive(30, lambda message: type(message) is tuple and message[:2] == ("DOWN", ref))
    return message[4]


def ids(children: Term) -> list[Term]:
    return [child[0] for child in children]


async def ended(node: Node, me: Process, name: str, reason: Term = BOOM) -> None:
    """Ends the child of that name; returns when its supervisor has dealt with it."""
    pid = node.whereis(name)
    assert pid is not None
    await me.cast(pid, reason)
    await end_of(me, pid)


class TestStarting:
    async def test_in_order_and_stopped_in_reverse(self, node: Node, me: Process) -> None:
        world = World()
        pid = await node.start_supervisor([world.server("a"), world.server("b")], name="sup")
        assert pid == node.whereis("sup")
        assert world.take() == [("start", "a"), ("start", "b")]
        await me.exit(pid, SHUTDOWN)
        await me.send(pid, (Atom("system"), (me.pid, me.alias()), (Atom("terminate"), NORMAL)))
        assert await end_of(me, pid) in (NORMAL, "noproc")
        assert world.take() == [("b", SHUTDOWN), ("a", SHUTDOWN)]

    async def test_with_its_node_in_reverse(self) -> None:
        world = World()
        async with Ports().node("a") as node:
            nested = Child(Supervisor([world.server("b"), world.server("c")]), id="nested")
            await node.start_supervisor([world.server("a"), nested, world.server("d")])
            world.take()
        assert world.take() == [(name, SHUTDOWN) for name in "dcba"]

    async def test_one_that_cannot_start_ends_those_before(self, node: Node) -> None:
        world = World()
        world.fail["b"] = 1
        with pytest.raises(Exit) as caught:
            await node.start_supervisor([world.server("a"), world.server("b"), world.server("c")], name="sup")
        assert caught.value.reason == (SHUTDOWN, (Atom("failed_to_start_child"), Atom("b"), Atom("no_way")))
        assert world.take() == [("start", "a"), ("a", SHUTDOWN)]
        assert node.whereis("sup") is None

    async def test_the_cause_is_what_the_child_raised(self, node: Node) -> None:
        class Broken(GenServer):
            async def init(self) -> None:
                raise ValueError("no model")

        with pytest.raises(Exit) as caught:
            await node.start_supervisor([Child(Broken)])
        assert isinstance(caught.value.__cause__, ValueError)

    async def test_one_that_is_not_wanted(self, node: Node, me: Process) -> None:
        class Unwanted(GenServer):
            async def init(self) -> None:
                raise Ignore

        children = [Child(Unwanted), Child(Unwanted, id="temporary", restart="temporary")]
        pid = await node.start_supervisor(children)
        unwanted = (Atom("Unwanted"), Atom("undefined"), Atom("worker"), [Atom("Unwanted")])
        assert await me.call(pid, Atom("which_children")) == [unwanted]

    async def test_a_name_in_use(self, node: Node, me: Process) -> None:
        holder = await node.start_server(Idle, name="taken")
        with pytest.raises(Exit) as caught:
            await node.start_supervisor([Child(Idle, name="taken")])
        assert caught.value.reason[1][2] == (  # type: ignore[index]
            Atom("already_started"),
            holder,
        )

    async def test_coroutine_functions(self, node: Node, me: Process) -> None:
        async def body(own: Process, greeting: str) -> None:
            await own.send(me.pid, (greeting, own.pid))
            await own.receive()

        pid = await node.start_supervisor([Child(body, "hi", restart="transient")])
        _, first = await me.receive(30)
        await me.exit(first, BOOM)
        _, second = await me.receive(30)
        assert second != first
        await me.send(second, 1)
        assert await end_of(me, second) == NORMAL
        children = await me.call(pid, Atom("which_children"))
        assert children == [(Atom("body"), Atom("undefined"), Atom("worker"), [Atom("body")])]

    async def test_a_parent(self, node: Node, me: Process) -> None:
        world = World()
        async with node.process() as parent:
            pid = await node.start_supervisor([world.server("a")], link=parent.pid)
            parent.trap_exit = True
            watch = await me.monitor(pid)
        assert await me.receive(30) == ("DOWN", watch, "process", pid, NORMAL)
        assert world.take() == [("start", "a"), ("a", SHUTDOWN)]

    async def test_settings_that_cannot_work(self, node: Node) -> None:
        with pytest.raises(ConfigError, match="one_for_one"):
            await node.start_supervisor([], strategy="simple")
        with pytest.raises(ConfigError, match="max_restarts"):
            await node.start_supervisor([], max_restarts=-1)


class TestStartingAgain:
    @pytest.mark.parametrize(
        ("strategy", "expected"),
        [
            ("one_for_one", [("b", BOOM), ("start", "b")]),
            ("rest_for_one", [("b", BOOM), ("c", SHUTDOWN), ("start", "b"), ("start", "c")]),
            (
                "one_for_all",
                [("b", BOOM), ("c", SHUTDOWN), ("a", SHUTDOWN)] + [("start", name) for name in "abc"],
            ),
        ],
    )
    async def test_strategies(self, node: Node, me: Process, strategy: str, expected: Any) -> None:
        world = World()
        pid = await node.start_supervisor([world.server(name) for name in "abc"], strategy=strategy)
        world.take()
        await ended(node, me, "b")
        assert ids(await me.call(pid, Atom("which_children"))) == ["c", "b", "a"]
        assert world.take() == expected

    @pytest.mark.parametrize(
        ("restart", "reason", "again"),
        [
            ("permanent", BOOM, True),
            ("permanent", NORMAL, True),
            ("permanent", SHUTDOWN, True),
            ("transient", BOOM, True),
            ("transient", NORMAL, False),
            ("transient", SHUTDOWN, False),
            ("transient", (SHUTDOWN, 1), False),
            ("temporary", BOOM, False),
            ("temporary", NORMAL, False),
        ],
    )
    async def test_which_ends_are_final(
        self, node: Node, me: Process, restart: str, reason: Term, again: bool
    ) -> None:
        world = World()
        pid = await node.start_supervisor([world.server("a", restart=restart)])
        await ended(node, me, "a", reason)
        children = await me.call(pid, Atom("which_children"))
        assert (node.whereis("a") is not None) is again
        assert len(children) == (restart != "temporary")
        if children:
            assert children[0][1] == (node.whereis("a") if again else "undefined")

    async def test_temporary_ones_are_not_started_with_the_others(self, node: Node, me: Process) -> None:
        world = World()
        children = [world.server("a"), world.server("t", restart="temporary")]
        pid = await node.start_supervisor(children, strategy="one_for_all")
        await ended(node, me, "a")
        assert ids(await me.call(pid, Atom("which_children"))) == ["a"]
        assert world.take()[-3:] == [("a", BOOM), ("t", SHUTDOWN), ("start", "a")]

    async def test_a_start_that_fails_is_tried_again(self, node: Node, me: Process) -> None:
        world = World()
        pid = await node.start_supervisor([world.server(name) for name in "abc"], strategy="one_for_all")
        world.take()
        world.fail["b"] = 2
        await ended(node, me, "b")
        await until(lambda: world.log[-1] == ("start", "c"))
        assert [name for kind, name in world.take() if kind == "start"] == ["a", "a", "a", "b", "c"]
        assert len(await me.call(pid, Atom("which_children"))) == 3

    async def test_too_many_restarts_end_it_and_its_children(self, node: Node, me: Process) -> None:
        world = World()
        pid = await node.start_supervisor([world.server("a"), world.server("b")], max_restarts=2)
        watch = await me.monitor(pid)
        for _ in range(3):
            await ended(node, me, "b")
            await node.ping(node.name)
            await until(lambda: node.whereis("b") or node.whereis("a") is None)
        assert await me.receive(30) == ("DOWN", watch, "process", pid, SHUTDOWN)
        assert world.take()[-2:] == [("b", BOOM), ("a", SHUTDOWN)]

    async def test_a_start_that_always_fails_ends_it(self, node: Node, me: Process) -> None:
        world = World()
        pid = await node.start_supervisor([world.server("a")])
        world.fail["a"] = 100
        watch = await me.monitor(pid)
        await me.cast("a", BOOM)
        assert await me.receive(30) == ("DOWN", watch, "process", pid, SHUTDOWN)
        assert world.fail["a"] == 97

    async def test_old_restarts_do_not_count(self, node: Node, me: Process) -> None:
        now = [0.0]
        world = World()
        server = SupervisorServer(
            Supervisor([world.server("a")], max_restarts=1, max_seconds=10), node._starter, lambda: now[0]
        )
        pid = await node.start_server(server)
        for now[0] in (0.0, 10.1, 20.2, 30.3):
            await ended(node, me, "a")
            await me.call(pid, Atom("which_children"))
        watch = await me.monitor(pid)
        await ended(node, me, "a")
        assert (await me.receive(30))[:2] == ("DOWN", watch)

    async def test_a_nested_one_that_gives_up_is_started_again(self, node: Node, me: Process) -> None:
        world = World()
        nested = Child(Supervisor([world.server("a")], max_restarts=0), id="nested", name="nested")
        await node.start_supervisor([nested])
        first = node.whereis("nested")
        await ended(node, me, "a")
        await until(lambda: node.whereis("a") and node.whereis("nested") not in (None, first))

    async def test_the_body_of_the_old_one_is_done_before_the_new_one_starts(
        self, node: Node, me: Process
    ) -> None:
        log: list[str] = []

        async def body(own: Process) -> None:
            log.append("begin")
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                log.append("end")

        await node.start_supervisor([Child(body, name="body")])
        await me.exit(node.whereis("body"), BOOM)  # type: ignore[arg-type]
        await until(lambda: len(log) == 3)
        assert log == ["begin", "end", "begin"]


class TestBetweenTwoAttempts:
    """A child that could not be started again is ``restarting`` until the next attempt."""

    async def answers(self, node: Node, me: Process, *requests: Term) -> list[Term]:
        """The answers that a supervisor gives while its child ``a`` waits for the next attempt."""
        world = World()
        pid = await node.start_supervisor([world.server("a")], name="sup")
        tag = me.alias()
        system = (Atom("system"), (me.pid, tag))
        await me.send(pid, (*system, Atom("suspend")))
        assert await me.receive(30) == (tag, "ok")
        world.fail["a"] = 1
        await ended(node, me, "a")
        calls = [asyncio.ensure_future(node.call(pid, request)) for request in requests]
        await until(lambda: node._router.registry.whereis("sup").message_queue_len == 1 + len(calls))  # type: ignore[union-attr]
        await me.send(pid, (*system, Atom("resume")))
        found = await asyncio.gather(*calls)
        self.after = await node.call(pid, Atom("which_children"))
        return found

    async def test_it_says_so(self, node: Node, me: Process) -> None:
        words = ("restart_child", "delete_child")
        shown, *busy = await self.answers(
            node, me, Atom("which_children"), *((Atom(word), Atom("a")) for word in words)
        )
        assert shown[0][1] == "restarting"
        assert busy == [(ERROR, "restarting")] * 2
        assert self.after[0][1] == node.whereis("a") is not None

    async def test_it_can_be_called_off(self, node: Node, me: Process) -> None:
        assert await self.answers(node, me, (Atom("terminate_child"), Atom("a"))) == [OK]
        assert self.after[0][1] == "undefined"
        assert node.whereis("a") is None


class TestEnding:
    async def test_a_body_that_does_not_end_is_not_waited_for_for_ever(
        self, node: Node, me: Process, caplog: pytest.LogCaptureFixture
    ) -> None:
        go = asyncio.Event()

        async def stubborn(own: Process) -> None:
            while not go.is_set():
                with contextlib.suppress(asyncio.CancelledError):
                    await go.wait()

        pid = await node.start_supervisor([Child(stubborn, name="a", shutdown=0.01)])
        assert await me.call(pid, (Atom("terminate_child"), Atom("a"))) == OK
        assert "goes on after the end of its process" in caplog.text
        go.set()

    async def test_one_that_does_not_end_is_killed(
        self, node: Node, me: Process, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Stubborn(GenServer):
            async def init(self) -> None:
                self.me.trap_exit = True

            async def terminate(self, reason: Term) -> None:
                await asyncio.Event().wait()

        pid = await node.start_supervisor([Child(Stubborn, name="a", shutdown=0.01)])
        watch = await me.monitor("a")
        assert await me.call(pid, (Atom("terminate_child"), Atom("a"))) == OK
        assert (await me.receive(30)) == ("DOWN", watch, "process", ("a", node.name), KILLED)
        assert "shutdown_error: :killed" in caplog.text

    async def test_brutal_kill_asks_nobody(self, node: Node, me: Process) -> None:
        world = World()
        pid = await node.start_supervisor([world.server("a", shutdown="brutal_kill")])
        world.take()
        assert await me.call(pid, (Atom("terminate_child"), Atom("a"))) == OK
        assert world.take() == []
        assert node.whereis("a") is None

    async def test_one_that_is_killed_takes_its_children_along(self, node: Node, me: Process) -> None:
        pid = await node.start_supervisor([Child(Idle, name="a")])
        watch = await me.monitor("a")
        await me.exit(pid, KILL)
        assert (await me.receive(30)) == ("DOWN", watch, "process", ("a", node.name), KILLED)

    @pytest.mark.parametrize(("how", "left"), [("any_significant", 1), ("all_significant", 2)])
    async def test_auto_shutdown(self, node: Node, me: Process, how: str, left: int) -> None:
        world = World()
        children = [world.server(name, restart="transient", significant=True) for name in "ab"]
        pid = await node.start_supervisor([*children, world.server("c")], auto_shutdown=how)
        watch = await me.monitor(pid)
        for name in "ab"[:left]:
            assert node.whereis("c") is not None
            await ended(node, me, name, NORMAL)
        assert await me.receive(30) == ("DOWN", watch, "process", pid, SHUTDOWN)
        assert node.whereis("c") is None


class TestRequests:
    async def test_children_are_counted(self, node: Node, me: Process) -> None:
        nested = Child(Supervisor([]), id=1)
        pid = await node.start_supervisor([Child(Idle), Child(Idle, id=1.0, restart="transient"), nested])
        await me.call(pid, (Atom("terminate_child"), 1.0))
        counts = [("specs", 3), ("active", 2), ("supervisors", 1), ("workers", 2)]
        assert await me.call(pid, Atom("count_children")) == counts
        children = await me.call(pid, Atom("which_children"))
        assert [(one[0], one[2], one[3]) for one in children] == [
            (1, "supervisor", ["supervisor"]),
            (1.0, "worker", ["Idle"]),
            ("Idle", "worker", ["Idle"]),
        ]

    async def test_ending_starting_and_deleting_one(self, node: Node, me: Process) -> None:
        pid = await node.start_supervisor([Child(Idle, name="a")])
        ask: Any = lambda word, ident="a": me.call(pid, (Atom(word), Atom(ident)))  # noqa: E731
        assert await ask("restart_child") == await ask("delete_child") == (ERROR, "running")
        first = node.whereis("a")
        assert await ask("terminate_child") == await ask("terminate_child") == OK
        assert await ask("restart_child") == (OK, node.whereis("a"))
        assert node.whereis("a") not in (None, first)
        await ask("terminate_child")
        assert await ask("delete_child") == OK
        for word in ("terminate_child", "restart_child", "delete_child", "get_childspec"):
            assert await ask(word) == (ERROR, "not_found")

    async def test_a_spec_is_shown(self, node: Node, me: Process) -> None:
        pid = await node.start_supervisor([Child(Idle, 1, object, id="a", restart="transient", shutdown=0.5)])
        status, spec = await me.call(pid, (Atom("get_childspec"), Atom("a")))
        module, function, (one, other) = spec.pop("start")
        assert (status, module, function, one) == (OK, "Idle", "start_link", 1)
        assert b"object" in other
        assert spec == {
            "id": "a",
            "restart": "transient",
            "significant": False,
            "shutdown": 500,
            "type": "worker",
            "modules": ["Idle"],
        }

    async def test_a_child_sent_by_another(self, node: Node, me: Process) -> None:
        node.export_server("py.idle", Idle, name="idle")
        pid = await node.start_supervisor([])
        start: Term = (Atom("py.idle"), Atom("start_link"), [])
        spec = {Atom("id"): Atom("x"), Atom("start"): start}
        assert await me.call(pid, (Atom("start_child"), spec)) == (OK, node.whereis("idle"))
        assert await me.call(pid, (Atom("start_child"), spec)) == (
            ERROR,
            (Atom("already_started"), node.whereis("idle")),
        )
        first = node.whereis("idle")
        await me.exit(node.whereis("idle"), BOOM)  # type: ignore[arg-type]
        await until(lambda: node.whereis("idle") not in (None, first))
        await me.call(pid, (Atom("terminate_child"), Atom("x")))
        assert await me.call(pid, (Atom("start_child"), spec)) == (ERROR, "already_present")

    async def test_a_temporary_one_that_is_not_wanted_is_forgotten(self, node: Node, me: Process) -> None:
        node.export("py", "unwanted", lambda: Atom("ignore"))
        pid = await node.start_supervisor([])
        start: Term = (Atom("py"), Atom("unwanted"), [])
        spec = {Atom("id"): Atom("x"), Atom("start"): start, Atom("restart"): Atom("temporary")}
        assert await me.call(pid, (Atom("start_child"), spec)) == (OK, "undefined")
        assert await me.call(pid, Atom("which_children")) == []

    async def test_one_more_child_of_this_node(self, node: Node, me: Process) -> None:
        world = World()
        pid = await node.start_supervisor([Child(Idle)], name="sup")
        assert await node.start_child("sup", world.server("a")) == node.whereis("a")
        assert ids(await me.call(pid, Atom("which_children"))) == ["a", "Idle"]
        first = node.whereis("a")
        await ended(node, me, "a")
        await until(lambda: node.whereis("a") not in (None, first))

        async def refusal(child: Child) -> Any:
            with pytest.raises(Exit) as caught:
                await node.start_child(pid, child)
            return caught.value.reason

        assert await refusal(Child(Idle, id="a")) == (Atom("already_started"), node.whereis("a"))
        significant = Child(Idle, id="b", restart="transient", significant=True)
        assert (await refusal(significant))[0] == "bad_combination"
        (struct, _), record = await refusal(Child(Worker, id="c"))
        assert struct["message"].startswith(b"TypeError")
        assert record[2] == "c"
        assert node._starter.offers == {}

    async def test_one_more_that_is_not_wanted(self, node: Node) -> None:
        class Unwanted(GenServer):
            async def init(self) -> None:
                raise Ignore

        pid = await node.start_supervisor([])
        assert await node.start_child(pid, Child(Unwanted)) is None

    async def test_one_more_for_nobody(self, node: Node) -> None:
        with pytest.raises(NoProc):
            await node.start_child("nobody", Child(Idle))

    async def test_children_that_cannot_be_started_for_another(self, node: Node, me: Process) -> None:
        node.export("py", "odd", lambda: Atom("what"))
        node.export("py", "informed", lambda: (OK, me.pid, 7))
        pid = await node.start_supervisor([])

        async def start(function: str, *args: Term) -> Term:
            spec: Term = (
                Atom(function),
                (Atom("py"), Atom(function), [*args]),
                Atom("temporary"),
                100,
                Atom("worker"),
                [],
            )
            return await me.call(pid, (Atom("start_child"), spec))

        error, (reason, record) = await start("missing", 1)
        assert (error, reason) == (ERROR, ("EXIT", ("undef", [("py", "missing", [1], [])])))
        assert record[:4] == ("child", "undefined", "missing", ("py", "missing", [1]))
        assert (await start("odd"))[1][0] == "what"
        assert await start("informed") == (OK, me.pid, 7)
        assert await me.call(pid, (Atom("start_child"), 1)) == (ERROR, ("invalid_child_spec", 1))

    async def test_what_it_does_not_know(
        self, node: Node, me: Process, caplog: pytest.LogCaptureFixture
    ) -> None:
        pid = await node.start_supervisor([Child(Idle)], name="sup")
        for request in (1, Atom("x"), (Atom("x"), 1), (Atom("x"), Atom("Idle")), (1, 2, 3)):
            assert await me.call(pid, request) == (ERROR, ("bad_call", request))
        await me.send(pid, Atom("hello"))
        await me.send(pid, (Atom("EXIT"), me.pid, BOOM))
        assert ids(await me.call(pid, Atom("which_children"))) == ["Idle"]
        assert "Supervisor :sup received unexpected message: :hello" in caplog.text

    async def test_its_state(self, node: Node, me: Process) -> None:
        pid = await node.start_supervisor([Child(Idle, name="a")])
        tag = me.alias()
        await me.send(pid, (Atom("system"), (me.pid, tag), Atom("get_state")))
        assert await me.receive(30) == (tag, [("a", node.whereis("a"))])
