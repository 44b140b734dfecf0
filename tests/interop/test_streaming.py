"""Streams to real BEAMs, in plain Erlang on every release: what comes, when it ends, what stays behind."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import pytest

from pyerlnode import Exit
from pyerlnode.otp.streaming import WINDOW
from tests.interop.nodes import fresh_name, python_node, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from pyerlnode import Node
    from pyerlnode.net.session import Session
    from tests.support.beam import Beam

READ = """
Read = fun Read(Pid, Ref, Items) ->
    receive
        {Pid, {data, Item}} -> Pid ! {ask, 1}, Read(Pid, Ref, [Item | Items]);
        {'DOWN', Ref, process, Pid, Reason} -> {lists:reverse(Items), Reason}
    end
end,
Start = fun(Name, Args) -> spawn_monitor('NODE', 'py.test', Name, Args) end,
All = fun(Name, Args) -> {Pid, Ref} = Start(Name, Args), Read(Pid, Ref, []) end,
Take = fun(Pid, Count) -> [receive {Pid, {data, Item}} -> Item end || _ <- lists:seq(1, Count)] end,
"""
MEGABYTE = 1_000_000


class Streams:
    """Generators of one node, that keep account of themselves."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.made = 0
        self.open = 0
        self.go_on = asyncio.Event()
        for function in (self.numbers, self.plain, self.silent, self.failing, self.leaving):
            node.export_stream("py.test", target=function)
        node.export_stream("py.test", "megabytes", self.megabytes, window=1_000)

    async def numbers(self, count: int) -> AsyncIterator[int]:
        self.open += 1
        try:
            for number in range(count):
                self.made += 1
                yield number
        finally:
            self.open -= 1

    def plain(self, count: int) -> Iterator[int]:
        self.open += 1
        try:
            yield from range(count)
        finally:
            self.open -= 1

    async def silent(self) -> AsyncIterator[int]:
        self.open += 1
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            self.open -= 1

    async def failing(self) -> AsyncIterator[int]:
        yield 1
        raise ValueError("no more")

    async def leaving(self) -> AsyncIterator[int]:
        yield 1
        raise Exit(("bad", 7))

    async def megabytes(self, count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            self.made += 1
            yield bytes(MEGABYTE)
            await self.go_on.wait()

    async def are_open(self, count: int) -> bool:
        return self.open == count

    async def have_made(self, count: int) -> bool:
        return self.made == count

    async def run(self, beam: Beam, code: str) -> str:
        """Evaluates Erlang over there, with `READ` before it."""
        return await beam.eval(READ.replace("NODE", self.node.name) + code)


@pytest.fixture
async def streams() -> AsyncIterator[Streams]:
    async with python_node(fresh_name()) as node:
        yield Streams(node)


@pytest.mark.parametrize("name", ["numbers", "plain"])
async def test_all_items_in_order_and_then_the_end(shared_beam: Beam, streams: Streams, name: str) -> None:
    for count in (0, 1, WINDOW, 500):
        check = f"All({name}, [{count}]) =:= {{lists:seq(0, {count - 1}), normal}}"
        assert await streams.run(shared_beam, check) == "true"
    assert streams.open == 0


async def test_ten_at_once_to_one_process(shared_beam: Beam, streams: Streams) -> None:
    code = """
    Streams = [Start(Name, [200]) || Name <- [numbers, plain], _ <- lists:seq(1, 5)],
    Collect = fun
        Collect(Found, 0) -> [lists:reverse(Items) || Items <- maps:values(Found)];
        Collect(Found, Left) ->
            receive
                {Pid, {data, Item}} ->
                    Pid ! {ask, 1},
                    Collect(maps:update_with(Pid, fun(Items) -> [Item | Items] end, Found), Left);
                {'DOWN', _, process, _, normal} -> Collect(Found, Left - 1)
            end
    end,
    lists:usort(Collect(maps:from_list([{Pid, []} || {Pid, _} <- Streams]), 10)) =:= [lists:seq(0, 199)]
    """
    assert await streams.run(shared_beam, code) == "true"


async def test_what_a_generator_raises_is_the_reason_of_its_end(shared_beam: Beam, streams: Streams) -> None:
    code = "{[1], {Error, [{Module, F, 0, _} | _]}} = All(failing, []), {maps:get(message, Error), Module, F}"
    found = await streams.run(shared_beam, code)
    assert found == '{<<"ValueError: no more">>,test_streaming,failing}'
    assert await streams.run(shared_beam, "All(leaving, [])") == '{[1],{<<"bad">>,7}}'
    linked = "process_flag(trap_exit, true), P = spawn_link('NODE', 'py.test', leaving, []),"
    linked = linked.replace("NODE", streams.node.name) + "receive {'EXIT', P, Reason} -> Reason end"
    assert await streams.run(shared_beam, linked) == '{<<"bad">>,7}'


@pytest.mark.parametrize("start", ["numbers, [1000]", "plain, [1000]", "silent, []"])
async def test_it_is_closed_when_its_subscriber_dies(shared_beam: Beam, streams: Streams, start: str) -> None:
    assert await streams.run(shared_beam, f"{{Pid, _}} = Start({start}), hd(Take(Pid, 1))") in ("0", "1")
    await until(partial(streams.are_open, 0))  # the process that asked is gone with its answer


@pytest.mark.parametrize("start", ["numbers, [1000]", "plain, [1000]", "silent, []"])
async def test_an_exit_signal_cancels_it(shared_beam: Beam, streams: Streams, start: str) -> None:
    code = f"""
    {{Pid, Ref}} = Start({start}),
    Take(Pid, 1),
    exit(Pid, shutdown),
    receive {{'DOWN', Ref, process, Pid, Reason}} -> Reason end
    """
    assert await streams.run(shared_beam, code) == "shutdown"
    await until(partial(streams.are_open, 0))


async def test_it_is_closed_when_the_node_of_its_subscriber_dies(beam: Beam, streams: Streams) -> None:
    keep = "spawn(fun() -> [Start(Name, Args) || {Name, Args} <- Wanted], timer:sleep(infinity) end), ok"
    wanted = "Wanted = [{numbers, [1000]}, {plain, [1000]}, {silent, []}],"
    assert await streams.run(beam, wanted + keep) == "ok"
    await until(partial(streams.are_open, 3))
    beam.kill()
    await until(partial(streams.are_open, 0))


async def test_its_end_is_seen_when_the_python_node_stops(shared_beam: Beam, streams: Streams) -> None:
    code = "{Pid, Ref} = Start(silent, []), {Take(Pid, 1), receive {'DOWN', Ref, _, _, Reason} -> Reason end}"
    asked = asyncio.ensure_future(streams.run(shared_beam, code))
    await until(partial(streams.are_open, 1))
    await streams.node.stop()
    assert await asked == "{[1],shutdown}"
    assert streams.open == 0


async def test_a_slow_subscriber_has_a_window_full_of_messages(shared_beam: Beam, streams: Streams) -> None:
    code = f"""
    {{Pid, Ref}} = Start(numbers, [1000]),
    Full = fun Full() ->
        {{message_queue_len, Length}} = process_info(self(), message_queue_len),
        case Length of {WINDOW} -> ok; _ -> erlang:yield(), Full() end
    end,
    Full(),
    Pid ! {{ask, 3}},
    Taken = Take(Pid, {WINDOW} + 3),
    receive {{Pid, _}} -> more after 0 -> length(Taken) end
    """
    assert await streams.run(shared_beam, code) == str(WINDOW + 3)
    assert streams.made == WINDOW + 4


async def test_a_peer_that_does_not_read_is_waited_for(beam: Beam, streams: Streams) -> None:
    code = "{Pid, Ref} = Start(megabytes, [200]), {Items, normal} = Read(Pid, Ref, []), length(Items)"
    asked = asyncio.ensure_future(streams.run(beam, code))
    await until(partial(streams.have_made, 1))
    beam.pause()
    try:
        streams.go_on.set()
        session = streams.node._router.sessions[str(beam.name)]
        await until(partial(is_congested, session))
        made = streams.made
    finally:
        beam.resume()
    assert await asked == "200"
    assert made < 100  # what the outbox and the sockets of the two take


async def is_congested(session: Session) -> bool:
    """Whether a sender has to wait."""
    return session.congested


async def test_who_calls_it_is_told_how_to_start_it(shared_beam: Beam, streams: Streams) -> None:
    call = f"erpc:call('{streams.node.name}', 'py.test', numbers, [3])"
    found = await shared_beam.eval(f"try {call} catch error:{{exception, #{{message := M}}, _}} -> M end")
    assert "py.test:numbers is a stream: start it by :erlang.spawn_monitor" in found
    for start, args in (("numbers, []", "[]"), ("other, [1]", "[1]")):
        name = start.split(",", maxsplit=1)[0]
        undef = f"{{[],{{undef,[{{'py.test',{name},{args},[]}}]}}}}"
        assert await streams.run(shared_beam, f"All({start})") == undef
    assert streams.made == 0
