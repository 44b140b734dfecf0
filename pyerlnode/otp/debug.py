"""What ``:sys`` can have a server note about itself: a trace, a log of its last events, and counts.

Events are those of ``gen_server``: ``{in, Message}``, ``{out, Reply, From, State}``, ``{noreply, State}`` and
``{continue, Work}``.  Nothing is noted, and no state looked at, until somebody asks (stdlib's ``sys``).  A
function to be installed cannot be run here, and a file is not written for others: both are refused.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import TYPE_CHECKING

from pyerlnode.term import Atom, brief

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyerlnode.term import Term

log = logging.getLogger("pyerlnode.gen_server")

KEPT = 10
"""Events that a log keeps when nobody says how many."""
MOST_KEPT = 1_000
"""The most that it keeps, whatever is asked for: they hold states of the server."""
OK = Atom("ok")
ERROR = Atom("error")
NO_FUNCTIONS = b"a server in Python cannot run a function of Erlang"


class Debug:
    """The debug options of one server."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._trace = False
        self._log: deque[Term] | None = None
        self._counts: _Counts | None = None
        self.is_on = False
        """Whether events are to be noted at all."""

    def note(self, name: Term, event: tuple[Term, ...]) -> None:
        """Notes one event of the server called `name`."""
        if self._trace:
            log.info("%s", described(name, event))
        if self._log is not None:
            self._log.append(event)
        if self._counts is not None:
            self._counts.count(event)

    @property
    def events(self) -> list[Term]:
        """The events that the log has, oldest first."""
        return list(self._log or ())

    def options(self) -> list[Term]:
        """What is on, as ``:sys.get_status`` shows it."""
        found: list[Term] = []
        if self._trace:
            found.append((Atom("trace"), True))
        if self._log is not None:
            found.append((Atom("log"), (self._log.maxlen, self.events)))
        if self._counts is not None:
            found.append((Atom("statistics"), self._counts.raw()))
        return found

    def command(self, name: Term, what: Term) -> Term:
        """Does what ``{debug, What}`` asks for, and gives the answer."""
        answer = self._command(name, what)
        self.is_on = self._trace or self._log is not None or self._counts is not None
        return answer

    def _command(self, name: Term, what: Term) -> Term:
        if what == "no_debug" and isinstance(what, Atom):
            self._trace, self._log, self._counts = False, None, None
            return OK
        if type(what) is tuple and len(what) == 2 and isinstance(what[0], Atom):
            return self._set(name, what[0], what[1])
        return Atom("unknown_debug")

    def _set(self, name: Term, option: Atom, value: Term) -> Term:
        match option:
            case "trace" if isinstance(value, bool):
                self._trace = value
                return OK
            case "log":
                return self._log_command(name, value)
            case "statistics":
                return self._statistics_command(value)
            case "log_to_file":
                return OK if value is False else (ERROR, Atom("open_file"))
            case "install":
                return (ERROR, NO_FUNCTIONS)
            case "remove":
                return OK
        return Atom("unknown_debug")

    def _log_command(self, name: Term, value: Term) -> Term:
        if value is True:
            return self._keep(KEPT)
        if value is False:
            self._log = None
            return OK
        if type(value) is tuple and len(value) == 2 and value[0] is True and _is_count(value[1]):
            return self._keep(value[1])
        if isinstance(value, Atom) and value == "get":
            return (OK, self.events)
        if isinstance(value, Atom) and value == "print":
            for event in self.events:
                log.info("%s", described(name, event))
            return OK
        return Atom("unknown_debug")

    def _keep(self, count: int) -> Term:
        self._log = deque(self._log or (), min(count, MOST_KEPT))
        return OK

    def _statistics_command(self, value: Term) -> Term:
        if value is True:
            self._counts = self._counts or _Counts(self._clock)
            return OK
        if value is False:
            self._counts = None
            return OK
        if isinstance(value, Atom) and value == "get":
            return (OK, Atom("no_statistics") if self._counts is None else self._counts.shown())
        return Atom("unknown_debug")


class _Counts:
    """Messages in and out since it was asked for; reductions are a BEAM's, so there are none."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._start = _local_time(clock())
        self._taken = 0
        self._sent = 0

    def count(self, event: tuple[Term, ...]) -> None:
        self._taken += event[0] == "in"
        self._sent += event[0] == "out"

    def raw(self) -> Term:
        return (self._start, (Atom("reductions"), 0), self._taken, self._sent)

    def shown(self) -> Term:
        return [
            (Atom("start_time"), self._start),
            (Atom("current_time"), _local_time(self._clock())),
            (Atom("reductions"), 0),
            (Atom("messages_in"), self._taken),
            (Atom("messages_out"), self._sent),
        ]


def _local_time(seconds: float) -> Term:
    now = time.localtime(seconds)
    return ((now.tm_year, now.tm_mon, now.tm_mday), (now.tm_hour, now.tm_min, now.tm_sec))


def _is_count(value: Term) -> bool:
    return type(value) is int and value > 0


def described(name: Term, event: tuple[Term, ...]) -> str:
    """One event in words, as a trace has it."""
    who = f"*DBG* {brief(name)}"
    match event:
        case ("in", (word, (pid, _), request)) if word == "$gen_call":
            return f"{who} got call {brief(request)} from {brief(pid)}"
        case ("in", (word, request)) if word == "$gen_cast":
            return f"{who} got cast {brief(request)}"
        case ("in", message):
            return f"{who} got {brief(message)}"
        case ("out", reply, (pid, _), state):
            return f"{who} sent {brief(reply)} to {brief(pid)}, new state {brief(state)}"
        case ("noreply", state):
            return f"{who} new state {brief(state)}"
    return f"{who} did {brief(event)}"
