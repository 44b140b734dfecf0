"""Starting processes with a parent: what ``start_link`` is made of, for supervisors here and on other nodes.

A supervisor starts a child by a function that links the new process to it and gives ``{ok, Pid}``,
``ignore`` or ``{error, Reason}``.  A supervisor on another node calls one that this node exports, by
``:erpc.call``; whom to link to is then known from the spawn request, as
:data:`pyerlnode.otp.exports.CALLER` (stdlib's ``supervisor``, "Child specification").
"""

from __future__ import annotations

import asyncio
from dataclasses import field
from typing import TYPE_CHECKING, Any

from pyerlnode.errors import ConfigError, NameTaken, NodeNotRunning
from pyerlnode.frozen import frozen
from pyerlnode.otp.exports import CALLER
from pyerlnode.otp.gen_server import GenServer, Ignore
from pyerlnode.otp.server import Server
from pyerlnode.runtime.exits import reason_of
from pyerlnode.term import Atom, Pid

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pyerlnode.otp.child import Child
    from pyerlnode.otp.exports import Exports
    from pyerlnode.otp.gen import Process
    from pyerlnode.otp.workers import Workers
    from pyerlnode.term import Reference, Term

OK = Atom("ok")
ERROR = Atom("error")
IGNORE = Atom("ignore")


@frozen
class Starter:
    """Starts processes on one node."""

    new_process: Callable[[str | None], Process]
    executor: Callable[[], Workers]
    exports: Exports
    whereis: Callable[[str], Pid | None]
    offers: dict[Reference, Child] = field(default_factory=dict)
    """Children that a supervisor here is just asked to start, by the reference that the request has."""

    async def server(
        self,
        server: GenServer,
        args: tuple[Any, ...],
        *,
        name: str | None,
        parent: Pid | None,
        supervised: bool = False,
    ) -> Process:
        """Starts a server, linked to `parent` from before its ``init``; raises what that raises.

        One that is `supervised` is ended by its supervisor, in its turn, when the node stops.
        """
        me = self._new(name, parent)
        started = Server(server, args, self.executor, parent).start(me)
        me.ends_on_request = not supervised
        await started
        return me

    def process(
        self, body: Callable[..., Awaitable[Any]], args: tuple[Any, ...], *, name: str | None, parent: Pid
    ) -> Process:
        """Starts a process that runs ``await body(me, *args)``, linked to `parent`."""
        me = self._new(name, parent)
        me.start(body, args)
        return me

    def _new(self, name: str | None, parent: Pid | None) -> Process:
        me = self.new_process(name)
        if parent is not None:
            me.emit_link(parent)
            me.check_alive()  # a parent that is gone takes it along
        return me


class StartLink:
    """A ``start_link`` to export: starts a server for whoever calls it, and links the two."""

    def __init__(self, starter: Starter, server: Any, name: str | None = None) -> None:
        if not (isinstance(server, type) and issubclass(server, GenServer)):
            raise ConfigError("export_server", str(server), "it must be a class derived from GenServer")
        self._starter = starter
        self._server = server
        self._name = name

    async def start_link(self, *args: Any) -> Term:
        """Gives ``{ok, Pid}``, ``ignore`` or ``{error, Reason}``, as ``start_link`` does.

        A node that is stopping gives nothing, so that a supervisor whose children just ended with it does
        not use up its attempts while the connection lasts.
        """
        parent = CALLER.get(None)
        if parent is None:
            raise RuntimeError("start_link links to its caller: call it by :erpc.call, or from a supervisor")
        try:
            me = await self._starter.server(self._server(), args, name=self._name, parent=parent)
        except NodeNotRunning:
            return await asyncio.get_running_loop().create_future()  # the caller will see the node go
        except Exception as error:  # noqa: BLE001 - it is the caller's
            return refusal(error, self._starter, self._name)
        return (OK, me.pid)


def refusal(error: Exception, starter: Starter, name: str | None) -> Term:
    """What a start that raised `error` gives: ``ignore``, ``{error, {already_started, Pid}}`` or a reason."""
    if isinstance(error, Ignore):
        return IGNORE
    if isinstance(error, NameTaken) and name is not None:
        holder = starter.whereis(name)
        if holder is not None:
            return (ERROR, (Atom("already_started"), holder))
    return (ERROR, reason_of(error))
