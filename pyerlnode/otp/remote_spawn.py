"""Processes of other nodes, started from here, as ``Node.spawn`` and its kin start them.

A spawn request is answered with the pid, or with why there is none (:mod:`pyerlnode.runtime.spawn`).  Links
and monitors are in place before the new process runs, so that no end of it, however early, goes untold.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pyerlnode.errors import NodeDown, RemoteError
from pyerlnode.runtime import spawn
from pyerlnode.runtime.exits import NOCONNECTION, is_reason
from pyerlnode.runtime.requests import deadline, reach_or_down
from pyerlnode.term import Atom, Pid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyerlnode.runtime.actor import Actor
    from pyerlnode.term import Reference, Term

STARTING = 7.0
"""Seconds that a node has to answer a spawn request."""


async def start(
    actor: Actor,
    peer: str,
    mfa: tuple[str, str, Iterable[Term]],
    *,
    link: bool = False,
    monitor: bool = False,
) -> tuple[Pid, Reference]:
    """Starts ``module:function(args)`` at `peer`; gives its pid, and the reference of its monitor, if any.

    With `link` and `monitor` it is linked to and watched by `actor`.  Raises :class:`NodeDown`,
    :class:`RemoteError` for a node that refuses, :class:`CallTimeout`, and :class:`Exit` where `actor` ends.
    """
    module, function, args = mfa
    where = f"{module}:{function} at {peer}"
    registry = actor.router.registry
    node, ref = Atom(peer), registry.reference()
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def answered(result: Pid | Atom) -> None:
        actor.requests.pop(ref, None)  # what comes with `ref` from now on is the monitor's
        if not future.done():
            future.set_result(result)
        elif isinstance(result, Pid):
            _let_go(actor, result, ref)

    async with deadline(STARTING, f"answer to the spawn of {where}"):
        await reach_or_down(actor.router, node)
        if not spawn.request(
            actor,
            node,
            ref,
            (module, function),
            list(args),
            leader=leader_of(actor),
            link=link,
            monitor=monitor,
            answered=answered,
        ):
            raise NodeDown(peer)
        actor.requests[ref] = future  # an actor that ends tells it
        try:
            result = await future
        finally:
            actor.requests.pop(ref, None)
    if isinstance(result, Pid):
        return result, ref
    if is_reason(result, NOCONNECTION):
        raise NodeDown(peer)
    raise RemoteError("error", result, [], f"{where} could not be started: {result}")


def _let_go(actor: Actor, pid: Pid, ref: Reference) -> None:
    """Nobody waits for it any more: it runs, and means nothing to us."""
    actor.emit_demonitor(ref)
    actor.emit_unlink(pid)


def leader_of(actor: Actor) -> Pid:
    """The group leader of what `actor` starts: its own, or that of the node."""
    user = actor.router.registry.whereis("user")
    return actor.group_leader or (actor.pid if user is None else user.pid)
