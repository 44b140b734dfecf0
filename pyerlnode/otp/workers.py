"""Running users' functions: a coroutine function on the event loop, a plain one in a worker thread.

A plain function may compute or block for seconds; the node goes on.  Context variables go with it, as into
a task.  What it cannot do in a thread is raise :class:`StopIteration`, which a future refuses to carry: that
becomes a :class:`RuntimeError`, as in a coroutine (PEP 479).
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor


async def run(executor: Callable[[], Executor], function: Callable[..., Any], *args: Any) -> Any:
    """Gives what ``function(*args)`` returns, awaited where that can be; `executor` gives the threads."""
    if is_async(function):
        return await function(*args)
    context = contextvars.copy_context()
    work = asyncio.get_running_loop().run_in_executor(executor(), context.run, _guarded, function, args)
    result = await work
    return await result if inspect.isawaitable(result) else result


def is_async(function: Callable[..., Any]) -> bool:
    """As ``inspect.iscoroutinefunction``, which takes longer than many a handler."""
    code = getattr(function, "__code__", None)
    if code is not None and code.co_flags & inspect.CO_COROUTINE:
        return True
    return inspect.iscoroutinefunction(function)


def _guarded(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    try:
        return function(*args)
    except StopIteration as error:
        raise RuntimeError("a plain function raised StopIteration") from error
