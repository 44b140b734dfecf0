"""A Python node that does what its standard input says: ``python -m pyerlnode.cli.demo.python_console``.

Arguments: its name, the cookie, and the names of the cluster's nodes, which its topology dials once and tells
of in libcluster's words.  Then it serves a ``greeter`` and evaluates each line it reads with ``node`` and
``Atom`` in scope, ``await`` included.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import logging
import sys
from typing import TYPE_CHECKING, Any

from pyerlnode import Atom, GenServer, Node
from pyerlnode.cli.demo.consoles import ANSWER, READY
from pyerlnode.cluster import Connected, ConnectionFailed, Epmd, Topology
from pyerlnode.loops import loop_factory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyerlnode.cluster import TopologyEvent


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
    log_to_stdout()
    looked = Looked(set(hosts) - {name})
    topology = Topology("example", Epmd(hosts=hosts), on_event=looked.see)
    async with Node(
        name, cookie=cookie, topologies=[topology], start_epmd=False
    ) as node:  # the demo has its own
        await node.start_server(Greeter, name="greeter")
        await looked.at_all.wait()
        lines = await standard_input()
        say(READY)
        while line := await lines.readline():
            say(repr(await evaluate(line.decode().strip(), {"node": node, "Atom": Atom})))


class Looked:
    """Which nodes were dialled, with whatever outcome."""

    def __init__(self, nodes: set[str]) -> None:
        self._left = nodes
        self.at_all = asyncio.Event()
        self._check()

    def see(self, event: TopologyEvent) -> None:
        """Take note of one dial."""
        if isinstance(event, (Connected, ConnectionFailed)):
            self._left.discard(event.node)
            self._check()

    def _check(self) -> None:
        if not self._left:
            self.at_all.set()


def log_to_stdout() -> None:
    """Print what topologies log, as it is."""
    handler = logging.StreamHandler(sys.stdout)
    logger = logging.getLogger("pyerlnode.cluster")
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)


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
