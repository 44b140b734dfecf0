"""Worker threads for a test, gone when it ends."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pyerlnode.otp.workers import Workers
from pyerlnode.runtime.waking import Waking

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def worker_threads(most: int = 1) -> Iterator[Workers]:
    """Up to `most` threads.  What runs in them at the end is waited for."""
    pool = Workers(Waking(), most)
    try:
        yield pool
    finally:
        pool.close()
        pool.finish()
