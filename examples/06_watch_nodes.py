"""Nodes that come and go, as events.  Start me first: python examples/06_watch_nodes.py."""

from __future__ import annotations

import asyncio
from typing import Any

from pyerlnode import Atom, GenServer, Node, NodeDown, NodeUp


class Door(GenServer):
    """Says good-bye."""

    async def handle_call(self, request: Any, caller: Any) -> Any:
        return Atom("goodbye")


async def main() -> None:
    async with Node("py@127.0.0.1", cookie="cookie") as node:
        await node.start_server(Door, name="door")
        print(f"{node.name} watches", flush=True)
        async for event in node.monitor_nodes():
            match event:
                case NodeUp(name):
                    print("up", name, flush=True)  # => up node1@127.0.0.1
                case NodeDown(name, reason):
                    print("down", name, reason, flush=True)  # => down node1@127.0.0.1 connection_closed
                    return


asyncio.run(main())
