"""docs/remote.md tells the truth: its blocks run here, and print what they say they print."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.scripts import blocks, python

if TYPE_CHECKING:
    from tests.support.beam_fixtures import Starter
    from tests.support.beams import Release
    from tests.support.epmd import Epmd

DOCUMENT = Path(__file__).parents[2] / "docs" / "remote.md"
PROGRAM, CONSOLE = ("python", "run: node1"), ("console", "run: node1")


def test_every_block_is_one_that_a_test_runs() -> None:
    found = [(block.language, block.role) for block in blocks(DOCUMENT)]
    assert found == [PROGRAM, CONSOLE]
    assert DOCUMENT.read_text(encoding="utf-8").count("\n```") == 2 * len(found)


@pytest.mark.beam(elixir=True)
async def test_its_program_prints_what_it_promises(
    release: Release, beams: Starter, plain_epmd: Epmd
) -> None:
    await beams(release, name="node1@127.0.0.1", epmd_port=plain_epmd.port)
    program, _ = blocks(DOCUMENT)
    with python("-c", program.code) as script:
        assert await asyncio.to_thread(script.rest) == program.promised


@pytest.mark.beam(elixir=True)
async def test_its_commands_print_what_it_shows(release: Release, beams: Starter, plain_epmd: Epmd) -> None:
    await beams(release, name="node1@127.0.0.1", epmd_port=plain_epmd.port)
    _, console = blocks(DOCUMENT)
    for words, output in console.commands:
        assert words[0] == "pyerlnode"
        done = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-m", *words], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, output, ""), words
