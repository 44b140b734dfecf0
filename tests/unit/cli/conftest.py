"""A small world for commands: a port mapper and a Python node on loopback, both in threads of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode import GenServer, NoReply
from pyerlnode.loops import LoopThread
from pyerlnode.net.epmd_server import EpmdServer
from pyerlnode.sync import Node

if TYPE_CHECKING:
    from collections.abc import Iterator


class Echo(GenServer):
    """Answers every call with the request, save ``:never``."""

    async def handle_call(self, request: Any, caller: Any) -> Any:
        return NoReply if request == "never" else request


@pytest.fixture
def epmd_port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a port mapper that every command and node here uses."""
    for name in ("ERL_EPMD_ADDRESS", "ERL_EPMD_RELAXED_COMMAND_CHECK"):
        monkeypatch.delenv(name, raising=False)
    loop = LoopThread()
    loop.start()
    server = EpmdServer(0, ["127.0.0.1"])
    loop.run(server.start)
    monkeypatch.setenv("ERL_EPMD_PORT", str(server.port))
    yield server.port
    loop.run(server.stop)
    loop.stop()


@pytest.fixture
def peer(epmd_port: int) -> Iterator[Node]:
    """The node ``peer@127.0.0.1``, cookie ``cookie``, with a server named ``echo``."""
    with Node("peer@127.0.0.1", cookie="cookie") as node:
        node.start_server(Echo, name="echo")
        yield node
