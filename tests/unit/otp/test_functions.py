"""Users' functions: on the loop or in a thread."""

from __future__ import annotations

import contextvars
import functools
import threading
from typing import TYPE_CHECKING

import pytest

from pyerlnode.otp.functions import run
from tests.support.threads import worker_threads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyerlnode.otp.workers import Workers

where = contextvars.ContextVar("where", default="nowhere")


@pytest.fixture
def pool() -> Iterator[Workers]:
    with worker_threads() as pool:
        yield pool


async def test_a_coroutine_function_runs_on_the_loop(pool: Workers) -> None:
    async def function(x: int) -> tuple[int, threading.Thread]:
        return x, threading.current_thread()

    here = threading.current_thread()
    assert await run(lambda: pool, function, 1) == (1, here)
    assert await run(lambda: pool, functools.partial(function, 2)) == (2, here)


async def test_a_plain_function_runs_in_a_thread_with_its_context(pool: Workers) -> None:
    def function(x: int) -> tuple[int, str, bool]:
        where.set(where.get() + "!")  # in a copy
        return x, where.get(), threading.current_thread() is threading.main_thread()

    where.set("here")
    assert await run(lambda: pool, function, 1) == (1, "here!", False)
    assert where.get() == "here"


async def test_a_plain_callable_that_gives_a_coroutine_is_awaited(pool: Workers) -> None:
    class Callable:
        async def __call__(self, x: int) -> int:
            return x + 1

    assert await run(lambda: pool, Callable(), 1) == 2
