"""Remote function calls: ours to other nodes, and theirs to what this node exports (kernel's ``erpc``).

A call spawns ``erpc:execute_call(ResRef, M, F, A)`` at the callee with a monitor, and takes the result
from the reason that this process exits with: ``{ResRef, return, Value}``, or ``throw``, ``exit``, ``error``.
Elixir's ``:rpc.call`` and ``:erpc.call``, and ``Node.spawn``, arrive here as the same spawn requests; what is
not exported ends with ``undef``.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pyerlnode.errors import CallError, Exit, NodeDown, RemoteError
from pyerlnode.lazy import later
from pyerlnode.otp.exports import CALLER
from pyerlnode.otp.gen import Process, at_each
from pyerlnode.otp.streaming import Stream, Streaming
from pyerlnode.runtime import spawn
from pyerlnode.runtime.exits import NOCONNECTION, encodable, exception_struct, is_reason, stack_of, undef
from pyerlnode.runtime.requests import deadline, expect, reach_or_down, settle
from pyerlnode.term import Atom, Pid, brief, encode_bare

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyerlnode.otp import exception_text as texts
    from pyerlnode.otp.exports import Exports
    from pyerlnode.runtime.actor import Actor, Answer
    from pyerlnode.runtime.router import Router
    from pyerlnode.term import Reference, Term
    from pyerlnode.wire.control import SpawnRequest
else:
    texts = later("pyerlnode.otp.exception_text")

ERPC = Atom("erpc")
RETURN = Atom("return")
ERROR = Atom("error")
EXIT = Atom("exit")


# ---------------------------------------------------------------------------------- ours


async def call(
    actor: Actor, peer: str, module: str, function: str, args: list[Term], timeout: float | None, leader: Pid
) -> Term:
    """Calls ``module:function(args)`` at `peer` and gives its result.

    Raises :class:`RemoteError` for what it raised there, :class:`NodeDown`, :class:`CallTimeout`.
    """
    where = f"{module}:{function}/{len(args)} at {peer}"
    async with deadline(timeout, f"result of {where}"):
        await reach_or_down(actor.router, Atom(peer))
        return await _call(actor, Atom(peer), (Atom(module), Atom(function), list(args)), leader, where)


async def _call(
    actor: Actor, peer: Atom, mfa: tuple[Atom, Atom, list[Term]], leader: Pid, where: str
) -> Term:
    registry = actor.router.registry
    ref, result_ref = registry.reference(), registry.reference()
    future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    def answered(result: Pid | Atom) -> None:
        if isinstance(result, Pid):
            if future.done():
                actor.emit_demonitor(ref)  # nobody waits any more
        elif not future.done():
            future.set_exception(_not_spawned(peer, result, where))

    try:
        expect(actor, ref, future)
        arguments = [result_ref, *mfa]
        if not spawn.request(
            actor,
            peer,
            ref,
            (ERPC, "execute_call"),
            arguments,
            leader=leader,
            monitor=True,
            answered=answered,
        ):
            raise NodeDown(peer)
        answer = await future
    finally:
        future.cancel()
        settle(actor, ref)
    return _result(answer.value, result_ref, peer, where)


def _not_spawned(peer: Atom, why: Atom, where: str) -> Exception:
    if is_reason(why, NOCONNECTION):
        return NodeDown(peer)
    return RemoteError("erpc", why, [], f"{where} could not be started: {why}")


def _result(reason: Term, ref: Reference, peer: Atom, where: str) -> Term:
    match reason:
        case (mark, kind, value) if mark == ref and kind == RETURN:
            return value
        case (mark, kind, (by, value)) if mark == ref and kind == ERROR and by == ERPC:
            raise RemoteError("erpc", value, [], f"{where} failed: {brief(value)}")
        case (mark, kind, value) if mark == ref:
            raise RemoteError(str(kind), value, [], f"{where} failed: {texts.failure_text(kind, value)}")
        case (mark, kind, value, stack) if mark == ref and kind == ERROR:
            raise RemoteError(
                "error", value, stack, f"{where} failed: {texts.failure_text(kind, value, stack)}"
            )
    if is_reason(reason, NOCONNECTION):
        raise NodeDown(peer)
    raise RemoteError("signal", reason, [], f"{where} was ended: {texts.failure_text('signal', reason)}")


async def cast(actor: Actor, peer: str, mfa: tuple[str, str, Iterable[Term]], leader: Pid) -> None:
    """Has `peer` call a function and tell nobody what came of it, as ``:erpc.cast``.

    Raises :class:`NodeDown` where the node cannot be reached.
    """
    module, function, args = mfa
    node, ref = Atom(peer), actor.router.registry.reference()
    await reach_or_down(actor.router, node)
    arguments: list[Term] = [Atom(module), Atom(function), list(args)]
    sent = spawn.request(
        actor, node, ref, (ERPC, "execute_cast"), arguments, leader=leader, answered=lambda _: None
    )
    if not sent:
        raise NodeDown(peer)


async def multicall(
    actor: Actor,
    peers: Iterable[str],
    mfa: tuple[str, str, Iterable[Term]],
    timeout: float | None,
    leader: Pid,
) -> tuple[dict[str, Term], dict[str, CallError]]:
    """Calls a function at all `peers` at once: results by node, and errors by node."""
    module, function, args = mfa
    given = list(args)
    return await at_each(peers, lambda peer: call(actor, peer, module, function, given, timeout, leader))


# ---------------------------------------------------------------------------------- theirs


class Spawner:
    """Answers the spawn requests of other nodes with what this node exports."""

    def __init__(self, router: Router, exports: Exports, node: Any) -> None:
        self._router = router
        self._exports = exports
        self._node = node

    def __call__(self, control: SpawnRequest, args: Term) -> None:
        """Starts the process that is asked for, or says why not."""
        options = spawn.parse_options(control.options)
        if options is None or type(args) is not list:
            spawn.refuse(self._router, control, spawn.BADOPT)
            return
        if self._exports.is_full(self._router.limits.spawned):
            spawn.refuse(self._router, control, spawn.SYSTEM_LIMIT)
            return
        told = CALLER.set(control.sender)  # the task takes it along
        self._start(control, options, args)
        CALLER.reset(told)

    def _start(self, control: SpawnRequest, options: spawn.Options, args: list[Term]) -> None:
        stream = self._exports.find(control.module, control.function, args)
        if isinstance(stream, Stream):
            streaming = Streaming(self._router, self._node, stream, control.sender)
            self._tie(streaming, control, options).start(Streaming.serve, (args,))
        else:
            process = Process(self._router, self._node)
            given = (control.module, control.function, args)
            self._tie(process, control, options).start(self._body, given)

    def _tie(self, process: Process, control: SpawnRequest, options: spawn.Options) -> Process:
        self._exports.started(process)
        spawn.tie(self._router, process, control, options)
        return process

    async def _body(self, me: Process, module: Atom, function: Atom, args: list[Term]) -> None:
        match (module, function, args):
            case (by, name, [ref, m, f, a]) if by == ERPC and name == "execute_call":
                me.end(encodable(await self._execute_call(me, ref, m, f, a)))
            case (by, name, [m, f, a]) if by == ERPC and name == "execute_cast":
                await self._run(me, m, f, a)
            case _:
                await self._run(me, module, function, args)

    async def _run(self, me: Process, module: Term, function: Term, args: Term) -> Term:
        target = self._exports.find(module, function, args)
        if target is None:
            raise Exit(undef(module, function, args))
        return await self._exports.run(target, args, me)

    async def _execute_call(self, me: Process, ref: Term, module: Term, function: Term, args: Term) -> Term:
        target = self._exports.find(module, function, args)
        if target is None:
            return (ref, ERROR, *undef(module, function, args))
        try:
            value = await self._exports.run(target, args, me)
            encode_bare(value)  # what has no term is an error, too
        except Exit as error:
            return (ref, EXIT, encodable(error.reason))
        except Exception as error:  # noqa: BLE001 - the caller gets it, as an Elixir exception
            return (ref, ERROR, exception_struct(error), stack_of(error))
        return (ref, RETURN, value)
