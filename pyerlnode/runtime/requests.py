"""Asking another process for something: the one pattern behind every call.

A request is a monitor whose reference is also an alias of the asker: the answer comes to the alias, the
death of the callee as 'DOWN', and when the asker stops waiting both go, so that a late answer vanishes
(the documentation of OTP's ``erlang:monitor/3``, option ``alias``).
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

from pyerlnode.errors import CallTimeout, ConnectFailed, NodeDown
from pyerlnode.runtime.waking import Arrival
from pyerlnode.term import Atom, ImproperList, Pid, Reference, brief

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from pyerlnode.runtime.actor import Actor, Answer
    from pyerlnode.runtime.router import Router
    from pyerlnode.term import Term


class Destination(NamedTuple):
    """Where a message goes: a pid, a registered name or an alias, and its node."""

    target: Pid | Atom | Reference
    node: Atom

    def __str__(self) -> str:
        if isinstance(self.target, Atom):
            return f"{self.target!s} at {self.node!s}"
        return brief(self.target)


def destination(router: Router, dest: Term) -> Destination:
    """Reads a destination as users write it.

    `dest` is a :class:`Pid`, an alias :class:`Reference`, ``"name"`` for a process of this node, or
    ``("name", "node@host")``.  Raises :class:`TypeError` for anything else.
    """
    match dest:
        case Pid():
            pid = router.registry.current(dest)
            return Destination(pid, pid.node)
        case Reference():
            return Destination(dest, router.registry.home(dest))
        case str():
            return Destination(Atom(dest), router.node)
        case (str() as name, str() as node):
            return Destination(Atom(name), Atom(node))
    raise TypeError(
        f"a destination is a Pid, a Reference, 'name' or ('name', 'node@host'), not {brief(dest)}"
    )


async def reach(router: Router, node: Atom) -> None:
    """Sees to it that `node` is connected.  Raises :class:`ConnectFailed` where it cannot be."""
    if node != router.node and node not in router.sessions:
        await router.reach(node)


async def reach_or_down(router: Router, node: Atom) -> None:
    """As :func:`reach`, for calls: a node that cannot be reached is :class:`NodeDown`."""
    try:
        await reach(router, node)
    except ConnectFailed as error:
        raise NodeDown(node, str(error)) from error


async def send(actor: Actor, dest: Destination, message: Term, *, priority: bool = False) -> None:
    """Sends `message` to `dest`, and waits while the connection has more unsent than ``Limits.outbox``.

    Raises :class:`ConnectFailed` for a node that cannot be reached.
    """
    await reach(actor.router, dest.node)
    if not actor.post(dest.node, dest.target, message, priority=priority):
        await actor.router.room(dest.node, actor.pid)


def tag_of(ref: Reference) -> ImproperList:
    """The tag of a request: ``[alias | Ref]``, so that a callee may answer to the alias."""
    return ImproperList((Atom("alias"),), ref)


def alias_of(tag: Term) -> Reference | None:
    """The alias in a call's tag: ``[alias | Ref]``, ``[[alias | Alias] | Ref]`` (multi_call, 27+)."""
    if type(tag) is not ImproperList or len(tag.items) != 1:
        return None
    head = tag.items[0]
    if type(head) is ImproperList:
        return alias_of(head)
    return tag.tail if head == "alias" and isinstance(tag.tail, Reference) else None


async def request(
    actor: Actor, dest: Destination, message: Callable[[Reference], Term], timeout: float | None
) -> Answer:
    """Sends ``message(ref)`` to `dest` and waits for the answer with that reference.

    `timeout` is in seconds and covers dialling too; None waits for ever.  Raises :class:`CallTimeout`
    when it is over, :class:`NodeDown` where the node cannot be reached.  Cancelling the task that waits
    takes the monitor back and drops the late answer.
    """
    try:
        async with asyncio.timeout(timeout):
            if dest.node not in actor.router.sessions:
                await reach_or_down(actor.router, dest.node)
            return await _exchange(actor, dest, message)
    except CallTimeout:
        raise
    except TimeoutError as error:  # as `deadline` does, which costs a call more than the rest of this
        raise _late(timeout, f"answer from {dest}") from error


@asynccontextmanager
async def deadline(timeout: float | None, wanted: str) -> AsyncIterator[None]:
    """Bounds a block to `timeout` seconds, None for ever: :class:`CallTimeout` says that no `wanted` came."""
    try:
        async with asyncio.timeout(timeout):
            yield
    except CallTimeout:
        raise
    except TimeoutError as error:
        raise _late(timeout, wanted) from error


def _late(timeout: float | None, wanted: str) -> CallTimeout:
    return CallTimeout(f"no {wanted} within {timeout:g} s")


async def _exchange(actor: Actor, dest: Destination, message: Callable[[Reference], Term]) -> Answer:
    ref = actor.router.registry.reference()
    future: Arrival[Answer] = Arrival(actor.router.waking)
    target = dest.target
    try:
        expect(actor, ref, future)
        if not isinstance(target, Reference):
            actor.emit_monitor(target, dest.node, ref)
        if not actor.post(dest.node, target, message(ref)):
            await actor.router.room(dest.node, actor.pid)
        return await future
    finally:
        settle(actor, ref)


def expect(actor: Actor, ref: Reference, future: asyncio.Future[Answer] | Arrival[Answer]) -> None:
    """Lets `future` have the answer, or the death, that comes with `ref`."""
    actor.alias(ref)
    actor.requests[ref] = future


def settle(actor: Actor, ref: Reference) -> None:
    """Ends a request: whatever comes for it later is dropped."""
    actor.requests.pop(ref, None)
    actor.unalias(ref)
    actor.emit_demonitor(ref)
