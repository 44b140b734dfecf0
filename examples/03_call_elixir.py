"""Python calls Elixir's GenServers.  Start examples/03_call_elixir.exs first."""

from __future__ import annotations

import asyncio

from pyerlnode import Atom, CallTimeout, Node, NodeDown, NoProc, RemoteExit

PEER = "node1@127.0.0.1"
COUNTER = ("counter", PEER)


async def main() -> None:
    async with Node("py@127.0.0.1", cookie="cookie") as node:
        # atoms compare with str, so answers can be matched naturally
        match await node.call(COUNTER, (Atom("add"), 2)):
            case ("ok", value):
                print(value)  # => 42

        await node.cast(COUNTER, Atom("reset"))
        info = await node.call(COUNTER, Atom("info"))
        print(info["name"], info["value"], info["tags"])  # => b'counter' 0 [Atom('a'), None]

        try:
            await node.call(COUNTER, Atom("never"), timeout=0.1)
        except CallTimeout:
            print("no answer in time")  # => no answer in time
        try:
            await node.call(("nobody", PEER), Atom("hello"))
        except NoProc:
            print("no such process")  # => no such process
        try:
            await node.call(COUNTER, Atom("crash"))
        except RemoteExit as error:
            print(error.reason)  # => (Atom('shutdown'), Atom('asked'))
        try:
            await node.call(("counter", "nobody@127.0.0.1"), Atom("hello"))
        except NodeDown as error:
            print(error.name)  # => nobody@127.0.0.1


asyncio.run(main())
