"""Lines that a process writes: kept, and waited for.  Written by a thread, read by any."""

from __future__ import annotations

import asyncio
import re
import threading
from concurrent.futures import Future
from typing import ClassVar

PATIENCE = 30.0
"""Seconds to wait for a line, unless it is said otherwise."""


class LogEnded(EOFError):
    """The process ended without the line that was waited for.  The text ends with its last lines."""


class Log:
    """What `who` wrote so far, in `lines`.  Whoever waits for what never comes gets an `error`."""

    seen: ClassVar[list[Log]] = []
    """Every log since this was last cleared: for reports of failed tests."""

    def __init__(self, who: str, error: type[Exception] = LogEnded) -> None:
        self.who = who
        self.lines: list[str] = []
        Log.seen.append(self)
        self._error = error
        self._lock = threading.Lock()
        self._waiting: list[tuple[re.Pattern[str], Future[re.Match[str]]]] = []
        self._ended = False

    @property
    def has_ended(self) -> bool:
        """Whether there will be no more lines."""
        return self._ended

    def note(self, line: str) -> None:
        """One more line."""
        with self._lock:
            self.lines.append(line)
            found = [(wish, match) for wish in self._waiting if (match := wish[0].search(line))]
            self._waiting = [wish for wish in self._waiting if not wish[0].search(line)]
        for (_, future), match in found:
            if future.set_running_or_notify_cancel():
                future.set_result(match)

    def end(self) -> None:
        """No more lines: whoever waits for one is told so."""
        with self._lock:
            self._ended = True
            waiting, self._waiting = self._waiting, []
        for pattern, future in waiting:
            if future.set_running_or_notify_cancel():
                future.set_exception(self._missing(pattern))

    async def wait(self, pattern: str, *, timeout: float = PATIENCE, after: int = 0) -> re.Match[str]:
        """Wait for a line in which `pattern` (a regular expression) is found, from line `after` on."""
        try:
            return await asyncio.wait_for(asyncio.wrap_future(self._search(pattern, after)), timeout)
        except TimeoutError:
            raise self._late(pattern, timeout) from None

    def wait_plainly(self, pattern: str, *, timeout: float = PATIENCE, after: int = 0) -> re.Match[str]:
        """`wait` for code without an event loop."""
        try:
            return self._search(pattern, after).result(timeout)
        except TimeoutError:
            raise self._late(pattern, timeout) from None

    def count(self, pattern: str, *, after: int = 0) -> int:
        """In how many lines `pattern` is found, from line `after` on."""
        expression = re.compile(pattern)
        with self._lock:
            return sum(1 for line in self.lines[after:] if expression.search(line))

    def tail(self, lines: int = 40) -> str:
        """The end of it, for error texts."""
        shown = "\n".join(f"    {line}" for line in self.lines[-lines:])
        return f"Its log ended:\n{shown}" if shown else "It logged nothing."

    def _search(self, pattern: str, after: int) -> Future[re.Match[str]]:
        expression = re.compile(pattern)
        future: Future[re.Match[str]] = Future()
        with self._lock:
            match = next(filter(None, map(expression.search, self.lines[after:])), None)
            if match is not None:
                future.set_result(match)
            elif self._ended:
                future.set_exception(self._missing(expression))
            else:
                self._waiting.append((expression, future))
        return future

    def _missing(self, pattern: re.Pattern[str]) -> Exception:
        return self._error(f"{self.who} ended without a line like {pattern.pattern!r}.  {self.tail()}")

    def _late(self, pattern: str, timeout: float) -> TimeoutError:
        return TimeoutError(f"{self.who}: no line like {pattern!r} within {timeout} s.  {self.tail()}")
