"""A server in Python and one in Erlang, asked the same by a BEAM: the same answers.

What Elixir calls ``GenServer.call``, ``GenServer.stop`` and ``:sys`` are the functions that are called here.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode import Atom, Caller, CallTimeout, Exit, GenServer, Ignore, NoProc, NoReply, RemoteExit, Stop
from tests.interop.nodes import python_node, until
from tests.support.erlang_modules import load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pyerlnode import Node
    from pyerlnode.term import Term
    from tests.support.beam import Beam

REFERENCE = """
-module(reference).
-behaviour(gen_server).
-export([init/1, handle_call/3, handle_cast/2, handle_continue/2, handle_info/2, terminate/2]).
init([]) -> {ok, #{}};
init([{stop, Why}]) -> {stop, Why};
init([ignore]) -> ignore;
init([{go_on, X}]) -> {ok, #{}, {continue, X}}.
handle_call({echo, X}, _, S) -> {reply, X, S};
handle_call({later, X}, From, S) -> gen_server:cast(self(), {answer, X}), {noreply, S#{from => From}};
handle_call({stop, Why}, _, S) -> {stop, Why, S};
handle_call({stop, Why, Reply}, _, S) -> {stop, Why, Reply, S};
handle_call({exit, Why}, _, _) -> exit(Why);
handle_call({go_on, X}, _, S) -> {reply, ok, S, {continue, X}};
handle_call({wake, T}, _, S) -> {reply, ok, S, T};
handle_call(trap, _, S) -> process_flag(trap_exit, true), {reply, ok, S};
handle_call({twice, X}, From, S) -> gen_server:reply(From, X), {reply, X, S};
handle_call({last, What}, _, S) -> {reply, ok, S#{last => What}};
handle_call({link, P}, _, S) -> link(P), {reply, ok, S}.
handle_cast({answer, X}, #{from := From} = S) -> gen_server:reply(From, X), {noreply, maps:remove(from, S)};
handle_cast({put, K, V}, S) -> {noreply, S#{K => V}};
handle_cast({stop, Why}, S) -> {stop, Why, S}.
handle_continue(X, S) -> {noreply, S#{continued => X}}.
handle_info({stop, Why}, S) -> {stop, Why, S};
handle_info(M, S) -> {noreply, S#{info => M}}.
terminate(_, #{last := {exit, Why}}) -> exit(Why);
terminate(Why, #{last := {tell, P}}) -> P ! {terminating, Why};
terminate(_, #{last := hang}) -> receive go_on -> ok end;
terminate(_, _) -> ok.
"""


class Twin(GenServer):
    """The reference in Python."""

    async def init(self, what: Term = None) -> None:
        self._map: dict[Term, Term] = {}
        self._waiting: list[Caller] = []
        match what:
            case ("stop", why):
                raise Stop(why)
            case "ignore":
                raise Ignore
            case ("go_on", work):
                self.continue_with(work)

    def get_state(self) -> Term:
        return self._map

    async def handle_call(self, request: Term, caller: Caller) -> Term:
        match request:
            case ("echo", x):
                return x
            case ("later", x):
                self._waiting.append(caller)
                await self.me.cast(self.me.pid, (Atom("answer"), x))
                return NoReply
            case ("stop", why):
                raise Stop(why)
            case ("stop", why, reply):
                raise Stop(why, reply=reply)
            case ("exit", why):
                raise Exit(why)
            case ("go_on", x):
                self.continue_with(x)
            case ("wake", milliseconds):
                self.set_timeout(milliseconds / 1000)
            case "trap":
                self.me.trap_exit = True
            case ("link", pid):
                await self.me.link(pid)
            case ("twice", x):
                await caller.reply(x)
                return x
            case ("last", what):
                self._map[Atom("last")] = what
            case _:
                return await super().handle_call(request, caller)
        return Atom("ok")

    async def handle_cast(self, request: Term) -> None:
        match request:
            case ("answer", x):
                await self._waiting.pop().reply(x)
            case ("put", key, value):
                self._map = {**self._map, key: value}
            case ("stop", why):
                raise Stop(why)
            case _:
                await super().handle_cast(request)

    async def handle_continue(self, work: Term) -> None:
        self._map[Atom("continued")] = work

    async def handle_info(self, message: Term) -> None:
        match message:
            case ("stop", why):
                raise Stop(why)
        self._map[Atom("info")] = message

    async def terminate(self, reason: Term) -> None:
        match self._map.get(Atom("last")):
            case ("exit", why):
                raise Exit(why)
            case ("tell", pid):
                await self.me.send(pid, (Atom("terminating"), reason))
            case "hang":
                await asyncio.Event().wait()


GET_STATUS = """
{status, _, {module, Module}, [_, Running, _, Debug, Misc]} = sys:get_status(S),
{Module, Running, Debug, [Item || {Kind, _} = Item <- Misc, Kind =/= header],
    [is_list(Header) || {header, Header} <- Misc]}
"""

SITUATIONS = {
    # calls and casts
    "call": "gen_server:call(S, {echo, {1, 2.0, <<3>>, #{a => [b]}}})",
    "call by pid": "gen_server:call(P, {echo, x})",
    "late reply": "gen_server:call(S, {later, x}, infinity)",
    "cast, then call": "gen_server:cast(S, {put, k, v}), gen_server:call(S, {echo, 1}), sys:get_state(S)",
    "send": "S ! hello, sys:get_state(S)",
    "send to the pid": "P ! {a, b}, sys:get_state(S)",
    "what looks like a call": "S ! {'$gen_call', 1}, sys:get_state(S)",
    "send_request": "gen_server:wait_response(gen_server:send_request(S, {echo, x}), infinity)",
    "send_request to one that stops": "Id = gen_server:send_request(P, {stop, bye}),"
    " gen_server:wait_response(Id, infinity)",
    "multi_call": "gen_server:multi_call([node(P)], subject, {echo, x})",
    "multi_call with a timeout": "gen_server:multi_call([node(P)], subject, {later, x}, 30000)",
    "multi_call to nobody": "gen_server:multi_call([node(P)], nobody, {echo, x})",
    "abcast": "abcast = gen_server:abcast([node(P)], subject, {put, k, v}), sys:get_state(S)",
    "a bare reference as tag": "R = make_ref(), S ! {'$gen_call', {self(), R}, {echo, x}},"
    " receive {R, X} -> X end",
    "any term as tag": "S ! {'$gen_call', {self(), {my, tag}}, {echo, x}}, receive {{my, tag}, X} -> X end",
    "a reply, twice": "[gen_server:call(S, {twice, x}), Nothing()]",
    "a reply, twice, to a bare reference": "R = make_ref(), S ! {'$gen_call', {self(), R}, {twice, x}},"
    " [receive {R, X} -> X end || _ <- [1, 2]]",
    "a reply that comes too late": "{'EXIT', Why} = (catch gen_server:call(S, {later, x}, 0)),"
    " _ = sys:get_state(S), Late = receive {_, x} -> late after 100 -> nothing end, {Why, Late}",
    "a call that is none": "S ! {'$gen_call', {self(), 1}}, sys:get_state(S)",
    "a cast that is none": "S ! {'$gen_cast', 1, 2}, sys:get_state(S)",
    "a system message that is none": "S ! {system, 1}, sys:get_state(S)",
    "multi_call to some": "gen_server:multi_call([node(P), nobody@nowhere], subject, {echo, x})",
    "multi_call to one that stops": "gen_server:multi_call([node(P)], subject, {stop, bye})",
    # what follows a callback
    "continue": "ok = gen_server:call(S, {go_on, x}), sys:get_state(S)",
    "timeout": "ok = gen_server:call(S, {wake, 0}), GetState()",
    "a timeout that a message ends": "ok = gen_server:call(S, {wake, 60000}), S ! hello, sys:get_state(S)",
    # ends
    "stop in a call": "catch gen_server:call(S, {stop, bye}, infinity)",
    "stop in a call, in order": "catch gen_server:call(S, {stop, normal}, infinity)",
    "stop in a call, with a reply": "[gen_server:call(S, {stop, normal, x}, infinity), Down()]",
    "stop in a call, with a bad reason": "[gen_server:call(S, {stop, {bad, 1}, x}, infinity), Down()]",
    "stop in a cast": "gen_server:cast(S, {stop, {shutdown, 1}}), Down()",
    "exit in a call": "catch gen_server:call(S, {exit, bye}, infinity)",
    "an error in a call": "{'EXIT', {{Error, Stack}, Where}} = (catch gen_server:call(S, unknown, infinity)),"
    " {is_list(Stack), Where}",
    "an error in a cast": "gen_server:cast(S, unknown), {_, Stack} = Down(), is_list(Stack)",
    "stop": "[gen_server:stop(S), Down()]",
    "stop with a reason": "[gen_server:stop(S, bye, infinity), Down()]",
    "stop one that is suspended": "sys:suspend(S), [gen_server:stop(S), Down()]",
    "stop one that fails at it": "gen_server:call(S, {last, {exit, oops}}),"
    " [catch gen_server:stop(S), Down()]",
    "stop one that takes too long": "gen_server:call(S, {last, hang}),"
    " {catch gen_server:stop(S, normal, 50), exit(P, kill), Down()}",
    "stop in an info": "S ! {stop, bye}, Down()",
    "what terminate is told": "gen_server:call(S, {last, {tell, self()}}), gen_server:stop(S, {shutdown, 1},"
    " infinity), receive {terminating, Why} -> Why end",
    "what terminate is told of an exit": "gen_server:call(S, {last, {tell, self()}}),"
    " catch gen_server:call(S, {exit, bye}), receive {terminating, Why} -> Why end",
    "what terminate is told of an error": "gen_server:call(S, {last, {tell, self()}}),"
    " catch gen_server:call(S, unknown), receive {terminating, {_, L}} -> is_list(L) end",
    "no terminate for an exit signal": "gen_server:call(S, {last, {tell, self()}}), exit(P, bye),"
    " [Down(), Nothing()]",
    "stop nobody": "catch gen_server:stop({nobody, node(P)})",
    "sys:terminate": "[sys:terminate(S, {shutdown, x}), Down()]",
    "call after the end": "gen_server:stop(S), catch gen_server:call(S, {echo, 1})",
    "sys after the end": "gen_server:stop(S), catch sys:get_state(S)",
    "an exit signal": "exit(P, bye), Down()",
    "an exit signal, normal": "exit(P, normal), gen_server:call(S, {echo, x})",
    "an exit signal, kill": "gen_server:call(S, trap), exit(P, kill), Down()",
    "an exit signal to one that traps": "gen_server:call(S, trap), exit(P, bye),"
    " {'EXIT', F, W} = maps:get(info, sys:get_state(S)), {F =:= self(), W}",
    "a link breaks": "Q = spawn(fun() -> receive W -> exit(W) end end), gen_server:call(S, {link, Q}),"
    " Q ! bye, Down()",
    "a link breaks, trapped": "gen_server:call(S, trap), Q = spawn(fun() -> receive W -> exit(W) end end),"
    " gen_server:call(S, {link, Q}), M = monitor(process, Q), Q ! bye,"
    " receive {'DOWN', M, _, _, _} -> {'EXIT', Q, Why} = maps:get(info, GetState()), Why end",
    # sys
    "get_state": "sys:get_state(S)",
    "get_status": GET_STATUS,
    "get_status of one that is suspended": "sys:suspend(S)," + GET_STATUS,
    "get_status with a log": "sys:log(S, true), S ! hello, gen_server:call(S, {echo, x}),"
    " {status, _, _, [_, _, _, [{log, _}], Misc]} = sys:get_status(S),"
    ' [E || {data, D} <- Misc, {"Logged events", L} <- D, E <- L, element(1, E) =:= noreply]',
    "a suspended one keeps its messages": "sys:suspend(S), gen_server:cast(S, {put, k, v}),"
    " One = sys:get_state(S), sys:resume(S), {One, sys:get_state(S)}",
    "a suspended one answers no call": "sys:suspend(S), Kind = (catch gen_server:call(S, {echo, x}, 50)),"
    " sys:resume(S), {Kind, gen_server:call(S, {echo, y})}",
    "statistics": "ok = sys:statistics(S, true), gen_server:call(S, {echo, x}),"
    " gen_server:cast(S, {put, k, v}), {ok, L} = sys:statistics(S, get), ok = sys:statistics(S, false),"
    " [{K, case K of reductions -> n; start_time -> n; current_time -> n; _ -> V end} || {K, V} <- L]",
    "no statistics": "sys:statistics(S, get)",
    "log": "ok = sys:log(S, {true, 3}), gen_server:call(S, {echo, x}), S ! hello,"
    " {ok, L} = sys:log(S, get), [case E of {out, X, _, St} -> {out, X, St};"
    " {in, {'$gen_call', _, M}} -> {in, M}; _ -> E end || E <- L]",
    "no log": "sys:log(S, get)",
    "a log is thrown away": "sys:log(S, true), S ! hello, sys:log(S, false), sys:log(S, get)",
    "trace": "[sys:trace(S, true), sys:trace(S, false)]",
    "no_debug": "sys:trace(S, true), sys:log(S, true), [sys:no_debug(S), sys:log(S, get)]",
    "a file that cannot be written": 'sys:log_to_file(S, "/nobody/has/this")',
    "no file": "sys:log_to_file(S, false)",
    "remove what is not there": "sys:remove(S, fun(_, _, _) -> done end)",
    "an unknown request": "gen:call(S, system, {what, 1}, infinity)",
    "an unknown debug option": "gen:call(S, system, {debug, {what, 1}}, infinity)",
    "change_code of one that runs": "sys:change_code(S, reference, undefined, [])",
}

ASK = """
S = {{subject, {node}}},
R0 = monitor(process, S),
P = case {node} =:= node() of true -> whereis(subject); false -> binary_to_term(Pid) end,
Down = fun() -> receive {{'DOWN', R0, _, _, Why0}} -> Why0 end end,
GetState = fun() ->
    (fun Again() -> case sys:get_state(S) of M when M =:= #{{}} -> timer:sleep(5), Again(); M -> M end end)()
end,
Nothing = fun() -> receive M0 -> M0 after 100 -> nothing end end,
Answer = (fun() -> {code} end)(),
demonitor(R0, [flush]),
Answer
"""


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    async with python_node() as node:
        yield node


@pytest.fixture
async def beam_with_reference(shared_beam: Beam) -> Beam:
    if await shared_beam.eval("code:is_loaded(reference)") == "false":
        await load(shared_beam, REFERENCE)
        await shared_beam.eval("logger:set_primary_config(level, none)")
    return shared_beam


def same_for_all(answer: str, node: str) -> str:
    """An answer without what differs between any two servers."""
    answer = answer.replace(node, "NODE")
    return re.sub(r"#Ref<[\d.]+>", "#REF", re.sub(r"<\d+\.\d+\.\d+>", "<PID>", answer))


@pytest.mark.parametrize("code", SITUATIONS.values(), ids=SITUATIONS.keys())
async def test_same_answers(node: Node, beam_with_reference: Beam, code: str) -> None:
    from pyerlnode.term import encode

    beam = beam_with_reference
    await beam.eval("gen_server:start({local, subject}, reference, [], [])")
    try:
        expected = same_for_all(
            await beam.eval(ASK.format(node=f"'{beam.name}'", code=code), Pid=b""), beam.name
        )
    finally:
        await beam.eval("case whereis(subject) of undefined -> ok; Q -> exit(Q, kill) end")
    pid = await node.start_server(Twin, name="subject")
    answer = await beam.eval(ASK.format(node=f"'{node.name}'", code=code), Pid=encode(pid))
    assert same_for_all(answer, node.name) == expected


class TestStoppingThere:
    """A BEAM's server, stopped from here."""

    @pytest.fixture
    async def there(self, beam_with_reference: Beam) -> AsyncIterator[tuple[str, str]]:
        beam = beam_with_reference
        await beam.eval("gen_server:start({local, subject}, reference, [], [])")
        yield ("subject", beam.name)
        await beam.eval("case whereis(subject) of undefined -> ok; Q -> exit(Q, kill) end")

    async def test_in_order(self, node: Node, beam_with_reference: Beam, there: tuple[str, str]) -> None:
        told = (
            "gen_server:call(subject, {last, {tell, self()}}),"
            " receive {terminating, Why} -> Why after 15000 -> nothing end"
        )
        telling = asyncio.ensure_future(beam_with_reference.eval(told))
        await until(lambda: has_state(node, there))
        await node.stop_server(there, (Atom("shutdown"), 1))
        assert await telling == "{shutdown,1}"
        assert await beam_with_reference.eval("whereis(subject)") == "undefined"

    async def test_one_that_ends_otherwise(self, node: Node, there: tuple[str, str]) -> None:
        await node.call(there, (Atom("last"), (Atom("exit"), Atom("oops"))))
        with pytest.raises(RemoteExit, match=":oops"):
            await node.stop_server(there)

    async def test_one_that_does_not_end_in_time(self, node: Node, there: tuple[str, str]) -> None:
        await node.call(there, (Atom("last"), Atom("hang")))
        with pytest.raises(CallTimeout):
            await node.stop_server(there, timeout=0.05)

    async def test_nobody(self, node: Node, shared_beam: Beam) -> None:
        with pytest.raises(NoProc):
            await node.stop_server(("nobody", shared_beam.name))


async def has_state(node: Node, server: tuple[str, str]) -> bool:
    """Whether it has been told what it is to do last."""
    return bool(await node.rpc(server[1], "sys", "get_state", [Atom(server[0])]))


class TestStarting:
    """What ``start_link`` of an exported server gives, to a BEAM that calls it."""

    @pytest.mark.parametrize("args", ["[]", "[{stop, bye}]", "[ignore]", "[{go_on, x}]"])
    async def test_same_outcomes(self, node: Node, beam_with_reference: Beam, args: str) -> None:
        node.export_server("py.twin", Twin)
        show = (
            "process_flag(trap_exit, true),"
            " case {} of {{ok, P}} -> {{links, L}} = process_info(self(), links),"
            " State = sys:get_state(P), unlink(P), exit(P, kill), {{ok, lists:member(P, L), State}};"
            " Other -> Other end"
        )
        beam = beam_with_reference
        here = f"erpc:call('{node.name}', 'py.twin', start_link, {args})"
        there = show.format(f"gen_server:start_link(reference, {args}, [])")
        assert await beam.eval(show.format(here)) == await beam.eval(there)

    async def test_a_start_that_fails_is_an_exit_signal_too(
        self, node: Node, beam_with_reference: Beam
    ) -> None:
        """Since OTP 26 ``start_link`` takes it out of the mailbox (docs/supervision.md)."""
        node.export_server("py.twin", Twin)
        show = (
            "process_flag(trap_exit, true), {{error, bye}} = {},"
            " receive {{'EXIT', _, Why}} -> Why after 200 -> nothing end"
        )
        beam = beam_with_reference
        here = f"erpc:call('{node.name}', 'py.twin', start_link, [{{stop, bye}}])"
        assert await beam.eval(show.format(here)) == "bye"
        there = await beam.eval(show.format("gen_server:start_link(reference, [{stop, bye}], [])"))
        assert there == ("bye" if beam.otp < 26 else "nothing")

    async def test_its_end_is_that_of_its_parent(self, node: Node, beam_with_reference: Beam) -> None:
        node.export_server("py.twin", Twin, name="twin")
        code = (
            f"Start = fun() -> erpc:call('{node.name}', 'py.twin', start_link, []) end,"
            " Me = self(), Q = spawn(fun() -> {ok, P} = Start(), Me ! P, receive W -> exit(W) end end),"
            " P = receive X -> X end, R = monitor(process, P), Q ! bye,"
            " receive {'DOWN', R, _, _, Why} -> Why end"
        )
        assert await beam_with_reference.eval(code) == "bye"

    async def test_a_name_in_use(self, node: Node, beam_with_reference: Beam) -> None:
        node.export_server("py.twin", Twin, name="twin")
        await node.start_server(Twin, name="twin")
        start = f"erpc:call('{node.name}', 'py.twin', start_link, [])"
        code = f"{{error, {{already_started, P}}}} = {start}, gen_server:call(P, {{echo, x}})"
        assert await beam_with_reference.eval(code) == "x"


class TestWhatCannotBe:
    async def test_functions_are_refused_in_words(self, node: Node, beam_with_reference: Beam) -> None:
        await node.start_server(Twin, name="subject")
        replace = f"catch sys:replace_state({{subject, '{node.name}'}}, fun(S) -> S end)"
        answer = await beam_with_reference.eval(replace)
        assert answer.startswith(
            "{'EXIT',{{callback_failed,{'Twin',system_replace_state},{error,<<\"a server in Python"
        )
        install = f"sys:install({{subject, '{node.name}'}}, {{fun(S, _, _) -> S end, 1}})"
        assert "cannot run a function" in await beam_with_reference.eval(install)


@pytest.mark.beam(elixir=True)
class TestElixir:
    async def test_the_words_of_elixir(self, node: Node, shared_beam: Beam) -> None:
        await node.start_server(Twin, name="subject")
        server = f'{{:subject, :"{node.name}"}}'
        assert await shared_beam.elixir(f"GenServer.call({server}, {{:echo, [1, nil]}})") == "[1, nil]"
        assert await shared_beam.elixir(f"GenServer.cast({server}, {{:put, :a, 1}})") == ":ok"
        assert await shared_beam.elixir(f":sys.get_state({server})") == "%{a: 1}"
        assert await shared_beam.elixir(f"GenServer.whereis({server})") == server
        assert await shared_beam.elixir(f"GenServer.stop({server})") == ":ok"
        assert node.whereis("subject") is None

    async def test_an_exception_reads_as_one(self, node: Node, shared_beam: Beam) -> None:
        class Broken(GenServer):
            async def handle_call(self, request: Term, caller: Any) -> Term:
                raise ValueError("no such model")

        await node.start_server(Broken, name="broken")
        code = (
            f'try do GenServer.call({{:broken, :"{node.name}"}}, :x) catch :exit, why ->'
            " Exception.format_exit(why) end"
        )
        text = await shared_beam.elixir(code)
        assert "an exception was raised" in text
        assert "(RuntimeError) ValueError: no such model" in text
        assert "handle_call" in text

    async def test_an_unexpected_call_says_so(self, node: Node, shared_beam: Beam) -> None:
        await node.start_server(GenServer, name="bare")
        code = f'Exception.format_exit(catch_exit(GenServer.call({{:bare, :"{node.name}"}}, :x)))'
        code = "import ExUnit.Assertions\n" + code
        assert "GenServer :bare was called, and has no handle_call for :x" in await shared_beam.elixir(code)
