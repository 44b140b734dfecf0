"""``pyerlnode demo`` under observation: its processes are found by a mark in their environment."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

PATIENCE = 20.0
"""Seconds that processes may take to notice that the demo has ended."""


class Demo:
    """One run of the demo, in a process of its own; `with` starts it and sees to its end."""

    def __init__(self, *options: str) -> None:
        self.mark = f"PYERLNODE_DEMO_{secrets.token_hex(8)}"
        self.errors = ""
        """What it wrote to standard error, once it has ended."""
        self._command = [sys.executable, "-m", "pyerlnode", "demo", *options]

    def __enter__(self) -> Self:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            self._command, stdout=pipe, stderr=pipe, text=True, env={**os.environ, self.mark: "1"}
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate()

    @property
    def status(self) -> int | None:
        """Its exit status."""
        return self.process.returncode

    def until(self, text: str) -> None:
        """Read its output up to a line with `text`."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if text in line:
                return
        self.rest()
        raise AssertionError(f"the demo ended before it said {text!r}: {self.errors}")

    def rest(self) -> str:
        """Everything that it still prints."""
        out, self.errors = self.process.communicate()
        return out

    def kill_one_console(self) -> None:
        """SIGKILL one of its consoles."""
        victim = next(process for process in self._marked() if process != self.process.pid)
        os.kill(victim, signal.SIGKILL)

    def left_behind(self) -> list[int]:
        """Processes of the demo that live on, after some patience."""
        deadline = time.monotonic() + PATIENCE
        while (found := self._marked()) and time.monotonic() < deadline:
            time.sleep(0.05)  # nobody tells when a process that is not our child has ended
        return found

    def _marked(self) -> list[int]:
        mark = f"{self.mark}=".encode()
        return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/environ") if mark in read(path)]


def read(path: Path) -> bytes:
    """What is in a file of /proc; nothing where its process has ended."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
