"""Programs out of examples and documentation: what they are, what they promise to print, and running them.

A promise is a comment at the end of a line that prints: ``# => [1, 2]``.
"""

from __future__ import annotations

import queue
import re
import shlex
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

PATIENCE = 30.0
"""Seconds that a program may take to print its next line, or to end."""

PROMISE = re.compile(r"(?:#|//) => (.*)$", re.MULTILINE)
BLOCK = re.compile(
    r"(?:<!-- (?P<role>.*?) -->\n)?^```(?P<language>\w+)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block of a document, and the comment before it that says what to do with it."""

    language: str
    role: str
    code: str
    line: int

    @property
    def promised(self) -> list[str]:
        """The lines that it promises to print."""
        return promises(self.code)

    @property
    def commands(self) -> list[tuple[list[str], str]]:
        """Of a console block: each command, and the output shown for it."""
        return [_command(part) for part in re.split(r"^\$ ", self.code, flags=re.MULTILINE)[1:]]


def _command(part: str) -> tuple[list[str], str]:
    line, _, output = part.partition("\n")
    return shlex.split(line), output


def blocks(document: Path) -> list[Block]:
    """Every fenced block of a document."""
    text = document.read_text(encoding="utf-8")
    return [
        Block(found["language"], found["role"] or "", found["code"], text.count("\n", 0, found.start()) + 1)
        for found in BLOCK.finditer(text)
    ]


def promises(code: str) -> list[str]:
    """The lines that a program promises to print."""
    return [text.rstrip() for text in PROMISE.findall(code)]


class Script:
    """A running program, read line by line; `with` sees to its end."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._lines: queue.Queue[str | None] = queue.Queue()

    def __enter__(self) -> Self:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            self._command, stdout=pipe, stderr=pipe, stdin=subprocess.DEVNULL, text=True
        )
        self._errors: list[str] = []
        self._threads = [threading.Thread(target=job) for job in (self._read, self._read_errors)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def line(self) -> str:
        """The next line that it prints."""
        try:
            line = self._lines.get(timeout=PATIENCE)
        except queue.Empty:
            raise TimeoutError(f"nothing more was printed.  {self.errors}") from None
        if line is None:
            raise EOFError(f"it ended with status {self._process.wait()}.  {self.errors}")
        return line

    def lines(self, count: int) -> list[str]:
        """As many lines."""
        return [self.line() for _ in range(count)]

    def rest(self) -> list[str]:
        """All lines until it ends by itself, which must be with status 0."""
        found = []
        while (line := self._lines.get(timeout=PATIENCE)) is not None:
            found.append(line)
        if self._process.wait(PATIENCE) != 0:
            raise AssertionError(f"it ended with status {self._process.returncode}.  {self.errors}")
        return found

    @property
    def errors(self) -> str:
        """What it wrote to standard error so far."""
        return "".join(self._errors)

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def _read_errors(self) -> None:
        self._errors.extend(self._process.stderr or ())


def python(*words: str) -> Script:
    """Python running a file, ``-c`` with a program, or ``-m`` with a module."""
    return Script([sys.executable, *words])
