"""Many nodes that are connected to the one that is measured and then keep quiet, in one process.

Run by `memory_worker.py`.  Settings come as JSON; it says ``ready`` when all are connected, and is killed.
Those of `crowd.py` are smaller, but answer no ticks: their connections would not last.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from typing import Any

from pyerlnode import Node


async def join(stack: AsyncExitStack, number: int, settings: dict[str, Any]) -> None:
    """One more node, connected."""
    name = f"guest_{number}_{settings['peer'].partition('@')[0]}@127.0.0.1"
    options = {key: value for key, value in settings.items() if key not in {"peer", "count"}}
    node = await stack.enter_async_context(Node(name, hidden=True, listen=False, **options))
    if not await node.connect(settings["peer"]):
        raise RuntimeError(f"{name} could not connect to {settings['peer']}")


async def main(settings: dict[str, Any]) -> None:
    async with AsyncExitStack() as stack:
        for number in range(settings["count"]):
            await join(stack, number, settings)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
