"""Users' functions: on the loop or in a thread, and no way for them to hang whoever waits."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import gc
import subprocess
import sys
import threading
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.loops import loop_factory
from tests.support.threads import worker_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyerlnode.otp.workers import Workers

LONG = 30
"""Seconds until a test that hangs fails."""


@pytest.fixture
def pool() -> Iterator[Workers]:
    with worker_threads() as pool:
        yield pool


def thread_name() -> str:
    return threading.current_thread().name


class Held:
    """A function that says when it runs, and runs until it may go on."""

    def __init__(self) -> None:
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.calls = 0

    def __call__(self, value: Any = None) -> Any:
        self.calls += 1
        self.begun.set()
        assert self.may_end.wait(LONG)
        return value

    async def has_begun(self) -> None:
        assert await asyncio.to_thread(self.begun.wait, LONG)


class TestWhere:
    @pytest.mark.parametrize("name", ["asyncio", "uvloop"])
    def test_on_every_loop(self, name: Any) -> None:
        async def main() -> list[int]:
            with worker_threads(3) as pool:
                return await asyncio.gather(*(pool.run(abs, -number) for number in range(100)))

        with asyncio.Runner(loop_factory=loop_factory(name)) as runner:
            assert runner.run(main()) == list(range(100))


class TestWhatItRaises:
    @pytest.mark.parametrize(
        ("error", "raised"),
        [
            (ValueError, ValueError),
            (StopIteration, RuntimeError),
            (SystemExit, SystemExit),
            (KeyboardInterrupt, KeyboardInterrupt),
            (asyncio.CancelledError, asyncio.CancelledError),
            (concurrent.futures.CancelledError, asyncio.CancelledError),
        ],
    )
    async def test_is_raised(
        self, pool: Workers, error: type[BaseException], raised: type[BaseException]
    ) -> None:
        def function() -> Any:
            raise error("x")

        with pytest.raises(raised):
            await pool.run(function)
        assert await pool.run(abs, -1) == 1  # the thread goes on

    async def test_is_not_kept_by_a_thread_that_waits(self, pool: Workers) -> None:
        class Failure(Exception):
            pass

        async def fail() -> weakref.ref[Exception]:
            try:
                await pool.run(function)
            except Failure as error:
                return weakref.ref(error)
            raise AssertionError

        def function() -> None:
            raise Failure

        failure = await fail()
        await pool.run(int)
        gc.collect()
        assert failure() is None

    async def test_nor_is_anything_else(self, pool: Workers) -> None:
        class Thing:
            pass

        thing = await pool.run(Thing)
        kept = weakref.ref(thing)
        await pool.run(id, thing)
        del thing
        await pool.run(int)  # the thread has let go of the others before it
        assert kept() is None


class TestThreads:
    async def test_one_is_used_again(self) -> None:
        with worker_threads(4) as pool:
            assert [await pool.run(thread_name) for _ in range(5)] == ["pyerlnode_0"] * 5

    async def test_they_grow_in_number_up_to_a_bound(self) -> None:
        met, held = threading.Barrier(2), Held()

        def meet() -> str:
            met.wait(LONG)  # in two threads, or it breaks
            held()
            return thread_name()

        with worker_threads(2) as pool:
            calls = [asyncio.ensure_future(pool.run(meet)) for _ in range(4)]
            await held.has_begun()
            held.may_end.set()
            assert set(await asyncio.gather(*calls)) == {"pyerlnode_0", "pyerlnode_1"}

    async def test_those_that_are_there_do_where_no_other_can_be_started(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(thread: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        with worker_threads(2) as pool:
            with monkeypatch.context() as patch:
                patch.setattr(threading.Thread, "start", refuse)
                with pytest.raises(RuntimeError, match="can't start"):
                    await pool.run(thread_name)
            await pool.run(thread_name)
            monkeypatch.setattr(threading.Thread, "start", refuse)
            names = await asyncio.gather(pool.run(thread_name), pool.run(thread_name))
            assert names == ["pyerlnode_0"] * 2

    async def test_the_loop_is_woken_once_for_many_results(
        self, pool: Workers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        loop, woken = asyncio.get_running_loop(), []
        wake: Callable[..., Any] = loop.call_soon_threadsafe
        monkeypatch.setattr(loop, "call_soon_threadsafe", lambda *args: woken.append(args) or wake(*args))
        last = threading.Event()
        calls = [asyncio.ensure_future(pool.run(abs, number)) for number in range(50)]
        calls.append(asyncio.ensure_future(pool.run(last.set)))
        await asyncio.sleep(0)  # they are given
        assert last.wait(LONG)  # and the loop stands still
        assert (await asyncio.gather(*calls))[:-1] == list(range(50))
        assert len(woken) <= 2  # the last function may return while the loop already looks


class TestCancelling:
    async def test_who_is_cancelled_waits_no_more(self, pool: Workers) -> None:
        held = Held()
        call = asyncio.ensure_future(pool.run(held, 1))
        await held.has_begun()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        held.may_end.set()
        assert await pool.run(abs, -2) == 2  # in the same thread: the other result has gone

    async def test_what_has_not_begun_does_not_begin(self, pool: Workers) -> None:
        held, later = Held(), Held()
        first, second = asyncio.ensure_future(pool.run(held)), asyncio.ensure_future(pool.run(later))
        await held.has_begun()
        second.cancel()
        held.may_end.set()
        await first
        await pool.run(int)
        assert (second.cancelled(), later.calls) == (True, 0)


class TestTheEnd:
    async def test_what_has_begun_ends_and_the_rest_is_cancelled(self, pool: Workers) -> None:
        held, later = Held(), Held()
        first, second = asyncio.ensure_future(pool.run(held, 1)), asyncio.ensure_future(pool.run(later))
        await held.has_begun()
        pool.close()
        await asyncio.wait([second], timeout=LONG)
        held.may_end.set()
        assert (second.cancelled(), later.calls, await first) == (True, 0, 1)
        with pytest.raises(RuntimeError, match="have ended"):
            await pool.run(int)

    async def test_its_threads_end(self, pool: Workers) -> None:
        thread = await pool.run(threading.current_thread)
        pool.close()
        await asyncio.to_thread(thread.join, LONG)
        assert not thread.is_alive()

    def test_a_loop_that_is_closed_is_not_missed(self) -> None:
        held = Held()

        async def main() -> None:
            pending = asyncio.get_running_loop().create_future()
            pool.give(pending, contextvars.copy_context(), held)
            await held.has_begun()

        with worker_threads() as pool:
            asyncio.run(main())
            held.may_end.set()
            pool.finish()  # an error in the thread would fail the test


PROGRAM = """
import asyncio, threading
from pyerlnode.otp.workers import Workers
from pyerlnode.runtime.waking import Waking

def function():
    begun.set()
    may_end.wait(30)
    print("ended")

async def main():
    pool = Workers(Waking())
    await pool.run(int)
    if {busy}:
        given = asyncio.ensure_future(pool.run(function))
        await asyncio.sleep(0)
        begun.wait(30)

begun, may_end = threading.Event(), threading.Event()
asyncio.run(main())
print("over")
may_end.set()
"""


@pytest.mark.parametrize(("busy", "said"), [(False, ["over"]), (True, ["ended", "over"])])
def test_the_interpreter_waits_for_what_runs_and_for_nothing_else(busy: bool, said: list[str]) -> None:
    program = [sys.executable, "-c", PROGRAM.format(busy=busy)]
    result = subprocess.run(program, capture_output=True, text=True, timeout=LONG, check=False)
    assert (sorted(result.stdout.split()), result.stderr) == (said, "")
