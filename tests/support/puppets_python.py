"""Python's half of the comparison of signals: the puppet of tests/support/puppets_erlang.py, word for word.

The exported functions make a node a stage: what a director calls to start puppets there, and what puppets
call and spawn.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pyerlnode import Atom, CallTimeout, Exit, NodeDown, NoProc, RemoteError, RemoteExit
from pyerlnode.errors import CallError
from pyerlnode.otp.gen import Process

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pyerlnode import Node
    from pyerlnode.term import Pid, Term

OK = Atom("ok")
HUGE = (Atom("huge"), b"x" * 10_000_000)


def set_stage(node: Node) -> None:
    """Exports what a stage has."""

    async def start(boss: Pid) -> Pid:
        return await node.spawn(puppet, boss)

    async def dead() -> Pid:
        async with node.process() as me:
            return me.pid

    async def shout(to: Pid, what: Term) -> Term:
        await node.send(to, what)
        return Atom("done")

    async def shout_and_hang(to: Pid, what: Term) -> None:
        await node.send(to, (what, _this(node).pid))
        await hang()

    async def shout_and_leave(to: Pid, what: Term, why: Term) -> None:
        await node.send(to, (what, _this(node).pid))
        raise Exit(why)

    async def suicide() -> None:
        async with node.process() as killer:
            await killer.exit(_this(node).pid, Atom("kill"))
            await hang()

    local = (start, dead, shout, shout_and_hang, shout_and_leave, suicide)
    for function in (*local, echo, toss, fail, leave, hang):
        node.export("puppet", target=function, function=function.__name__)


def _this(node: Node) -> Process:
    """The process whose body runs now."""
    task = asyncio.current_task()
    return next(actor for actor in node._router.registry if isinstance(actor, Process) and actor.task is task)


def echo(what: Term) -> Term:
    return what


def toss(what: Term) -> Term:
    raise Exit(what)


def fail(what: Term) -> Term:
    raise ValueError(str(what))


def leave(what: Term) -> Term:
    raise Exit(what)


async def hang() -> None:
    await asyncio.get_running_loop().create_future()


async def puppet(me: Process, boss: Pid) -> None:
    """Does what `boss` says, and tells it of everything else that arrives."""
    while True:
        match await me.receive():
            case ("do", by, "return") if by == boss:
                return
            case ("do", by, ("leave", why)) if by == boss:
                raise Exit(why)
            case ("do", by, "leave_huge") if by == boss:
                raise Exit(HUGE)
            case ("do", by, ("send_all_and_leave", to, messages, why)) if by == boss:
                await _send_all(me, to, messages)
                raise Exit(why)
            case ("do", by, ("hold", number)) if by == boss:
                await me.send(boss, (me.pid, Atom("did"), OK))
                await _hold(me, number)
            case ("do", by, what) if by == boss:
                await me.send(boss, (me.pid, Atom("did"), await _do(me, what)))
            case ("$gen_call", caller, ("answer", value)):
                me.router.reply(me, caller, value)
            case ("$gen_call", _, ("leave", why)):
                raise Exit(why)
            case other:
                await me.send(boss, (me.pid, Atom("got"), other))


async def _hold(me: Process, number: int) -> None:
    while me.message_queue_len < number:
        await asyncio.sleep(0.001)


async def _do(me: Process, what: Term) -> Term:
    word, *args = what if isinstance(what, tuple) else (what,)
    try:
        return await WORDS[word](me, *args)
    except NodeDown as error:
        return (Atom("nodedown"), Atom(error.name))


async def _trap(me: Process) -> Term:
    me.trap_exit = True
    return OK


async def _no_trap(me: Process) -> Term:
    me.trap_exit = False
    return OK


async def _link(me: Process, pid: Pid) -> Term:
    await me.link(pid)
    return True


async def _link_priority(me: Process, pid: Pid) -> Term:
    await me.link(pid, priority=True)
    return True


async def _unlink(me: Process, pid: Pid) -> Term:
    await me.unlink(pid)
    return True


async def _monitor(me: Process, dest: Term) -> Term:
    return await me.monitor(dest)


async def _monitor_priority(me: Process, dest: Term) -> Term:
    return await me.monitor(dest, priority=True)


async def _demonitor(me: Process, ref: Term, options: Term = ()) -> Term:
    active = await me.demonitor(ref, flush="flush" in options)
    return active if "info" in options else True


async def _exit(me: Process, pid: Pid, why: Term) -> Term:
    await me.exit(pid, why)
    return True


async def _exit_priority(me: Process, dest: Any, why: Term) -> Term:
    await me.exit(dest, why, priority=True)
    return True


async def _exit_huge(me: Process, pid: Pid) -> Term:
    return await _exit(me, pid, HUGE)


async def _send(me: Process, to: Term, message: Term) -> Term:
    await me.send(to, message)
    return OK


async def _send_priority(me: Process, to: Term, message: Term) -> Term:
    await me.send(to, message, priority=True)
    return OK


async def _send_all(me: Process, to: Term, messages: Term) -> Term:
    for message in messages:
        await me.send(to, message)
    return OK


async def _register(me: Process, name: str) -> Term:
    me.register(name)
    return True


async def _unregister(me: Process, name: str) -> Term:
    return bool(me.node.unregister(name))


async def _alias(me: Process) -> Term:
    return me.alias()


async def _alias_once(me: Process) -> Term:
    return me.alias(once=True)


async def _alias_priority(me: Process) -> Term:
    return me.alias(priority=True)


async def _alias_once_priority(me: Process) -> Term:
    return me.alias(once=True, priority=True)


async def _unalias(me: Process, ref: Term) -> Term:
    return me.unalias(ref)


async def _disconnect(me: Process, peer: str) -> Term:
    return await me.node.disconnect(peer)


async def _ping(me: Process, peer: str) -> Term:
    return Atom("pong" if await me.node.ping(peer) else "pang")


async def _leader(me: Process) -> Term:
    return me.group_leader


async def _call(me: Process, dest: Term, request: Term, milliseconds: float = 5000) -> Term:
    try:
        return (OK, await me.call(dest, request, milliseconds / 1000))
    except CallError as error:
        return (Atom("exit"), _why(error))


def _why(error: CallError) -> Term:
    """What the exit of ``gen_server:call`` says first."""
    match error:
        case NoProc():
            return Atom("noproc")
        case NodeDown():
            return (Atom("nodedown"), Atom(error.name))
        case CallTimeout():
            return Atom("timeout")
        case RemoteExit():
            return error.reason
    raise error


async def _reply(me: Process, caller: Term, value: Term) -> Term:
    me.router.reply(me, caller, value)
    return OK


async def _cast(me: Process, dest: Term, message: Term) -> Term:
    await me.cast(dest, message)
    return OK


async def _spawn(me: Process, peer: str, function: str, args: Any, *, link: bool = False) -> Term:
    return await me.spawn_remote(peer, "puppet", function, args, link=link)


async def _spawn_link(me: Process, peer: str, function: str, args: Any) -> Term:
    return await _spawn(me, peer, function, args, link=True)


async def _spawn_monitor(me: Process, peer: str, function: str, args: Any, *, link: bool = False) -> Term:
    return await me.spawn_monitor(peer, "puppet", function, args, link=link)


async def _spawn_both(me: Process, peer: str, function: str, args: Any) -> Term:
    return await _spawn_monitor(me, peer, function, args, link=True)


async def _erpc(me: Process, peer: str, function: str, args: Any, milliseconds: float = 5000) -> Term:
    try:
        value = await me.node.rpc(peer, "puppet", function, args, milliseconds / 1000)
    except CallError as error:
        return _outcome(error)
    return (Atom("return"), value)


def _outcome(error: CallError) -> Term:
    match error:
        case RemoteError():
            return (Atom(error.kind), error.reason)
        case NodeDown():
            return (Atom("erpc"), Atom("noconnection"))
        case CallTimeout():
            return (Atom("erpc"), Atom("timeout"))
    raise error


async def _erpc_cast(me: Process, peer: str, function: str, args: Any) -> Term:
    try:
        await me.node.rpc_cast(peer, "puppet", function, args)
    except NodeDown:
        return OK  # Erlang's cast does not tell
    return OK


async def _erpc_multicall(me: Process, peers: Any, function: str, args: Any) -> Term:
    values, errors = await me.node.multicall(peers, "puppet", function, args, 5)
    return [
        _outcome(errors[str(peer)]) if peer in errors else (Atom("return"), values[str(peer)])
        for peer in peers
    ]


WORDS: dict[str, Callable[..., Awaitable[Term]]] = {
    "trap": _trap,
    "no_trap": _no_trap,
    "link": _link,
    "link_priority": _link_priority,
    "unlink": _unlink,
    "monitor": _monitor,
    "monitor_priority": _monitor_priority,
    "demonitor": _demonitor,
    "exit": _exit,
    "exit_huge": _exit_huge,
    "exit_plain": _exit,
    "exit_priority": _exit_priority,
    "send": _send,
    "send_all": _send_all,
    "send_priority": _send_priority,
    "register": _register,
    "unregister": _unregister,
    "alias": _alias,
    "alias_once": _alias_once,
    "alias_priority": _alias_priority,
    "alias_once_priority": _alias_once_priority,
    "unalias": _unalias,
    "disconnect": _disconnect,
    "ping": _ping,
    "leader": _leader,
    "call": _call,
    "reply": _reply,
    "cast": _cast,
    "spawn": _spawn,
    "spawn_link": _spawn_link,
    "spawn_monitor": _spawn_monitor,
    "spawn_both": _spawn_both,
    "erpc": _erpc,
    "erpc_cast": _erpc_cast,
    "erpc_multicall": _erpc_multicall,
}
