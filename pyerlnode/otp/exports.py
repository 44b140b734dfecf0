"""The functions that other nodes may call: none, until they are exported by name.

Names are Erlang's: a module and a function, both atoms; the arity is whatever the callable takes.  A plain
function runs in a worker thread, a coroutine function on the event loop.
"""

from __future__ import annotations

import inspect
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from pyerlnode.errors import ConfigError
from pyerlnode.otp import workers

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from pyerlnode.term import Pid, Term

CALLER: ContextVar[Pid] = ContextVar("CALLER")
"""The process that called the exported function which runs now, where it is known."""


class Exports:
    """Callables by module and function name."""

    def __init__(self, executor: Callable[[], Executor]) -> None:
        self._table: dict[tuple[str, str], Callable[..., Any]] = {}
        self._executor = executor

    def add(self, module: str, function: str, target: Callable[..., Any]) -> None:
        """Lets other nodes call `target` as ``module:function``.  :class:`ConfigError` for no callable."""
        if not callable(target):
            raise ConfigError("export", f"{module}:{function}", "it must be a function or another callable")
        self._table[module, function] = target

    def remove(self, module: str, function: str) -> bool:
        """Takes an export back; False where there was none."""
        return self._table.pop((module, function), None) is not None

    def find(self, module: Term, function: Term, args: Term) -> Callable[..., Any] | None:
        """The callable of that name, where it takes that many arguments."""
        if not isinstance(module, str) or not isinstance(function, str) or type(args) is not list:
            return None
        target = self._table.get((module, function))
        return target if target is not None and _takes(target, args) else None

    async def run(self, target: Callable[..., Any], args: list[Term]) -> Term:
        """Calls `target`: on the loop when it is a coroutine function, else in a worker thread."""
        return await workers.run(self._executor, target, *args)


def _takes(target: Callable[..., Any], args: list[Term]) -> bool:
    try:
        inspect.signature(target).bind(*args)
    except TypeError:
        return False
    except ValueError:
        return True  # a builtin without a signature: it will say itself
    return True
