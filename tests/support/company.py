"""Whom nodes are connected to, asked of the nodes themselves: ours and BEAMs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pyerlnode.term import decode
from tests.support.beam import Beam

if TYPE_CHECKING:
    from tests.support.python_node import PythonNode

PATIENCE = 40.0
"""Seconds for a cluster to form."""


async def connected(node: PythonNode | Beam) -> set[str]:
    """The names of the nodes that `node` is connected to, hidden ones too."""
    if isinstance(node, Beam):
        return {str(name) for name in decode(await node.eval_bytes("nodes(connected)"))}
    return set(await node.eval("node.list('connected')"))


async def sees(node: PythonNode | Beam, *names: str) -> None:
    """Wait until `node` is connected to just these."""
    seen: set[str] = set()
    try:
        async with asyncio.timeout(PATIENCE):
            while (seen := await connected(node)) != set(names):
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise TimeoutError(f"{node.name} is connected to {sorted(seen)}, not to {sorted(names)}") from None
