"""Selective receive: the first that matches, the others in their order, none looked at twice."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from pyerlnode.runtime.mailbox import NOTHING, Mailbox
from pyerlnode.runtime.waking import Waking

if TYPE_CHECKING:
    from pyerlnode.term import Term


def mailbox(limit: int = 1_000_000) -> Mailbox:
    return Mailbox(Waking(), limit)


def filled(*messages: Term) -> Mailbox:
    box = mailbox()
    for message in messages:
        box.put(message)
    return box


async def waiting(box: Mailbox, *args: object) -> asyncio.Task[Term]:
    """A task that waits in ``get``."""
    task = asyncio.ensure_future(box.get(*args))  # type: ignore[arg-type]
    while box._waiter is None and not task.done():
        await asyncio.sleep(0)
    return task


async def test_messages_come_in_order_of_arrival() -> None:
    box = filled(1, 2, 3)
    assert [await box.get() for _ in range(3)] == [1, 2, 3]
    assert len(box) == 0


async def test_a_match_takes_the_first_that_fits_and_leaves_the_rest_in_order() -> None:
    box = filled(1, "a", 2, "b", 3)
    assert await box.get(lambda m: isinstance(m, str)) == "a"
    assert await box.get(lambda m: m == 3) == 3
    assert [await box.get() for _ in range(3)] == [1, 2, "b"]


async def test_get_waits_for_a_message() -> None:
    box = mailbox()
    task = await waiting(box)
    box.put("x")
    box.put("y")
    assert await task == "x"
    assert len(box) == 1


async def test_a_waiting_match_looks_at_each_message_once() -> None:
    seen = []

    def is_nine(message: Term) -> bool:
        seen.append(message)
        return bool(message == 9)

    box = filled(1, 2)
    task = await waiting(box, is_nine)
    box.put(3)
    await asyncio.sleep(0)
    while box._waiter is None:
        await asyncio.sleep(0)
    box.put(9)
    assert await task == 9
    assert seen == [1, 2, 3, 9]
    assert [await box.get() for _ in range(3)] == [1, 2, 3]


async def test_cancelling_the_waiting_task_loses_nothing() -> None:
    box = mailbox()
    task = await waiting(box)
    box.put("x")  # the waiter is woken, and cancelled before it runs
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await box.get() == "x"


async def test_one_reader_at_a_time() -> None:
    box = mailbox()
    first = await waiting(box)
    with pytest.raises(RuntimeError, match="one task at a time"):
        await box.get()
    box.put(1)
    assert await first == 1


async def test_interrupt_raises_in_the_waiting_get() -> None:
    box = mailbox()
    task = await waiting(box)
    box.interrupt(KeyError("over"))
    with pytest.raises(KeyError):
        await task


async def test_interrupt_without_a_waiter_does_nothing() -> None:
    box = filled(1)
    box.interrupt(KeyError())
    assert await box.get() == 1


async def test_a_match_that_raises_takes_nothing() -> None:
    box = filled(1)
    with pytest.raises(ZeroDivisionError):
        await box.get(lambda m: 1 / 0)
    assert len(box) == 1


async def test_remove_drops_what_is_unwanted() -> None:
    box = filled(1, 2, 1, 3)
    box.remove(lambda m: m == 1)
    assert [await box.get(), await box.get()] == [2, 3]


async def test_remove_while_a_get_waits_hides_no_later_message() -> None:
    box = filled(1, 1, 1)
    task = await waiting(box, lambda m: m == 9)
    box.remove(lambda m: m == 1)
    box.put(9)
    async with asyncio.timeout(5):
        assert await task == 9


class TestPriority:
    async def test_before_the_ordinary_and_behind_the_earlier(self) -> None:
        box = filled(1, 2)
        box.put_priority("a")
        box.put(3)
        box.put_priority("b")
        assert (len(box), list(box)) == (5, ["a", "b", 1, 2, 3])
        assert [await box.get() for _ in range(3)] == ["a", "b", 1]
        box.put_priority("c")
        assert [await box.get() for _ in range(3)] == ["c", 2, 3]

    async def test_a_match_goes_through_both_in_order(self) -> None:
        box = filled(1, 2)
        for message in ("a", "b"):
            box.put_priority(message)
        assert await box.get(lambda m: m == "b") == "b"
        assert await box.get(lambda m: m == 2) == 2
        assert list(box) == ["a", 1]

    async def test_one_that_comes_while_a_get_waits_is_found(self) -> None:
        box = filled(1)
        seen: list[Term] = []
        task = await waiting(box, lambda m: bool(seen.append(m)) or m == 9)
        box.put_priority("a")
        await asyncio.sleep(0)
        while box._waiter is None:
            await asyncio.sleep(0)
        box.put_priority(9)
        assert await task == 9
        assert seen == [1, "a", 9]
        assert list(box) == ["a", 1]

    async def test_remove_drops_priority_messages_too(self) -> None:
        box = filled(1, 2)
        for message in (1, 3):
            box.put_priority(message)
        box.remove(lambda m: m == 1)
        assert list(box) == [3, 2]


async def test_a_match_through_a_long_mailbox_takes_one_pass() -> None:
    box = filled(*range(300_000))
    async with asyncio.timeout(30):
        assert await box.get(lambda m: m == 299_999) == 299_999


def test_a_full_mailbox_takes_no_more() -> None:
    box = mailbox(limit=2)
    assert box.put(1)
    assert box.put_priority(2)
    assert not box.put(3)
    assert not box.put_priority(4)
    assert list(box) == [2, 1]
    assert box.take() == 2
    assert box.put(5)
    assert [box.take(), box.take(), box.take() is NOTHING] == [1, 5, True]
