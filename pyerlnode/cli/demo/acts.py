"""What the demo plays, and what it must see: the story of the blog post that pyerlnode comes from.

"Erlang distributed with docker and libcluster" (Juan Carlos Martinez de la Torre, 2019): node1, node2 and
node3 share the cookie ``cookie`` and a list of hosts, and find each other as they start.  Here all of it
stays on the loopback interface, since that cookie is known to everybody.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
from contextlib import AsyncExitStack
from itertools import permutations
from typing import TYPE_CHECKING

from pyerlnode.cli.demo.consoles import Console, DemoFailed
from pyerlnode.cli.demo.elixir_console import LOOPBACK_ONLY, elixir_command
from pyerlnode.cli.names import as_epmd_prints
from pyerlnode.config import child_environment
from pyerlnode.net.epmd_client import EpmdClient
from pyerlnode.net.epmd_server import EpmdServer

if TYPE_CHECKING:
    from collections.abc import Sequence

COOKIE = "cookie"
HOST = "localhost"
NODES = tuple(f"node{n}@{HOST}" for n in (1, 2, 3))

SETTLING = 100
"""How many times a node is asked for its list until that is complete."""
PAUSE = 0.05
"""Seconds between two of those."""


async def play(*, elixir: bool) -> None:
    """Play the acts; raises :class:`DemoFailed` when one does not go as it should."""
    async with EpmdServer(addresses=["127.0.0.1"], port=0) as epmd:
        print(f"Our own port mapper listens on port {epmd.port}: no Erlang is needed.")
        await python_cluster(epmd.port)
        program = shutil.which("elixir") if elixir else None
        if program is not None:
            await mixed_cluster(epmd.port, program)
        elif elixir:
            print("\nThere is no `elixir` on the PATH: the act with real Elixir nodes is left out.")


# ---------------------------------------------------------------------------------- acts


async def python_cluster(port: int) -> None:
    """Three Python nodes: each knows all names, and finds those that are up when it starts."""
    async with AsyncExitStack() as stack:
        nodes: list[Console] = []
        for name in NODES:
            title(f"{short(name)} starts, and looks for {', '.join(short(other) for other in NODES)}")
            node = await stack.enter_async_context(python_node(name, port))
            expect(f"the log of {name}", sorted(node.log), log_of(name, up=NODES[: len(nodes)]))
            nodes.append(node)

        title("Everybody sees everybody")
        for node in nodes:
            await expect_list(node)
        await expect_names(port)

        title("Pings, each way")
        for node, other in permutations(nodes, 2):
            expect("the ping", await node.ask(f'await node.ping("{other.node}")'), "True")

        title("A GenServer call, each to the next")
        for node, other in zip(nodes, [*nodes[1:], nodes[0]], strict=True):
            await expect_greeting(node, other)


async def mixed_cluster(port: int, elixir: str) -> None:
    """Two real Elixir nodes and a Python one, on the same port mapper."""
    async with AsyncExitStack() as stack:
        title("Now with real Elixir: node1 and node2 are Elixir, and meet")
        node1 = await stack.enter_async_context(elixir_node(NODES[0], port, elixir))
        node2 = await stack.enter_async_context(elixir_node(NODES[1], port, elixir))
        expect("Node.list()", await node2.ask("Node.list()"), "[]")
        expect("Node.connect", await node2.ask(f"Node.connect(:{node1.node})"), "true")
        expect("Node.list()", await node2.ask("Node.list()"), f"[:{node1.node}]")

        title("node3 is Python, and looks for them")
        node3 = await stack.enter_async_context(python_node(NODES[2], port))
        expect(f"the log of {node3.node}", sorted(node3.log), log_of(node3.node, up=NODES[:2]))

        title("Everybody sees everybody")
        for node in (node1, node2, node3):
            await expect_list(node)
        await expect_names(port)

        title("Pings and calls, each way")
        expect("the ping", await node1.ask(f"Node.ping(:{node3.node})"), ":pong")
        expect("the ping", await node3.ask(f'await node.ping("{node1.node}")'), "True")
        await expect_greeting(node2, node3)
        await expect_greeting(node3, node2)


# ---------------------------------------------------------------------------------- who plays


def python_node(name: str, port: int) -> Console:
    """A Python node that shares the list of hosts."""
    command = [sys.executable, "-m", "pyerlnode.cli.demo.python_console", name, COOKIE, *NODES]
    return Console(name, f"python({name})", command, child_environment(port))


def elixir_node(name: str, port: int, elixir: str) -> Console:
    """An Elixir node."""
    environment = child_environment(port) | {"ERL_ZFLAGS": LOOPBACK_ONLY}
    return Console(name, f"iex({name})", elixir_command(elixir, name, COOKIE), environment)


def is_python(node: Console) -> bool:
    """Tell Python's consoles from Elixir's."""
    return node.prompt.startswith("python")


# ---------------------------------------------------------------------------------- what must be seen


def expect(what: str, seen: object, wanted: object) -> None:
    """Compare; the demo ends at the first difference."""
    if seen != wanted:
        raise DemoFailed(f"{what} should be {wanted!r}, and is {seen!r}")


def log_of(name: str, up: Sequence[str]) -> list[str]:
    """Give the lines that a node logs which finds the nodes ``up``, sorted: all are dialled side by side."""
    verbs = {True: "connected to", False: "unable to connect to"}
    return sorted(f"[pyerlnode:example] {verbs[other in up]} :{other}" for other in NODES if other != name)


async def expect_list(node: Console) -> None:
    """Compare ``Node.list()`` with the other two names; in which order they come is not promised."""
    question = "node.list()" if is_python(node) else "Node.list()"
    wanted = sorted(name for name in NODES if name != node.node)
    for _ in range(SETTLING):
        if names_in(await node.ask_quietly(question)) == wanted:
            break
        await asyncio.sleep(PAUSE)
    expect(f"{question} on {node.node}", names_in(await node.ask(question)), wanted)


def names_in(answer: str) -> list[str]:
    """Read the node names in a printed list, Python's or Elixir's."""
    return sorted(re.findall(r"\w+@\w+", answer))


async def expect_names(port: int) -> None:
    """Compare what ``epmd -names`` would print; the order of its lines is not promised."""
    names = await EpmdClient(port=port).names()
    print(f"$ pyerlnode names\n{as_epmd_prints(names, port)}", end="", flush=True)
    expect("the names that epmd lists", sorted(name for name, _ in names), [short(name) for name in NODES])


async def expect_greeting(node: Console, other: Console) -> None:
    """Call the other's greeter and compare its answer."""
    me = short(node.node)
    greeting = f"hello {me}, this is {other.node}"
    if is_python(node):
        question = f'await node.call(("greeter", "{other.node}"), (Atom("hello"), "{me}"))'
        wanted = repr(greeting.encode())
    else:
        question = f'GenServer.call({{:greeter, :{other.node}}}, {{:hello, "{me}"}})'
        wanted = f'"{greeting}"'
    expect("the greeting", await node.ask(question), wanted)


def short(name: str) -> str:
    """Give the part of a node name before the ``@``."""
    return name.partition("@")[0]


def title(text: str) -> None:
    """Print a heading."""
    print(f"\n--- {text}", flush=True)
