"""A real epmd of our own, on a free port, for as long as a test run or one test lasts.

    with Epmd() as epmd:
        ...                     # epmd.port; pass it to Beam(..., epmd_port=epmd.port)

Never the machine's epmd on 4369: tests neither see other nodes there nor leave any behind.
The kernel ends it when the thread that started it ends, so an interrupted run leaves nothing.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.support import beams
from tests.support.ports import free_port

if TYPE_CHECKING:
    from types import TracebackType

PATIENCE = 10.0
"""Seconds for an epmd to answer after its start."""


def find_epmd() -> str | None:
    """The real ``epmd``: on the PATH, or in a release that runs outside a tree."""
    if found := shutil.which("epmd"):
        return found
    candidates = (f"{release.bindir}/epmd" for release in beams.releases() if release.chroot is None)
    return next((path for path in candidates if os.access(path, os.X_OK)), None)


def tied_to_us(command: list[str]) -> list[str]:
    """`command`, killed by the kernel when the thread that starts it ends (Linux; elsewhere unchanged)."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", *command] if setpriv else command


class Epmd:
    """One epmd process.  `port` is given or free; `start` and `stop` may be called again and again."""

    def __init__(self, port: int | None = None, *, address: str = "127.0.0.1") -> None:
        self.port = port or free_port()
        self.address = address
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        if self._process is None:
            raise RuntimeError("this epmd is not running")
        return self._process.pid

    def start(self) -> Self:
        """Start it and wait until it answers."""
        epmd = find_epmd()
        if epmd is None:
            raise beams.MissingRelease("no `epmd` on this machine: install Erlang (Debian: erlang-base)")
        command = tied_to_us([epmd, "-port", str(self.port), "-address", self.address])
        environment = {key: value for key, value in os.environ.items() if not key.startswith("ERL_EPMD_")}
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(
            command, env=environment, stdin=quiet, stdout=quiet, stderr=quiet, cwd=Path("/")
        )
        self._wait_until_it_answers(self._process)
        return self

    def _wait_until_it_answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self.names()
            except ConnectionRefusedError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise RuntimeError(f"epmd did not start on port {self.port}") from None
                time.sleep(0.01)  # epmd tells nobody when it listens
            else:
                return

    def names(self) -> dict[str, int]:
        """The names registered now and the port of each (asked over its own protocol)."""
        with socket.create_connection((self.address.split(",")[0], self.port), PATIENCE) as link:
            link.sendall(b"\x00\x01n")
            answer = b"".join(iter(lambda: link.recv(65536), b""))
        lines = answer[4:].decode().splitlines()
        return {line.split()[1]: int(line.split()[4]) for line in lines if line.startswith("name ")}

    def kill(self) -> None:
        """SIGKILL it, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    stop = kill

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
