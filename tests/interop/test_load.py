"""Much at once: ten processes send both ways beside one very large message, and what that costs us."""

from __future__ import annotations

import asyncio
import hashlib
import random
import resource
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode import Atom
from pyerlnode.limits import DEFAULT, KIB, MIB
from pyerlnode.term import decode
from tests.interop.nodes import python_node
from tests.support.beam import Beam
from tests.support.contender import until
from tests.support.erlang_modules import load
from tests.support.scale import quick_and_full

if TYPE_CHECKING:
    from pyerlnode import Node, Pid
    from tests.support.beams import Release

pytestmark = pytest.mark.beam(few=2)

SENDERS = 10
LARGE, DONE = Atom("large"), Atom("done")
SMALL_PADDING, LARGE_PADDING = 1 * KIB, 4 * MIB
LONG = 600.0
"""Seconds that a full run may take; a quick one ends far below."""

MODULE = """
-module(load).
-export([collect/2, flooded/1, send/4]).
collect(Senders, Count) ->
    register(collector, self()),
    collect(Senders * Count + 1, #{}, none).
collect(0, Seen, AtLarge) -> {Seen, AtLarge};
collect(Left, Seen, AtLarge) ->
    receive
        {large, Bin} -> collect(Left - 1, Seen, {erlang:md5(Bin), Seen});
        {I, N} ->
            N = maps:get(I, Seen, 0) + 1,
            collect(Left - 1, Seen#{I => N}, AtLarge)
    end.
flooded(Senders) ->
    register(collector, self()),
    flooded(Senders, #{}).
flooded(0, Seen) -> Seen;
flooded(Left, Seen) ->
    receive
        {I, done} -> true = is_integer(I), flooded(Left - 1, Seen);
        {I, N, _} ->
            N = maps:get(I, Seen, 0) + 1,
            flooded(Left, Seen#{I => N})
    end.
send(Node, Senders, Count, Large) ->
    To = {collector, Node},
    Half = Count div 2,
    Others = [spawn_monitor(fun() ->
        numbers(To, I, 1, Half), receive go -> ok end, numbers(To, I, Half + 1, Count)
    end) || I <- lists:seq(2, Senders)],
    First = spawn_monitor(fun() ->
        numbers(To, 1, 1, Half), [Pid ! go || {Pid, _} <- Others], To ! {large, Large},
        numbers(To, 1, Half + 1, Count)
    end),
    [receive {'DOWN', Ref, _, _, normal} -> ok end || {_, Ref} <- [First | Others]],
    ok.
numbers(_, _, N, Last) when N > Last -> ok;
numbers(To, I, N, Last) -> To ! {I, N}, numbers(To, I, N + 1, Last).
"""


async def collector(beam: Beam, call: str) -> asyncio.Task[bytes]:
    """Starts what registers itself as ``collector``; returns when it has."""
    collecting = asyncio.create_task(beam.eval_bytes(call, timeout=LONG))
    while await beam.eval("whereis(collector)") == "undefined":
        pass
    return collecting


class Traffic:
    """What ten processes here send to the collector of `peer`, and what the collector here got."""

    def __init__(self, node: Node, peer: str, count: int, blob: bytes) -> None:
        self.node = node
        self.to = ("collector", peer)
        self.count = count
        self.half = count // 2
        self.blob = blob
        self.begun = asyncio.Event()
        self.seen = dict.fromkeys(range(1, SENDERS + 1), 0)
        self.at_large: dict[int, int] = {}
        self.digest = b""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def collect(self, me: Any) -> None:
        try:
            for _ in range(SENDERS * self.count + 1):
                self._note(await me.receive())
        except BaseException as error:
            self.ended.set_exception(error)
            raise
        self.ended.set_result(None)

    def _note(self, message: Any) -> None:
        sender, value = message
        if sender == LARGE:
            self.digest = hashlib.md5(value).digest()
            self.at_large = dict(self.seen)
        else:
            assert value == self.seen[sender] + 1
            self.seen[sender] = value

    async def first(self, me: Any) -> None:
        await self._numbers(me, 1, 1, self.half)
        self.begun.set()
        await me.send(self.to, (LARGE, self.blob))
        await self._numbers(me, 1, self.half + 1, self.count)

    async def other(self, me: Any, number: int) -> None:
        await self._numbers(me, number, 1, self.half)
        await self.begun.wait()
        await self._numbers(me, number, self.half + 1, self.count)

    async def _numbers(self, me: Any, sender: int, first: int, last: int) -> None:
        for number in range(first, last + 1):
            await me.send(self.to, (sender, number))


@pytest.mark.parametrize("count", quick_and_full(2_000, 100_000))
async def test_ten_processes_each_way_beside_a_large_message(beam: Beam, count: int) -> None:
    blob = random.Random(count).randbytes((64 if count == 100_000 else 8) * MIB)
    await load(beam, MODULE)
    async with python_node() as node:
        await node.connect(beam.name)
        traffic = Traffic(node, beam.name, count, blob)
        await node.spawn(traffic.collect, name="collector")
        theirs = await collector(beam, f"load:collect({SENDERS}, {count})")
        sending = asyncio.create_task(
            beam.eval(f"load:send('{node.name}', {SENDERS}, {count}, Large)", timeout=LONG, Large=blob)
        )
        await node.spawn(traffic.first)
        for number in range(2, SENDERS + 1):
            await node.spawn(traffic.other, number)
        seen, (digest, at_large) = decode(await theirs)
        await traffic.ended
        assert await sending == "ok"
    everything = dict.fromkeys(range(1, SENDERS + 1), count)
    assert traffic.seen == seen == everything
    assert traffic.digest == digest == hashlib.md5(blob).digest()
    assert traffic.at_large[1] == at_large[1] == traffic.half
    for other in range(2, SENDERS + 1):
        assert at_large[other] > traffic.half + 100
        assert traffic.at_large[other] > traffic.half


class Flood:
    """Ten processes that send as fast as they may to the collector of `peer`: one of them large messages."""

    def __init__(self, node: Node, peer: str) -> None:
        self.node = node
        self.peer = peer
        self.to = ("collector", peer)
        self.session = node._peers.sessions[peer]
        self.sent = dict.fromkeys(range(1, SENDERS + 1), 0)
        self.downs: list[Any] = []
        self.pids: set[Pid] = set()
        self.peak = 0
        self.stopped = False

    async def start(self) -> None:
        for number in self.sent:
            self.pids.add(await self.node.spawn(self._run, number))

    async def _run(self, me: Any, number: int) -> None:
        watching = await me.monitor(self.to)
        padding = bytes(LARGE_PADDING if number == 1 else SMALL_PADDING)
        while self.session.is_open and not self.stopped:
            self.sent[number] += 1
            await me.send(self.to, (number, self.sent[number], padding))
            self.peak = max(self.peak, self.session._outbox.size)
        if self.session.is_open:
            await me.send(self.to, (number, DONE))
            await me.demonitor(watching)
        else:
            self.downs.append((number, await me.receive() == down_of(watching, self.to)))
            self.downs.append(await me.receive())  # there is no other

    @property
    def all_wait(self) -> bool:
        return self.pids <= set(self.session._waiting)

    async def runs(self) -> None:
        """Wait until each process has sent more than it has now."""
        before = dict(self.sent)
        await until(lambda: all(self.sent[number] > before[number] + 2 for number in self.sent))


def down_of(watching: Any, name: tuple[str, str]) -> tuple[Any, ...]:
    return ("DOWN", watching, "process", name, "noconnection")


def resident() -> int:
    """Bytes of memory that this process has now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


class TestAPeerThatStopsReading:
    """SIGSTOP, under load."""

    @pytest.mark.parametrize("seconds", quick_and_full(2, 20))
    async def test_costs_little_and_loses_nothing(self, beam: Beam, seconds: int) -> None:
        await load(beam, MODULE)
        async with python_node() as node:
            await node.connect(beam.name)
            theirs = await collector(beam, f"load:flooded({SENDERS})")
            flood = Flood(node, beam.name)
            await flood.start()
            await flood.runs()
            before = resident()
            beam.pause()
            await until(lambda: flood.all_wait and flood.session._paused)
            await asyncio.sleep(seconds)
            assert flood.all_wait
            assert resident() - before < 32 * MIB
            waiting = dict(flood.sent)
            beam.resume()
            await flood.runs()
            assert flood.sent != waiting
            flood.stopped = True
            assert decode(await theirs) == flood.sent
        held = SENDERS * (SMALL_PADDING + KIB) + LARGE_PADDING
        assert DEFAULT.outbox < flood.peak <= 2 * DEFAULT.outbox + held

    async def test_is_given_up_after_the_ticktime(self, release: Release, epmd_port: int) -> None:
        ticktime = ["-kernel", "net_ticktime", "2"]
        async with (
            Beam(release, name="beam@127.0.0.1", epmd_port=epmd_port, flags=ticktime) as beam,
            python_node(net_ticktime=2.0) as node,
        ):
            await load(beam, MODULE)
            await node.connect(beam.name)
            theirs = await collector(beam, f"load:flooded({SENDERS})")
            flood = Flood(node, beam.name)
            await flood.start()
            await flood.runs()
            beam.pause()
            await until(lambda: flood.all_wait and flood.session._paused)
            await until(lambda: len(flood.downs) == SENDERS)
            assert flood.session.reason == "net_tick_timeout"
            assert sorted(flood.downs) == [(number, True) for number in flood.sent]
            assert not flood.session._waiting
            assert node.list() == []
            beam.resume()
            for number in flood.sent:
                await node.send(flood.to, (number, DONE))
            seen = decode(await theirs)  # all that it got came in order, without a gap
            assert all(seen[number] <= sent for number, sent in flood.sent.items())
            assert len(flood.downs) == SENDERS
