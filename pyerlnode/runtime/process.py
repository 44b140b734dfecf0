"""A process as Python users hold it: a pid, a mailbox, and a coroutine or a block as its body.

Whatever may have to dial is awaited; the rest is plain.  A process ends when its body returns
(``normal``), raises (a reason that Elixir prints as an exception), raises :class:`Exit`, or when an exit
signal reaches it, which cancels the body (Erlang Reference Manual, "Processes").
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

from pyerlnode.errors import ConnectFailed, Exit
from pyerlnode.runtime import requests
from pyerlnode.runtime.actor import Actor
from pyerlnode.runtime.exits import KILLED, NORMAL, OVERFLOW, SHUTDOWN, is_reason, reason_of
from pyerlnode.runtime.mailbox import NOTHING, Mailbox
from pyerlnode.runtime.requests import destination, reach
from pyerlnode.term import Atom, Pid, Reference, brief

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from pyerlnode.runtime.router import Router
    from pyerlnode.term import Term
    from pyerlnode.wire.payload import Payload

log = logging.getLogger("pyerlnode.process")

_IDENTIFIERS = frozenset({Pid, Reference})


class Process(Actor):
    """One process of this node."""

    def __init__(self, router: Router, node: Any = None) -> None:
        super().__init__(router)
        self.node = node
        """The :class:`pyerlnode.Node` that this process lives on."""
        self._mailbox = Mailbox(router.waking, router.limits.mailbox)
        self._task: asyncio.Task[Any] | None = None
        self._cancelled = False  # whether an exit signal has cancelled the body
        self.owns_task = False
        """Whether the task runs nothing but the body; that of a block is its user's."""
        self.ends_on_request = False
        """Whether the body ends by itself when it is asked to: servers do, to run ``terminate``."""

    @property
    def task(self) -> asyncio.Task[Any] | None:
        """The task that runs the body."""
        return self._task

    def __repr__(self) -> str:
        pid = self.pid  # not by `brief`: each task is named like this, and no node should load that to start
        return f"<Process #PID<{pid.node}.{pid.id}.{pid.serial}>{''.join(' ' + name for name in self.names)}>"

    # receiving ---------------------------------------------------------------------

    async def receive(self, timeout: float | None = None, match: Callable[[Term], Any] | None = None) -> Term:
        """Takes the first message from the mailbox, waiting for one.

        With `match`, the first message for which it is true: the others stay, in their order.  `timeout` is
        in seconds (0 looks only at what is there).  Raises :class:`TimeoutError` when none came in time.
        """
        if not self.alive:
            raise self.ended()
        message = self._mailbox.take(match)
        if message is not NOTHING:
            return message
        if timeout is None:
            return await self._mailbox.wait(match)
        async with asyncio.timeout(timeout):
            return await self._mailbox.wait(match)

    def __aiter__(self) -> AsyncIterator[Term]:
        return self

    __anext__ = receive

    @property
    def message_queue_len(self) -> int:
        """How many messages wait in the mailbox."""
        return len(self._mailbox)

    # sending -----------------------------------------------------------------------

    async def send(self, dest: Term, message: Term, *, priority: bool = False) -> None:
        """Sends `message` to a pid, ``"name"``, ``("name", "node@host")`` or an alias.

        With `priority`, the owner of a priority alias (``me.alias(priority=True)``, ``alias([priority])``)
        receives it before its ordinary messages; to anybody else it is an ordinary message, as on the BEAM.

        Connects on demand, and waits while the connection has more unsent than ``Limits.outbox``.  A process
        that does not exist swallows the message, and so does a connection that is lost while it waits, as on
        the BEAM: a monitor tells.  Raises :class:`EncodeError` for a value
        that has no term, :class:`ConnectFailed` where the node cannot be reached.
        """
        if not self.alive:
            raise self.ended()
        router = self.router
        target: Pid | Atom | Reference
        if type(dest) in _IDENTIFIERS and not router.registry.former:
            target, node = dest, dest.node  # what `destination` says, too
        else:
            target, node = destination(router, dest)
        session = router.sessions.get(node)
        if session is not None and not priority:
            sent = session.post(self.pid, target, message)  # as self.post does, with a call less
            if sent is not True:
                await self._send_rest(node, target, sent)
            return
        await requests.send(self, requests.Destination(target, node), message, priority=priority)

    async def _send_rest(self, node: Atom, target: Pid | Atom | Reference, sent: bool | Payload) -> None:
        """What a message costs that could not go the short way, or that filled the connection."""
        if not isinstance(sent, bool):
            self.emit_message(node, target, sent)
        await self.router.room(node, self.pid)

    async def link(self, pid: Pid, *, priority: bool = False) -> None:
        """Links to `pid`: when one of the two ends, the other gets an exit signal.

        A process that does not exist sends ``noproc`` back; a node that cannot be reached, ``noconnection``.
        With `priority`, its ``('EXIT', pid, reason)`` is a priority message of this process; linking once
        more without it takes that back.
        """
        pid = self.router.registry.current(pid)
        await self._try_reach(pid.node)
        self.emit_link(pid, priority=priority)

    async def unlink(self, pid: Pid) -> None:
        """Removes the link to `pid`.  No exit signal over it arrives afterwards."""
        self.emit_unlink(self.router.registry.current(pid))

    async def monitor(self, dest: Term, *, priority: bool = False) -> Reference:
        """Watches `dest`, a pid, ``"name"`` or ``("name", "node@host")``.

        When it ends, ``('DOWN', ref, 'process', dest, reason)`` arrives once, with `dest` as the pid or as
        ``(name, node)``; at once with ``noproc`` where there is no such process, with ``noconnection`` where
        the node cannot be reached or is lost.  With `priority` it is a priority message: it stands before
        the ordinary ones that wait already.
        """
        to = destination(self.router, dest)
        if isinstance(to.target, Reference):
            raise TypeError("an alias cannot be monitored: monitor the pid behind it")
        await self._try_reach(to.node)
        return self.emit_monitor(to.target, to.node, priority=priority)

    async def demonitor(self, ref: Reference, *, flush: bool = False) -> bool:
        """Stops watching.  With `flush`, a 'DOWN' that has arrived already is removed from the mailbox.

        Returns whether the monitor was still active.
        """
        active = self.emit_demonitor(ref)
        if flush and not active:
            self._mailbox.remove(lambda message: is_down_of(message, ref))
        return active

    async def exit(self, dest: Pid | Reference, reason: Term, *, priority: bool = False) -> None:
        """Sends an exit signal to a pid, as ``Process.exit/2``, or to an alias, as ``erlang:exit/3``.

        ``kill`` cannot be trapped.  With `priority`, the ``('EXIT', pid, reason)`` of a process that traps
        exits is a priority message where `dest` is a priority alias.  A BEAM before OTP 28 knows no exit
        signals to aliases: there it vanishes, as one of the BEAM's would.
        """
        if not isinstance(dest, Pid | Reference):
            raise TypeError(f"an exit signal goes to a Pid or an alias, not to {brief(dest)}")
        to = destination(self.router, dest)
        await self._try_reach(to.node)
        if isinstance(to.target, Pid):
            self.emit_exit(to.target, reason)
        elif isinstance(to.target, Reference):
            self.emit_alias_exit(to.node, to.target, reason, priority=priority)

    async def _try_reach(self, node: Atom) -> None:
        self.check_alive()
        try:
            await reach(self.router, node)
        except ConnectFailed as error:
            log.info("%s", error)  # the signal that follows tells the process: noconnection

    def register(self, name: str) -> None:
        """Registers this process under `name`.  Raises :class:`NameTaken` where that is in use."""
        self.router.registry.register(name, self)

    # the body ----------------------------------------------------------------------

    def on_message(self, message: Term) -> None:
        """Puts a message into the mailbox; a process whose mailbox is full ends, loudly."""
        if not self._mailbox.put(message):
            self._overflow()

    def on_priority_message(self, message: Term) -> None:
        """Puts a message behind the other priority messages, before the ordinary ones."""
        if not self._mailbox.put_priority(message):
            self._overflow()

    def _overflow(self) -> None:
        log.error("%r has %d messages waiting, Limits.mailbox: it ends", self, len(self._mailbox))
        self.end(OVERFLOW)

    def on_exit(self, reason: Term) -> None:
        """Cancels the body, and wakes whichever other task receives for it."""
        task = self._task
        if task is not None:
            self._cancelled = task.cancel()
        self._mailbox.interrupt(self.ended())

    def let_go(self) -> None:
        """Spares the body: the end of the process will not cancel it."""
        self._task = None

    def start(self, body: Callable[..., Awaitable[Any]], args: tuple[Any, ...]) -> asyncio.Task[Any]:
        """Runs ``body(self, *args)`` in a task of its own until it ends or this process is ended."""
        self.owns_task = True
        self._task = asyncio.get_running_loop().create_task(self._run(body, args), name=repr(self))
        return self._task

    async def _run(self, body: Callable[..., Awaitable[Any]], args: tuple[Any, ...]) -> None:
        try:
            await body(self, *args)
        except asyncio.CancelledError as error:
            if is_cancelled():
                self.end(KILLED)  # does nothing where an exit signal was the cause
            else:
                what = RuntimeError("something that the process waited for was cancelled")
                self._crash(what.with_traceback(error.__traceback__))
        except GeneratorExit:
            raise  # the event loop is gone, and with it everybody who could be told
        except BaseException as error:
            self._crash(error)
            if not isinstance(error, Exception):
                raise  # it is to stop the program
        else:
            self.end(NORMAL)

    def _crash(self, error: BaseException) -> None:
        self._log_crash(error)
        self.end(reason_of(error))

    def _log_crash(self, error: BaseException) -> None:
        if isinstance(error, Exit):
            if not is_quiet(error.reason):
                log.error("%r ended: %s", self, brief(error.reason))
        elif self.alive:
            log.error("%r ended: %s", self, type(error).__name__, exc_info=error)

    @contextlib.asynccontextmanager
    async def block(self) -> AsyncIterator[Process]:
        """The body of an ``async with`` as the body of this process.

        An exit signal that ends the process cancels the block, which then raises :class:`Exit`.
        """
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a process block needs a task to run in")
        self._task, before = task, task.cancelling()
        try:
            yield self
        except asyncio.CancelledError:
            self._task = None
            if self._cancelled and task.uncancel() <= before:
                raise Exit(self.exit_reason) from None
            self.end(KILLED)
            raise
        except BaseException as error:
            self._task = None
            await self._absorb_cancel(task, before)
            self.end(reason_of(error))
            raise
        else:
            self._task = None
            await self._absorb_cancel(task, before)
            if self._cancelled:
                raise Exit(self.exit_reason)
        finally:
            self._task = None
            self.end(NORMAL)

    async def _absorb_cancel(self, task: asyncio.Task[Any], before: int) -> None:
        """Takes back the cancel of an exit signal that came when the block was ending anyway."""
        if not self._cancelled or task.cancelling() <= before:
            return
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0)
        if task.uncancel() > before:
            raise asyncio.CancelledError  # somebody else has cancelled the task as well


def is_down_of(message: Term, ref: Reference) -> bool:
    """Whether `message` is the 'DOWN' of the monitor `ref`."""
    return type(message) is tuple and len(message) == 5 and message[0] == "DOWN" and message[1] == ref


def is_quiet(reason: Term) -> bool:
    """Reasons of an orderly end, which nobody logs: ``normal``, ``shutdown``, ``{shutdown, Term}``."""
    if type(reason) is tuple and len(reason) == 2:
        reason = reason[0]
        return is_reason(reason, SHUTDOWN)
    return is_reason(reason, NORMAL) or is_reason(reason, SHUTDOWN)


def is_cancelled() -> bool:
    """Whether somebody wants the task that runs now to end."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0
