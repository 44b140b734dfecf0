"""A Python node joins an Elixir node.  Start examples/01_ping.exs first, then: python examples/01_ping.py."""

from __future__ import annotations

import asyncio

from pyerlnode import Node

PEER = "node1@127.0.0.1"


async def main() -> None:
    async with Node("py@127.0.0.1", cookie="cookie") as node:
        print(await node.connect(PEER))  # => True
        print(node.list())  # => ['node1@127.0.0.1']
        print(await node.ping(PEER))  # => True
        print(await node.ping("nobody@127.0.0.1"))  # => False


asyncio.run(main())
