"""Where code that runs elsewhere on behalf of a command prints and reads: the command's own files.

With ``--json``, standard output is for the answer alone, and what is printed goes to standard error.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


STANDARD = ("stdin", "stdout", "stderr")


def keep_standard_files() -> None:
    """Put /dev/null in the place of standard files that are closed: others would get their numbers."""
    for number, name in enumerate(STANDARD):
        if getattr(sys, name) is None:
            device = os.open(os.devnull, os.O_RDWR)
            if device != number:
                os.dup2(device, number)
                os.close(device)
            mode = "r+" if number else "r"
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


class Terminal:
    """Standard input, and standard output or, with `errors`, standard error.

    Output that cannot be written (our reader went away, the disk is full) ends the command, not the code.
    """

    def __init__(self, *, errors: bool) -> None:
        self._errors = errors
        self._task: asyncio.Task[object] | None = None
        self._broken: OSError | None = None

    def write(self, text: str) -> None:
        """Write, at once."""
        file = sys.stderr if self._errors else sys.stdout
        try:
            file.write(text)
            file.flush()
        except OSError as error:
            self._end_with(error)

    def read(self) -> str:
        """Give the next line of input, ``""`` at its end."""
        return sys.stdin.readline()

    def _end_with(self, error: OSError) -> None:
        if self._broken is None and self._task is not None:
            self._task.cancel()
        self._broken = error

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Raise, out of the block, the error of output that could not be written."""
        self._task = asyncio.current_task()
        try:
            yield
        except asyncio.CancelledError:
            if self._broken is None:
                raise
            raise self._broken from None
        finally:
            self._task = None
