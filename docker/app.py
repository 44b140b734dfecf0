"""A Python node with a GenServer that Elixir calls and that calls Elixir: what the mixed cluster runs as node5.

From any node of the cluster::

    GenServer.call({:counter, :node@node5}, {:add, 2})
    GenServer.call({:counter, :node@node5}, {:relay, {LibclusterPoc.Counter, :node@node1}, {:add, 2}})

Its name, its cookie and how it finds the others come from the environment, as with ``pyerlnode start``.
"""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

from pyerlnode import Atom, GenServer, Node, RemoteExit


class Counter(GenServer):
    """Counts; and relays requests to other GenServers, as ``LibclusterPoc.Counter`` does in Elixir."""

    async def init(self, node: Node) -> None:
        self.node = node
        self.value = 0

    async def handle_call(self, request: Any, caller: Any) -> Any:
        match request:
            case ("add", int(k)):
                self.value += k
                return Atom("ok"), self.value
            case "value":
                return self.value
            case ("relay", (str(name), str(node)), forwarded):
                try:
                    return Atom("ok"), await self.node.call((name, node), forwarded)
                except RemoteExit as error:
                    return Atom("error"), error.reason
        return Atom("error"), Atom("unknown_request")


async def main() -> None:
    leave = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, leave.set)
    async with Node(os.environ["RELEASE_NODE"], cookie=os.environ.get("RELEASE_COOKIE")) as node:
        await node.start_server(Counter, node, name="counter")
        print(f"{node.name} serves counter", flush=True)
        await leave.wait()


asyncio.run(main())
