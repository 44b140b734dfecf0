"""Small helpers of the interop tests: Python nodes beside BEAMs, and what both say of each other."""

from __future__ import annotations

import asyncio
import itertools
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from pyerlnode import GenServer, Node

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from pyerlnode.term import Term
    from tests.support.beam import Beam

_numbers = itertools.count(1)


def fresh_name(base: str = "py") -> str:
    """A node name that no other test uses."""
    return f"{base}{os.getpid()}_{next(_numbers)}@127.0.0.1"


@asynccontextmanager
async def python_node(name: str | None = None, **options: Any) -> AsyncIterator[Node]:
    """A running node with the cookie of the harness."""
    async with Node(name or fresh_name(), **({"cookie": "cookie"} | options)) as node:
        yield node


async def until(check: Callable[[], Awaitable[bool]], within: float = 10.0) -> None:
    """Returns when `check` is true; TimeoutError when it is not within that many seconds."""
    async with asyncio.timeout(within):
        while not await check():
            await asyncio.sleep(0.02)


async def serves(beam: Beam, node: str, name: str = "net_kernel") -> bool:
    """Whether `node` is up and has a process of that name, as the BEAM sees it."""
    watch = f"R = erlang:monitor(process, {{{name}, '{node}'}}), receive {{'DOWN', R, _, _, _}} -> false"
    return await beam.eval(f"{watch} after 100 -> erlang:demonitor(R, [flush]) end") == "true"


async def has_lines(beam: Beam, start: int, promised: Sequence[str]) -> bool:
    """Whether it printed these lines since `start`, in their order; others may come between them."""
    printed = iter(beam.log[start:])
    return all(line in printed for line in promised)


class Echo(GenServer):
    """Answers every call with the request."""

    async def handle_call(self, request: Term, caller: Any) -> Term:
        return request
