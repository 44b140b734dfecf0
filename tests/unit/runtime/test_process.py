"""Processes with a body: how they receive, wait, end, and what their end does to whoever waits."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.errors import ConnectFailed, EncodeError, Exit, NameTaken
from pyerlnode.limits import Limits
from pyerlnode.runtime.actor import LINKED
from pyerlnode.runtime.exits import KILL, KILLED, NOCONNECTION, NORMAL, OVERFLOW, SHUTDOWN
from pyerlnode.runtime.process import Process, is_quiet
from pyerlnode.term import Atom, Pid
from pyerlnode.wire import control as c
from tests.support.nodes import PEER, FakePeer, mailbox, make_router

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pyerlnode.runtime.router import Router
    from pyerlnode.term import Term

BOOM = Atom("boom")
FAR = Pid(Atom("far@host"), 1, 0, 1)


@pytest.fixture
def router() -> Router:
    router = make_router()

    async def unreachable(node: str) -> None:
        raise ConnectFailed(node, "dns", "no such host")

    router.reach = unreachable
    return router


@pytest.fixture
def me(router: Router) -> Process:
    return Process(router)


def start(router: Router, body: Callable[..., Awaitable[Any]], *args: Any) -> Process:
    process = Process(router)
    process.start(body, args)
    return process


async def ended(process: Process) -> Any:
    """Waits until the body is done; gives the reason."""
    assert process.task is not None
    async with asyncio.timeout(30):
        await asyncio.wait([process.task])
    assert not process.alive
    return process.exit_reason


async def sleep(me: Process) -> None:
    await asyncio.Event().wait()


class TestReceiving:
    async def test_in_order_with_match_and_as_a_loop(self, me: Process) -> None:
        for number in range(4):
            await me.send(me.pid, number)
        assert me.message_queue_len == 4
        assert await me.receive(match=lambda m: m == 2) == 2
        assert await me.receive() == 0
        async for message in me:
            if message == 3:
                break
        assert me.message_queue_len == 0

    async def test_a_timeout_of_zero_looks_only_at_what_is_there(self, me: Process) -> None:
        await me.send(me.pid, 1)
        with pytest.raises(TimeoutError):
            await me.receive(timeout=0, match=lambda m: m == 2)
        assert await me.receive(timeout=0) == 1
        with pytest.raises(TimeoutError):
            await me.receive(timeout=0)

    async def test_messages_are_copies(self, me: Process) -> None:
        message = [1]
        await me.send(me.pid, message)
        message.append(2)
        assert await me.receive() == [1]

    async def test_the_dead_receive_nothing_more(self, me: Process) -> None:
        await me.send(me.pid, 1)
        me.end(BOOM)
        with pytest.raises(Exit) as caught:
            await me.receive()
        assert caught.value.reason == BOOM

    async def test_an_end_wakes_a_task_that_receives_for_the_process(self, router: Router) -> None:
        process = start(router, sleep)
        helper = asyncio.ensure_future(process.receive())
        await asyncio.sleep(0)
        process.end(BOOM)
        with pytest.raises(Exit) as caught:
            await helper
        assert caught.value.reason == BOOM


class TestSending:
    async def test_by_pid_by_name_by_name_and_node_by_alias(self, me: Process) -> None:
        me.register("me")
        for dest in (me.pid, "me", ("me", me.router.node), me.alias()):
            await me.send(dest, 1)
        assert mailbox(me) == [1] * 4

    async def test_nobody_swallows_it(self, me: Process) -> None:
        await me.send("nobody", 1)

    async def test_errors_surface_where_they_are_made(self, me: Process) -> None:
        with pytest.raises(EncodeError):
            await me.send(me.pid, object())
        with pytest.raises(ConnectFailed):
            await me.send(("x", "far@host"), 1)
        with pytest.raises(TypeError):
            await me.send(1, 1)

    async def test_it_waits_for_room(self, me: Process) -> None:
        peer = FakePeer(me.router)
        peer.congested = True
        await me.send(("x", PEER), 1)
        assert peer.drained == 1

    async def test_what_goes_the_short_way_goes_once(self, me: Process) -> None:
        peer = FakePeer(me.router)
        peer.congested = True
        taken: list[Term] = []
        has_room = iter((True, False))

        def post(*message: Term) -> bool:
            taken.append(message)
            return next(has_room)

        peer.post = post  # type: ignore[method-assign, assignment]
        await me.send(peer.pid(), 1)
        assert peer.drained == 0
        await me.send(peer.ref(), 2)
        assert peer.drained == 1
        await me.send(peer.ref(), 3, priority=True)
        assert taken == [(me.pid, peer.pid(), 1), (me.pid, peer.ref(), 2)]
        assert peer.take() == [(c.AltactSigSend(5, me.pid, peer.ref()), 3)]

    async def test_the_dead_send_nothing(self, me: Process) -> None:
        other = Process(me.router)
        me.end(BOOM)
        for verb in (
            me.send(other.pid, 1),
            me.link(other.pid),
            me.monitor(other.pid),
            me.exit(other.pid, BOOM),
        ):
            with pytest.raises(Exit):
                await verb
        assert (mailbox(other), other.alive, other.links, other.watchers) == ([], True, {}, {})


class TestRelations:
    async def test_link_and_unlink(self, router: Router, me: Process) -> None:
        other = Process(router)
        await me.link(other.pid)
        assert other.links == {me.pid: LINKED}
        await me.unlink(other.pid)
        assert other.links == {}

    async def test_monitor_by_any_name(self, router: Router, me: Process) -> None:
        other = Process(router)
        other.register("other")
        refs = [await me.monitor(dest) for dest in (other.pid, "other", ("other", router.node))]
        other.end(BOOM)
        named = ("other", router.node)
        assert mailbox(me) == [
            ("DOWN", ref, "process", shown, BOOM)
            for ref, shown in zip(refs, (other.pid, named, named), strict=True)
        ]

    async def test_what_cannot_be_reached_is_noconnection(self, me: Process) -> None:
        me.trap_exit = True
        ref = await me.monitor(FAR)
        await me.link(FAR)
        await me.exit(FAR, BOOM)
        assert mailbox(me) == [("DOWN", ref, "process", FAR, NOCONNECTION), ("EXIT", FAR, NOCONNECTION)]

    async def test_an_alias_cannot_be_monitored(self, me: Process) -> None:
        with pytest.raises(TypeError, match="alias"):
            await me.monitor(me.alias())

    async def test_demonitor_flushes_only_the_down_of_that_monitor(self, router: Router, me: Process) -> None:
        other = Process(router)
        one, two = await me.monitor(other.pid), await me.monitor(other.pid)
        await me.send(me.pid, 1)
        other.end(BOOM)
        assert await me.demonitor(one, flush=True) is False
        assert mailbox(me) == [1, ("DOWN", two, "process", other.pid, BOOM)]
        assert await me.demonitor(two) is False
        assert len(mailbox(me)) == 2

    async def test_demonitor_in_time(self, router: Router, me: Process) -> None:
        other = Process(router)
        ref = await me.monitor(other.pid)
        assert await me.demonitor(ref, flush=True) is True

    async def test_exit(self, router: Router, me: Process) -> None:
        other = start(router, sleep)
        await me.exit(other.pid, BOOM)
        assert await ended(other) == BOOM

    async def test_register(self, me: Process) -> None:
        me.register("me")
        with pytest.raises(NameTaken):
            Process(me.router).register("me")
        assert repr(me) == "<Process #PID<me@127.0.0.1.1.0> me>" or repr(me).endswith(" me>")


class TestBodies:
    @pytest.mark.parametrize(
        ("error", "reason"),
        [(Exit(BOOM), BOOM), (Exit(object), None), (ValueError("x"), None), (None, NORMAL)],
    )
    async def test_the_reason_is_what_the_body_ended_with(
        self, router: Router, error: Exception | None, reason: Any
    ) -> None:
        async def body(me: Process) -> None:
            if error is not None:
                raise error

        watcher = Process(router)
        process = start(router, body)
        await watcher.monitor(process.pid)
        found = await ended(process)
        assert mailbox(watcher)[0][4] == found
        if reason is not None:
            assert found == reason

    async def test_arguments_reach_the_body(self, router: Router) -> None:
        async def body(me: Process, *args: int) -> None:
            raise Exit(list(args))

        assert await ended(start(router, body, 1, 2)) == [1, 2]

    async def test_an_exit_signal_cancels_the_body(self, router: Router, me: Process) -> None:
        cleaned = []

        async def body(me: Process) -> None:
            try:
                await me.receive()
            finally:
                cleaned.append(True)

        process = start(router, body)
        await asyncio.sleep(0)
        me.emit_exit(process.pid, KILL)
        assert await ended(process) == KILLED
        assert cleaned == [True]

    async def test_a_cancelled_task_is_a_killed_process(self, router: Router) -> None:
        process = start(router, sleep)
        await asyncio.sleep(0)
        assert process.task is not None
        process.task.cancel()
        assert await ended(process) == KILLED

    async def test_what_it_waits_for_is_cancelled_and_that_is_a_crash(
        self, router: Router, caplog: pytest.LogCaptureFixture
    ) -> None:
        gone = asyncio.get_running_loop().create_future()

        async def body(me: Process) -> None:
            await gone

        process = Process(router)
        process.start(body, ())
        await asyncio.sleep(0)
        gone.cancel()
        reason = await ended(process)
        assert "something that the process waited for was cancelled" in str(reason)
        assert "RuntimeError" in caplog.text

    async def test_ended_before_it_began_it_never_runs(self, router: Router) -> None:
        async def body(me: Process) -> None:
            raise AssertionError("it ran")

        process = start(router, body)
        process.end(BOOM)
        assert await ended(process) == BOOM

    async def test_a_body_that_swallows_its_cancellation_can_do_nothing_more(self, router: Router) -> None:
        tried: list[object] = []

        async def body(me: Process) -> None:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            for verb in (me.receive(), me.monitor("x")):
                with suppress(Exit):
                    await verb
                    tried.append(verb)

        process = start(router, body)
        await asyncio.sleep(0)
        process.end(BOOM)
        assert await ended(process) == BOOM
        assert tried == []
        assert router._touching == {}

    @pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, BaseException])
    async def test_what_must_stop_the_program_ends_the_process_too(
        self, router: Router, error: type[BaseException]
    ) -> None:
        async def body(me: Process) -> None:
            raise error

        process, watcher = Process(router), Process(router)
        await watcher.monitor(process.pid)
        with pytest.raises(error):
            await process._run(body, ())
        assert not process.alive
        assert error.__name__.encode() in mailbox(watcher)[0][4][0]["message"]

    async def test_a_body_that_is_closed_with_its_loop_tells_nobody(self, router: Router) -> None:
        process = Process(router)
        run = process._run(sleep, ())
        run.send(None)
        run.close()
        assert process.alive

    async def test_a_self_exit_takes_effect_at_the_next_await(self, router: Router) -> None:
        async def body(me: Process) -> None:
            await me.exit(me.pid, BOOM)
            await asyncio.sleep(0)
            raise AssertionError("went on")

        assert await ended(start(router, body)) == BOOM


class TestCrashLog:
    async def test_crashes_are_logged_with_their_traceback(
        self, router: Router, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def body(me: Process) -> None:
            raise ValueError("so wrong")

        await ended(start(router, body))
        assert "ended: ValueError" in caplog.text
        assert "so wrong" in caplog.text

    async def test_orderly_ends_are_not(self, router: Router, caplog: pytest.LogCaptureFixture) -> None:
        async def body(me: Process, reason: Any) -> None:
            raise Exit(reason)

        with caplog.at_level(logging.ERROR):
            for reason in (NORMAL, SHUTDOWN, (SHUTDOWN, 1)):
                await ended(start(router, body, reason))
            assert caplog.text == ""
            await ended(start(router, body, BOOM))
        assert "boom" in caplog.text

    def test_what_is_quiet(self) -> None:
        assert not is_quiet((NORMAL, 1))
        assert not is_quiet("normal")

    async def test_an_error_after_the_end_is_not_the_cause(
        self, router: Router, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def body(me: Process) -> None:
            me.end(BOOM)
            raise ValueError

        assert await ended(start(router, body)) == BOOM
        assert caplog.text == ""


class TestOverflow:
    async def test_a_full_mailbox_ends_the_process_loudly(self, caplog: pytest.LogCaptureFixture) -> None:
        router = make_router(limits=Limits(mailbox=3))
        process, me = start(router, sleep), Process(router)
        await me.monitor(process.pid)
        for number in range(4):
            await me.send(process.pid, number)
        assert await ended(process) == OVERFLOW
        assert mailbox(me)[0][4] == OVERFLOW
        assert "3 messages waiting, Limits.mailbox" in caplog.text


class TestBlocks:
    """``async with``: the block is the body."""

    async def test_it_ends_normally(self, me: Process) -> None:
        watcher = Process(me.router)
        async with me.block() as same:
            assert same is me
            await watcher.monitor(me.pid)
        assert mailbox(watcher)[0][4] == NORMAL
        assert me.task is None

    async def test_it_raises(self, me: Process) -> None:
        with pytest.raises(ValueError, match="x"):
            async with me.block():
                raise ValueError("x")
        assert me.exit_reason[0]["message"] == b"ValueError: x"

    @pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
    async def test_what_must_stop_the_program_passes_through(
        self, me: Process, error: type[BaseException]
    ) -> None:
        with pytest.raises(error):
            async with me.block():
                raise error
        assert me.exit_reason[0]["message"].startswith(error.__name__.encode())

    async def test_an_exit_signal_cancels_it(self, me: Process) -> None:
        task = asyncio.current_task()
        assert task is not None
        with pytest.raises(Exit) as caught:
            async with me.block():
                asyncio.get_running_loop().call_soon(me.end, BOOM)
                await asyncio.Event().wait()
        assert caught.value.reason == BOOM
        assert task.cancelling() == 0
        await asyncio.sleep(0)

    async def test_an_end_at_its_last_line_is_an_exit(self, me: Process) -> None:
        task = asyncio.current_task()
        assert task is not None
        with pytest.raises(Exit):
            async with me.block():
                me.end(BOOM)
        assert task.cancelling() == 0
        await asyncio.sleep(0)

    async def test_an_end_that_the_block_swallowed_is_an_exit(self, me: Process) -> None:
        task = asyncio.current_task()
        assert task is not None
        with pytest.raises(Exit):
            async with me.block():
                me.end(BOOM)
                with suppress(asyncio.CancelledError):
                    await asyncio.sleep(0)
        assert task.cancelling() == 0

    async def test_an_error_just_after_the_end_passes_and_nothing_stays_cancelled(self, me: Process) -> None:
        task = asyncio.current_task()
        assert task is not None
        with pytest.raises(ValueError, match="x"):
            async with me.block():
                me.end(BOOM)
                raise ValueError("x")
        assert me.exit_reason == BOOM
        assert task.cancelling() == 0
        await asyncio.sleep(0)  # would raise, were the task still to be cancelled

    async def test_receiving_after_the_end_is_an_exit(self, me: Process) -> None:
        task = asyncio.current_task()
        assert task is not None
        with pytest.raises(Exit):
            async with me.block():
                me.end(BOOM)
                await me.receive()
        assert task.cancelling() == 0
        await asyncio.sleep(0)

    @pytest.mark.parametrize("ends_too", [False, True])
    async def test_outer_cancellation_is_preserved(self, me: Process, ends_too: bool) -> None:
        entered = asyncio.Event()

        async def user() -> None:
            async with me.block():
                entered.set()
                await asyncio.Event().wait()

        task = asyncio.ensure_future(user())
        await entered.wait()
        if ends_too:
            me.end(BOOM)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()
        assert me.exit_reason == (BOOM if ends_too else KILLED)

    async def test_a_timeout_around_it_is_a_timeout(self, me: Process) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0), me.block():
                await me.receive()
        assert me.exit_reason == KILLED

    async def test_blocks_nest(self, router: Router) -> None:
        outer, inner = Process(router), Process(router)
        with pytest.raises(Exit) as caught:
            async with outer.block(), inner.block():
                outer.end(BOOM)
                await inner.receive()
        assert caught.value.reason == BOOM
        assert inner.exit_reason == KILLED

    async def test_what_ends_after_the_block_is_not_cancelled(self, me: Process) -> None:
        async with me.block():
            pass
        me.end(BOOM)
        await asyncio.sleep(0)
        assert me.exit_reason == NORMAL
