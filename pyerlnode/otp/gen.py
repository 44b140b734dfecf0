"""Calls and casts to ``gen_server``s, on any node (the wire of stdlib's ``gen``).

A call is ``{'$gen_call', {Pid, [alias | Ref]}, Request}`` under a monitor whose reference is an alias; the
answer is ``{[alias | Ref], Reply}``.  A cast is ``{'$gen_cast', Request}``.  Every error is raised as soon
as it is known: a name that nobody has, a callee that ends, a connection that is lost.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pyerlnode.errors import CallError, NodeDown, NodeError, NoProc, RemoteExit
from pyerlnode.lazy import later
from pyerlnode.otp import remote_spawn
from pyerlnode.runtime import process
from pyerlnode.runtime.exits import NOCONNECTION, NOPROC, is_reason
from pyerlnode.runtime.requests import Destination, destination, request, send, tag_of
from pyerlnode.term import Atom

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from pyerlnode.otp import exception_text as texts
    from pyerlnode.runtime.actor import Actor
    from pyerlnode.term import Pid, Reference, Term
else:
    texts = later("pyerlnode.otp.exception_text")

GEN_CALL = Atom("$gen_call")
GEN_CAST = Atom("$gen_cast")
DEFAULT_TIMEOUT = 5.0


async def call(actor: Actor, dest: Term, message: Term, timeout: float | None = DEFAULT_TIMEOUT) -> Term:
    """Calls the gen_server at `dest` and gives its reply; `timeout` is in seconds, None for ever.

    Raises :class:`NoProc`, :class:`NodeDown`, :class:`RemoteExit` as soon as they are known, and
    :class:`CallTimeout` after `timeout`.
    """
    to = destination(actor.router, dest)

    def build(ref: Reference) -> Term:
        return (GEN_CALL, (actor.pid, tag_of(ref)), message)

    answer = await request(actor, to, build, timeout)
    if answer.down:
        raise failure(to, answer.value)
    return answer.value


def failure(to: Destination, reason: Term) -> CallError:
    """What the death of the callee means to the caller."""
    if is_reason(reason, NOPROC):
        return NoProc(f"there is no process {to}: is it started, and is that its registered name?")
    if is_reason(reason, NOCONNECTION):
        return NodeDown(to.node)
    return RemoteExit(reason, f"{to} ended before it answered: {texts.exit_text(reason)}")


async def cast(actor: Actor, dest: Term, message: Term) -> None:
    """Sends `message` to the gen_server at `dest`, without an answer.

    Waits while the connection has more unsent than ``Limits.outbox``.  A process that does not exist
    swallows it.  Raises :class:`ConnectFailed` for a node that cannot be reached.
    """
    await send(actor, destination(actor.router, dest), (GEN_CAST, message))


async def multi_call(
    actor: Actor, nodes: Iterable[str], name: str, message: Term, timeout: float | None = DEFAULT_TIMEOUT
) -> tuple[dict[str, Term], dict[str, CallError]]:
    """Calls the server `name` on every node at once: the replies by node, and the errors by node."""
    return await at_each(nodes, lambda node: call(actor, (name, node), message, timeout))


async def at_each(
    nodes: Iterable[str], ask: Callable[[str], Awaitable[Term]]
) -> tuple[dict[str, Term], dict[str, CallError]]:
    """Asks all `nodes` at once, each once: the answers by node, and the errors by node."""
    answers: dict[str, Term] = {}
    errors: dict[str, CallError] = {}

    async def outcome(node: str) -> tuple[dict[str, Any], Term]:
        try:
            return answers, await ask(node)
        except CallError as error:
            return errors, error

    names = list(dict.fromkeys(str(node) for node in nodes))
    for node, (table, value) in zip(names, await asyncio.gather(*map(outcome, names)), strict=True):
        table[node] = value
    return answers, errors


async def abcast(actor: Actor, nodes: Iterable[str], name: str, message: Term) -> None:
    """Casts `message` to the server `name` on every node; those that cannot be reached are passed over."""
    names = dict.fromkeys(str(node) for node in nodes)
    await asyncio.gather(*(_try_cast(actor, (name, node), message) for node in names))


async def _try_cast(actor: Actor, dest: Term, message: Term) -> None:
    try:
        await cast(actor, dest, message)
    except NodeError:
        return


class Process(process.Process):
    """One process of a node, with OTP's calls.

    Whatever may have to dial is awaited; the rest is plain.
    """

    async def call(self, dest: Term, message: Term, timeout: float | None = DEFAULT_TIMEOUT) -> Term:
        """Calls a gen_server, as :meth:`pyerlnode.Node.call`; the caller that it sees is this process.

        A body that calls its own process would wait for itself: :class:`RemoteExit` with ``calling_self``.
        """
        if asyncio.current_task() is self.task and self._is_meant_by(dest):
            raise RemoteExit(Atom("calling_self"), f"{self!r} called itself: nobody is left to answer")
        return await call(self, dest, message, timeout)

    def _is_meant_by(self, dest: Term) -> bool:
        to = destination(self.router, dest)
        return to.target == self.pid or (to.node == self.router.node and to.target in self.names)

    async def cast(self, dest: Term, message: Term) -> None:
        """Casts to a gen_server, as :meth:`pyerlnode.Node.cast`."""
        await cast(self, dest, message)

    async def spawn_remote(
        self, peer: str, module: str, function: str, args: Iterable[Term] = (), *, link: bool = False
    ) -> Pid:
        """Starts ``module:function(args)`` at `peer`, as ``Node.spawn`` or, with `link`, ``Node.spawn_link``.

        Raises :class:`NodeDown`, :class:`RemoteError` for a node that refuses, :class:`CallTimeout`.
        """
        pid, _ = await remote_spawn.start(self, peer, (module, function, args), link=link)
        return pid

    async def spawn_monitor(
        self, peer: str, module: str, function: str, args: Iterable[Term] = (), *, link: bool = False
    ) -> tuple[Pid, Reference]:
        """The same, and watches it from its start: 'DOWN' comes with the reference."""
        return await remote_spawn.start(self, peer, (module, function, args), link=link, monitor=True)
