from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from pyerlnode.testing import ManualClock

if TYPE_CHECKING:
    from pyerlnode.net.clock import Clock


@pytest.mark.parametrize("kind", ["loop", "manual"])
async def test_what_is_due_is_called_and_what_was_cancelled_is_not(kind: str) -> None:
    manual = ManualClock()
    clock: Clock = manual if kind == "manual" else asyncio.get_running_loop()
    called: list[str] = []
    clock.call_later(0.001, called.append, "cancelled").cancel()
    clock.call_later(0.002, called.append, "due")
    done = asyncio.Event()
    clock.call_later(0.003, done.set)
    manual.advance(1)
    await done.wait()
    assert called == ["due"]
