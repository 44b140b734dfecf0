"""The loop of a server: takes its messages one at a time, and runs the callbacks of a :class:`GenServer`.

``$gen_call`` and ``$gen_cast`` are for the callbacks of that name, ``{system, From, Request}`` for
:mod:`pyerlnode.otp.system`, the ``'EXIT'`` of the parent ends a server that traps exits, and all else is an
info.  However it ends, ``terminate`` comes first, then the reply that a :class:`Stop` carries, then the end
of the process, which everybody learns who is linked to it, watches it or waits for it (stdlib's
``gen_server``).
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from pyerlnode.errors import Exit
from pyerlnode.otp import functions, status
from pyerlnode.otp.debug import Debug
from pyerlnode.otp.gen import GEN_CALL, GEN_CAST
from pyerlnode.otp.gen_server import (
    Caller,
    Continue,
    Ignore,
    NoReply,
    Stop,
    Timeout,
    name_of,
    presentable,
    take_next,
)
from pyerlnode.otp.system import STOP, SYSTEM, System, may_pass_a_suspended
from pyerlnode.runtime.actor import EXIT
from pyerlnode.runtime.exits import KILLED, SHUTDOWN, is_reason, reason_of
from pyerlnode.runtime.process import is_cancelled, is_quiet
from pyerlnode.term import Atom, Pid, brief

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyerlnode.otp.gen import Process
    from pyerlnode.otp.gen_server import GenServer
    from pyerlnode.otp.workers import Workers
    from pyerlnode.runtime.actor import Actor
    from pyerlnode.term import Term

log = logging.getLogger("pyerlnode.gen_server")

CONTINUE = Atom("continue")
IN, OUT, NO_REPLY = Atom("in"), Atom("out"), Atom("noreply")
CONTROL = frozenset({SYSTEM, EXIT})
"""First words of messages that may be for the loop and not for a callback."""
TIMEOUT = Atom("timeout")


class Server:
    """Runs one :class:`GenServer` as the body of a process.

    `parent` is the process that it is linked to from its start: the one whose end is its own.
    """

    def __init__(
        self,
        server: GenServer,
        args: tuple[Any, ...],
        executor: Callable[[], Workers],
        parent: Pid | None = None,
    ) -> None:
        self._server = server
        self._args = args
        self._executor = executor
        self._parent = parent
        self._debug = Debug()
        self.started: asyncio.Future[Pid] = asyncio.get_running_loop().create_future()
        self.started.add_done_callback(lambda future: future.cancelled() or future.exception())

    def start(self, me: Process) -> asyncio.Future[Pid]:
        """Runs the server as the body of `me`; gives its pid when ``init`` is done, or what that raised.

        Whoever cancels the wait for it ends the server.
        """

        def settle(_: asyncio.Task[Any]) -> None:
            if not self.started.done():
                self.started.set_exception(Exit(me.exit_reason))

        self.started.add_done_callback(lambda started: me.end(KILLED) if started.cancelled() else None)
        me.ends_on_request = True
        me.start(self._run, ()).add_done_callback(settle)
        return self.started

    async def _run(self, me: Process) -> None:
        """The body of the process: ``init``, then one message after the other."""
        self._server.me, self._server.node = me, me.node
        self._system = System(self._server, self._parent or me.pid, self._debug)
        if not await self._is_wanted():
            return
        if not self.started.done():
            self.started.set_result(me.pid)
        await self._serve(me)

    async def _is_wanted(self) -> bool:
        """Runs ``init``; False where that says :class:`Ignore`.  Whoever starts it gets what it raises."""
        try:
            await self._invoke(self._server.init, *self._args)
        except Ignore as ignored:
            self._fail(ignored)
            return False
        except Stop as stop:
            failure = Exit(stop.reason)
            failure.__cause__ = stop.__cause__
            self._fail(failure)
            raise failure from stop.__cause__
        except Exception as error:
            self._fail(error)
            raise
        return True

    def _fail(self, error: Exception) -> None:
        if not self.started.done():
            self.started.set_exception(error)

    # the loop --------------------------------------------------------------------------

    async def _serve(self, me: Process) -> None:
        message: Term = None
        try:
            while True:
                message = await self._take(me)
                if self._debug.is_on:
                    self._note_arrival(message)
                await self._dispatch(me, message)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the end of the server
            await self._terminate(me, error, message)

    async def _take(self, me: Process) -> Term:
        """The next message for the callbacks; those of the system are dealt with on the way."""
        coming = take_next(self._server)
        if isinstance(coming, Continue):
            return coming
        seconds = coming.seconds if isinstance(coming, Timeout) else None
        while True:
            match = may_pass_a_suspended(self._parent) if self._system.is_suspended else None
            try:
                message = await me.receive(None if match else seconds, match)
            except TimeoutError:
                return TIMEOUT
            if not is_control(message):
                return message
            self._end_where_asked(message)
            if not await self._system.takes(message):
                return message

    def _end_where_asked(self, message: Term) -> None:
        match message:
            case (word, reason) if word is STOP:
                raise Stop(reason)
            case (word, sender, reason) if sender == self._parent is not None and is_reason(word, EXIT):
                raise Stop(reason)

    async def _dispatch(self, me: Process, message: Term) -> None:
        if type(message) is Continue:
            await self._run_callback(self._server.handle_continue, message.work)
            return
        if type(message) is not tuple:  # to a pattern, a list is as good as a tuple
            await self._run_callback(self._server.handle_info, message)
            return
        match message:
            case (Atom() as word, (Pid() as pid, tag), request) if word == GEN_CALL:
                await self._call(Caller(me, pid, tag), request)
            case (Atom() as word, request) if word == GEN_CAST:
                await self._run_callback(self._server.handle_cast, request)
            case _:
                await self._run_callback(self._server.handle_info, message)

    async def _run_callback(self, callback: Callable[..., Any], message: Term) -> None:
        await self._invoke(callback, message)
        if self._debug.is_on:
            self._note_state()

    async def _call(self, caller: Caller, request: Term) -> None:
        answer = await self._invoke(self._server.handle_call, request, caller)
        if answer is not NoReply:
            await caller.reply(answer)
        if self._debug.is_on and answer is NoReply:
            self._note_state()
        elif self._debug.is_on:
            self._note((OUT, answer, (caller.pid, caller.tag), self._system.snapshot()))

    async def _invoke(self, callback: Callable[..., Any], *args: Any) -> Any:
        """Runs a callback.  Where it waits for what somebody cancels, that is an error of the callback's."""
        try:
            if functions.is_async(callback):
                return await callback(*args)  # as the next line does, with a call less
            return await functions.run(self._executor, callback, *args)
        except asyncio.CancelledError as error:
            if is_cancelled():
                raise
            what = f"what {getattr(callback, '__name__', 'a callback')} waited for was cancelled"
            raise RuntimeError(what).with_traceback(error.__traceback__) from error

    def _note(self, event: tuple[Term, ...]) -> None:
        self._debug.note(name_of(self._server.me), event)

    def _note_arrival(self, message: Term) -> None:
        is_work = type(message) is Continue
        self._note((CONTINUE, message.work) if is_work else (IN, presentable(message)))

    def _note_state(self) -> None:
        self._note((NO_REPLY, self._system.snapshot()))

    # the end ---------------------------------------------------------------------------

    async def _terminate(self, me: Process, error: Exception, message: Term) -> None:
        cause, reason = error, error.reason if isinstance(error, Stop) else reason_of(error)
        try:
            await self._invoke(self._server.terminate, reason)
        except Stop:
            pass  # it stops as it is
        except Exception as another:  # noqa: BLE001 - the reason that everybody gets
            error, reason = another, reason_of(another)
        finally:
            await self._last_reply(me, cause, message)
        if not me.alive:
            return
        if not is_quiet(reason):
            self._report(error, reason, message)
        me.let_go()  # the body ends here by itself
        me.end(reason)

    async def _last_reply(self, me: Process, error: Exception, message: Term) -> None:
        caller = caller_of(me, message)
        if caller is not None and isinstance(error, Stop) and error.reply is not NoReply:
            await caller.reply(error.reply)

    def _report(self, error: Exception, reason: Term, message: Term) -> None:
        """Logs what ended the server, as Elixir does."""
        told = {"reason": reason, "message": request_of(message), "log": self._debug.events}
        shown = status.formatted(self._server, told)
        caller = caller_of(self._server.me, message)
        log.error(
            "GenServer %s terminating: %s\nLast message%s: %s\nState: %s",
            brief(name_of(self._server.me)),
            brief(shown["reason"]),
            "" if caller is None else f" (from {brief(caller.pid)})",
            brief(shown["message"]),
            brief(shown["state"]),
            exc_info=None if isinstance(error, Stop | Exit) else error,
        )


def is_control(message: Term) -> bool:
    """Whether `message` may be for the loop itself."""
    if type(message) is not tuple or not message:
        return False
    word = message[0]
    return word is STOP or (type(word) is Atom and word in CONTROL)


def caller_of(me: Process, message: Term) -> Caller | None:
    """Who waits for the answer to `message`, where it is a call."""
    if type(message) is tuple:
        match message:
            case (Atom() as word, (Pid() as pid, tag), _) if word == GEN_CALL:
                return Caller(me, pid, tag)
    return None


def request_of(message: Term) -> Term:
    """What a call or a cast carries, any other message itself."""
    if type(message) is Continue:
        return (CONTINUE, message.work)
    if type(message) is tuple and len(message) > 1 and message[0] in (GEN_CALL, GEN_CAST):
        return message[-1]
    return message


def ask_to_stop(process: Actor, reason: Term = SHUTDOWN) -> None:
    """Lets a server run ``terminate`` and end, after the messages that it has already."""
    process.on_message((STOP, reason))
