"""Ending a server on any node in order, as ``GenServer.stop``: it runs ``terminate``, and we see it end.

The request is the system message ``{terminate, Reason}``, and what counts is 'DOWN', not the answer to it
(stdlib's ``proc_lib:stop``).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pyerlnode.errors import CallError, RemoteExit
from pyerlnode.otp.gen import failure
from pyerlnode.runtime.exits import NOCONNECTION, NOPROC, is_reason
from pyerlnode.runtime.requests import Destination, deadline, destination, expect, reach_or_down, settle
from pyerlnode.term import Atom, Reference, brief, decode_bare, encode_bare

if TYPE_CHECKING:
    from pyerlnode.runtime.actor import Actor, Answer
    from pyerlnode.term import Pid, Term


async def stop(actor: Actor, dest: Term, reason: Term, timeout: float | None) -> None:
    """Has the server at `dest` end with `reason`; returns when it has.

    Its answer to the request, which says nothing, comes to `actor` as a message of no use.  Raises
    :class:`NoProc` and :class:`NodeDown`, :class:`RemoteExit` for one that ends with another reason, and
    :class:`CallTimeout` where it has not ended within `timeout` seconds (None: it is waited for).
    """
    to = destination(actor.router, dest)
    target = to.target
    if isinstance(target, Reference):
        raise TypeError("an alias cannot be stopped: stop the pid behind it")
    wanted, _ = decode_bare(encode_bare(reason))
    async with deadline(timeout, f"end of {to}"):
        await reach_or_down(actor.router, to.node)
        ended = await _end(actor, target, to.node, wanted)
    if ended != wanted:
        raise _another_end(to, ended)


async def _end(actor: Actor, target: Pid | Atom, node: Atom, reason: Term) -> Term:
    """What it ends with, once it is asked to."""
    watch, tag = (actor.router.registry.reference() for _ in range(2))
    request = (Atom("system"), (actor.pid, tag), (Atom("terminate"), reason))
    future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    try:
        expect(actor, watch, future)
        actor.emit_monitor(target, node, watch)
        actor.post(node, target, request)
        return (await future).value
    finally:
        settle(actor, watch)


def _another_end(to: Destination, reason: Term) -> CallError:
    if is_reason(reason, NOPROC) or is_reason(reason, NOCONNECTION):
        return failure(to, reason)
    return RemoteExit(reason, f"{to} was asked to stop, and ended otherwise: {brief(reason)}")
