"""Weighs what a node keeps: octets that Python's allocators gave out for many of a kind, divided.

Run by `memory.py`.  Settings come as JSON, figures go out as JSON.  Connections come from a `guests.py` that
it starts; they are weighed when they have rested, and what they have of receive buffers apart.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import tracemalloc
from typing import Any

from pyerlnode import Atom, Node, Process

TICKTIME = 4.0
"""Seconds: short, because a connection rests after some quiet ticks."""
QUIET = 6.0
"""Seconds after which connections of that tick time rest."""
BUFFER = 4096
"""Octets: buffers are larger, and nothing else of a connection is."""
MESSAGE = (Atom("msg"), 1_000_000)


async def idle(me: Process) -> None:
    await me.receive(match=lambda message: message == "never")


async def weigh() -> int:
    """Octets in use, when all that can run has run."""
    for _ in range(10):
        await asyncio.sleep(0)
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def buffers() -> int:
    """Octets of receive buffers: what a connection got for its last tick, and has not given back yet."""
    return sum(
        trace.size
        for trace in tracemalloc.take_snapshot().traces
        if trace.size > BUFFER and trace.traceback[0].filename.endswith("/net/stream.py")
    )


async def connections(node: Node, settings: dict[str, Any]) -> tuple[float, float]:
    """Octets of one idle connection, and of its receive buffer on average."""
    count = settings["connections"]
    guests = {
        "peer": node.name,
        "count": count,
        "cookie": "cookie",
        "epmd": False,
        "peer_ports": node.port,
        "net_ticktime": TICKTIME,
    }
    before = await weigh()
    process = await asyncio.create_subprocess_exec(
        *settings["guests"],
        json.dumps(guests),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    if process.stdout is None or await process.stdout.readline() != b"ready\n":
        raise RuntimeError("nobody connected")
    await asyncio.sleep(QUIET)
    grown, kept = await weigh() - before, buffers()
    process.kill()
    await process.wait()
    return (grown - kept) / count, kept / count


async def main(settings: dict[str, Any]) -> dict[str, float]:
    tracemalloc.start()
    found = {}
    async with Node(
        "weighed@127.0.0.1", cookie="cookie", epmd=False, hidden=True, net_ticktime=TICKTIME
    ) as node:
        await asyncio.gather(*[node.spawn(idle) for _ in range(100)])  # so that all code has run once
        count = settings["count"]
        before = await weigh()
        pids = [await node.spawn(idle) for _ in range(count)]
        found["process"] = (await weigh() - before) / count
        async with node.process() as me:
            before = await weigh()
            monitors = [await me.monitor(pid) for pid in pids]
            found["monitor"] = (await weigh() - before) / count
            del monitors
        before = await weigh()
        for _ in range(count):
            await node.send(pids[0], MESSAGE)
        found["message"] = (await weigh() - before) / count
        found["connection"], found["buffer"] = await connections(node, settings)
    return found


if __name__ == "__main__":
    json.dump(asyncio.run(main(json.loads(sys.argv[1]))), sys.stdout)
