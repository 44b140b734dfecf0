"""Nodes in processes of their own that evaluate what they are told, one line at a time.

A console, Python's (:mod:`.python_console`) or Elixir's (:mod:`.elixir_console`), reads an expression a
line and answers with a line that begins with ``= ``; its other lines are its log.  It leaves when its input
ends: no console outlives the demo, whatever becomes of that.
"""

from __future__ import annotations

import asyncio
import contextlib
from asyncio.subprocess import PIPE, STDOUT
from typing import TYPE_CHECKING

from pyerlnode.errors import PyerlnodeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ANSWER = "= "
READY = "ready"
PATIENCE = 30.0
"""Seconds that a console may take to start, or to answer."""
GRACE = 5.0
"""Seconds that a console may take to leave by itself, and then to obey SIGTERM."""


class DemoFailed(PyerlnodeError):
    """What the demo saw is not what it should have seen."""


class Console:
    """One node of the demo.  ``async with`` starts it, waits until it is ready, and ends it."""

    def __init__(
        self, node: str, prompt: str, command: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        self.node = node
        self.prompt = prompt
        self.log: list[str] = []
        """Lines that the node has logged."""
        self._command = command
        self._environment = environment
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Console:
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=PIPE,
            stdout=PIPE,
            stderr=STDOUT,
            env=self._environment,
            start_new_session=True,  # Ctrl-C is for the demo, which then ends its consoles
        )
        try:
            await self._answer()
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._end()

    async def ask(self, expression: str) -> str:
        """Evaluate ``expression`` in the node, show both and give the answer as the node prints it."""
        answer = await self.ask_quietly(expression)
        print(f"{self.prompt}> {expression}\n{answer}", flush=True)
        return answer

    async def ask_quietly(self, expression: str) -> str:
        """Evaluate ``expression`` in the node and show nothing."""
        process = self._running()
        assert process.stdin is not None  # noqa: S101 - it was asked for as a pipe
        with contextlib.suppress(ConnectionError, RuntimeError):  # reading tells why it is gone
            process.stdin.write(f"{expression}\n".encode())
            await process.stdin.drain()
        return await self._answer()

    async def _answer(self) -> str:
        """Read up to the next answer; what comes before it is logged and shown."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not (line := await self._line()).startswith(ANSWER):
                    self.log.append(line)
                    print(line, flush=True)
        except TimeoutError as error:
            raise DemoFailed(f"{self.node} did not answer within {PATIENCE:g} s") from error
        return line.removeprefix(ANSWER)

    async def _line(self) -> str:
        process = self._running()
        assert process.stdout is not None  # noqa: S101 - it was asked for as a pipe
        line = await process.stdout.readline()
        if not line:
            raise DemoFailed(f"{self.node} ended with status {await process.wait()}")
        return line.decode(errors="replace").rstrip("\n")

    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise DemoFailed(f"{self.node} is not started")
        return self._process

    async def _end(self) -> None:
        """Let the node leave; insist where it does not.  Only ever this very process, by its id."""
        process = self._running()
        assert process.stdin is not None  # noqa: S101 - it was asked for as a pipe
        process.stdin.close()
        for insist in (process.terminate, process.kill):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.communicate(), GRACE)
                return
            with contextlib.suppress(ProcessLookupError):
                insist()
        await process.wait()
