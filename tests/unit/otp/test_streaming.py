"""Streams: generators as messages, their end, their window, and that they are closed whatever happens."""

from __future__ import annotations

import asyncio
import functools
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.errors import ConfigError, Exit, RemoteError
from pyerlnode.limits import Limits
from pyerlnode.otp.exports import CALLER
from pyerlnode.otp.streaming import WINDOW, Stream, Threaded
from pyerlnode.runtime.exits import NORMAL, SHUTDOWN
from pyerlnode.term import Atom
from pyerlnode.wire import control as c
from tests.support.nodes import FakePeer, nodes, until
from tests.support.threads import worker_threads

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from pyerlnode.node import Node
    from pyerlnode.otp.gen import Process
    from pyerlnode.otp.workers import Workers
    from pyerlnode.term import Pid, Reference, Term

ASK = Atom("ask")
BOOM = Atom("boom")


class Numbers:
    """Generators of 0, 1, 2, ... that keep account of themselves."""

    def __init__(self) -> None:
        self.made = 0
        self.closed = 0
        self.threads: set[str] = set()

    async def upto(self, count: int) -> AsyncIterator[int]:
        try:
            for number in range(count):
                self.made += 1
                yield number
        finally:
            await asyncio.sleep(0)  # cleaning up may wait
            self.closed += 1

    def plain(self, count: int) -> Iterator[int]:
        try:
            for number in range(count):
                self.made += 1
                self.threads.add(threading.current_thread().name)
                yield number
        finally:
            self.closed += 1

    async def then_silence(self, count: int) -> AsyncIterator[int]:
        try:
            for number in range(count):
                yield number
            await asyncio.Event().wait()
        finally:
            self.closed += 1

    async def failing(self, count: int) -> AsyncIterator[int]:
        for number in range(count):
            yield number
        raise ValueError("no more")


@pytest.fixture
async def pair() -> AsyncIterator[list[Node]]:
    async with nodes("a", "b") as pair:
        yield pair


@pytest.fixture
def numbers(pair: list[Node]) -> Numbers:
    numbers = Numbers()
    for name in ("upto", "plain", "then_silence", "failing"):
        pair[1].export_stream("py.numbers", name, getattr(numbers, name))
    return numbers


@pytest.fixture
async def me(pair: list[Node]) -> AsyncIterator[Process]:
    async with pair[0].process() as me:
        yield me


async def started(me: Process, name: str, *args: Term) -> tuple[Pid, Reference]:
    return await me.spawn_monitor("b@127.0.0.1", "py.numbers", name, args)


async def items(me: Process, pid: Pid, count: int) -> list[Term]:
    """As many items, none of them acknowledged."""
    found = []
    for _ in range(count):
        sender, (word, item) = await me.receive(30)
        assert (sender, word) == (pid, "data")
        found.append(item)
    return found


async def rest(me: Process, pid: Pid, ref: Reference) -> tuple[list[Term], Term]:
    """All items, each acknowledged, and the reason of the end."""
    found = []
    while True:
        match await me.receive(30):
            case (sender, ("data", item)) if sender == pid:
                found.append(item)
                await me.send(pid, (ASK, 1))
            case ("DOWN", mark, "process", _, reason) if mark == ref:
                return found, reason
            case other:
                pytest.fail(f"what is {other}?")


@pytest.mark.usefixtures("numbers")
class TestItems:
    @pytest.mark.parametrize("name", ["upto", "plain"])
    @pytest.mark.parametrize("count", [0, 1, WINDOW, 3 * WINDOW + 1])
    async def test_they_come_in_order_and_then_the_end(self, me: Process, name: str, count: int) -> None:
        pid, ref = await started(me, name, count)
        assert await rest(me, pid, ref) == (list(range(count)), NORMAL)

    async def test_a_short_stream_ends_without_being_asked(self, me: Process) -> None:
        pid, ref = await started(me, "upto", WINDOW)
        assert await items(me, pid, WINDOW) == list(range(WINDOW))
        assert await me.receive(30) == ("DOWN", ref, "process", pid, NORMAL)

    async def test_streams_are_told_apart_by_their_pids(self, me: Process) -> None:
        streams = dict([await started(me, "upto", 50) for _ in range(10)])
        found: dict[Pid, list[int]] = {pid: [] for pid in streams}
        while streams:
            match await me.receive(30):
                case ("DOWN", ref, _, pid, reason):
                    assert (streams.pop(pid), reason) == (ref, NORMAL)
                case (pid, (_, item)):
                    found[pid].append(item)
                    await me.send(pid, (ASK, 1))
        assert all(each == list(range(50)) for each in found.values())

    async def test_an_error_is_the_reason_of_the_end(
        self, me: Process, caplog: pytest.LogCaptureFixture
    ) -> None:
        pid, ref = await started(me, "failing", 2)
        found, (error, stack) = await rest(me, pid, ref)
        assert (found, error["message"]) == ([0, 1], b"ValueError: no more")
        assert stack[0][:2] == ("test_streaming", "failing")
        assert "ValueError: no more" in caplog.text

    async def test_an_exit_chooses_its_reason(self, pair: list[Node], me: Process) -> None:
        @pair[1].export_stream("py.numbers")  # type: ignore[untyped-decorator]
        async def leaving() -> AsyncIterator[int]:
            yield 1
            raise Exit(BOOM)

        assert await rest(me, *await started(me, "leaving")) == ([1], BOOM)

    async def test_an_item_that_has_no_term_ends_it(
        self, pair: list[Node], me: Process, caplog: pytest.LogCaptureFixture
    ) -> None:
        closed = asyncio.Event()

        @pair[1].export_stream("py.numbers")  # type: ignore[untyped-decorator]
        async def objects() -> AsyncIterator[object]:
            try:
                yield object()
            finally:
                closed.set()

        found, (error, _) = await rest(me, *await started(me, "objects"))
        assert (found, error["message"].partition(b":")[0]) == ([], b"EncodeError")
        assert closed.is_set()
        assert "EncodeError" in caplog.text


class TestWindow:
    @pytest.mark.parametrize("name", ["upto", "plain"])
    async def test_no_more_is_made_than_was_asked_for_and_one(
        self, me: Process, numbers: Numbers, name: str
    ) -> None:
        pid, _ = await started(me, name, 1_000)
        await items(me, pid, WINDOW)
        await until(lambda: numbers.made == WINDOW + 1)
        await me.send(pid, (ASK, 2))
        assert await items(me, pid, 2) == [WINDOW, WINDOW + 1]
        await until(lambda: numbers.made == WINDOW + 3)
        assert me.message_queue_len == 0

    async def test_it_is_chosen_by_whoever_exports(
        self, pair: list[Node], me: Process, numbers: Numbers
    ) -> None:
        pair[1].export_stream("py.numbers", "narrow", numbers.upto, window=1)
        pid, _ = await started(me, "narrow", 10)
        assert await items(me, pid, 1) == [0]
        await until(lambda: numbers.made == 2)
        assert me.message_queue_len == 0

    async def test_a_wide_one_leaves_others_their_turn(
        self, pair: list[Node], me: Process, numbers: Numbers
    ) -> None:
        pair[1].export_stream("py.numbers", "wide", numbers.upto, window=10_000)
        pid, ref = await started(me, "wide", 10_000)
        await items(me, pid, 3)
        assert numbers.made < 10_000
        assert await items(me, pid, 9_997) == list(range(3, 10_000))
        assert await me.receive(30) == ("DOWN", ref, "process", pid, NORMAL)

    @pytest.mark.parametrize(
        "nonsense",
        [(ASK, 0), (ASK, -5), (ASK, True), (ASK, 1.5), [ASK, 1], ("ask", 1), (BOOM, 5), (ASK,), ASK, 1, None],
    )
    async def test_what_asks_for_nothing_changes_nothing(
        self, me: Process, numbers: Numbers, nonsense: Term
    ) -> None:
        pid, _ = await started(me, "upto", 1_000)
        await items(me, pid, WINDOW)
        await me.send(pid, nonsense)
        await me.send(pid, (ASK, 1))
        assert await items(me, pid, 1) == [WINDOW]
        await until(lambda: numbers.made == WINDOW + 2)
        assert me.message_queue_len == 0

    async def test_messages_for_a_busy_stream_are_not_kept(self, pair: list[Node], me: Process) -> None:
        started_at, go_on = asyncio.Event(), asyncio.Event()

        @pair[1].export_stream("py.numbers")  # type: ignore[untyped-decorator]
        async def slow() -> AsyncIterator[int]:
            started_at.set()
            await go_on.wait()
            for number in range(WINDOW + 100):
                yield number

        pid, ref = await started(me, "slow")
        await started_at.wait()
        for _ in range(100):
            await me.send(pid, (ASK, 1))
            await me.send(pid, b"noise")
        process = pair[1]._router.registry.find(pid)
        await until(lambda: process._credit == WINDOW + 100)  # type: ignore[union-attr]
        assert process.message_queue_len == 0  # type: ignore[union-attr]
        go_on.set()
        assert await items(me, pid, WINDOW + 100) == list(range(WINDOW + 100))
        assert await me.receive(30) == ("DOWN", ref, "process", pid, NORMAL)


class TestEnd:
    @pytest.mark.parametrize("name", ["upto", "plain", "then_silence"])
    async def test_its_subscriber_ends(self, pair: list[Node], numbers: Numbers, name: str) -> None:
        a, b = pair
        async with a.process() as subscriber:
            pid, _ = await started(subscriber, name, 1_000)
            await items(subscriber, pid, 3)
        await until(lambda: numbers.closed == 1)
        assert b._router.registry.find(pid) is None

    async def test_the_node_of_its_subscriber_is_lost(
        self, pair: list[Node], me: Process, numbers: Numbers
    ) -> None:
        a, b = pair
        pid, _ = await started(me, "then_silence", 1)
        await items(me, pid, 1)
        await a.disconnect(b.name)
        await until(lambda: numbers.closed == 1)
        assert b._router.registry.find(pid) is None

    @pytest.mark.parametrize("name", ["upto", "plain", "then_silence"])
    async def test_an_exit_signal_cancels_it(self, me: Process, numbers: Numbers, name: str) -> None:
        pid, ref = await started(me, name, 1_000)
        await items(me, pid, 3)
        await me.exit(pid, SHUTDOWN)
        *_, reason = await me.receive(30, lambda message: message[:2] == ("DOWN", ref))
        assert reason == SHUTDOWN
        await until(lambda: numbers.closed == 1)

    async def test_its_node_stops(self, pair: list[Node], me: Process, numbers: Numbers) -> None:
        pid, ref = await started(me, "then_silence", 1)
        await items(me, pid, 1)
        await pair[1].stop()
        assert await me.receive(30) == ("DOWN", ref, "process", pid, SHUTDOWN)
        assert numbers.closed == 1

    async def test_the_subscriber_was_gone_before_it_began(self, pair: list[Node], numbers: Numbers) -> None:
        peer = FakePeer(pair[1]._router)
        module, function, options = Atom("py.numbers"), Atom("upto"), [Atom("monitor")]
        spawn = c.SpawnRequest(peer.ref(), peer.pid(1), peer.pid(2), module, function, 1, options)
        peer.says(spawn, [10])
        ((reply, _),) = peer.take()
        process = pair[1]._router.registry.find(reply.result)  # type: ignore[union-attr]
        peer.goes()
        assert process is not None
        await until(lambda: not process.alive)
        assert (process.exit_reason, numbers.made) == (SHUTDOWN, 0)

    async def test_a_generator_that_will_not_close_is_reported(
        self, pair: list[Node], caplog: pytest.LogCaptureFixture
    ) -> None:
        @pair[1].export_stream("py.numbers")  # type: ignore[untyped-decorator]
        async def stubborn() -> AsyncIterator[int]:
            try:
                for number in range(100):
                    yield number
            finally:
                raise OSError("the disk is full")

        async with pair[0].process() as subscriber:
            pid, _ = await started(subscriber, "stubborn")
            await items(subscriber, pid, WINDOW)
        await until(lambda: "py.numbers:stubborn failed when it was closed" in caplog.text)
        assert "the disk is full" in caplog.text


class TestReach:
    async def test_a_call_is_told_how_to_start_it(self, pair: list[Node], numbers: Numbers) -> None:
        a, b = pair
        with pytest.raises(RemoteError, match=r"py\.numbers:upto is a stream: start it by :erlang\.spawn_m"):
            await a.rpc(b.name, "py.numbers", "upto", [3])
        assert numbers.made == 0

    @pytest.mark.parametrize(("name", "args"), [("other", []), ("upto", []), ("upto", [1, 2])])
    async def test_only_what_is_exported_with_these_arguments(
        self, me: Process, numbers: Numbers, name: str, args: list[Term]
    ) -> None:
        await started(me, name, *args)
        *_, (word, [(module, function, given, _)]) = await me.receive(30)
        assert (word, module, function, given) == ("undef", "py.numbers", name, args)
        assert numbers.made == 0

    async def test_they_count_as_spawned(self) -> None:
        async with nodes("a", "b", limits=Limits(spawned=2)) as (a, b), a.process() as me:
            b.export_stream("py.numbers", "upto", Numbers().upto)
            one, _ = await started(me, "upto", 100)
            await started(me, "upto", 100)
            with pytest.raises(RemoteError, match="system_limit"):
                await started(me, "upto", 100)
            await me.exit(one, SHUTDOWN)
            await started(me, "upto", 100)

    async def test_the_generator_knows_who_subscribed(self, pair: list[Node], me: Process) -> None:
        @pair[1].export_stream("py.numbers")  # type: ignore[untyped-decorator]
        def caller() -> Iterator[Pid]:
            yield CALLER.get()

        assert await rest(me, *await started(me, "caller")) == ([me.pid], NORMAL)


class TestStream:
    @pytest.mark.parametrize("target", [sum, lambda: [1], "text", None, asyncio.sleep])
    def test_only_generator_functions_are_taken(self, target: Any) -> None:
        with pytest.raises(ConfigError, match="it must be a generator function"):
            Stream("m:f", target, no_threads)

    @pytest.mark.parametrize("window", [0, -1, 1.5, True, None])
    def test_only_positive_windows_are_taken(self, window: Any) -> None:
        with pytest.raises(ConfigError, match="at least 1"):
            Stream("m:f", Numbers().upto, no_threads, window)

    def test_a_partial_is_as_good_as_its_function(self) -> None:
        Stream("m:f", functools.partial(Numbers().upto, 3), no_threads)


class TestThreaded:
    @pytest.fixture
    def threads(self) -> Iterator[Callable[[], Workers]]:
        with worker_threads(2) as pool:
            yield lambda: pool

    async def test_it_runs_in_threads(self, threads: Callable[[], Workers]) -> None:
        numbers = Numbers()
        source = Threaded(numbers.plain(3), threads)
        assert [item async for item in source] == [0, 1, 2]
        await source.aclose()
        assert (numbers.closed, {name.partition("_")[0] for name in numbers.threads}) == (1, {"pyerlnode"})

    async def test_context_variables_stay_its_own(self, threads: Callable[[], Workers]) -> None:
        variable: ContextVar[int] = ContextVar("variable", default=0)

        def counting() -> Iterator[int]:
            while variable.get() < 3:
                variable.set(variable.get() + 1)
                yield variable.get()

        assert [item async for item in Threaded(counting(), threads)] == [1, 2, 3]
        assert variable.get() == 0

    async def test_it_is_closed_after_the_item_that_is_being_made(
        self, threads: Callable[[], Workers]
    ) -> None:
        working, go_on, order = threading.Event(), threading.Event(), []

        def slow() -> Iterator[int]:
            try:
                working.set()
                go_on.wait(30)
                order.append("made")
                yield 1
            finally:
                order.append("closed")

        source = Threaded(slow(), threads)
        item = asyncio.ensure_future(anext(source))
        await asyncio.to_thread(working.wait, 30)
        item.cancel()
        await asyncio.wait([item])
        closing = asyncio.ensure_future(source.aclose())
        await asyncio.wait([closing], timeout=0.05)
        assert not closing.done()
        go_on.set()
        await closing
        assert (item.cancelled(), order) == (True, ["made", "closed"])

    async def test_what_it_raises_is_raised(self, threads: Callable[[], Workers]) -> None:
        def failing() -> Iterator[int]:
            yield 1
            raise StopIteration

        source = Threaded(failing(), threads)
        assert await anext(source) == 1
        with pytest.raises(RuntimeError, match="generator raised StopIteration"):
            await anext(source)
        await source.aclose()


def no_threads() -> Workers:
    raise AssertionError("no generator runs here")
