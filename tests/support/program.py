"""A process started by a test: its log kept and waited for, frozen, ended and killed.

    program = Program(["python", "-m", "pyerlnode", "start"], env=environment)
    await program.wait_log("connected to :node1@h")         # a regular expression; program.log has all lines
    program.pause(), program.resume(), program.kill()       # SIGSTOP, SIGCONT, SIGKILL
    program.terminate()                                     # SIGTERM
    assert await program.wait_exit() == 0
    program.close()

It runs from its construction until `close`, which kills it, and the kernel kills it with the thread that
started it.  Standard output and standard error are one log.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import threading
from typing import TYPE_CHECKING

from tests.support.epmd import tied_to_us
from tests.support.log import PATIENCE, Log

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping, Sequence
    from pathlib import Path

GOODBYE = 5.0
"""Seconds for the log of an ended process to be read to its end."""


class Program:
    """One running process."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        called: str | None = None,
    ) -> None:
        self._log = Log(called or " ".join(command)[:200])
        self._process = subprocess.Popen(
            tied_to_us([*command]),
            env=None if env is None else dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    @property
    def log(self) -> list[str]:
        """The lines that it wrote so far."""
        return self._log.lines

    async def wait_log(self, pattern: str, *, timeout: float = PATIENCE, after: int = 0) -> re.Match[str]:
        """Wait for a log line in which `pattern` (a regular expression) is found, from line `after` on."""
        return await self._log.wait(pattern, timeout=timeout, after=after)

    def count_log(self, pattern: str, *, after: int = 0) -> int:
        """In how many log lines `pattern` is found, from line `after` on."""
        return self._log.count(pattern, after=after)

    def pause(self) -> None:
        """SIGSTOP."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._process.send_signal(signal.SIGCONT)

    def terminate(self) -> None:
        """SIGTERM."""
        self._process.terminate()

    def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        self._process.kill()
        self._process.wait()

    async def wait_exit(self, timeout: float = PATIENCE) -> int:
        """Wait until it has ended; gives its exit status (negative: the signal).  All is logged by then."""
        status = await asyncio.to_thread(self._process.wait, timeout)
        await asyncio.to_thread(self._reader.join, GOODBYE)
        return status

    def close(self) -> None:
        """Kill it, what it started, and let go of all that is ours."""
        if self._reader.is_alive():  # so somebody still has its output
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        self.kill()
        self._reader.join(GOODBYE)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._log.note(line.decode(errors="replace").rstrip("\r\n"))
        self._log.end()
