"""``gen_server`` in Python: one process, one request at a time, in the order of arrival.

From Elixir it is called as any other: ``GenServer.call({:model, :"py@host"}, {:predict, xs})``.  A callback
that is an ``async def`` runs on the event loop; a plain ``def`` runs in a worker thread, so that it may
compute or block for seconds while the node ticks, answers pings and serves its other processes.  (The
behaviour of stdlib's ``gen_server``; the requests of ``sys``: ``terminate``.)
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyerlnode.errors import Exit, PyerlnodeError
from pyerlnode.otp import workers
from pyerlnode.otp.gen import GEN_CALL, GEN_CAST, Process
from pyerlnode.runtime.exits import KILLED, NORMAL, SHUTDOWN, reason_of
from pyerlnode.term import Atom, Pid, brief

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from pyerlnode.runtime.actor import Actor
    from pyerlnode.term import Term

log = logging.getLogger("pyerlnode.gen_server")

SYSTEM = Atom("system")
STOP = object()  # no term, so no peer can send one


class NoReply:
    """What ``handle_call`` returns (the class itself) when it answers later, by ``await caller.reply(x)``."""


class Stop(PyerlnodeError):
    """Raised in a callback, ends the server with `reason` after ``terminate``; `reply` answers the call."""

    def __init__(self, reason: Term = NORMAL, *, reply: Term = NoReply) -> None:
        super().__init__(reason)
        self.reason = reason
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Caller:
    """Who called, and how to answer: the ``From`` of ``gen_server``."""

    me: Process
    pid: Pid
    tag: Term

    async def reply(self, value: Term) -> None:
        """Answers the call.  A caller that gave up, or a node that is gone, is no error."""
        self.me.router.reply(self.me, (self.pid, self.tag), value)
        await self.me.router.room(self.pid.node)


class GenServer:
    """Base of servers.  Override what you need; ``self.me`` is the process, ``self.node`` its node."""

    me: Process
    node: Any

    async def init(self, *args: Any) -> None:
        """Prepares the server, before anybody can call it.  What it raises, ``start_server`` raises."""

    async def handle_call(self, request: Term, caller: Caller) -> Term:
        """Answers a call with what it returns, or with :class:`NoReply` promises an answer for later."""
        raise Exit((Atom("bad_call"), request))

    async def handle_cast(self, request: Term) -> None:
        """Takes a cast."""
        raise Exit((Atom("bad_cast"), request))

    async def handle_info(self, message: Term) -> None:
        """Takes any other message: 'DOWN', 'EXIT', plain sends."""
        log.warning("%r got a message that nobody handles: %s", self.me, brief(message))

    async def terminate(self, reason: Term) -> None:
        """Cleans up, when a callback raised or asked for the end, or when the node stops."""


class Server:
    """Runs one :class:`GenServer` as the body of a process."""

    def __init__(self, server: GenServer, args: tuple[Any, ...], executor: Callable[[], Executor]) -> None:
        self._server = server
        self._args = args
        self._executor = executor
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
        try:
            await self._invoke(self._server.init, *self._args)
        except Stop as stop:
            failure = Exit(stop.reason)
            self._fail(failure)
            raise failure from None
        except Exception as error:
            self._fail(error)
            raise
        if not self.started.done():
            self.started.set_result(me.pid)
        await self._serve(me)

    def _fail(self, error: Exception) -> None:
        if not self.started.done():
            self.started.set_exception(error)

    async def _serve(self, me: Process) -> None:
        try:
            while True:
                await self._dispatch(me, await me.receive())
        except Stop as stop:
            await self._invoke(self._server.terminate, stop.reason)
            raise Exit(stop.reason) from None
        except Exception as error:
            await self._invoke(self._server.terminate, reason_of(error))
            raise

    async def _dispatch(self, me: Process, message: Term) -> None:
        if type(message) is not tuple:  # to a pattern, a list is as good as a tuple
            await self._invoke(self._server.handle_info, message)
            return
        match message:
            case (Atom() as word, (Pid() as pid, tag), request) if word == GEN_CALL:
                await self._call(Caller(me, pid, tag), request)
            case (Atom() as word, request) if word == GEN_CAST:
                await self._invoke(self._server.handle_cast, request)
            case (Atom() as word, (Pid() as pid, tag), request) if word == SYSTEM:
                await self._system(Caller(me, pid, tag), request)
            case (word, reason) if word is STOP:
                raise Stop(reason)
            case _:
                await self._invoke(self._server.handle_info, message)

    async def _call(self, caller: Caller, request: Term) -> None:
        try:
            answer = await self._invoke(self._server.handle_call, request, caller)
        except Stop as stop:
            if stop.reply is not NoReply:
                await caller.reply(stop.reply)
            raise
        if answer is not NoReply:
            await caller.reply(answer)

    async def _system(self, caller: Caller, request: Term) -> None:
        match request:
            case (word, reason) if word == "terminate":
                await caller.reply(Atom("ok"))
                raise Stop(reason)
            case _:
                await caller.reply((Atom("error"), (Atom("unknown_system_msg"), request)))

    async def _invoke(self, callback: Callable[..., Any], *args: Any) -> Any:
        return await workers.run(self._executor, callback, *args)


def ask_to_stop(process: Actor, reason: Term = SHUTDOWN) -> None:
    """Lets a server run ``terminate`` and end, after the messages that it has already."""
    process.on_message((STOP, reason))
