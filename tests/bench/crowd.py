"""Many nodes in one process, each with a connection to one node that is measured.

Run by `stage.py`.  Settings come as JSON; it says ``ready`` when all are connected.  Each line that it reads
is a number of messages, which it sends to that node's ``sink``, spread over all connections in bundles; then
it says ``done``.  It ends with its standard input.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from typing import Any

from pyerlnode import Atom, Node, Process

DONE, MSG = Atom("done"), Atom("msg")
BUNDLE = 10
"""Messages that one connection carries before it is another's turn."""


async def join(stack: AsyncExitStack, number: int, settings: dict[str, Any]) -> Process:
    """One more node, connected."""
    name = f"crowd_{number}_{settings['peer'].partition('@')[0]}@127.0.0.1"
    options = {key: value for key, value in settings.items() if key not in {"peer", "count"}}
    node = await stack.enter_async_context(Node(name, hidden=True, listen=False, **options))
    if not await node.connect(settings["peer"]):
        raise RuntimeError(f"{name} could not connect to {settings['peer']}")
    return await stack.enter_async_context(node.process())


async def spread(members: list[Process], peer: str, count: int) -> None:
    """Sends so many messages, and waits until all of them were taken."""
    sink = (Atom("sink"), Atom(peer))
    for _ in range(count // (BUNDLE * len(members))):
        for me in members:
            for number in range(BUNDLE):
                await me.send(sink, (MSG, number))
            await asyncio.sleep(0)
    one, taken = members[0], 0
    while taken < count:
        await one.send(sink, (DONE, one.pid))
        _, more = await one.receive()
        taken += more


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def main(settings: dict[str, Any]) -> None:
    async with AsyncExitStack() as stack:
        members = [await join(stack, number, settings) for number in range(settings["count"])]
        say("ready")
        while line := await asyncio.to_thread(sys.stdin.readline):
            await spread(members, settings["peer"], int(line))
            say("done")


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
