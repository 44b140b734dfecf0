"""We dial, and what answers is no node, or one that has gone mad."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

import pytest

from pyerlnode import Limits
from pyerlnode.errors import ProtocolError
from pyerlnode.net.dial import Address, dial
from pyerlnode.wire.flags import VISIBLE
from pyerlnode.wire.framing import frame2
from pyerlnode.wire.handshake import LocalNode
from tests.support import mutation
from tests.support.contender import open_sockets, until
from tests.support.scale import fuzz_inputs
from tests.unit.wire.captures import sections

if TYPE_CHECKING:
    from collections.abc import Iterator

ME = LocalNode("py@127.0.0.1", VISIBLE, 77)
LIMITS = Limits(handshake_time=2)
STRANGERS = 8


def answers() -> Iterator[tuple[str, bytes]]:
    """Whom we take it for, and what it says, whatever we do."""
    rng = mutation.source("dialled")
    talks = []
    for section in sections("dial"):
        frames = [frame for who, frame in section.handshake() if who == "<"]
        if frames:
            talks.append((section.facts["peer"], b"".join(map(frame2, frames))))
    said = [data for _, data in talks]
    while True:
        peer, data = rng.choice(talks)
        yield peer, mutation.bad(rng, data, said)


@pytest.mark.parametrize("count", fuzz_inputs(1_000))
async def test_a_dial_ends_in_an_error_that_says_who_was_wrong(count: int) -> None:
    source = answers()
    baseline = open_sockets()
    async with asyncio.TaskGroup() as group:
        for _ in range(STRANGERS):
            group.create_task(meet(itertools.islice(source, count // STRANGERS)))
    await until(lambda: open_sockets() == baseline)


async def meet(conversations: Iterator[tuple[str, bytes]]) -> None:
    """Dial one stranger, who has another answer each time."""
    data = b""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        writer.write_eof()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        address = Address("127.0.0.1", server.sockets[0].getsockname()[1])
        for peer, data in conversations:  # noqa: B007 - the stranger says it
            with pytest.raises((ProtocolError, ConnectionError)):
                await dial(address, ME, peer, "cookie", limits=LIMITS)
