"""Consoles: processes that answer a line with a line, and never outlive the demo."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from pyerlnode.cli.demo import consoles
from pyerlnode.cli.demo.consoles import Console, DemoFailed

ECHO = """
import sys
print("waking up")
print("= ready", flush=True)
for line in sys.stdin:
    print("thinking")
    print("= " + line.strip().upper(), flush=True)
"""
SILENT = "import sys; sys.stdin.read()"
DEAD = "import sys; print('oh no'); sys.exit(3)"
STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("= ready", flush=True)
while True: time.sleep(1)
"""


def console(program: str) -> Console:
    return Console("a@b", "console(a@b)", [sys.executable, "-c", program], dict(os.environ))


async def test_it_answers_and_shows_what_was_asked(capsys: pytest.CaptureFixture[str]) -> None:
    async with console(ECHO) as one:
        assert one.log == ["waking up"]
        assert await one.ask("hello") == "HELLO"
        assert await one.ask_quietly("quiet") == "QUIET"
        assert one.log == ["waking up", "thinking", "thinking"]
    assert capsys.readouterr().out == "waking up\nthinking\nconsole(a@b)> hello\nHELLO\nthinking\n"


async def test_one_that_ends_at_once_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DemoFailed, match="a@b ended with status 3"):
        async with console(DEAD):
            pytest.fail("it never gets ready")
    assert capsys.readouterr().out == "oh no\n"


async def test_one_that_does_not_answer_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consoles, "PATIENCE", 0.05)
    with pytest.raises(DemoFailed, match=r"did not answer within 0\.05 s"):
        async with console(SILENT):
            pytest.fail("it never gets ready")


async def test_one_that_dies_later_is_a_failure() -> None:
    async with console(ECHO) as one:
        process = one._running()
        process.kill()
        await process.wait()
        with pytest.raises(DemoFailed, match="ended with status -9"):
            await one.ask("hello")


async def test_one_that_will_not_leave_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consoles, "GRACE", 0.05)
    async with console(STUBBORN) as one:
        pass
    assert one._running().returncode == -signal.SIGKILL


async def test_one_that_was_not_started_cannot_be_asked() -> None:
    with pytest.raises(DemoFailed, match="is not started"):
        await console(ECHO).ask("hello")
