"""The message queue of one process, with selective receive.

Erlang's ``receive`` takes the *first* message that matches and leaves the others where they are
(Erlang Reference Manual, "Receive").  A waiting receive looks at each message once: what it has
already turned down is not looked at again until the next receive.  Priority messages stand before all
ordinary ones, in the order in which they arrived (Erlang Enhancement Proposal 76): a queue of their own.
"""

from __future__ import annotations

from collections import deque
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final

from pyerlnode.runtime.waking import Arrival

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyerlnode.runtime.waking import Waking
    from pyerlnode.term import Term

NOTHING: Final = object()
"""What :meth:`Mailbox.take` gives where no message is."""


_NO_MESSAGES: deque[Term] = deque()  # of every mailbox before its first message: a deque takes 760 bytes


class Mailbox:
    """Messages in the order in which they arrived, for one reader at a time; no more than `limit`."""

    __slots__ = ("_limit", "_messages", "_seen", "_urgent", "_urgent_seen", "_waiter", "_waking")

    def __init__(self, waking: Waking, limit: int) -> None:
        self._waking = waking
        self._limit = limit
        self._messages = _NO_MESSAGES
        self._urgent: deque[Term] | None = None  # there is one from the first priority message on
        self._seen = 0  # how many messages the waiting get has turned down
        self._urgent_seen = 0
        self._waiter: Arrival[None] | None = None

    def __len__(self) -> int:
        return len(self._messages) + len(self._urgent or ())

    def __iter__(self) -> Iterator[Term]:
        return chain(self._urgent or (), self._messages)

    def put(self, message: Term) -> bool:
        """Appends `message` and wakes the reader; False where there is no room.  Never waits."""
        messages = self._messages
        if len(messages) >= self._limit or (self._urgent and len(self) >= self._limit):
            return False
        if messages is _NO_MESSAGES:
            messages = self._messages = deque()
        messages.append(message)
        waiter = self._waiter
        if waiter is not None and not waiter.is_done:  # of many messages in one read, the first wakes
            waiter.set_result(None)
        return True

    def put_priority(self, message: Term) -> bool:
        """Puts `message` behind the other priority messages, and before all ordinary ones."""
        if self._urgent is None:
            self._urgent = deque()
        if len(self) >= self._limit:
            return False
        self._urgent.append(message)
        if self._waiter is not None:
            self._waiter.set_result(None)
        return True

    def interrupt(self, error: BaseException) -> None:
        """Makes the receive that is waiting now raise `error`."""
        if self._waiter is not None:
            self._waiter.set_exception(error)

    def remove(self, unwanted: Callable[[Term], bool]) -> None:
        """Drops every message that is `unwanted` (``demonitor(flush)``)."""
        self._messages = deque(message for message in self._messages if not unwanted(message))
        if self._urgent is not None:
            self._urgent = deque(message for message in self._urgent if not unwanted(message))
        self._seen = self._urgent_seen = 0

    def take(self, match: Callable[[Term], Any] | None = None) -> Term:
        """The first message for which `match` is true (any, without `match`); :data:`NOTHING` for none."""
        self._seen = self._urgent_seen = 0
        if match is None and not self._urgent:
            return self._messages.popleft() if self._messages else NOTHING
        return self._next(match)

    def _next(self, match: Callable[[Term], Any] | None) -> Term:
        urgent = self._urgent
        if urgent and (found := _find(urgent, self._urgent_seen, match)) >= 0:
            return _take(urgent, found)
        found = _find(self._messages, self._seen, match)
        if found >= 0:
            return _take(self._messages, found)
        self._seen, self._urgent_seen = len(self._messages), len(urgent or ())
        return NOTHING

    async def get(self, match: Callable[[Term], Any] | None = None) -> Term:
        """As :meth:`take`, and waits for one.  Cancelling the waiting task loses no message."""
        message = self.take(match)
        return await self.wait(match) if message is NOTHING else message

    async def wait(self, match: Callable[[Term], Any] | None = None) -> Term:
        """As :meth:`get`, right after :meth:`take` has found nothing."""
        message = NOTHING
        while message is NOTHING:
            if self._waiter is not None:
                raise RuntimeError(
                    "this process is already waiting in receive(): one task at a time may receive"
                )
            self._waiter = Arrival(self._waking)
            try:
                await self._waiter
            finally:
                self._waiter = None
            if match is None and self._messages and not self._urgent:  # as the next line, with fewer calls
                return self._messages.popleft()
            message = self._next(match)
        return message


def _find(messages: deque[Term], seen: int, match: Callable[[Term], Any] | None) -> int:
    """Where the first that matches is, the first `seen` not looked at; -1 for none."""
    if match is None:
        return 0 if messages else -1
    for index, message in enumerate(islice(messages, seen, None), seen):
        if match(message):
            return index
    return -1


def _take(messages: deque[Term], index: int) -> Term:
    if index == 0:
        return messages.popleft()
    message = messages[index]
    del messages[index]
    return message
