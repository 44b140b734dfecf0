"""README.md tells the truth: every block of code in it runs here, and prints what it says it prints."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pyerlnode import Node
from tests.interop.nodes import Echo, fresh_name, serves, until
from tests.support.beams import EXPECTED
from tests.support.scripts import Block, Script, blocks, python

if TYPE_CHECKING:
    from tests.support.beam import Beam
    from tests.support.beam_fixtures import Starter
    from tests.support.beams import Release
    from tests.support.epmd import Epmd

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
KNOWN = {("bash", ""), ("python", "run: node1"), ("python", "serve: py@127.0.0.1"), ("elixir", "run: node1")}
KNOWN |= {("console", "run: node1"), ("console", "start: node1")}


def test_every_block_is_one_that_a_test_runs() -> None:
    found = blocks(README)
    assert {(block.language, block.role) for block in found} == KNOWN
    fences = re.findall(r"^```\w+$", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(fences) == len(found)


@pytest.mark.beam(elixir=True)
async def test_its_blocks_run_in_order_and_keep_their_promises(
    release: Release, beams: Starter, plain_epmd: Epmd
) -> None:
    beam = await beams(release, name="node1@127.0.0.1", epmd_port=plain_epmd.port)
    found = [block for block in blocks(README) if block.role]
    while found:
        block = found.pop(0)
        if block.role.startswith("serve"):
            with python("-c", block.code):
                await until(lambda: serves(beam, "py@127.0.0.1", "model"))
                await run(found.pop(0), beam)
        elif block.role.startswith("start"):
            await start(block)
        else:
            await run(block, beam)


async def start(block: Block) -> None:
    """Run the command until it has logged what the block shows, in any order."""
    [(words, logged)] = block.commands
    with python("-m", *words) as script:
        await until(lambda: has_logged(script, logged))


async def has_logged(script: Script, text: str) -> bool:
    return sorted(shape(script.errors).splitlines()) == sorted(shape(text).splitlines())


async def run(block: Block, beam: Beam) -> None:
    match block.language:
        case "python":
            with python("-c", block.code) as script:
                assert script.rest() == block.promised, f"line {block.line}"
        case "elixir":
            start = len(beam.log)
            await beam.elixir(block.code)
            await until(lambda: has_as_many(beam, start + len(block.promised)))
            assert beam.log[start:] == block.promised, f"line {block.line}"
        case "console":
            for words, output in block.commands:
                assert shape(printed(words)) == shape(output), f"line {block.line}: {words}"


async def has_as_many(beam: Beam, count: int) -> bool:
    return len(beam.log) >= count


def printed(words: list[str]) -> str:
    assert words[0] == "pyerlnode"
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def shape(text: str) -> str:
    """A text with its port numbers made alike."""
    return re.sub(r"port \d+", "port N", text)


def test_its_make_targets_exist() -> None:
    [block] = [block for block in blocks(README) if block.language == "bash"]
    for line in block.code.splitlines():
        done = subprocess.run(["make", "-n", *line.split()[1:]], cwd=ROOT, capture_output=True, check=False)
        assert line.startswith("make ")
        assert done.returncode == 0, done.stderr


# ---------------------------------------------------------------------------------- the table


def compatibility() -> dict[int, str]:
    """The table between its two marks: Elixir's version, or "none", by OTP release."""
    _, _, rest = README.read_text(encoding="utf-8").partition("<!-- compat:begin -->")
    table, end, _ = rest.partition("<!-- compat:end -->")
    assert end
    return {int(otp): elixir for otp, elixir in re.findall(r"^\| (\d+) \| (\S+) \|$", table, re.MULTILINE)}


def test_the_compatibility_table_has_every_release_that_is_promised() -> None:
    assert tuple(compatibility()) == EXPECTED


async def test_the_compatibility_table_is_right(beam: Beam) -> None:
    """On each release found: it is what the table says, and works in both directions."""
    has_elixir = beam.release.elixir is not None
    version = (await beam.elixir("System.version()")).strip('"') if has_elixir else "none"
    assert compatibility()[beam.otp] == ".".join(version.split(".")[:2])
    async with Node(fresh_name(), cookie="cookie") as node:
        await node.start_server(Echo, name="echo")
        assert await node.connect(beam.name)
        assert await node.ping(beam.name)
        assert await beam.eval(f"net_adm:ping('{node.name}')") == "pong"
        assert await beam.eval(f"gen_server:call({{echo, '{node.name}'}}, {{hello, 42}})") == "{hello,42}"
        assert await node.rpc(beam.name, "erlang", "abs", [-42]) == 42
