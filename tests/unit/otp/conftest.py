"""One node without a network, and a process of it that asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.nodes import Ports

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pyerlnode.node import Node
    from pyerlnode.otp.gen import Process


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    """A running node."""
    async with Ports().node("a") as node:
        yield node


@pytest.fixture
async def me(node: Node) -> AsyncIterator[Process]:
    """A process of that node."""
    async with node.process() as me:
        yield me
