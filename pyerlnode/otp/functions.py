"""Running users' functions: a coroutine function on the event loop, a plain one in a worker thread."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyerlnode.otp.workers import Workers


async def run(workers: Callable[[], Workers], function: Callable[..., Any], *args: Any) -> Any:
    """Gives what ``function(*args)`` returns, awaited where that can be; `workers` gives the threads."""
    if is_async(function):
        return await function(*args)
    result = await workers().run(function, *args)
    return await result if inspect.isawaitable(result) else result


def is_async(function: Callable[..., Any]) -> bool:
    """As ``inspect.iscoroutinefunction``, which takes longer than many a handler."""
    code = getattr(function, "__code__", None)
    if code is not None and code.co_flags & inspect.CO_COROUTINE:
        return True
    return inspect.iscoroutinefunction(function)
