"""docs/streaming.md tells the truth: its blocks run here, and print what they say they print."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.interop.nodes import has_lines, serves, until
from tests.support.scripts import blocks, python

if TYPE_CHECKING:
    from tests.support.beam_fixtures import Starter
    from tests.support.beams import Release
    from tests.support.epmd import Epmd

DOCUMENT = Path(__file__).parents[2] / "docs" / "streaming.md"
SERVER = ("python", "serve: py@127.0.0.1")
CLIENT = ("elixir", "run: node1")
PLAIN = ("python", "")
"""Run by tests/unit/test_docs.py."""


def test_every_block_is_one_that_a_test_runs() -> None:
    found = [(block.language, block.role) for block in blocks(DOCUMENT)]
    assert found == [SERVER, CLIENT, CLIENT, CLIENT, PLAIN]
    assert DOCUMENT.read_text(encoding="utf-8").count("\n```") == 2 * len(found)


@pytest.mark.beam(elixir=True)
async def test_its_blocks_keep_their_promises(release: Release, beams: Starter, plain_epmd: Epmd) -> None:
    beam = await beams(release, name="node1@127.0.0.1", epmd_port=plain_epmd.port)
    server, *clients = [block for block in blocks(DOCUMENT) if block.role]
    with python("-c", server.code) as script:
        await until(partial(serves, beam, "py@127.0.0.1"))
        for client in clients:
            start = len(beam.log)
            await beam.elixir(client.code)
            await until(partial(has_lines, beam, start, client.promised))
        assert script.lines(len(server.promised)) == server.promised


@pytest.mark.beam(elixir=True)
async def test_a_stream_that_is_not_read_to_its_end_leaves_nothing(
    release: Release, beams: Starter, plain_epmd: Epmd
) -> None:
    beam = await beams(release, name="node1@127.0.0.1", epmd_port=plain_epmd.port)
    server, _, client, *_ = [block for block in blocks(DOCUMENT) if block.role]
    module, _, _ = client.code.partition("\npython = ")
    with python("-c", server.code):
        await until(partial(serves, beam, "py@127.0.0.1"))
        rows = 'PyStream.new(:"py@127.0.0.1", :"py.db", :rows, ["users"])'
        taken = f"for(n <- [0, 1, 31, 33, 1000], do: length(Enum.take({rows}, n)))"
        left = "{Process.info(self(), :messages), Process.info(self(), :monitors)}"
        found = await beam.elixir(f"{module}\n{{{taken}, {left}}}")
    assert found == "{[0, 1, 31, 33, 1000], {{:messages, []}, {:monitors, []}}}"
