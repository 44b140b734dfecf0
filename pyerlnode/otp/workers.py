"""The threads that users' plain functions run in.

A plain function may compute or block for seconds; the node goes on.  Context variables go with it, as into
a task.  What it cannot do in a thread is raise :class:`StopIteration`, which a future refuses to carry: that
becomes a :class:`RuntimeError`, as in a coroutine (PEP 479).  A node without such functions never loads this.

An executor of the standard library's takes some locks and two futures for each function, and wakes the loop
for each result.  Here, work goes through one queue and results through another, neither with a lock written
in Python, and the loop is woken only where it is not already due to look.  All else its own thread does.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import contextvars
import os
import threading
from collections import deque
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias
from weakref import WeakSet

from pyerlnode.runtime.waking import Arrival

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context

    from pyerlnode.runtime.waking import Waking

__all__ = ["MOST", "Pending", "Workers"]

MOST = min(32, (os.cpu_count() or 1) + 4)
"""Threads of one node, at most."""


class Pending(Protocol):
    """Where a result goes: an asyncio future, or what :mod:`pyerlnode.runtime.waking` has for one."""

    def done(self) -> bool:
        """Whether nobody waits for the result any more."""

    def set_result(self, value: Any, /) -> None:
        """The function has returned."""

    def set_exception(self, error: BaseException, /) -> None:
        """The function has raised."""

    def cancel(self) -> bool:
        """The function will not be run."""


_Job: TypeAlias = "tuple[Pending, Context, Callable[..., Any], tuple[Any, ...]]"
_Outcome: TypeAlias = "tuple[Pending, Any, BaseException | None]"


class Workers:
    """Threads that run functions for the event loop which is running when the first one is given.

    They start as they are needed, `most` of them.  Only that loop's thread may use this.  The interpreter's
    end waits for functions that run then, as for those of an executor, but an interrupt ends the waiting.
    """

    def __init__(self, waking: Waking, most: int = MOST) -> None:
        self._waking = waking
        self._most = most
        self._loop: asyncio.AbstractEventLoop
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._outcomes: deque[_Outcome] = deque()
        self._is_due = False  # whether the loop will look at the outcomes
        self._threads: list[threading.Thread] = []
        self._given = 0  # functions of which the loop has not seen the outcome
        self._is_closed = False

    async def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Gives what ``function(*args)`` returns.

        Who is cancelled waits no more; the function runs on where it has begun, and is not begun otherwise.
        """
        arrival: Arrival[Any] = Arrival(self._waking)
        self.give(arrival, contextvars.copy_context(), function, *args)
        return await arrival

    def give(self, pending: Pending, context: Context, function: Callable[..., Any], *args: Any) -> None:
        """Have ``function(*args)`` run in `context`; what it returns or raises is set in `pending`.

        Raises :class:`RuntimeError` when closed, and where not even one thread can be started.
        """
        if self._is_closed:
            raise RuntimeError("the worker threads have ended")
        if len(self._threads) <= self._given and len(self._threads) < self._most:
            self._start_thread()
        self._given += 1
        self._jobs.put((pending, context, function, args))

    def close(self) -> None:
        """Cancel what has not begun; let each thread end when its function does, without waiting for it."""
        self._is_closed = True
        while (job := self._next_unbegun()) is not None:
            job[0].cancel()
        self._dismiss()

    def _next_unbegun(self) -> _Job | None:
        try:
            return self._jobs.get_nowait()
        except Empty:
            return None

    def _dismiss(self) -> None:
        for _ in self._threads:
            self._jobs.put(None)

    def finish(self) -> None:
        """Wait until everything that was given is done."""
        self._dismiss()
        for thread in self._threads:
            thread.join()

    def _start_thread(self) -> None:
        if not self._threads:
            self._loop = asyncio.get_running_loop()
        thread = threading.Thread(target=self._work, name=f"pyerlnode_{len(self._threads)}", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system gives no more: those that are there have to do
            if not self._threads:
                raise
        else:
            self._threads.append(thread)
            _begun.add(self)

    # ------------------------------------------------------------------ in the threads

    def _work(self) -> None:
        """The life of one thread.  It holds on to nothing of a function's while it waits for the next."""
        while (job := self._jobs.get()) is not None:
            self._outcomes.append(_outcome(*job))
            del job
            if not self._is_due:
                self._is_due = True  # two threads at once may both come to here: then it looks twice
                self._tell_loop()

    def _tell_loop(self) -> None:
        with contextlib.suppress(RuntimeError):  # it is closed: nobody waits
            self._loop.call_soon_threadsafe(self._collect)

    # ------------------------------------------------------------------ and back on the loop

    def _collect(self) -> None:
        """Set all results that are there; who waits for them goes on at once."""
        self._is_due = False  # first: what is appended from here on may be missed below
        self._waking.gathers = True
        while self._outcomes:
            _set(*self._outcomes.popleft())
            self._given -= 1
        self._waking.run()


def _outcome(
    pending: Pending, context: Context, function: Callable[..., Any], args: tuple[Any, ...]
) -> _Outcome:
    if pending.done():
        return pending, None, None
    try:
        return pending, context.run(function, *args), None
    except StopIteration as error:
        failure = RuntimeError("a plain function raised StopIteration")
        failure.__cause__ = error
        return pending, None, failure
    except concurrent.futures.CancelledError as error:
        return pending, None, asyncio.CancelledError(*error.args)
    except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for, even SystemExit
        return pending, None, error


def _set(pending: Pending, value: Any, error: BaseException | None) -> None:
    if pending.done():
        return
    if error is None:
        pending.set_result(value)
    else:
        pending.set_exception(error)


_begun: WeakSet[Workers] = WeakSet()  # each lives as long as a thread of its does


@atexit.register
def _finish() -> None:
    for workers in list(_begun):
        workers.finish()
