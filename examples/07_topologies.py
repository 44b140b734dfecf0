"""A cluster that forms by itself, and forms again.  Start me first: python examples/07_topologies.py.

Nobody here calls `connect`: the topology does, until the other node is there, and again when it is back.
"""

from __future__ import annotations

import asyncio

from pyerlnode import Node
from pyerlnode.cluster import Connected, Epmd, Topology, TopologyEvent


async def main() -> None:
    events: asyncio.Queue[TopologyEvent] = asyncio.Queue()
    # libcluster's strategy and options; times are milliseconds, as there
    strategy = Epmd(hosts=["node1@127.0.0.1", "py@127.0.0.1"], timeout=1000)
    topology = Topology("example", strategy, on_event=events.put_nowait)
    async with Node("py@127.0.0.1", cookie="cookie", topologies=[topology]) as node:
        print(f"{node.name} looks for others", flush=True)
        for _ in range(2):
            while not isinstance(event := await events.get(), Connected):
                pass  # looked them up, or could not reach one
            print("connected to", event.node, flush=True)
            # => connected to node1@127.0.0.1
            # => connected to node1@127.0.0.1


asyncio.run(main())
