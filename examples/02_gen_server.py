"""A GenServer in Python, for Elixir to call.  Start me first: python examples/02_gen_server.py."""

from __future__ import annotations

import asyncio
from typing import Any

from pyerlnode import Atom, Exit, GenServer, Node, NoReply


class Model(GenServer):
    """A model that predicts, learns, and can be asked to think it over."""

    async def init(self, weights: list[float]) -> None:
        self.weights = weights

    def handle_call(self, request: Any, caller: Any) -> Any:
        """Runs in a worker thread, since it is a plain ``def``: it may compute for long and block nobody."""
        match request:
            case ("predict", [*xs]):
                return sum(w * x for w, x in zip(self.weights, xs, strict=True))
            case "weights":
                return self.weights
        raise Exit((Atom("bad_request"), request))  # let it crash: the caller learns why

    async def handle_cast(self, request: Any) -> None:
        match request:
            case ("learn", [*weights]):
                self.weights = weights

    async def terminate(self, reason: Any) -> None:
        print(reason, flush=True)  # => (Atom('bad_request'), Atom('nonsense'))


class Slow(GenServer):
    """Answers later, and serves others meanwhile."""

    async def handle_call(self, request: Any, caller: Any) -> Any:
        self.answering = asyncio.create_task(self.answer(request, caller))
        return NoReply

    async def answer(self, request: Any, caller: Any) -> None:
        await asyncio.sleep(0.05)
        await caller.reply((Atom("ok"), request))


async def main() -> None:
    async with Node("py@127.0.0.1", cookie="cookie") as node:
        await node.start_server(Model, [0.5, 2.0], name="model")
        await node.start_server(Slow, name="slow")
        print(f"{node.name} serves model and slow", flush=True)
        await node.wait_closed()


asyncio.run(main())
