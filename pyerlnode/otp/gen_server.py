"""``gen_server`` in Python, as users write one: the callbacks, and what a callback may say.

From Elixir it is called as any other: ``GenServer.call({:model, :"py@host"}, {:predict, xs})``.  A callback
that is an ``async def`` runs on the event loop; a plain ``def`` runs in a worker thread, so that it may
compute or block for seconds while the node ticks, answers pings and serves its other processes.  What runs
them is :mod:`pyerlnode.otp.server`.  (The behaviour of stdlib's ``gen_server`` and of Elixir's ``GenServer``;
``code_change`` has no meaning here, ``hibernate`` no effect.)
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pyerlnode.errors import EncodeError, PyerlnodeError
from pyerlnode.runtime.exits import NORMAL
from pyerlnode.term import Atom, Pid, brief, encode_bare

if TYPE_CHECKING:
    from pyerlnode.otp.gen import Process
    from pyerlnode.term import Term

log = logging.getLogger("pyerlnode.gen_server")

SHOWN = 200
"""How much of the ``repr`` of a value that has no term is shown to other nodes."""


class NoReply:
    """What ``handle_call`` returns (the class itself) when it answers later, by ``await caller.reply(x)``."""


class Stop(PyerlnodeError):
    """Raised in a callback, ends the server with `reason` after ``terminate``; `reply` answers the call."""

    def __init__(self, reason: Term = NORMAL, *, reply: Term = NoReply) -> None:
        super().__init__(reason)
        self.reason = reason
        self.reply = reply


class Ignore(PyerlnodeError):
    """Raised in ``init``, says that this server is not wanted: it ends, and a supervisor goes on without it.

    ``start_server`` raises it; a start from Elixir returns ``:ignore``.
    """


class Caller:
    """Who called, and how to answer: the ``From`` of ``gen_server``."""

    __slots__ = ("me", "pid", "tag")

    def __init__(self, me: Process, pid: Pid, tag: Term) -> None:
        self.me: Final = me
        self.pid: Final = pid
        self.tag: Final = tag

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Caller):
            return NotImplemented
        return self.me is other.me and self.pid == other.pid and bool(self.tag == other.tag)

    def __hash__(self) -> int:
        return hash((self.pid, self.tag))

    def __repr__(self) -> str:
        return f"<Caller {brief(self.pid)}>"

    async def reply(self, value: Term) -> None:
        """Answers the call.  A caller that gave up, or a node that is gone, is no error."""
        me, pid = self.me, self.pid
        if not me.router.answer(me, pid, self.tag, value):
            await me.router.room(pid.node, me.pid)


class Continue(NamedTuple):
    """The server is to continue with this before it takes a message."""

    work: Term


class Timeout(NamedTuple):
    """The server is to be woken when no message comes for so many seconds."""

    seconds: float


class GenServer:
    """Base of servers.  Override what you need; ``self.me`` is the process, ``self.node`` its node.

    Messages are handled one at a time, in the order of arrival.  In any callback, :meth:`continue_with` and
    :meth:`set_timeout` say what comes after it.  A callback that raises ends the server: first ``terminate``
    runs, then whoever waits for an answer gets the error, at once.
    """

    me: Process
    node: Any
    _comes_next: Continue | Timeout | None = None

    # callbacks -------------------------------------------------------------------------

    async def init(self, *args: Any) -> None:
        """Prepares the server, before anybody can call it.  What it raises, ``start_server`` raises.

        :class:`Stop` here means that the server cannot start, :class:`Ignore` that it need not.
        """

    async def handle_call(self, request: Term, caller: Caller) -> Term:
        """Answers a call with what it returns, or with :class:`NoReply` promises an answer for later.

        For a request that it does not know, ``return await super().handle_call(request, caller)``.
        """
        raise RuntimeError(f"{_named(self)} was called, and has no handle_call for {brief(request)}")

    async def handle_cast(self, request: Term) -> None:
        """Takes a cast."""
        raise RuntimeError(f"{_named(self)} was sent a cast, and has no handle_cast for {brief(request)}")

    async def handle_info(self, message: Term) -> None:
        """Takes any other message: 'DOWN', 'EXIT', 'timeout', plain sends."""
        log.error("%s received unexpected message in handle_info: %s", _named(self), brief(message))

    async def handle_continue(self, work: Term) -> None:
        """Goes on with what :meth:`continue_with` was given, before any message."""
        raise RuntimeError(f"{_named(self)} is to continue with {brief(work)}, and has no handle_continue")

    async def terminate(self, reason: Term) -> None:
        """Cleans up: when a callback raised or asked for the end, or when the node stops.

        An exit signal ends the server without it, unless the server traps exits and the signal comes from
        its parent, the process that it was started with as ``link`` or its supervisor.
        """

    def get_state(self) -> Term:
        """What ``:sys.get_state`` shows: by default a map of the public attributes.

        What has no term is shown as text.
        """
        hidden = ("me", "node")
        return {
            Atom(name): presentable(value)
            for name, value in vars(self).items()
            if name not in hidden and not name.startswith("_")
        }

    def format_status(self, status: dict[str, Term]) -> dict[str, Term]:
        """Changes what ``:sys.get_status`` and the report of a crash show, to keep secrets out of them.

        `status` has ``"state"`` and ``"log"``, in a report also ``"message"`` and ``"reason"``; what is
        returned has the same keys (``format_status/1`` of Elixir).
        """
        return status

    # what a callback may ask for ---------------------------------------------------------

    def continue_with(self, work: Term) -> None:
        """Has ``handle_continue(work)`` run after this callback, before any message: ``{:continue, work}``.

        Where the callback answers a call, the answer is sent first.
        """
        self._comes_next = Continue(work)

    def set_timeout(self, seconds: float) -> None:
        """Has ``handle_info("timeout")`` run when no message comes within `seconds` of this callback.

        Any message ends the wait, and the next callback may ask for another.  Of several calls in one
        callback, to this and to :meth:`continue_with`, the last counts.
        """
        if seconds < 0:
            raise ValueError(f"a timeout is 0 or more seconds, not {seconds}")
        self._comes_next = Timeout(seconds)


def take_next(server: GenServer) -> Continue | Timeout | None:
    """What the last callback asked for, once: for the loop that runs the server."""
    found, server._comes_next = server._comes_next, None  # noqa: SLF001 - out of users' sight
    return found


def name_of(me: Process) -> Term:
    """How a process is called in reports: its registered name, or its pid."""
    return me.names[0] if me.names else me.pid


def _named(server: GenServer) -> str:
    return f"{type(server).__name__} {brief(name_of(server.me))}"


def presentable(value: Any) -> Term:
    """`value`, or its ``repr``, cut, where it has no term."""
    try:
        encode_bare(value)
    except EncodeError:
        return _text_of(value)
    return value


def _text_of(value: Any) -> bytes:
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - somebody's __repr__ is broken; the server goes on
        text = f"<{type(value).__name__}>"
    return (text if len(text) <= SHOWN else text[:SHOWN] + "...").encode("utf-8", "replace")
