"""The message queue of one process, with selective receive.

Erlang's ``receive`` takes the *first* message that matches and leaves the others where they are
(Erlang Reference Manual, "Receive").  A waiting receive looks at each message once: what it has
already turned down is not looked at again until the next receive.
"""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyerlnode.term import Term


class Mailbox:
    """Messages in the order in which they arrived, for one reader at a time."""

    __slots__ = ("_messages", "_seen", "_waiter")

    def __init__(self) -> None:
        self._messages: deque[Term] = deque()
        self._seen = 0  # how many of them the waiting get has turned down
        self._waiter: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, message: Term) -> None:
        """Appends `message` and wakes the reader.  Never waits."""
        self._messages.append(message)
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
        self._seen = 0

    async def get(self, match: Callable[[Term], Any] | None = None) -> Term:
        """The first message for which `match` is true (any, without `match`); waits for one.

        Cancelling the waiting task loses no message.
        """
        self._seen = 0
        while True:
            found = self._find(match)
            if found >= 0:
                return self._take(found)
            self._seen = len(self._messages)
            await self._arrival()

    def _find(self, match: Callable[[Term], Any] | None) -> int:
        if match is None:
            return 0 if self._messages else -1
        for index, message in enumerate(islice(self._messages, self._seen, None), self._seen):
            if match(message):
                return index
        return -1

    def _take(self, index: int) -> Term:
        if index == 0:
            return self._messages.popleft()
        message = self._messages[index]
        del self._messages[index]
        return message

    async def _arrival(self) -> None:
        if self._waiter is not None:
            raise RuntimeError("this process is already waiting in receive(): one task at a time may receive")
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
