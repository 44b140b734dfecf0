"""Processes in Python that Erlang starts: as ``spawn`` and its kin start them, and as a call runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyerlnode import Atom, Exit, Node
from tests.interop.nodes import fresh_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pyerlnode import Pid, Process
    from pyerlnode.term import Term
    from tests.support.beam import Beam

ASK = "receive Got -> Got after 10000 -> nothing end"


async def counter(me: Process, boss: Pid, step: int = 1) -> Term:
    """Adds up what it is told to until it is asked to stop."""
    total = 0
    await me.send(boss, (Atom("ready"), me.pid, me.group_leader))
    while True:
        match await me.receive():
            case ("add", number):
                total += number * step
                await me.send(boss, total)
            case ("stop", "crash"):
                raise ValueError(total)
            case ("stop", "return"):
                return (Atom("sum"), total)
            case ("stop", reason):
                raise Exit(reason)
            case ("EXIT", pid, reason):
                await me.send(boss, (Atom("trapped"), pid, reason))
            case "trap":
                me.trap_exit = True
                await me.send(boss, Atom("trapping"))


@pytest.fixture
async def node(shared_beam: Beam, epmd_port: int) -> AsyncIterator[Node]:
    async with Node(fresh_name(), cookie="cookie", epmd=epmd_port) as node:
        node.export("py.counter", "run", counter, process=True)
        yield node


async def ask(beam: Beam, node: Node, code: str) -> str:
    return await beam.eval(
        f"Node = '{node.name}', Run = fun(F) -> F() end, Next = fun() -> {ASK} end, {code}"
    )


async def test_spawn_gives_the_pid_of_a_process_with_a_mailbox(node: Node, shared_beam: Beam) -> None:
    code = """
        Pid = spawn(Node, 'py.counter', run, [self(), 2]),
        {ready, Pid, Leader} = Next(), true = Leader =:= group_leader(), true = node(Pid) =:= Node,
        Pid ! {add, 1}, Pid ! {add, 20}, [Next(), Next()]
    """
    assert await ask(shared_beam, node, code) == "[2,42]"


async def test_spawn_link_and_monitor_tell_how_it_ended(node: Node, shared_beam: Beam) -> None:
    code = """
        process_flag(trap_exit, true),
        [begin
            Pid = spawn_link(Node, 'py.counter', run, [self()]),
            Ref = monitor(process, Pid),
            {ready, Pid, _} = Next(),
            Pid ! {stop, Why},
            Downs = [receive {'EXIT', Pid, Reason} -> Reason end,
                receive {'DOWN', Ref, process, Pid, Same} -> Same end],
            [Told] = lists:usort(Downs),
            case Told of {#{message := Text}, [_ | _]} -> Text; _ -> Told end
        end || Why <- [return, bye, {shutdown, 1}, normal, crash]]
    """
    told = '[normal,bye,{shutdown,1},normal,<<"ValueError: 0">>]'
    assert await ask(shared_beam, node, code) == told


@pytest.mark.beam(since=25)
async def test_spawn_monitor_and_spawn_request(node: Node, shared_beam: Beam) -> None:
    code = """
        {Pid, Ref} = erlang:spawn_monitor(Node, 'py.counter', run, [self()]), {ready, Pid, _} = Next(),
        exit(Pid, kill), {'DOWN', Ref, process, Pid, Killed} = Next(),
        Req = erlang:spawn_request(Node, 'py.counter', run, [self()], [link, monitor, {reply_tag, started}]),
        {started, Req, ok, New} = Next(), {ready, New, _} = Next(),
        New ! trap, trapping = Next(), exit(New, bye), {trapped, Me, bye} = Next(),
        New ! {stop, normal}, {'DOWN', Req, process, New, Why} = Next(),
        {Killed, Me =:= self(), Why}
    """
    assert await ask(shared_beam, node, code) == "{killed,true,normal}"


async def test_the_wrong_number_of_arguments_is_undef(node: Node, shared_beam: Beam) -> None:
    code = """
        [begin
            {Pid, Ref} = spawn_opt(Node, 'py.counter', run, Args, [monitor]),
            {'DOWN', Ref, process, Pid, {undef, [{M, F, Given, _} | _]}} = Next(), {M, F, length(Given)}
        end || Args <- [[], [1, 2, 3]]]
    """
    assert await ask(shared_beam, node, code) == "[{'py.counter',run,0},{'py.counter',run,3}]"


@pytest.mark.parametrize("call", ["erpc:call", "rpc:call", "rpc:block_call"])
async def test_a_call_runs_it_as_a_process_too_and_gets_what_it_returns(
    node: Node, shared_beam: Beam, call: str
) -> None:
    code = f"""
        Me = self(),
        spawn(fun() -> Me ! {{result, {call}(Node, 'py.counter', run, [Me])}} end),
        {{ready, Pid, _}} = Next(), Pid ! {{add, 3}}, 3 = Next(), Pid ! {{stop, return}}, Next()
    """
    assert await ask(shared_beam, node, code) == "{result,{sum,3}}"


@pytest.mark.parametrize("call", ["erpc:call", "rpc:call", "rpc:block_call"])
async def test_a_call_whose_process_is_killed_is_told(node: Node, shared_beam: Beam, call: str) -> None:
    code = f"""
        Me = self(),
        spawn(fun() -> Me ! {{result, catch {call}(Node, 'py.counter', run, [Me])}} end),
        {{ready, Pid, _}} = Next(), exit(Pid, kill), Next()
    """
    told = await ask(shared_beam, node, code)
    assert "killed" in told
    assert ("badrpc" in told) == call.startswith("rpc")


async def test_erlang_sees_its_death_by_disconnection(node: Node, shared_beam: Beam) -> None:
    code = """
        Pid = spawn(Node, 'py.counter', run, [self()]), {ready, Pid, _} = Next(), Ref = monitor(process, Pid),
        erlang:disconnect_node(Node), {'DOWN', Ref, process, Pid, Why} = Next(), Why
    """
    assert await ask(shared_beam, node, code) == "noconnection"
