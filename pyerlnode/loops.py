"""Event loops of our own: which kind, and one in a thread.

The library itself runs on whichever loop it finds; only the command line and ``pyerlnode.sync``, which own
their loop, have to choose one: uvloop where it is installed, else asyncio's.
"""

from __future__ import annotations

import asyncio
import importlib.util
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from typing import Any, Literal, TypeAlias, TypeVar

from pyerlnode.errors import ConfigError, NodeNotRunning

LoopName: TypeAlias = Literal["auto", "uvloop", "asyncio"]
LoopFactory: TypeAlias = Callable[[], asyncio.AbstractEventLoop]
T = TypeVar("T")

SETTLING = 1.0
"""Seconds that work still under way gets to end by itself when its loop is stopped."""
LOOK_UP = 0.5
"""Seconds after which a thread that waits for work looks whether it was interrupted."""


def loop_factory(name: LoopName = "auto") -> LoopFactory:
    """Give what makes an event loop, for ``asyncio.Runner(loop_factory=...)``.

    ``auto`` takes uvloop if it is installed.  Raises :class:`ConfigError` when ``uvloop`` itself is asked
    for and is not there.
    """
    installed = importlib.util.find_spec("uvloop") is not None
    if name == "asyncio" or (name == "auto" and not installed):
        return asyncio.new_event_loop
    if not installed:
        raise ConfigError(
            "loop", name, "uvloop is not installed here: pip install uvloop, or choose 'asyncio'"
        )
    import uvloop  # noqa: PLC0415 - it costs start-up time and is absent on some platforms

    factory: LoopFactory = uvloop.new_event_loop
    return factory


class LoopThread:
    """An event loop in a thread of its own, for callers that have none.

    Work is handed in under a lock, so that what was taken is always either done or cancelled, never left
    hanging when another thread stops the loop.
    """

    def __init__(self, loop: LoopName = "auto") -> None:
        self._factory = loop_factory(loop)
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._under_way: set[Future[Any]] = set()

    @property
    def is_running(self) -> bool:
        """Whether work can be handed in."""
        return self._loop is not None

    def start(self) -> None:
        """Start the thread; returns when its loop runs."""
        running: Future[asyncio.AbstractEventLoop] = Future()
        self._thread = threading.Thread(target=self._run, args=(running,), name="pyerlnode", daemon=True)
        self._thread.start()
        self._loop = running.result()

    def _run(self, running: Future[asyncio.AbstractEventLoop]) -> None:
        runner = asyncio.Runner(loop_factory=self._factory)
        try:
            loop = runner.get_loop()
        except BaseException as error:  # noqa: BLE001 - the thread that waits raises it
            running.set_exception(error)
            return
        with runner:
            loop.call_soon(running.set_result, loop)
            loop.run_forever()

    def stop(self) -> None:
        """Take no more work, let what is under way end, cancel the rest, and end the thread."""
        with self._lock:
            loop, self._loop = self._loop, None
            thread, under_way = self._thread, set(self._under_way)
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(_settle(under_way), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()

    def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run the coroutine that ``work`` makes, on the loop, and give its result.

        Any thread may call it but the loop's own.  Interrupting the thread that waits cancels the work.
        """
        future = self._submit(work)
        try:
            return _result(future)
        except CancelledError:
            raise NodeNotRunning("the node was stopped while this was waiting for it") from None
        except BaseException:
            future.cancel()
            raise

    def call(self, work: Callable[[], T]) -> T:
        """Call a plain function on the loop, for what belongs to that thread, and give its result."""

        async def called() -> T:
            return work()

        return self.run(called)

    def _submit(self, work: Callable[[], Coroutine[Any, Any, T]]) -> Future[T]:
        if threading.current_thread() is self._thread:
            raise RuntimeError(
                "this is the node's own thread, and waiting here would wait for ever: "
                "in a coroutine use the asyncio node, me.node or self.node"
            )
        with self._lock:
            if self._loop is None:
                raise NodeNotRunning("the node is not running: use it inside `with Node(...) as node:`")
            future = asyncio.run_coroutine_threadsafe(work(), self._loop)
            self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)
        return future


def _result(future: Future[T]) -> T:
    """Wait for ``future``, and look up now and then: a Ctrl-C just before the waiting began wakes nobody."""
    while True:
        try:
            return future.result(LOOK_UP)
        except TimeoutError:
            if future.done():
                return future.result()


async def _settle(under_way: set[Future[Any]]) -> None:
    if under_way:
        await asyncio.wait([asyncio.wrap_future(future) for future in under_way], timeout=SETTLING)
