"""Those who wait until a connection has room for what they send next.

Who sent wait in two lines, first come first: one for all whose small messages share a queue, and one of its
own for each sender that has a large message under way (:mod:`pyerlnode.net.outbox`).  Whatever becomes free,
only a few are let in at once, and the next when these have had their turn: with thousands in line nobody is
woken in vain, and to let somebody in costs the same however long the line is.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyerlnode.net.outbox import Outbox
    from pyerlnode.term import Pid

__all__ = ["Waiting"]

AT_ONCE: Final = 64
"""How many are let in at a time: each may find the room taken by those before it, and keeps its place."""


class _Waiter:
    """Somebody in a line; `sender` may be unknown."""

    __slots__ = ("future", "line", "sender")

    def __init__(self, sender: Pid | None, line: _Line) -> None:
        self.sender = sender
        self.line = line
        self.future: asyncio.Future[None] | None = None


_Line: TypeAlias = dict[_Waiter, None]


class Waiting:
    """The senders that wait for room in `outbox`, above whose `limit` bytes they are held up."""

    __slots__ = ("_called", "_limit", "_line", "_outbox", "_own")

    def __init__(self, outbox: Outbox, limit: int) -> None:
        self._outbox = outbox
        self._limit = limit
        self._line: _Line = {}
        self._own: dict[Pid, _Line] = {}  # who waits for the end of the sender's own large messages
        self._called: set[_Waiter] = set()  # let in, and not back yet

    def __len__(self) -> int:
        return len(self._line) + sum(map(len, self._own.values()))

    def __iter__(self) -> Iterator[Pid | None]:
        return (waiter.sender for waiter in chain(self._line, *self._own.values()))

    async def wait(self, sender: Pid | None) -> None:
        """Returns when `sender` is held up no more; as long as it is, it keeps its place."""
        waiter = _Waiter(sender, self._line_of(sender))
        waiter.line[waiter] = None
        create_future = asyncio.get_running_loop().create_future
        try:
            while self._outbox.holds_up(sender, self._limit):
                waiter.future = create_future()
                self._came_back(waiter)
                await waiter.future
        finally:
            self._leave(waiter)
            self._came_back(waiter)

    def _line_of(self, sender: Pid | None) -> _Line:
        if sender is not None and self._outbox.has_lane(sender):
            return self._own.setdefault(sender, {})
        return self._line

    def _leave(self, waiter: _Waiter) -> None:
        line, sender = waiter.line, waiter.sender
        del line[waiter]
        if not line and sender is not None and self._own.get(sender) is line:
            del self._own[sender]

    def _came_back(self, waiter: _Waiter) -> None:
        """One of those let in has had its turn: after the last of them come the next."""
        if waiter in self._called:
            self._called.discard(waiter)
            if not self._called:
                self.wake()

    def awaited(self) -> int:
        """Unsent bytes of the large messages that somebody waits with, one for each who waits."""
        counts = Counter(sender for sender in self if sender is not None)
        return sum(self._outbox.size_of_first(sender, count) for sender, count in counts.items())

    # ------------------------------------------------------------------ letting in

    def wake(self) -> None:
        """Lets the next few in, where there is room: to be called whenever something was written."""
        outbox = self._outbox
        if outbox.ended:
            self._rejoin(outbox.take_ended())
        if self._called or not (self._line or self._own) or outbox.is_full(self._limit):
            return
        self._let_in(self._line)
        if outbox.size <= self._limit:
            self._let_in(chain.from_iterable(self._own.values()))

    def wake_all(self) -> None:
        """Lets everybody in: there is nothing left to wait for."""
        for waiter in chain(self._line, *self._own.values()):
            self._call(waiter)

    def _rejoin(self, senders: Iterable[Pid]) -> None:
        """The large messages of these are gone: they are as the others."""
        for sender in senders:
            for waiter in self._own.pop(sender, ()):
                waiter.line = self._line
                self._line[waiter] = None

    def _let_in(self, waiters: Iterable[_Waiter]) -> None:
        holds_up, limit = self._outbox.holds_up, self._limit
        for waiter in waiters:
            if len(self._called) >= AT_ONCE:
                break
            if not holds_up(waiter.sender, limit):
                self._call(waiter)

    def _call(self, waiter: _Waiter) -> None:
        if waiter.future is not None and not waiter.future.done():
            waiter.future.set_result(None)
            self._called.add(waiter)
