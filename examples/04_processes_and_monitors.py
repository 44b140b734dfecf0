"""Processes, selective receive and monitors.  Start examples/04_processes_and_monitors.exs first."""

from __future__ import annotations

import asyncio
from typing import Any

from pyerlnode import Atom, Node, Process

PEER = "node1@127.0.0.1"
ECHO = ("echo", PEER)


async def pinger(me: Process, parent: Any) -> None:
    """A process of its own, from a coroutine function; it ends with ``normal`` when it returns."""
    await me.send(ECHO, (Atom("echo"), me.pid, [1, 2.5, "text", None]))
    echoed = await me.receive(
        match=lambda message: message[0] == "echo", timeout=5
    )  # what else came keeps waiting
    await me.send(parent, echoed)


async def main() -> None:
    async with Node("py@127.0.0.1", cookie="cookie") as node, node.process(name="main") as me:
        await node.spawn(pinger, me.pid)
        print(await me.receive(timeout=5))  # => (Atom('echo'), [1, 2.5, b'text', None])

        ref = await me.monitor(ECHO)
        await me.send(ECHO, (Atom("stop"), (Atom("because"), 42)))
        match await me.receive(timeout=5):
            case ("DOWN", down, "process", who, reason) if down == ref:
                print(who)  # => (Atom('echo'), Atom('node1@127.0.0.1'))
                print(reason)  # => (Atom('because'), 42)

        ref = await me.monitor(ECHO)  # it is gone by now: the answer comes at once
        print((await me.receive(timeout=5))[4])  # => noproc


asyncio.run(main())
