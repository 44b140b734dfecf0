"""A Python node with a GenServer that Elixir calls and that calls Elixir: node5 of the mixed cluster.

From any node of the cluster::

    GenServer.call({:counter, :node@node5}, {:add, 2})
    GenServer.call({:counter, :node@node5}, {:relay, {LibclusterPoc.Counter, :node@node1}, {:add, 2}})

Its name, its cookie and how it finds the others come from the environment, as with ``pyerlnode start``.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from typing import Any

from pyerlnode import Atom, CallTimeout, GenServer, Node, NodeDown, NoProc, RemoteExit

log = logging.getLogger("app")


class Counter(GenServer):
    """Counts, and relays requests to other GenServers, as ``LibclusterPoc.Counter`` does in Elixir."""

    async def init(self, node: Node) -> None:
        """Start at 0."""
        self.node = node
        self.value = 0

    async def handle_call(self, request: Any, caller: Any) -> Any:
        """Answer ``{:add, k}``, ``:value``, ``:who`` and ``{:relay, {name, node}, request}``."""
        match request:
            case ("add", int(k)):
                self.value += k
                return Atom("ok"), self.value
            case "value":
                return self.value
            case "who":
                return Atom(self.node.name)
            case ("relay", (Atom() as name, Atom() as node), forwarded):
                return await self.relay((name, node), forwarded)
        return Atom("error"), Atom("unknown_request")

    async def relay(self, server: tuple[Atom, Atom], request: Any) -> Any:
        """Call a GenServer on another node; how a call can fail is what Elixir's callers exit with."""
        try:
            return Atom("ok"), await self.node.call(server, request)
        except NoProc:
            return Atom("error"), Atom("noproc")
        except NodeDown as error:
            return Atom("error"), (Atom("nodedown"), Atom(error.name))
        except CallTimeout:
            return Atom("error"), Atom("timeout")
        except RemoteExit as error:
            return Atom("error"), error.reason


async def main() -> None:
    """Serve until SIGTERM or SIGINT, then leave the cluster in order."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    leave = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, leave.set)
    async with Node.from_environment() as node:
        await node.start_server(Counter, node, name="counter")
        log.info("%s serves counter", node.name)
        await leave.wait()


asyncio.run(main())
