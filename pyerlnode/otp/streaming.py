"""Generators served to other nodes: each item a message to the process that started the stream.

``erlang:spawn_monitor(Node, Module, Function, Args)`` of an exported generator makes a process that sends
``{Pid, {data, Item}}``, the shape that a port's messages have, to whoever spawned it.  Its end is that of the
stream: 'DOWN' with ``normal``, or with what the generator raised; it comes after the last item, since signals
between two processes keep their order (Erlang Reference Manual, "Processes", "Signals").

The process watches its subscriber and ends when that does; an exit signal cancels it.  In every case the
generator is closed.  No more than a window of items is under way: the subscriber allows more by ``{ask, N}``,
so that a slow one is waited for, and neither its mailbox nor ours grows.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
from typing import TYPE_CHECKING, Any

from pyerlnode.errors import ConfigError
from pyerlnode.otp.gen import Process
from pyerlnode.runtime.actor import DOWN
from pyerlnode.runtime.exits import SHUTDOWN
from pyerlnode.term import Atom

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from pyerlnode.otp.workers import Workers
    from pyerlnode.runtime.router import Router
    from pyerlnode.term import Pid, Reference, Term

log = logging.getLogger("pyerlnode.process")

ASK = Atom("ask")
DATA = Atom("data")
WINDOW = 32
"""Items that are sent ahead of what the subscriber has asked for."""

_END = object()


class Stream:
    """A generator function that other nodes may start.

    `where` is how they name it, ``module:function``; `executor` gives the threads for a plain generator;
    `window` is how many items may be under way.  Raises :class:`ConfigError` for anything but a generator
    function and a positive window.
    """

    def __init__(
        self, where: str, target: Callable[..., Any], executor: Callable[[], Workers], window: int = WINDOW
    ) -> None:
        self._is_async = inspect.isasyncgenfunction(target)
        if not (self._is_async or inspect.isgeneratorfunction(target)):
            wanted = "it must be a generator function: `async def` or `def`, with a `yield` in it"
            raise ConfigError("export_stream", where, wanted)
        if type(window) is not int or window < 1:
            raise ConfigError("window", window, "it must be a whole number of items, at least 1")
        self.where = where
        self.window = window
        self._target = target
        self._executor = executor
        self.__signature__ = inspect.signature(target)

    def __call__(self, *args: Term) -> Term:
        """What a call gets, by ``:rpc.call`` or ``:erpc.call``: it cannot receive a stream."""
        raise TypeError(
            f"{self.where} is a stream: start it by :erlang.spawn_monitor(node, module, function, args)"
        )

    def open(self, args: list[Term]) -> AsyncGenerator[Any, None] | Threaded:
        """A new generator for `args`; it has not run yet."""
        made = self._target(*args)
        return made if self._is_async else Threaded(made, self._executor)


class Threaded:
    """A plain generator as an async one: it runs in a worker thread, for one item at a time.

    Context variables that it sets stay its own, as in a task.
    """

    def __init__(self, generator: Generator[Any, Any, Any], executor: Callable[[], Workers]) -> None:
        self._generator = generator
        self._executor = executor
        self._context = contextvars.copy_context()
        self._step: asyncio.Future[Any] | None = None

    def __aiter__(self) -> Threaded:
        return self

    async def __anext__(self) -> Any:
        item = await self._run(next, self._generator, _END)
        if item is _END:
            raise StopAsyncIteration
        return item

    async def aclose(self) -> None:
        """Ends the generator once it is done with the item that it works on: no thread can be cancelled."""
        if self._step is not None:
            await asyncio.wait([self._step])
        await self._run(self._generator.close)

    async def _run(self, function: Callable[..., Any], *args: Any) -> Any:
        loop = asyncio.get_running_loop()
        self._step = loop.create_future()
        self._executor().give(self._step, self._context, function, *args)
        return await asyncio.shield(self._step)


class Streaming(Process):
    """The process of one stream: sends its items to `subscriber`, and lives no longer than that."""

    def __init__(self, router: Router, node: Any, stream: Stream, subscriber: Pid) -> None:
        super().__init__(router, node)
        self._stream = stream
        self._subscriber = subscriber
        self._watch: Reference = router.registry.reference()
        self._credit = stream.window
        self._asked = asyncio.Event()

    async def serve(self, args: list[Term]) -> None:
        """The body: sends every item, and closes the generator whatever happens."""
        self.emit_monitor(self._subscriber, self._subscriber.node, self._watch)
        self.check_alive()  # the subscriber may be gone already
        source = self._stream.open(args)
        try:
            async for item in source:
                await self._allowed()
                await self.send(self._subscriber, (self.pid, (DATA, item)))
        finally:
            await self._close(source)

    async def _allowed(self) -> None:
        """Takes the permission to send one item; waits where there is none."""
        while self._credit == 0:
            self._asked.clear()
            await self._asked.wait()
        self._credit -= 1
        if self._credit % WINDOW == 0:
            await asyncio.sleep(0)  # a generator that waits for nothing leaves the others their turn

    async def _close(self, source: AsyncGenerator[Any, None] | Threaded) -> None:
        try:
            await source.aclose()
        except Exception:
            log.exception("%r: the generator of %s failed when it was closed", self, self._stream.where)

    def on_message(self, message: Term) -> None:
        """Acts at once, also while the generator works; what is not for a stream is dropped."""
        if type(message) is not tuple:  # to a pattern, a list is as good as a tuple
            return
        match message:
            case (Atom() as word, number) if word == ASK and type(number) is int and number > 0:
                self._credit += number
                self._asked.set()
            case (Atom() as word, ref, *_) if word == DOWN and ref == self._watch:
                self.end(SHUTDOWN)
