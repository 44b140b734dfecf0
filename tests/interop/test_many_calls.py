"""Very many calls both ways, one in ten of them given up: neither side keeps anything of them."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode import Atom, Caller, CallTimeout, GenServer, NoReply
from pyerlnode.term import decode
from tests.interop.nodes import python_node
from tests.support.contender import until
from tests.support.erlang_modules import load
from tests.support.scale import quick_and_full

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyerlnode import Node, Pid
    from pyerlnode.term import Term
    from tests.support.beam import Beam

CALLERS = 10
ECHO, LATE, HELD, ANSWER = Atom("echo"), Atom("late"), Atom("held"), Atom("answer")
LONG = 600.0
"""Seconds that a full run may take; a quick one ends far below."""

LATECOMER = """
-module(latecomer).
-behaviour(gen_server).
-export([init/1, handle_call/3, handle_cast/2, start/1, call/3, left/1, tables/0]).
init([]) -> {ok, []}.
handle_call({echo, X}, _, Held) -> {reply, X, Held};
handle_call({late, X, Asker}, From, Held) -> Asker ! held, {noreply, [{From, X} | Held]};
handle_call(answer, _, Held) ->
    [gen_server:reply(From, X) || {From, X} <- Held],
    {reply, length(Held), []}.
handle_cast(_, Held) -> {noreply, Held}.
start(Number) ->
    [{ok, _} = gen_server:start({local, name(I)}, latecomer, [], []) || I <- lists:seq(1, Number)],
    ok.
name(I) -> list_to_atom("late" ++ integer_to_list(I)).

left(Number) ->
    [process_info(whereis(name(I)), [monitors, monitored_by, links, message_queue_len])
     || I <- lists:seq(1, Number)].
tables() ->
    {erlang:system_info(process_count), length(erlang:ports()), maps:get(count, persistent_term:info()),
     lists:sort([{T, ets:info(T, size)} || T <- ets:all(), is_atom(T)])}.

call(Node, Callers, Count) ->
    All = [spawn_monitor(fun() -> caller({name(I), Node}, 1, Count) end) || I <- lists:seq(1, Callers)],
    [receive {'DOWN', Ref, _, _, Reason} -> Reason end || {_, Ref} <- All].
caller(To, N, Count) when N > Count ->
    true = is_integer(gen_server:call(To, answer)),
    exit(process_info(self(), [monitors, links, messages]));
caller(To, N, Count) ->
    one(To, N, N rem 20),
    N rem 100 =:= 0 andalso gen_server:call(To, answer),
    caller(To, N + 1, Count).
one(To, N, 0) ->
    {'EXIT', {timeout, _}} = (catch gen_server:call(To, {late, N, self()}, 1)),
    receive held -> ok end;
one(To, N, 10) ->
    Self = self(),
    {Pid, Ref} = spawn_monitor(fun() -> gen_server:call(To, {late, N, Self}, infinity) end),
    receive held -> exit(Pid, kill) end,
    receive {'DOWN', Ref, _, _, killed} -> ok end;
one(To, N, _) -> N = gen_server:call(To, {echo, N}).
"""


class Latecomer(GenServer):
    """The same in Python."""

    async def init(self) -> None:
        self._held: list[tuple[Caller, Term]] = []

    async def handle_call(self, request: Term, caller: Caller) -> Term:
        match request:
            case ("echo", x):
                return x
            case ("late", x, asker):
                await self.me.send(asker, HELD)
                self._held.append((caller, x))
                return NoReply
        held, self._held = self._held, []
        for waiting, x in held:
            await waiting.reply(x)
        return len(held)


async def call(me: Any, server: tuple[str, str], count: int) -> None:
    """One caller's calls: of twenty, one times out and one is cancelled."""
    for number in range(1, count + 1):
        match number % 20:
            case 0:
                with pytest.raises(CallTimeout):
                    await me.call(server, (LATE, number, me.pid), timeout=0.001)
                assert await me.receive() == HELD
            case 10:
                waiting = asyncio.create_task(me.call(server, (LATE, number, me.pid), timeout=None))
                assert await me.receive() == HELD
                waiting.cancel()
                await asyncio.wait([waiting])
                assert waiting.cancelled()
            case _:
                assert await me.call(server, (ECHO, number)) == number
        if number % 100 == 0:
            await me.call(server, ANSWER)
    await me.call(server, ANSWER)


@dataclass(frozen=True, slots=True)
class Kept:
    """How much a node holds of everything that a call may leave behind."""

    actors: int
    names: int
    aliases: int
    watched: int
    touching: int
    waiting: int
    unsent: int
    unfinished: int
    tasks: int

    @classmethod
    def of(cls, node: Node) -> Kept:
        router = node._router
        sessions = router.sessions.values()
        return cls(
            actors=len(router.registry),
            names=len(router.registry.names()),
            aliases=len(router._aliases),
            watched=len(router._watched),
            touching=sum(map(len, router._touching.values())),
            waiting=sum(len(session._waiting) for session in sessions),
            unsent=sum(session._outbox.size for session in sessions),
            unfinished=sum(session._channel._assembler.held for session in sessions),
            tasks=len(asyncio.all_tasks()),
        )


def relations(node: Node, pids: Iterable[Pid]) -> list[int]:
    """How many relations each of these has."""
    actors = [node._local(pid) for pid in pids]
    return [
        sum(map(len, (a.monitors, a.watchers, a.links, a.aliases, a.requests, a.spawning))) for a in actors
    ]


@pytest.mark.beam(since=25, few=2)  # callers of OTP 23 have no aliases: late answers reach their mailboxes
@pytest.mark.parametrize("count", quick_and_full(3_000, 100_000))
async def test_many_calls_leave_nothing_behind(beam: Beam, count: int) -> None:
    """`count` calls each way, at the same time; late answers come to those who have given up."""
    each = count // CALLERS
    await load(beam, LATECOMER)
    async with python_node(hidden=True) as node:
        await node.connect(beam.name)
        assert await beam.eval(f"latecomer:start({CALLERS})") == "ok"
        ours = [await node.start_server(Latecomer, name=f"late{i}") for i in range(1, CALLERS + 1)]
        await beam.eval(f"latecomer:call('{node.name}', {CALLERS}, 20)")
        before, theirs_before = Kept.of(node), await beam.eval("latecomer:tables()")
        calling = asyncio.create_task(
            beam.eval_bytes(f"latecomer:call('{node.name}', {CALLERS}, {each})", timeout=LONG)
        )
        async with asyncio.TaskGroup() as callers:
            for number in range(1, CALLERS + 1):
                callers.create_task(_caller(node, (f"late{number}", beam.name), each))
        nothing = [("monitors", []), ("links", []), ("messages", [])]
        assert decode(await calling) == [nothing] * CALLERS
        with contextlib.suppress(TimeoutError):
            await until(lambda: Kept.of(node) == before)
        assert Kept.of(node) == before
        assert relations(node, ours) == [0] * CALLERS
        assert relations(node, [node._client.pid]) == [0]
        assert all(not node._local(pid).message_queue_len for pid in ours)
        await settled(beam, theirs_before)


async def _caller(node: Node, server: tuple[str, str], count: int) -> None:
    async with node.process() as me:
        await call(me, server, count)
        assert relations(node, [me.pid]) == [0]
        assert me.message_queue_len == 0


async def settled(beam: Beam, tables: str) -> None:
    """Wait until the BEAM has as much as before, and its servers no relations."""
    free = "[{monitors,[]},{monitored_by,[]},{links,[]},{message_queue_len,0}]"
    wanted = f"[{','.join([free] * CALLERS)}]"
    async with asyncio.timeout(30):
        while (left := await beam.eval(f"latecomer:left({CALLERS})")) != wanted:
            pass
        while (now := await beam.eval("latecomer:tables()")) != tables:
            pass
    assert (left, now) == (wanted, tables)
