"""A node that is measured: what `driver.erl` serves on a BEAM, in Python as a user would write it.

Run by `stage.py` with the Python of the bench environment and a copy of pyerlnode on its path.  Settings come
as JSON; it says ``ready`` when it can be measured, and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from pyerlnode import Atom, Caller, GenServer, Node, Process, Term
from pyerlnode.loops import loop_factory

DONE, MSG = Atom("done"), Atom("msg")


class Server(GenServer):
    """Gives back what it is called with."""

    async def handle_call(self, request: Term, caller: Caller) -> Term:
        return request


class Worker(GenServer):
    """The same in a worker thread."""

    def handle_call(self, request: Term, caller: Caller) -> Term:
        return request


async def echo(me: Process) -> None:
    """Sends back what it is sent."""
    async for sender, message in me:
        await me.send(sender, message)


async def sink(me: Process) -> None:
    """Counts what it is sent."""
    count = 0
    async for kind, value in me:
        if kind == "done":
            await me.send(value, (DONE, count))
            count = 0
        else:
            count += 1


async def flooder(me: Process) -> None:
    """Sends as many messages as it is asked for."""
    async for _, count, target in me:
        for number in range(count, 0, -1):
            await me.send(target, (MSG, number))


async def idle(me: Process) -> None:
    """Waits."""
    await me.receive()


async def end_of_input() -> None:
    """Returns when whoever started this has closed its end, or has gone."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    await reader.read()


async def main(settings: dict[str, Any]) -> None:
    waiting = settings.pop("waiting", 0)
    async with Node(settings.pop("name"), **settings) as node:
        await node.start_server(Server, name="server")
        await node.start_server(Worker, name="worker")
        for body in (echo, sink, flooder):
            await node.spawn(body, name=body.__name__)
        for number in range(waiting):
            await node.spawn(idle)
            if number % 1000 == 0:
                await asyncio.sleep(0)  # they begin to wait when it is their turn
        await asyncio.sleep(0.1)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await end_of_input()


if __name__ == "__main__":
    wanted = json.loads(sys.argv[1])
    with asyncio.Runner(loop_factory=loop_factory(wanted.pop("loop"))) as runner:
        runner.run(main(wanted))
