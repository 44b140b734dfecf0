"""Waiting for what a signal brings, and going on as soon as it is there.

A future of asyncio's wakes its task in the next turn of the event loop, and what that sends is written in
the turn after it.  A call that is answered at once would pass two turns, with a look at all sockets in each.
So tasks that wait here are gathered while one read of a connection is delivered, and continue right after
it, one after the other, in the order in which they were woken: :meth:`Waking.run`.  In any other place they
are woken as by a future, in the next turn.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextvars import Context
    from typing import Self

__all__ = ["Arrival", "Waking"]

T = TypeVar("T")


class Waking:
    """The tasks of one node that wait for a signal and have been woken."""

    __slots__ = ("_loop", "_woken", "gathers")

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self.gathers = False
        """Whether signals are being delivered: who is woken by them goes on with :meth:`run`."""
        self._woken: list[Arrival[Any]] = []

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop of the node: whichever runs when something waits for the first time."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()  # kept, for this is a system call before Python 3.12
        return self._loop

    def run(self) -> None:
        """Let them go on.  They never wake each other in here, so that this ends."""
        self.gathers = False
        if not self._woken:
            return
        woken, self._woken = self._woken, []
        if asyncio.current_task(self.loop) is not None:  # a task steps only outside of all others
            for arrival in woken:
                arrival.resume_soon()
            return
        rest = iter(woken)
        try:
            for arrival in rest:
                arrival.resume()
        finally:  # SystemExit and the like pass through; the others go on all the same
            for arrival in rest:
                arrival.resume_soon()

    def wake(self, arrival: Arrival[Any]) -> None:
        """`arrival` has what was waited for."""
        if self.gathers:
            self._woken.append(arrival)
        else:
            arrival.resume_soon()


class Arrival(Generic[T]):
    """Something that one task waits for: a future with one callback, that of the task.

    (It takes part in the protocol between a task and what it awaits: ``_asyncio_future_blocking``,
    ``add_done_callback``, ``cancel``, ``result`` and ``get_loop``.)
    """

    __slots__ = (
        "_asyncio_future_blocking",
        "_callback",
        "_context",
        "_error",
        "_value",
        "_waking",
        "is_done",
    )

    def __init__(self, waking: Waking) -> None:
        self._waking = waking
        self._asyncio_future_blocking = False
        self._callback: Callable[[Any], object] | None = None
        self._context: Context
        self.is_done = False
        """Whether it is here, or the waiting was given up."""
        self._error: BaseException | None = None
        self._value: T

    def done(self) -> bool:
        """Whether it is here, or the waiting was given up."""
        return self.is_done

    def set_result(self, value: T) -> None:
        """It is here."""
        if not self.is_done:
            self.is_done = True
            self._value = value
            if self._callback is not None:
                self._waking.wake(self)

    def set_exception(self, error: BaseException) -> None:
        """It will not come: whoever waits raises `error`."""
        if not self.is_done:
            self._error = error
            self.set_result(cast("T", None))

    # ------------------------------------------------------------------ what a task wants

    def __await__(self) -> Generator[Self, None, T]:
        if not self.is_done:
            self._asyncio_future_blocking = True
            yield self
        return self.result()

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The loop that its task must be of: a task asks for it first of all."""
        return self._waking.loop

    def add_done_callback(self, callback: Callable[[Any], object], *, context: Context) -> None:
        """Call `callback` in `context` when it is here."""
        self._callback, self._context = callback, context
        if self.is_done:
            self.resume_soon()

    def result(self) -> T:
        """What has come; raises what was set instead."""
        if self._error is not None:
            raise self._error
        return self._value

    def cancel(self, msg: object = None) -> bool:
        """The task waits no more.  False where the task is woken already."""
        if self.is_done:
            return False
        self.is_done = True
        self._error = asyncio.CancelledError() if msg is None else asyncio.CancelledError(msg)
        self.resume_soon()
        return True

    # ------------------------------------------------------------------ waking it

    def resume(self) -> None:
        """Let the task go on, now."""
        if self._callback is not None:
            self._context.run(self._callback, self)

    def resume_soon(self) -> None:
        """Let the task go on in the next turn of the event loop."""
        if self._callback is not None:
            self._waking.loop.call_soon(self._callback, self, context=self._context)
