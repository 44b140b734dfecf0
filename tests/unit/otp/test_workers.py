"""Users' functions: on the loop or in a thread, and no way for them to hang whoever waits."""

from __future__ import annotations

import contextvars
import functools
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.otp import workers

if TYPE_CHECKING:
    from collections.abc import Iterator

where = contextvars.ContextVar("where", default="nowhere")


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


async def test_a_coroutine_function_runs_on_the_loop(pool: ThreadPoolExecutor) -> None:
    async def function(x: int) -> tuple[int, threading.Thread]:
        return x, threading.current_thread()

    assert await workers.run(lambda: pool, function, 1) == (1, threading.current_thread())
    assert await workers.run(lambda: pool, functools.partial(function, 2)) == (2, threading.current_thread())


async def test_a_plain_function_runs_in_a_thread_with_its_context(pool: ThreadPoolExecutor) -> None:
    def function(x: int) -> tuple[int, str, bool]:
        return x, where.get(), threading.current_thread() is threading.main_thread()

    where.set("here")
    assert await workers.run(lambda: pool, function, 1) == (1, "here", False)


async def test_a_plain_callable_that_gives_a_coroutine_is_awaited(pool: ThreadPoolExecutor) -> None:
    class Callable:
        async def __call__(self, x: int) -> int:
            return x + 1

    assert await workers.run(lambda: pool, Callable(), 1) == 2


@pytest.mark.parametrize(("error", "raised"), [(ValueError, ValueError), (StopIteration, RuntimeError)])
async def test_what_it_raises(
    pool: ThreadPoolExecutor, error: type[Exception], raised: type[Exception]
) -> None:
    def function() -> Any:
        raise error("x")

    with pytest.raises(raised):
        await workers.run(lambda: pool, function)
