"""Where remote code prints and reads: our standard files, and what happens when they break."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pyerlnode.cli.terminal import Terminal

if TYPE_CHECKING:
    from pyerlnode.sync import Node


class Broken(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError("no reader")


def test_it_is_standard_output_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal(errors=False).write("printed")
    assert capsys.readouterr() == ("printed", "")


def test_it_is_standard_error_where_output_is_for_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal(errors=True).write("printed")
    assert capsys.readouterr() == ("", "printed")


def test_lines_come_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("one\ntwo"))
    terminal = Terminal(errors=False)
    assert [terminal.read() for _ in range(3)] == ["one\n", "two", ""]


async def test_output_that_breaks_ends_what_the_command_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(errors=False)
    monkeypatch.setattr(sys, "stdout", Broken())
    asyncio.get_running_loop().call_soon(terminal.write, "x")
    asyncio.get_running_loop().call_soon(terminal.write, "y")
    with pytest.raises(BrokenPipeError), terminal.in_use():
        await asyncio.Event().wait()


async def test_a_command_that_is_cancelled_is_just_that() -> None:
    async def command() -> None:
        with Terminal(errors=False).in_use():
            await asyncio.Event().wait()

    running = asyncio.ensure_future(command())
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


def test_nobody_is_there_to_be_ended_before_and_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Broken())
    Terminal(errors=False).write("x")


@pytest.mark.parametrize(
    ("closed", "answers"),
    [("<&-", True), (">&-", False), ("2>&-", True), ("<&- >&- 2>&-", False), ("<&- 2>&-", True)],
)
def test_standard_files_may_be_closed(peer: Node, closed: str, answers: bool) -> None:
    call = f"exec {sys.executable} -m pyerlnode call {peer.name} echo 1 --cookie cookie {closed}"
    done = subprocess.run(["sh", "-c", call], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n" if answers else "", "")
