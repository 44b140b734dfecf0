"""A node of ours in an operating system process of its own, questioned, frozen and killed by tests.

    async with PythonNode("py@127.0.0.1", epmd_port=port) as py:
        await py.eval("node.list()")                    # any expression, awaited too; JSON comes back
        await py.eval("await node.ping(peer)", peer="a@127.0.0.1")
        py.pause(), py.resume(), py.kill()              # SIGSTOP, SIGCONT, SIGKILL

An expression sees ``node``; ``received``, the messages that came to the process named ``inbox``; ``events``,
nodes coming and going as texts; and ``until(condition)``.  Messages are JSON too, tuples come back as lists.
Leaving the block kills it.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import itertools
import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pyerlnode import Node
from pyerlnode.cluster import Topology
from pyerlnode.cluster.named import strategy_named
from tests.support.epmd import tied_to_us
from tests.support.log import Log

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

PATIENCE = 30.0
"""Seconds for an answer."""
ROOT = Path(__file__).parents[2]


class PythonNodeError(Exception):
    """The expression raised, or the process is gone; with the end of its log."""


class PythonNode:
    """One node in a process of its own; `options` are those of :class:`pyerlnode.Node` that JSON knows.

    `topologies` are tables, as ``{"example": {"strategy": "dns_poll", "query": "web", "prune": True}}``.
    `env` is its environment (None: ours), `wrapper` a command to run it under.
    """

    def __init__(
        self,
        name: str,
        *,
        epmd_port: int | bool = False,
        cookie: str = "cookie",
        env: Mapping[str, str] | None = None,
        wrapper: Sequence[str] = (),
        **options: Any,
    ) -> None:
        self.name = name
        self._env = env
        self._wrapper = wrapper
        self._settings = {"name": name, "epmd": epmd_port, "cookie": cookie} | options
        self._process: asyncio.subprocess.Process | None = None
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._readers: list[asyncio.Task[None]] = []
        self._log = Log(name)

    @property
    def log(self) -> list[str]:
        """The lines that it wrote to standard error."""
        return self._log.lines

    async def wait_log(self, pattern: str, *, timeout: float = PATIENCE, after: int = 0) -> re.Match[str]:
        """Wait for a log line in which `pattern` (a regular expression) is found, from line `after` on."""
        return await self._log.wait(pattern, timeout=timeout, after=after)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._running().pid

    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise PythonNodeError(f"{self.name} was not started")
        return self._process

    async def start(self) -> Self:
        """Start it; returns when the node is up."""
        pipe = asyncio.subprocess.PIPE
        us = [sys.executable, "-m", "tests.support.python_node", json.dumps(self._settings)]
        self._process = await asyncio.create_subprocess_exec(
            *tied_to_us([*self._wrapper, *us]), stdin=pipe, stdout=pipe, stderr=pipe, cwd=ROOT, env=self._env
        )
        up = self._answers[0] = asyncio.get_running_loop().create_future()
        self._readers = [asyncio.create_task(self._read_answers()), asyncio.create_task(self._read_log())]
        try:
            async with asyncio.timeout(PATIENCE):
                await up
        except BaseException:
            await self.close()
            raise
        return self

    async def eval(self, code: str, **names: Any) -> Any:
        """The value of an expression there; `names` are bound in it."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        stdin = self._running().stdin
        if stdin is None or self._readers[0].done():
            raise PythonNodeError(f"{self.name} has ended.\n{self.tail()}")
        stdin.write(json.dumps([number, code, names]).encode() + b"\n")
        async with asyncio.timeout(PATIENCE):
            return await answer

    def pause(self) -> None:
        """SIGSTOP."""
        self._running().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._running().send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        process = self._running()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()

    async def close(self) -> None:
        """Kill it and let go of all that is ours."""
        await self.kill()
        await asyncio.gather(*self._readers)
        stdin = self._running().stdin
        if stdin is not None:
            stdin.close()

    def tail(self) -> str:
        """The end of its log."""
        return self._log.tail()

    async def _read_answers(self) -> None:
        stdout = self._running().stdout
        if stdout is None:
            return
        while line := await stdout.readline():
            number, error, value = json.loads(line)
            answer = self._answers.pop(number)
            if answer.done():
                continue
            if error is None:
                answer.set_result(value)
            else:
                answer.set_exception(PythonNodeError(f"{self.name}: {error}\n{self.tail()}"))
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(PythonNodeError(f"{self.name} has ended.\n{self.tail()}"))
        self._answers.clear()

    async def _read_log(self) -> None:
        stderr = self._running().stderr
        if stderr is None:
            return
        while line := await stderr.readline():
            self._log.note(line.decode(errors="replace").rstrip())
        self._log.end()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


# ------------------------------------------------------------------------------------ in the process


async def until(condition: Callable[[], object]) -> None:
    """Give the event loop turns until `condition` holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.001)


class Served:
    """What expressions see."""

    def __init__(self, node: Node) -> None:
        self.received: list[Any] = []
        self.events: list[str] = []
        self.names = {
            "node": node,
            "asyncio": asyncio,
            "received": self.received,
            "events": self.events,
            "until": until,
        }
        self._node = node

    async def collect(self, me: Any) -> None:
        """The body of ``inbox``."""
        async for message in me:
            self.received.append(message)

    async def watch(self) -> None:
        """Keeps the events."""
        async for event in self._node.monitor_nodes():
            self.events.append(f"{type(event).__name__} {event.name}")

    async def answer(self, line: bytes) -> bytes:
        """Evaluates one question."""
        number, code, bound = json.loads(line)
        try:
            compiled = compile(code, "<test>", "eval", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            value = eval(compiled, self.names | bound)
            if inspect.isawaitable(value):
                value = await value
            return json.dumps([number, None, value]).encode()
        except Exception as error:
            return json.dumps([number, f"{type(error).__name__}: {error}", None]).encode()


def _topology(name: str, table: dict[str, Any]) -> Topology:
    """A topology from the name of its strategy and the options beside it."""
    strategy, prune = strategy_named(table.pop("strategy")), table.pop("prune", False)
    return Topology(name, strategy(**table), prune=prune)


async def _serve(settings: dict[str, Any]) -> None:
    loop = asyncio.get_running_loop()
    questions = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(questions), sys.stdin)
    tables = settings.pop("topologies", {})
    settings["topologies"] = [_topology(name, table) for name, table in tables.items()]
    async with Node(settings.pop("name"), **settings) as node, asyncio.TaskGroup() as group:
        served = Served(node)
        await node.spawn(served.collect, name="inbox")
        watching = group.create_task(served.watch())
        print("[0, null, true]", flush=True)

        async def reply(line: bytes) -> None:
            print((await served.answer(line)).decode(), flush=True)

        while line := await questions.readline():
            group.create_task(reply(line))
        watching.cancel()


if __name__ == "__main__":
    import logging

    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    asyncio.run(_serve(json.loads(sys.argv[1])))
