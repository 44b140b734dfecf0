"""A terminal with an ``iex`` on it: what is typed there, and what it shows.

iex = Terminal("docker", "run", "-it", "--net=host", "elixir", "iex", "--sname", "node1")
assert iex.ask("Node.list()") == "[]"
iex.close()
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
import time

PATIENCE = 90.0
"""Seconds for what is to be shown."""
SIZE = struct.pack("HHHH", 50, 300, 0, 0)
"""Rows and columns: so wide that no line is broken."""
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
PROMPT = r"iex\((?:[^()\s]+\)%d|%d\))> "
"""Of a node with a name, and without."""


class Terminal:
    """A program on a terminal of its own, from construction until `close`."""

    def __init__(self, *command: str) -> None:
        self._command = " ".join(command)
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, SIZE)
        self._process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)
        self._shown = b""
        self._asked = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def text(self) -> str:
        """All that it showed, without colours and movements of the cursor."""
        return ANSI.sub("", self._shown.decode(errors="replace")).replace("\r", "")

    def wait(self, pattern: str) -> re.Match[str]:
        """Wait until `pattern` (a regular expression) is found in what it showed."""
        end = time.monotonic() + PATIENCE
        while (found := re.search(pattern, self.text)) is None:
            if time.monotonic() > end or not self._reader.is_alive():
                raise AssertionError(f"{self._command} showed no {pattern!r}, but\n{self.text}")
            time.sleep(0.02)
        return found

    def ask(self, code: str) -> str:
        """Type a line at the prompt of iex, and give what it showed before the next prompt."""
        self._asked += 1
        here, following = PROMPT % (self._asked, self._asked), PROMPT % (self._asked + 1, self._asked + 1)
        self.wait(here)
        self.type(code)
        end = self.wait(following).start()
        shown = self.text[:end]
        return shown.rpartition(f"{code}\n")[2].strip()

    def type(self, line: str) -> None:
        """Type a line."""
        os.write(self._ours, f"{line}\n".encode())

    def close(self) -> None:
        """End the program, which is only the client where it is ``docker run``."""
        self._process.kill()
        self._process.wait()
        self._reader.join(5)
        os.close(self._ours)

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._ours, 65536)
            except OSError:  # the program has ended
                return
            if not data:
                return
            self._shown += data
