"""A Python node that does what its standard input says: ``python -m pyerlnode.cli.demo.python_console``.

Arguments: its name, the cookie, and the names of the cluster's nodes.  It dials those once, in order, and
says so in libcluster's words, then serves a ``greeter`` and evaluates each line it reads with ``node`` and
``Atom`` in scope, ``await`` included.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import sys
from typing import TYPE_CHECKING, Any

from pyerlnode import Atom, GenServer, Node
from pyerlnode.cli.demo.consoles import ANSWER, READY
from pyerlnode.errors import ConnectFailed
from pyerlnode.loops import loop_factory
from pyerlnode.term.text import to_elixir

if TYPE_CHECKING:
    from collections.abc import Sequence


class Greeter(GenServer):
    """Answers ``{:hello, who}``."""

    async def handle_call(self, request: Any, caller: Any) -> str:
        """Greet by name."""
        match request:
            case ("hello", bytes(who)):
                return f"hello {who.decode()}, this is {self.node.name}"
        raise ValueError(f"not a greeting: {request}")


async def serve(name: str, cookie: str, hosts: Sequence[str]) -> None:
    """Be the node ``name`` until standard input ends."""
    async with Node(name, cookie=cookie, start_epmd=False) as node:  # the demo has its own, and ends it
        await node.start_server(Greeter, name="greeter")
        await dial(node, hosts)
        lines = await standard_input()
        say(READY)
        while line := await lines.readline():
            say(repr(await evaluate(line.decode().strip(), {"node": node, "Atom": Atom})))


async def dial(node: Node, hosts: Sequence[str]) -> None:
    """Dial every node of the list once, as libcluster's Epmd strategy does."""
    for peer in hosts:
        if peer == node.name:
            continue
        try:
            await node.connect(peer)
            outcome = "connected to"
        except ConnectFailed:
            outcome = "unable to connect to"
        print(f"[pyerlnode:example] {outcome} {to_elixir(Atom(peer))}", flush=True)


async def standard_input() -> asyncio.StreamReader:
    """Give standard input as a stream that does not block the node."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer
    )
    return reader


async def evaluate(expression: str, scope: dict[str, Any]) -> Any:
    """Evaluate one expression; it may ``await``."""
    code = compile(expression, "<demo>", "eval", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    value = eval(code, scope)  # noqa: S307 - the demo itself wrote the expression
    return await value if inspect.iscoroutine(value) else value


def say(answer: str) -> None:
    """Answer the demo."""
    print(f"{ANSWER}{answer}", flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve(sys.argv[1], sys.argv[2], sys.argv[3:]))
