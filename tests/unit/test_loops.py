"""The choice of an event loop, and the loop in a thread of its own."""

from __future__ import annotations

import asyncio
import importlib.util
import threading

import pytest

from pyerlnode.errors import ConfigError, NodeNotRunning
from pyerlnode.loops import LoopThread, loop_factory


def kind_of(name: str) -> str:
    loop = loop_factory(name)()  # type: ignore[arg-type]
    loop.close()
    return type(loop).__module__.partition(".")[0]


def without_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "uvloop" else find(name))


def test_uvloop_is_taken_where_it_is_installed() -> None:
    pytest.importorskip("uvloop")
    assert kind_of("auto") == kind_of("uvloop") == "uvloop"


def test_asyncio_is_taken_when_asked_for() -> None:
    assert kind_of("asyncio") == "asyncio"


def test_without_uvloop_auto_is_asyncio_and_uvloop_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    without_uvloop(monkeypatch)
    assert kind_of("auto") == "asyncio"
    with pytest.raises(ConfigError, match="uvloop is not installed here"):
        loop_factory("uvloop")


@pytest.mark.parametrize("name", ["asyncio", "auto"])
def test_work_runs_on_the_loops_thread_and_its_result_comes_back(name: str) -> None:
    async def who() -> str:
        return threading.current_thread().name

    loop = LoopThread(name)  # type: ignore[arg-type]
    loop.start()
    assert loop.run(who) == "pyerlnode"
    loop.stop()
    assert "pyerlnode" not in [thread.name for thread in threading.enumerate()]


def test_an_error_of_the_work_comes_back() -> None:
    async def fail() -> None:
        raise KeyError("this")

    loop = LoopThread()
    loop.start()
    with pytest.raises(KeyError, match="this"):
        loop.run(fail)
    loop.stop()


def test_work_that_raises_a_timeout_error_or_takes_long_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pyerlnode.loops.LOOK_UP", 0.001)

    async def late() -> str:
        await asyncio.sleep(0.02)
        return "late"

    async def time_out() -> None:
        raise TimeoutError("its own")

    loop = LoopThread()
    loop.start()
    assert loop.run(late) == "late"
    with pytest.raises(TimeoutError, match="its own"):
        loop.run(time_out)
    loop.stop()


def test_before_start_and_after_stop_there_is_nothing_to_run_on() -> None:
    async def work() -> None: ...

    loop = LoopThread()
    with pytest.raises(NodeNotRunning):
        loop.run(work)
    loop.start()
    assert loop.is_running
    loop.stop()
    loop.stop()
    with pytest.raises(NodeNotRunning):
        loop.run(work)


def test_it_can_be_started_again() -> None:
    async def answer() -> int:
        return 42

    loop = LoopThread()
    for _ in range(2):
        loop.start()
        assert loop.run(answer) == 42
        loop.stop()


def test_waiting_in_the_loops_own_thread_is_refused() -> None:
    loop = LoopThread()

    async def inner() -> None: ...

    async def outer() -> None:
        loop.run(inner)

    loop.start()
    with pytest.raises(RuntimeError, match="use the asyncio node"):
        loop.run(outer)
    loop.stop()


def test_stopping_cancels_what_does_not_end_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyerlnode.loops.SETTLING", 0.01)
    waits = threading.Event()
    seen: list[BaseException] = []
    loop = LoopThread()

    async def wait_for_ever() -> None:
        waits.set()
        await asyncio.Event().wait()

    def caller() -> None:
        try:
            loop.run(wait_for_ever)
        except NodeNotRunning as error:
            seen.append(error)

    loop.start()
    thread = threading.Thread(target=caller)
    thread.start()
    waits.wait()
    loop.stop()
    thread.join()
    assert len(seen) == 1


def test_a_loop_that_cannot_be_made_raises_in_the_thread_that_asked() -> None:
    def no_loop() -> asyncio.AbstractEventLoop:
        raise OSError("too many open files")

    loop = LoopThread()
    loop._factory = no_loop
    with pytest.raises(OSError, match="too many open files"):
        loop.start()
    assert not loop.is_running
