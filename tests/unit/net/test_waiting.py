from __future__ import annotations

import asyncio

import pytest

from pyerlnode.net.outbox import Outbox
from pyerlnode.net.waiting import AT_ONCE, Waiting
from pyerlnode.term import Pid, encode_bare
from pyerlnode.wire.channel import Channel
from pyerlnode.wire.control import SendSender
from pyerlnode.wire.flags import VISIBLE
from pyerlnode.wire.fragments import FRAGMENT_SIZE
from tests.support.net import RIGHT, pid

LIMIT = 10_000
LARGE = bytes(5 * FRAGMENT_SIZE)


class Box(Outbox):
    """An outbox that counts how often somebody asks whether to wait."""

    __slots__ = ("asked",)

    def __init__(self) -> None:
        super().__init__(Channel(VISIBLE))
        self.asked = 0

    def holds_up(self, sender: Pid | None, limit: int) -> bool:
        self.asked += 1
        return super().holds_up(sender, limit)

    def send(self, sender: int, size: int = 100) -> None:
        self.put(SendSender(pid(sender), pid(1, RIGHT)), encode_bare(bytes(size)))

    def empty(self) -> None:
        while self.take():
            pass


async def turns(count: int = 3) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def line(box: Box, count: int) -> tuple[Waiting, list[int], list[asyncio.Task[None]]]:
    """So many senders that wait, each to send as much as fills the outbox."""
    waiting, done = Waiting(box, LIMIT), list[int]()

    async def one(number: int) -> None:
        await waiting.wait(pid(number))
        done.append(number)
        box.send(number, LIMIT + 1)

    return waiting, done, [asyncio.create_task(one(number)) for number in range(count)]


async def test_whoever_is_not_held_up_does_not_wait() -> None:
    await Waiting(Box(), LIMIT).wait(pid(1))


async def test_they_come_in_their_order_and_only_while_there_is_room() -> None:
    box = Box()
    box.send(0, LIMIT + 1)
    waiting, done, tasks = line(box, 200)
    await turns()
    assert (len(waiting), done) == (200, [])
    for count in range(1, 201):
        box.empty()
        waiting.wake()
        await turns()
        assert done == list(range(count))
    assert len(waiting) == 0
    await asyncio.gather(*tasks)


async def test_letting_one_in_costs_the_same_however_many_wait() -> None:
    box = Box()
    box.send(0, LIMIT + 1)
    waiting, done, tasks = line(box, 5_000)
    await turns()
    box.asked = 0
    for _ in range(10):
        waiting.wake()  # while there is no room, nobody is even looked at
    assert box.asked == 0
    for _ in range(5):
        box.empty()
        waiting.wake()
        await turns()
    assert done == list(range(5))
    assert box.asked <= 5 * 3 * AT_ONCE
    await leave(tasks)


async def leave(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_all_come_in_where_there_is_room_for_all() -> None:
    box = Box()
    box.send(0, LIMIT + 1)
    waiting = Waiting(box, LIMIT)
    tasks = [asyncio.create_task(waiting.wait(pid(number))) for number in range(10 * AT_ONCE + 1)]
    await turns()
    box.empty()
    waiting.wake()  # once: those who had their turn let the others in
    await asyncio.gather(*tasks)
    assert len(waiting) == 0


async def test_who_has_a_large_message_under_way_waits_for_its_end() -> None:
    box = Box()
    box.put(SendSender(pid(1), pid(1, RIGHT)), encode_bare(LARGE))
    box.put(SendSender(pid(2), pid(1, RIGHT)), encode_bare(LARGE * 4))
    waiting = Waiting(box, LIMIT)
    own, other = (asyncio.create_task(waiting.wait(pid(number))) for number in (1, 2))
    third = asyncio.create_task(waiting.wait(pid(3)))
    await turns()
    assert third.done()  # large messages of others are not in its way
    while box.has_lane(pid(1)) or not box.at_boundary:
        assert not own.done()
        box.take()
        waiting.wake()
        await turns()
    assert own.done()
    assert not other.done()
    box.empty()
    waiting.wake()
    await asyncio.gather(own, other, third)
    assert len(waiting) == 0


async def test_an_end_of_large_messages_in_a_crowd_puts_their_sender_into_the_line() -> None:
    box = Box()
    waiting = Waiting(box, LIMIT)
    box.put(SendSender(pid(1), pid(1, RIGHT)), encode_bare(LARGE))
    box.put(SendSender(pid(2), pid(1, RIGHT)), encode_bare(LARGE * 4))
    own = asyncio.create_task(waiting.wait(pid(1)))
    await turns()
    while box.has_lane(pid(1)):
        box.take()
    box.send(3, LIMIT + 1)
    waiting.wake()
    await turns()
    assert not own.done()
    box.empty()
    waiting.wake()
    await own


@pytest.mark.parametrize("let_in", [False, True])
async def test_who_gives_up_leaves_no_gap(let_in: bool) -> None:
    box = Box()
    box.send(0, LIMIT + 1)
    waiting, done, tasks = line(box, 2)
    await turns()
    box.empty()
    if let_in:
        waiting.wake()
    tasks[0].cancel()
    waiting.wake()
    await turns(5)
    assert done == [1]
    assert len(waiting) == 0
    await leave(tasks)


async def test_at_the_end_all_leave() -> None:
    box = Box()
    box.send(1, LIMIT + 1)
    box.put(SendSender(pid(5), pid(1, RIGHT)), encode_bare(LARGE))
    waiting = Waiting(box, LIMIT)
    tasks = [asyncio.create_task(waiting.wait(pid(number))) for number in range(3 * AT_ONCE)]
    await turns()
    assert waiting.awaited() >= len(LARGE)
    box.clear()
    waiting.wake_all()
    await asyncio.gather(*tasks)
    assert len(waiting) == 0
