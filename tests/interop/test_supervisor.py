"""Supervisors in Python and in Erlang, asked the same by a BEAM; and a BEAM's over a child in Python."""

from __future__ import annotations

import asyncio
import random
import re
from typing import TYPE_CHECKING

import pytest

from pyerlnode import Atom, Child, GenServer, Stop, Supervisor
from pyerlnode.term import encode
from tests.interop.nodes import python_node, until
from tests.support.beam import EvalError
from tests.support.erlang_modules import load
from tests.support.nodes import until as until_is

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pyerlnode import Node
    from pyerlnode.term import Term
    from tests.support.beam import Beam

REFERENCE = """
-module(sup_reference).
-export([init/1, start_link/1, boss/0, idle/0, worker_init/1]).
boss() -> supervisor:start_link({local, boss}, sup_reference, none).
start_link(Strategy) -> supervisor:start_link({local, subject}, sup_reference, Strategy).
init(none) -> {ok, {#{}, []}};
init({auto, How}) ->
    Start = {sup_reference, idle, []},
    {ok, {#{auto_shutdown => How},
        [#{id => a, start => Start, restart => transient, significant => true, modules => ['Idle']},
         #{id => b, start => Start, restart => temporary, significant => true, modules => ['Idle']},
         #{id => c, start => Start, modules => ['Idle']}]}};
init({Strategy, Intensity}) ->
    {ok, {Flags, Children}} = init(Strategy), {ok, {Flags#{intensity => Intensity}, Children}};
init(Strategy) ->
    Start = {sup_reference, idle, []},
    {ok, {#{strategy => Strategy, intensity => 3, period => 5},
        [#{id => a, start => Start, modules => ['Idle']},
         #{id => b, start => Start, restart => transient, shutdown => brutal_kill, modules => ['Idle']},
         #{id => c, start => Start, restart => temporary, shutdown => 1000, modules => ['Idle']}]}}.
idle() -> proc_lib:start_link(sup_reference, worker_init, [self()]).
worker_init(Parent) -> proc_lib:init_ack(Parent, {ok, self()}), receive after infinity -> ok end.
"""


class Idle(GenServer):
    """Does nothing."""


CHILDREN = [
    Child(Idle, id="a"),
    Child(Idle, id="b", restart="transient", shutdown="brutal_kill"),
    Child(Idle, id="c", restart="temporary", shutdown=1.0),
]

SITUATIONS = {
    "which_children": "Which()",
    "count_children": "supervisor:count_children(S)",
    "the spec of one": "{ok, Spec} = supervisor:get_childspec(S, b), maps:without(New, Spec)",
    "the spec of a permanent one": "{ok, Spec} = supervisor:get_childspec(S, a), maps:without(New, Spec)",
    "no spec": "supervisor:get_childspec(S, nobody)",
    "terminate": "[supervisor:terminate_child(S, a), Which(), supervisor:count_children(S)]",
    "terminate twice": "[supervisor:terminate_child(S, a), supervisor:terminate_child(S, a)]",
    "terminate a temporary one": "[supervisor:terminate_child(S, c), Which()]",
    "terminate nobody": "supervisor:terminate_child(S, nobody)",
    "terminate by pid": "supervisor:terminate_child(S, Pid(a))",
    "what one is ended with": "[Ended(a, fun() -> supervisor:terminate_child(S, a) end),"
    " Ended(b, fun() -> supervisor:terminate_child(S, b) end)]",
    "restart": "supervisor:terminate_child(S, a), {ok, P} = supervisor:restart_child(S, a),"
    " {P =:= Pid(a), Which()}",
    "restart one that runs": "supervisor:restart_child(S, a)",
    "restart nobody": "supervisor:restart_child(S, nobody)",
    "delete": "supervisor:terminate_child(S, a), [supervisor:delete_child(S, a), Which()]",
    "delete one that runs": "supervisor:delete_child(S, a)",
    "delete nobody": "supervisor:delete_child(S, nobody)",
    "a permanent one ends": "P = Pid(a), exit(P, bye), Again(a, P), Which()",
    "a permanent one ends in order": "P = Pid(a), exit(P, shutdown), Again(a, P), Which()",
    "a transient one ends": "P = Pid(b), exit(P, bye), Again(b, P), Which()",
    "a transient one ends in order": "Ended(b, fun() -> exit(Pid(b), {shutdown, x}) end), Which()",
    "a temporary one ends": "Ended(c, fun() -> exit(Pid(c), bye) end), Which()",
    "too many restarts": "M = monitor(process, S), (fun Loop() -> catch exit(Pid(a), bye),"
    " receive {'DOWN', M, _, _, W} -> W after 5 -> Loop() end end)()",
    "an exit signal": "Ended(a, fun() -> exit(Whole(), bye) end)",
    "stop": "A = monitor(process, Pid(a)), [gen_server:stop(S), receive {'DOWN', A, _, _, W} -> W end]",
    "kill": "A = monitor(process, Pid(a)), exit(Whole(), kill), receive {'DOWN', A, _, _, W} -> W end",
    "start what is none": "supervisor:start_child(S, what)",
    "start without a start": "supervisor:start_child(S, #{id => x})",
    "start without an id": "supervisor:start_child(S, #{start => {m, f, []}})",
    "start with a bad start": "supervisor:start_child(S, #{id => x, start => m})",
    "start with a bad restart": "supervisor:start_child(S, X#{restart => often})",
    "start with a bad shutdown": "supervisor:start_child(S, X#{shutdown => soon})",
    "start with a bad type": "supervisor:start_child(S, X#{type => boss})",
    "start with bad modules": "supervisor:start_child(S, X#{modules => m})",
    "start with a bad module": "supervisor:start_child(S, X#{modules => [1]})",
    "start one that is there": "{error, {already_started, P}} ="
    " supervisor:start_child(S, #{id => a, start => {m, f, []}}), P =:= Pid(a)",
    "start one that was": "supervisor:terminate_child(S, a),"
    " supervisor:start_child(S, #{id => a, start => {m, f, []}})",
    "start by a function that is not there": "{error, {{'EXIT', {undef, [{m, f, [], _} | _]}}, Child}} ="
    " supervisor:start_child(S, #{id => x, start => {m, f, []}}), element(1, Child)",
}

ASK = """
New = [start, significant], % differ by function, and by release
Node = '{node}',
S = {{subject, Node}},
Which = fun() -> supervisor:which_children(S) end,
Pid = fun(Id) -> {{_, P0, _, _}} = lists:keyfind(Id, 1, Which()), P0 end,
Whole = fun() -> case Node =:= node() of true -> whereis(subject); false -> binary_to_term(Sup) end end,
Ended = fun(Id, Do) ->
    R0 = monitor(process, Pid(Id)), Do(), receive {{'DOWN', R0, _, _, Why0}} -> Why0 after 300 -> alive end
end,
Again = fun Wait(Id, Old) ->
    case Pid(Id) of Next when is_pid(Next), Next =/= Old -> ok; _ -> timer:sleep(5), Wait(Id, Old) end
end,
X = #{{id => x, start => {{m, f, []}}}},
{code}
"""


KILL_BOSS = "exit(whereis(boss), kill)"


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    async with python_node() as node:
        yield node


@pytest.fixture
async def beam(shared_beam: Beam) -> Beam:
    if await shared_beam.eval("code:is_loaded(sup_reference)") == "false":
        await load(shared_beam, REFERENCE)
        await shared_beam.eval("logger:set_primary_config(level, none)")
    return shared_beam


def same_for_all(answer: str) -> str:
    return re.sub(r"<\d+\.\d+\.\d+>", "<PID>", answer)


async def ask_reference(beam: Beam, code: str, strategy: str = "one_for_one") -> str:
    await beam.eval(f"{{ok, P}} = sup_reference:start_link({strategy}), unlink(P)")
    try:
        return same_for_all(await beam.eval(ASK.format(node=beam.name, code=code), Sup=b""))
    finally:
        await beam.eval(
            "case whereis(subject) of undefined -> ok; P -> M = monitor(process, P), exit(P, kill),"
            " receive {'DOWN', M, _, _, _} -> ok end end"
        )


async def ask_python(node: Node, beam: Beam, code: str, strategy: str = "one_for_one") -> str:
    pid = await node.start_supervisor(CHILDREN, strategy=strategy, name="subject")
    return same_for_all(await beam.eval(ASK.format(node=node.name, code=code), Sup=encode(pid)))


@pytest.mark.parametrize("code", SITUATIONS.values(), ids=SITUATIONS.keys())
async def test_same_answers(node: Node, beam: Beam, code: str) -> None:
    assert await ask_python(node, beam, code) == await ask_reference(beam, code)


@pytest.mark.parametrize("strategy", ["one_for_one", "rest_for_one", "one_for_all"])
@pytest.mark.parametrize("first", ["a", "b"])
async def test_same_children_are_replaced(node: Node, beam: Beam, strategy: str, first: str) -> None:
    code = (
        f"Old = Which(), P = Pid({first}), exit(P, bye), Again({first}, P), Now = Which(),"
        " [{Id, lists:member(Child, Old)} || {Id, _, _, _} = Child <- Now]"
    )
    assert await ask_python(node, beam, code, strategy) == await ask_reference(beam, code, strategy)


SIGNIFICANT = [
    Child(Idle, id="a", restart="transient", significant=True),
    Child(Idle, id="b", restart="temporary", significant=True),
    Child(Idle, id="c"),
]


@pytest.mark.beam(since=25)
@pytest.mark.parametrize("how", ["any_significant", "all_significant"])
@pytest.mark.parametrize(
    "steps",
    [
        "[{a, shutdown}]",
        "[{b, bye}]",
        "[{a, shutdown}, {b, bye}]",
        "[{a, bye}, {b, bye}]",
        "[{b, kill}, {a, {shutdown, x}}]",
        "[{c, shutdown}, {c, bye}]",
        "[{terminate, a}, {terminate, b}]",
        "[{terminate, a}, {b, bye}]",
    ],
)
async def test_same_shutdown_by_significant_children(node: Node, beam: Beam, how: str, steps: str) -> None:
    """After each step: who is left, or with what the supervisor ended."""
    code = f"""
    W = monitor(process, S),
    Ids = fun() -> try [Id || {{Id, P, _, _}} <- Which(), is_pid(P)] catch exit:_ -> ended end end,
    Do = fun({{terminate, Id}}) -> supervisor:terminate_child(S, Id);
        ({{Id, Why}}) -> Ended(Id, fun() -> exit(Pid(Id), Why) end)
    end,
    Left = [begin catch Do(Step), Ids() end || Step <- {steps}],
    {{Left, receive {{'DOWN', W, _, _, Why}} -> Why after 100 -> alive end}}
    """
    pid = await node.start_supervisor(SIGNIFICANT, auto_shutdown=how, max_restarts=1, name="subject")
    ours = await beam.eval(ASK.format(node=node.name, code=code), Sup=encode(pid))
    assert ours == await ask_reference(beam, code, f"{{auto, {how}}}")


RUN = """
Gone = fun Wait(Id, Old) ->
    case lists:keyfind(Id, 1, Which()) of {_, Old, _, _} -> timer:sleep(1), Wait(Id, Old); _ -> ok end
end,
Do = fun({exit, Id, Why}) ->
        case lists:keyfind(Id, 1, Which()) of
            {_, P1, _, _} when is_pid(P1) -> exit(P1, Why), Gone(Id, P1);
            _ -> none
        end;
    ({F, Id}) -> case supervisor:F(S, Id) of {ok, P1} -> {ok, is_pid(P1)}; Answer -> Answer end
end,
Show = fun(Old) -> [{Id, is_pid(P1), lists:member(Child, Old)} || {Id, P1, _, _} = Child <- Which()] end,
[begin Before = Which(), {Step, Do(Step), Show(Before)} end || Step <- Steps]
"""


@pytest.mark.parametrize("strategy", ["one_for_one", "rest_for_one", "one_for_all"])
@pytest.mark.parametrize("seed", range(4))
async def test_same_life_under_a_random_load(node: Node, beam: Beam, strategy: str, seed: int) -> None:
    """Forty steps, and after each of them the same children, of which the same ones are new."""
    chance = random.Random(seed)
    words = ["terminate_child", "restart_child", "restart_child", "delete_child"]
    ends = ["bye", "shutdown", "kill", "{shutdown, x}"]
    steps = [
        f"{{exit, {chance.choice('abc')}, {chance.choice(ends)}}}"
        if chance.random() < 0.6
        else f"{{{chance.choice(words)}, {chance.choice('abc')}}}"
        for _ in range(40)
    ]
    code = f"Steps = [{', '.join(steps)}],{RUN}"
    pid = await node.start_supervisor(CHILDREN, strategy=strategy, max_restarts=1000, name="subject")
    ours = await beam.eval(ASK.format(node=node.name, code=code), Sup=encode(pid))
    assert ours == await ask_reference(beam, code, f"{{{strategy}, 1000}}")


class TestChildrenFromThere:
    async def test_a_server_of_an_exported_class(self, node: Node, beam: Beam) -> None:
        node.export_server("py.idle", Idle, name="idle")
        await node.start_supervisor([], name="subject")
        code = (
            f"S = {{subject, '{node.name}'}},"
            " {ok, P} = supervisor:start_child(S, #{id => x, start => {'py.idle', start_link, []}}),"
            " [{x, P, worker, ['py.idle']}] =:= supervisor:which_children(S)"
        )
        assert await beam.eval(code) == "true"

    async def test_nested_supervisors_are_one_tree(self, node: Node, beam: Beam) -> None:
        nested = Child(Supervisor([Child(Idle, name="leaf")]), name="nested")
        await node.start_supervisor([nested], name="subject")
        code = (
            f"S = {{subject, '{node.name}'}},"
            " [{nested, P, supervisor, [supervisor]}] = supervisor:which_children(S),"
            " [{leaf, _, worker, ['Idle']}] = supervisor:which_children(P), ok"
        )
        assert await beam.eval(code) == "ok"


class TestABeamsSupervisor:
    """``erpc:call(Node, 'py.model', start_link, Args)`` as the start function of a child over there."""

    @pytest.fixture
    async def boss(self, node: Node, beam: Beam) -> AsyncIterator[str]:
        """The name of a supervisor there that has one child here, with the id ``model``."""
        node.export_server("py.model", Idle, name="model")
        await beam.eval("{ok, P} = sup_reference:boss(), unlink(P)")
        start = f"{{erpc, call, ['{node.name}', 'py.model', start_link, []]}}"
        await beam.eval(f"{{ok, _}} = supervisor:start_child(boss, #{{id => model, start => {start}}})")
        yield "boss"
        await beam.eval("case whereis(boss) of undefined -> ok; _ -> gen_server:stop(boss) end")

    async def test_it_starts_one_and_is_linked_to_it(self, node: Node, beam: Beam, boss: str) -> None:
        pid = node.whereis("model")
        assert pid is not None
        linked = "{links, L} = process_info(whereis(boss), links), lists:member(binary_to_term(P), L)"
        assert await beam.eval(linked, P=encode(pid)) == "true"
        children = "[{model, P, worker, [erpc]}] = supervisor:which_children(boss), P =:= binary_to_term(B)"
        assert await beam.eval(children, B=encode(pid)) == "true"

    async def test_it_starts_it_again(self, node: Node, beam: Beam, boss: str) -> None:
        first = node.whereis("model")
        assert first is not None
        async with node.process() as me:
            await me.exit(first, Atom("boom"))
        await until_is(lambda: node.whereis("model") not in (None, first))
        children = "[{model, P, _, _}] = supervisor:which_children(boss), gen_server:call(P, x)"
        with pytest.raises(EvalError, match="has no handle_call"):
            await beam.eval(children)

    async def test_it_ends_it(self, node: Node, beam: Beam, boss: str) -> None:
        async with node.process() as me:
            ref = await me.monitor("model")
            assert await beam.eval("supervisor:terminate_child(boss, model)") == "ok"
            assert (await me.receive(30)) == ("DOWN", ref, "process", ("model", node.name), "shutdown")

    @pytest.mark.parametrize("reason", ["kill", "shutdown"])
    async def test_its_end_is_the_end_of_the_child(
        self, node: Node, beam: Beam, boss: str, reason: str
    ) -> None:
        async with node.process() as me:
            ref = await me.monitor("model")
            await beam.eval(
                "gen_server:stop(boss, shutdown, infinity)" if reason == "shutdown" else KILL_BOSS
            )
            down = await me.receive(30)
        expected = {"kill": "killed", "shutdown": "shutdown"}[reason]
        assert down == ("DOWN", ref, "process", ("model", node.name), expected)

    async def test_terminate_runs_in_one_that_traps_exits(self, node: Node, beam: Beam, boss: str) -> None:
        ended = asyncio.Event()
        reasons = []

        class Careful(GenServer):
            async def init(self) -> None:
                self.me.trap_exit = True

            async def terminate(self, reason: Term) -> None:
                reasons.append(reason)
                ended.set()

        node.export_server("py.careful", Careful)
        start = f"{{erpc, call, ['{node.name}', 'py.careful', start_link, []]}}"
        await beam.eval(f"{{ok, _}} = supervisor:start_child(boss, #{{id => careful, start => {start}}})")
        await beam.eval(KILL_BOSS)
        async with asyncio.timeout(30):
            await ended.wait()
        assert reasons == ["killed"]

    async def test_one_that_does_not_end_in_its_time_is_killed(
        self, node: Node, beam: Beam, boss: str
    ) -> None:
        cancelled = asyncio.Event()

        class Stubborn(GenServer):
            async def init(self) -> None:
                self.me.trap_exit = True

            async def terminate(self, reason: Term) -> None:
                try:
                    await asyncio.Event().wait()
                finally:
                    cancelled.set()

        node.export_server("py.stubborn", Stubborn, name="stubborn")
        start = f"{{erpc, call, ['{node.name}', 'py.stubborn', start_link, []]}}"
        spec = f"#{{id => stubborn, start => {start}, shutdown => 50}}"
        await beam.eval(f"{{ok, _}} = supervisor:start_child(boss, {spec})")
        async with node.process() as me:
            ref = await me.monitor("stubborn")
            assert await beam.eval("supervisor:terminate_child(boss, stubborn)") == "ok"
            assert (await me.receive(30)) == ("DOWN", ref, "process", ("stubborn", node.name), "killed")
        async with asyncio.timeout(30):
            await cancelled.wait()

    async def test_one_that_cannot_start(self, node: Node, beam: Beam, boss: str) -> None:
        class Broken(GenServer):
            async def init(self) -> None:
                raise ValueError("no weights")

        node.export_server("py.broken", Broken)
        start = f"{{erpc, call, ['{node.name}', 'py.broken', start_link, []]}}"
        code = (
            "{error, {{#{message := Text}, Stack}, _}} ="
            f" supervisor:start_child(boss, #{{id => broken, start => {start}}}), {{Text, is_list(Stack)}}"
        )
        assert await beam.eval(code) == '{<<"ValueError: no weights">>,true}'

    async def test_the_loss_of_the_node_is_seen_both_ways(self, beam: Beam) -> None:
        async with python_node() as node:
            node.export_server("py.model", Idle, name="model")
            await beam.eval("{ok, P} = sup_reference:boss(), unlink(P)")
            start = f"{{erpc, call, ['{node.name}', 'py.model', start_link, []]}}"
            child = f"#{{id => model, restart => temporary, start => {start}}}"
            await beam.eval(f"{{ok, _}} = supervisor:start_child(boss, {child})")
            async with node.process() as me:
                ref = await me.monitor("model")
                await node.disconnect(beam.name)
                down = await me.receive(30)
            assert down == ("DOWN", ref, "process", ("model", node.name), "noconnection")

            async def nobody() -> bool:
                return await beam.eval("supervisor:which_children(boss)") == "[]"

            await until(nobody)
            await beam.eval("gen_server:stop(boss)")


class Ending(GenServer):
    """Ends as it is told."""

    async def handle_cast(self, request: Term) -> None:
        match request:
            case ("stop", reason):
                raise Stop(reason)
        raise ValueError("oops")


class TestTheExitSignalThatAParentGets:
    """The table of docs/supervision.md."""

    WATCH = (
        "process_flag(trap_exit, true), {{ok, P}} = erpc:call('{}', 'py.ending', start_link, []),"
        " register(watching, self()), {}, receive {{'EXIT', P, Why}} -> Why end"
    )

    @pytest.mark.parametrize(
        ("act", "reason"),
        [
            ("gen_server:cast(P, {stop, {a, 1}})", "{a,1}"),
            ("gen_server:cast(P, {stop, normal})", "normal"),
            ("gen_server:stop(P, bye, infinity)", "bye"),
            ("exit(P, bye)", "bye"),  # from its parent, which it does not trap
            ("exit(P, kill)", "killed"),
        ],
    )
    async def test_is_the_reason(self, node: Node, beam: Beam, act: str, reason: str) -> None:
        node.export_server("py.ending", Ending)
        assert await beam.eval(self.WATCH.format(node.name, act)) == reason

    async def test_is_an_exception_with_its_stack(self, node: Node, beam: Beam) -> None:
        node.export_server("py.ending", Ending)
        code = self.WATCH.format(node.name, "gen_server:cast(P, x)")
        shown = "{#{message := M}, [{_, F, _, _} | _]} = Caught, {M, F}"
        answer = await beam.eval(f"Caught = (fun() -> {code} end)(), {shown}")
        assert answer == '{<<"ValueError: oops">>,handle_cast}'

    @pytest.mark.parametrize("how", ["stop", "disconnect"])
    async def test_is_shutdown_when_the_node_stops_and_noconnection_when_it_is_gone(
        self, beam: Beam, how: str
    ) -> None:
        async with python_node() as node:
            node.export_server("py.ending", Ending)
            watching = asyncio.ensure_future(beam.eval(self.WATCH.format(node.name, "ok")))

            async def is_watching() -> bool:
                return await beam.eval("whereis(watching)") != "undefined"

            await until(is_watching)
            await (node.stop() if how == "stop" else node.disconnect(beam.name))
            assert await watching == {"stop": "shutdown", "disconnect": "noconnection"}[how]


@pytest.mark.beam(elixir=True)
async def test_the_words_of_elixir(node: Node, shared_beam: Beam) -> None:
    node.export_server("py.idle", Idle, name="idle")
    await node.start_supervisor([Child(Idle, name="one")], name="subject")
    sup = f'{{:subject, :"{node.name}"}}'
    counts = await shared_beam.elixir(f"Supervisor.count_children({sup})")
    assert counts == await shared_beam.elixir("%{active: 1, specs: 1, supervisors: 0, workers: 1}")
    spec = '%{id: :two, start: {:"py.idle", :start_link, []}}'
    started = f"{{:ok, pid}} = Supervisor.start_child({sup}, {spec}); is_pid(pid)"
    assert await shared_beam.elixir(started) == "true"
    ids = f"Supervisor.which_children({sup}) |> Enum.map(&elem(&1, 0))"
    assert await shared_beam.elixir(ids) == "[:two, :one]"
    assert await shared_beam.elixir(f"Supervisor.terminate_child({sup}, :two)") == ":ok"
    assert await shared_beam.elixir(f"Supervisor.delete_child({sup}, :two)") == ":ok"
    assert await shared_beam.elixir(f"Supervisor.stop({sup})") == ":ok"
    assert node.whereis("one") is None
