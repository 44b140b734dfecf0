"""docs/supervision.md tells the truth: its blocks run here, and print what they say they print."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pyerlnode import Caller, GenServer, Node
from tests.interop.nodes import has_lines, serves, until
from tests.support.scripts import blocks, python

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pyerlnode import Term
    from tests.support.beam import Beam
    from tests.support.beam_fixtures import Starter
    from tests.support.beams import Release
    from tests.support.epmd import Epmd

DOCUMENT = Path(__file__).parents[2] / "docs" / "supervision.md"
PLAIN = ("python", "")
"""Those are run by tests/unit/test_docs.py."""
SERVERS = {"serve: sup at py@127.0.0.1": "sup", "serve: py@127.0.0.1": "net_kernel"}
"""The process that shows that a program is ready, by its role."""


def test_every_block_is_one_that_a_test_runs() -> None:
    found = [(block.language, block.role) for block in blocks(DOCUMENT)]
    pairs = [[("python", role), ("elixir", "run: node1")] for role in SERVERS]
    assert found == [PLAIN, *pairs[0], *pairs[1]]
    assert DOCUMENT.read_text(encoding="utf-8").count("\n```") == 2 * len(found)


@pytest.mark.beam(elixir=True)
async def test_its_blocks_keep_their_promises(release: Release, beams: Starter, plain_epmd: Epmd) -> None:
    beam = await beams(release, name="node1@127.0.0.1", epmd_port=plain_epmd.port)
    found = [block for block in blocks(DOCUMENT) if block.role]
    for server, client in zip(found[::2], found[1::2], strict=True):
        with python("-c", server.code) as script:
            await until(partial(serves, beam, "py@127.0.0.1", SERVERS[server.role]))
            start = len(beam.log)
            await beam.elixir(client.code)
            await until(partial(has_lines, beam, start, client.promised))
            assert script.lines(len(server.promised)) == server.promised


@pytest.mark.beam(elixir=True)
async def test_a_node_that_comes_back_gets_its_child_again(
    release: Release, beams: Starter, plain_epmd: Epmd
) -> None:
    beam = await beams(release, name="node1@127.0.0.1", epmd_port=plain_epmd.port)
    *_, client = blocks(DOCUMENT)
    module, _, _ = client.code.partition("{:ok, sup}")
    start = "{:ok, _} = Supervisor.start_link([{PyModel, 3}], strategy: :one_for_one, name: Boss)"
    async with serving():
        await beam.elixir(f"{module}\nspawn(fn -> {start}; Process.sleep(:infinity) end)")
        await until(partial(answers, beam))
    assert await beam.elixir("GenServer.whereis(Boss) |> is_pid") == "true"
    async with serving():
        await until(partial(answers, beam), within=30)


@asynccontextmanager
async def serving() -> AsyncIterator[Node]:
    """The Python node of the document."""
    node = Node("py@127.0.0.1", cookie="cookie")
    node.export_server("py.model", Model, name="model")
    async with node:
        yield node


class Model(GenServer):
    """The one of the document."""

    async def init(self, factor: int) -> None:
        self.factor = factor

    async def handle_call(self, request: Term, caller: Caller) -> Term:
        return self.factor * request


async def answers(beam: Beam) -> bool:
    """Whether the model computes."""
    call = 'try do GenServer.call({:model, :"py@127.0.0.1"}, 14) catch :exit, _ -> nil end'
    return await beam.elixir(call) == "42"
