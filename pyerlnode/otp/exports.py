"""The functions that other nodes may call: none, until they are exported by name.

Names are Erlang's: a module and a function, both atoms; the arity is whatever the callable takes.  A plain
function runs in a worker thread, a coroutine function on the event loop.  A :class:`Body` gets the process
that runs it, as whatever is called on a BEAM has its ``self()``.
"""

from __future__ import annotations

import inspect
import logging
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from pyerlnode.errors import ConfigError
from pyerlnode.otp import functions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pyerlnode.otp.gen import Process
    from pyerlnode.otp.workers import Workers
    from pyerlnode.term import Pid, Term

log = logging.getLogger("pyerlnode.node")

CALLER: ContextVar[Pid] = ContextVar("CALLER")
"""The process that called the exported function which runs now, where it is known."""


class Body:
    """A coroutine function ``async def fn(me, *args)`` that other nodes run as a process of this one.

    `where` is how they name it.  Raises :class:`ConfigError` for anything else.
    """

    def __init__(self, where: str, target: Callable[..., Awaitable[Any]]) -> None:
        signature = inspect.signature(target)
        if not (inspect.iscoroutinefunction(target) and _takes_positional(signature)):
            raise ConfigError("export", where, "to be run as a process it must be `async def fn(me, *args)`")
        self.where = where
        self.target = target
        self.__signature__ = signature.replace(parameters=_but_first(signature))

    def __call__(self, *args: Term) -> Any:
        """Refuses: without a process of its own there is no ``me``."""
        raise TypeError(f"{self.where} is exported as a process: it can be spawned or called, nothing else")


def _takes_positional(signature: inspect.Signature) -> bool:
    try:
        signature.bind_partial(None)
    except TypeError:
        return False
    return True


def _but_first(signature: inspect.Signature) -> list[inspect.Parameter]:
    """The parameters that remain when the first argument is given."""
    first, *others = signature.parameters.values()
    return [first, *others] if first.kind is inspect.Parameter.VAR_POSITIONAL else others


class Exports:
    """Callables by module and function name, and the processes that run them for other nodes."""

    def __init__(self, executor: Callable[[], Workers]) -> None:
        self._table: dict[tuple[str, str], Callable[..., Any]] = {}
        self._executor = executor
        self._running: WeakSet[Process] = WeakSet()
        self._was_full = False

    def add(self, module: str, function: str, target: Callable[..., Any], *, process: bool = False) -> None:
        """Lets other nodes call `target` as ``module:function``.  :class:`ConfigError` for no callable.

        With `process` it is ``async def target(me, *args)``, `me` being the process that it runs as.
        """
        where = f"{module}:{function}"
        if not callable(target):
            raise ConfigError("export", where, "it must be a function or another callable")
        self._table[module, function] = Body(where, target) if process else target

    def remove(self, module: str, function: str) -> bool:
        """Takes an export back; False where there was none."""
        return self._table.pop((module, function), None) is not None

    def find(self, module: Term, function: Term, args: Term) -> Callable[..., Any] | None:
        """The callable of that name, where it takes that many arguments."""
        if not isinstance(module, str) or not isinstance(function, str) or type(args) is not list:
            return None
        target = self._table.get((module, function))
        return target if target is not None and _takes(target, args) else None

    async def run(self, target: Callable[..., Any], args: list[Term], me: Process | None = None) -> Term:
        """Calls `target`: on the loop when it is a coroutine function, else in a worker thread.

        `me` is the process that runs it, where it is one of its own.
        """
        if isinstance(target, Body) and me is not None:
            return await target.target(me, *args)
        return await functions.run(self._executor, target, *args)

    def started(self, process: Process) -> None:
        """`process` runs for another node, and counts until it ends."""
        self._running.add(process)

    def is_full(self, most: int) -> bool:
        """Whether `most` of those processes run already, ``Limits.spawned``: then there is to be no other."""
        if len(self._running) >= most:  # those that have ended may still be there
            self._running = WeakSet(process for process in self._running if process.alive)
        full = len(self._running) >= most
        if full and not self._was_full:
            log.warning("%d processes run for other nodes, Limits.spawned: no more are started", most)
        self._was_full = full
        return full


def _takes(target: Callable[..., Any], args: list[Term]) -> bool:
    try:
        inspect.signature(target).bind(*args)
    except TypeError:
        return False
    except ValueError:
        return True  # a builtin without a signature: it will say itself
    return True
