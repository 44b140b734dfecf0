"""The node without ``await``: complete, thread-safe, and with the errors of the asyncio one.

The nodes here are alone and open no socket; tests/interop/test_sync.py connects them.
"""

from __future__ import annotations

import inspect
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

import pyerlnode
from pyerlnode import sync
from pyerlnode.errors import CallTimeout, ConfigError, NodeNotRunning, NoProc, PyerlnodeError
from pyerlnode.otp.gen_server import GenServer, NoReply
from pyerlnode.term import Atom

if TYPE_CHECKING:
    from collections.abc import Iterator

PLUMBING = {"introduction", "named", "cookie_for"}
"""What other parts of the library ask a node."""

PLAIN = {"pid", "trap_exit", "group_leader", "message_queue_len", "register", "alias", "unalias"}
"""What users find on a process that is not awaited; the rest belongs to the runtime."""


@pytest.fixture(params=["asyncio", "auto"])
def node(request: pytest.FixtureRequest) -> Iterator[sync.Node]:
    with alone(loop=request.param) as node:
        yield node


def alone(name: str = "py@127.0.0.1", **options: Any) -> sync.Node:
    return sync.Node(name, cookie="cookie", listen=False, epmd=False, **options)


class Echo(GenServer):
    async def handle_call(self, request: Any, caller: Any) -> Any:
        return request


class Silent(GenServer):
    """Takes calls and never answers."""

    async def init(self, called: threading.Event) -> None:
        self.called = called

    async def handle_call(self, request: Any, caller: Any) -> Any:
        self.called.set()
        return NoReply


# ---------------------------------------------------------------------------------- completeness


def public(cls: type) -> dict[str, Any]:
    """The members of a class that users meet."""
    members = {name: member for name, member in inspect.getmembers(cls) if not name.startswith("_")}
    if issubclass(cls, pyerlnode.Process):
        fields = dict.fromkeys(PLAIN - set(members))  # made by the constructor
        return fields | {name: m for name, m in members.items() if is_awaited(m) or name in PLAIN}
    return {name: member for name, member in members.items() if name not in PLUMBING}


def is_awaited(member: Any) -> bool:
    return inspect.iscoroutinefunction(member)


CLASSES = pytest.mark.parametrize(
    ("theirs", "ours"),
    [(pyerlnode.Node, sync.Node), (pyerlnode.Process, sync.Process)],
    ids=["Node", "Process"],
)


@CLASSES
def test_every_public_member_has_its_twin(theirs: type, ours: type) -> None:
    wanted = public(theirs)
    assert any(is_awaited(member) for member in wanted.values())
    assert set(wanted) <= set(public(ours))
    assert not [name for name, member in public(ours).items() if is_awaited(member)]


def test_every_public_coroutine_has_its_twin_even_among_plumbing() -> None:
    named = {
        name for name, member in inspect.getmembers(pyerlnode.Node) if is_awaited(member) and name[0] != "_"
    }
    assert named <= set(dir(sync.Node))


@CLASSES
def test_every_twin_takes_the_same_arguments(theirs: type, ours: type) -> None:
    added = {"monitor_nodes": {"timeout"}, "alias": {"-ref"}}
    for name, member in public(theirs).items():
        if inspect.isfunction(member):
            mine = dict(inspect.signature(public(ours)[name]).parameters)
            other = dict(inspect.signature(member).parameters)
            for extra in added.get(name, ()):
                (other if extra.startswith("-") else mine).pop(extra.lstrip("-"))
            assert [describe(one) for one in mine.values()] == [describe(one) for one in other.values()], name


def describe(parameter: inspect.Parameter) -> tuple[str, Any, Any]:
    return parameter.name, parameter.kind, parameter.default


def test_the_constructor_takes_what_the_asyncio_node_takes_and_the_loop() -> None:
    mine = dict(inspect.signature(sync.Node).parameters)
    assert mine.pop("loop").default == "auto"
    other = inspect.signature(pyerlnode.Node).parameters
    assert [describe(one) for one in mine.values()] == [describe(one) for one in other.values()]


# ---------------------------------------------------------------------------------- a node's life


def test_it_says_who_it_is(node: sync.Node) -> None:
    assert (node.name, node.cookie, node.port) == ("py@127.0.0.1", "cookie", None)
    assert node.creation > 0
    assert node.list("this") == ["py@127.0.0.1"]
    assert (node.hidden, node.net_ticktime, node.limits) == (False, 60.0, pyerlnode.Limits())


def test_before_start_and_after_stop_it_says_that_it_does_not_run() -> None:
    node = alone()
    with pytest.raises(NodeNotRunning):
        node.list()
    node.start()
    assert node.start() is node
    node.stop()
    node.stop()
    with pytest.raises(NodeNotRunning):
        node.ping("x@127.0.0.1")


def test_it_can_be_started_again() -> None:
    node = alone()
    for _ in range(2):
        with node:
            assert node.ping(node.name)


def test_a_start_that_fails_leaves_no_thread_behind() -> None:
    with pytest.raises(ConfigError, match="cookie"):
        sync.Node("py@127.0.0.1", cookie="", listen=False, epmd=False).start()
    assert "pyerlnode" not in [thread.name for thread in threading.enumerate()]


def test_settings_that_cannot_work_are_refused_at_once() -> None:
    with pytest.raises(ConfigError):
        sync.Node("p y@host")


def test_stopping_wakes_whoever_waits_for_it() -> None:
    node = alone().start()
    waiter = threading.Thread(target=node.wait_closed)
    waiter.start()
    node.stop()
    waiter.join()
    node.wait_closed()  # it is closed: returns at once


def test_a_call_under_way_when_the_node_stops_raises_an_error_of_ours() -> None:
    called = threading.Event()
    seen: list[Exception] = []

    def caller(node: sync.Node) -> None:
        try:
            node.call("silent", "hello", timeout=None)
        except PyerlnodeError as error:
            seen.append(error)

    with alone() as node:
        node.start_server(Silent, called, name="silent")
        thread = threading.Thread(target=caller, args=(node,))
        thread.start()
        called.wait()
    thread.join()
    assert len(seen) == 1


# ---------------------------------------------------------------------------------- verbs


def test_calls_casts_and_their_errors(node: sync.Node) -> None:
    pid = node.start_server(Echo, name="echo")
    assert node.call("echo", (Atom("a"), 1)) == (Atom("a"), 1)
    assert node.call(pid, [1, 2]) == [1, 2]
    assert node.multi_call([node.name], "echo", 7) == ({node.name: 7}, {})
    with pytest.raises(NoProc):
        node.call("nobody", 1)
    node.start_server(Silent, threading.Event(), name="silent")
    with pytest.raises(CallTimeout):
        node.call("silent", 1, timeout=0.01)
    node.stop_server("echo")
    assert node.whereis("echo") is None


def test_names_of_processes(node: sync.Node) -> None:
    pid = node.start_server(Echo)
    node.register("echo", pid)
    assert node.whereis("echo") == pid
    assert "echo" in node.registered()
    assert node.unregister("echo")
    assert not node.unregister("echo")
    assert node.whereis("echo") is None


def test_exports_are_made_by_function_and_by_decorator(node: sync.Node) -> None:
    @node.export("py.stats")  # type: ignore[untyped-decorator]
    def mean(numbers: list[float]) -> float:
        return sum(numbers) / len(numbers)

    node.export("py.stats", "total", sum)
    assert node.rpc(node.name, "py.stats", "mean", [[1, 3]]) == 2.0
    assert node.rpc(node.name, "py.stats", "total", [[1, 3]]) == 4


def test_streams_come_from_plain_generators(node: sync.Node) -> None:
    @node.export_stream("py.stats", window=1)  # type: ignore[untyped-decorator]
    def count(top: int) -> Iterator[int]:
        yield from range(top)

    with node.process() as me:
        pid, ref = me.spawn_monitor(node.name, "py.stats", "count", [2])
        assert me.receive(30) == (pid, ("data", 0))
        me.send(pid, (pyerlnode.Atom("ask"), 1))
        assert me.receive(30) == (pid, ("data", 1))
        assert me.receive(30) == ("DOWN", ref, "process", pid, "normal")


def test_what_depends_on_peers_says_so(node: sync.Node) -> None:
    node.set_cookie("other@127.0.0.1", "another")
    assert node.ping("other@127.0.0.1") is False
    assert node.disconnect("other@127.0.0.1") is False
    for verb in (node.connect, node.locate):
        with pytest.raises(pyerlnode.ConnectFailed, match="uses no epmd"):
            verb("other@127.0.0.1")


# ---------------------------------------------------------------------------------- threads and interrupts


def test_many_threads_may_use_one_node(node: sync.Node) -> None:
    node.start_server(Echo, name="echo")

    def work(number: int) -> Any:
        with node.process() as me:
            me.send(me.pid, node.call("echo", number))
            return me.receive(timeout=5)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(200))) == list(range(200))


def test_a_worker_thread_of_the_node_may_use_it_and_its_loop_may_not(node: sync.Node) -> None:
    class Nested(GenServer):
        def handle_call(self, request: Any, caller: Any) -> Any:
            return node.call("echo", request)

    class Wrong(GenServer):
        async def handle_call(self, request: Any, caller: Any) -> Any:
            with pytest.raises(RuntimeError, match="use the asyncio node"):
                node.call("echo", request)
            return await self.node.call("echo", request)

    node.start_server(Echo, name="echo")
    assert node.call(node.start_server(Nested), 1) == 1
    assert node.call(node.start_server(Wrong), 2) == 2


def test_an_interrupt_gives_up_the_waiting_and_leaves_the_node_usable(node: sync.Node) -> None:
    class Interrupter(GenServer):
        async def handle_call(self, request: Any, caller: Any) -> Any:
            os.kill(os.getpid(), signal.SIGINT)
            return NoReply

    node.start_server(Interrupter, name="interrupter")
    node.start_server(Echo, name="echo")
    with pytest.raises(KeyboardInterrupt):
        node.call("interrupter", 1, timeout=None)
    assert node.call("echo", 2) == 2


# ---------------------------------------------------------------------------------- supervision


def test_servers_are_supervised_and_started_for_others(node: sync.Node) -> None:
    supervisor = node.start_supervisor(
        [pyerlnode.Child(Echo, name="echo")], name="sup", strategy="rest_for_one"
    )
    assert node.call("echo", 1) == 1
    with node.process() as me:
        me.trap_exit = True
        pid = node.start_server(Echo, link=me.pid)
        me.exit(pid, Atom("boom"))
        assert me.receive(timeout=5) == ("EXIT", pid, "boom")
    node.export_server("py.echo", Echo, name="other")
    start = (Atom("py.echo"), Atom("start_link"), [])
    spec = {Atom("id"): Atom("other"), Atom("start"): start}
    assert node.call(supervisor, (Atom("start_child"), spec)) == ("ok", node.whereis("other"))
    assert node.call("sup", Atom("count_children"))[1] == ("active", 2)
