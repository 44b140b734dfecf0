"""Who was heard gossiping, and whom of them to dial now.

Anybody on the network can send heartbeats, in any name.  A node that cannot be reached is dialled again at
its heartbeats, ever less often.  Strangers are dialled on credit, that of each machine and that of all: it is
given back when the dial succeeds, and comes back slowly when it does not.  So a cluster of any size forms
without delay, while a machine that makes up names costs us one dial a second, and little memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyerlnode.cluster.backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable

AT_ONCE = 64
"""Dials side by side."""
FROM_ONE, FROM_ONE_PER_SECOND = 32, 1.0
"""Strangers from one address that may fail in a row, and how many more in each second after."""
FROM_ALL, FROM_ALL_PER_SECOND = 256, 8.0
"""The same for all addresses together."""
ADDRESSES = 256
"""Addresses whose credit is remembered."""
FAILURES = 512
"""Names remembered for having failed."""
FIRST_RETRY, SLOWEST_RETRY = 1.0, 15.0
"""Seconds in which a node that could not be reached is not dialled again: the first time, and at most."""
RECENT = 30.0
"""Seconds from its last heartbeat on that a node still counts as heard; the longest pause is 5."""


class Credit:
    """Up to `most`, of which `per_second` come back by themselves; `time` tells seconds."""

    def __init__(self, most: float, per_second: float, time: Callable[[], float]) -> None:
        self._most = most
        self._per_second = per_second
        self._time = time
        self._left = most
        self._counted = time()

    def has_one(self) -> bool:
        """Whether there is one to take."""
        now = self._time()
        self._left = min(self._most, self._left + (now - self._counted) * self._per_second)
        self._counted = now
        return self._left >= 1

    def take(self) -> None:
        """Spend one."""
        self._left -= 1

    def give_back(self) -> None:
        """It was well spent."""
        self._left = min(self._most, self._left + 1)


@dataclass(slots=True)
class _Failure:
    pauses: Backoff
    due: float


class Heard:
    """Memory of names, bounded whatever is heard.  `time` tells seconds, `random` numbers from 0 to 1."""

    def __init__(self, time: Callable[[], float], random: Callable[[], float]) -> None:
        self._time = time
        self._random = random
        self._last: dict[str, float] = {}
        self._dialled: dict[str, str] = {}
        """Names being dialled, and the address that each was heard from."""
        self._failures: dict[str, _Failure] = {}
        """The one that failed longest ago comes first."""
        self._all = Credit(FROM_ALL, FROM_ALL_PER_SECOND, time)
        self._addresses: dict[str, Credit] = {}
        """The one that was needed longest ago comes first."""

    def recent(self) -> frozenset[str]:
        """The names that were heard lately and are connected, or were found worth a dial."""
        begin = self._time() - RECENT
        self._last = {name: last for name, last in self._last.items() if last >= begin}
        return frozenset(self._last)

    def connected(self, name: str) -> None:
        """`name` was heard, or dialled, and is connected."""
        self._last[name] = self._time()
        self._failures.pop(name, None)
        address = self._dialled.pop(name, None)
        if address is not None:
            self._all.give_back()
            self._credit(address).give_back()

    def may_dial(self, name: str, address: str) -> bool:
        """Whether to dial `name`, not connected and heard from `address`, now.

        If so, :meth:`connected` or :meth:`failed` has to follow.
        """
        if name in self._dialled or len(self._dialled) >= AT_ONCE:
            return False
        failure = self._failures.get(name)
        if failure is None and not self._may_spend(address):
            return False
        self._last[name] = self._time()
        if failure is not None and self._time() < failure.due:
            return False
        self._dialled[name] = address
        return True

    def failed(self, name: str) -> list[str]:
        """`name` was dialled in vain.  Gives the names that are forgotten for it."""
        del self._dialled[name]
        failure = self._failures.pop(name, None)
        if failure is None or failure.due + RECENT < self._time():  # it was silent: another life, perhaps
            failure = _Failure(Backoff(FIRST_RETRY, SLOWEST_RETRY, self._random), 0.0)
        failure.due = self._time() + failure.pauses.delay()
        self._failures[name] = failure
        return [_drop_first(self._failures)] if len(self._failures) > FAILURES else []

    def _may_spend(self, address: str) -> bool:
        credit = self._credit(address)
        if not (credit.has_one() and self._all.has_one()):
            return False
        credit.take()
        self._all.take()
        return True

    def _credit(self, address: str) -> Credit:
        credit = self._addresses.pop(address, None) or Credit(FROM_ONE, FROM_ONE_PER_SECOND, self._time)
        self._addresses[address] = credit
        if len(self._addresses) > ADDRESSES:
            _drop_first(self._addresses)
        return credit


def _drop_first(table: dict[str, Any]) -> str:
    first = next(iter(table))
    del table[first]
    return first
