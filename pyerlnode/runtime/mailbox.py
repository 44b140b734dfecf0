"""The message queue of one process, with selective receive.

Erlang's ``receive`` takes the *first* message that matches and leaves the others where they are
(Erlang Reference Manual, "Receive").  A waiting receive looks at each message once: what it has
already turned down is not looked at again until the next receive.  Priority messages stand before all
ordinary ones, in the order in which they arrived (Erlang Enhancement Proposal 76): a queue of their own.
"""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyerlnode.term import Term


class Mailbox:
    """Messages in the order in which they arrived, for one reader at a time."""

    __slots__ = ("_messages", "_seen", "_urgent", "_urgent_seen", "_waiter")

    def __init__(self) -> None:
        self._messages: deque[Term] = deque()
        self._urgent: deque[Term] | None = None  # there is one from the first priority message on
        self._seen = 0  # how many messages the waiting get has turned down
        self._urgent_seen = 0
        self._waiter: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._messages) + len(self._urgent or ())

    def __iter__(self) -> Iterator[Term]:
        return chain(self._urgent or (), self._messages)

    def put(self, message: Term) -> None:
        """Appends `message` and wakes the reader.  Never waits."""
        self._messages.append(message)
        self._wake()

    def put_priority(self, message: Term) -> None:
        """Puts `message` behind the other priority messages, and before all ordinary ones."""
        if self._urgent is None:
            self._urgent = deque()
        self._urgent.append(message)
        self._wake()

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def interrupt(self, error: BaseException) -> None:
        """Makes the receive that is waiting now raise `error`."""
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_exception(error)

    def remove(self, unwanted: Callable[[Term], bool]) -> None:
        """Drops every message that is `unwanted` (``demonitor(flush)``)."""
        self._messages = deque(message for message in self._messages if not unwanted(message))
        if self._urgent is not None:
            self._urgent = deque(message for message in self._urgent if not unwanted(message))
        self._seen = self._urgent_seen = 0

    async def get(self, match: Callable[[Term], Any] | None = None) -> Term:
        """The first message for which `match` is true (any, without `match`); waits for one.

        Cancelling the waiting task loses no message.
        """
        self._seen = self._urgent_seen = 0
        while True:
            urgent = self._urgent
            if urgent and (found := _find(urgent, self._urgent_seen, match)) >= 0:
                return _take(urgent, found)
            found = _find(self._messages, self._seen, match)
            if found >= 0:
                return _take(self._messages, found)
            self._seen, self._urgent_seen = len(self._messages), len(urgent or ())
            await self._arrival()

    async def _arrival(self) -> None:
        if self._waiter is not None:
            raise RuntimeError("this process is already waiting in receive(): one task at a time may receive")
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None


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
