"""Failures read as in Elixir's shell, are bounded, and never raise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from pyerlnode.otp.exception_text import exit_text, failure_text
from pyerlnode.term import Atom, ExportFun, Fun, ImproperList, Pid, TermMap, charlist
from tests.support.terms import terms

if TYPE_CHECKING:
    from pyerlnode.term import Term

ENUM, LISTS, MAP = Atom("Elixir.Enum"), Atom("lists"), Atom("map")
GEN_SERVER, CALL = Atom("Elixir.GenServer"), Atom("call")
STACK = [(LISTS, MAP, 2, [(Atom("file"), charlist("lists.erl")), (Atom("line"), 1338)])]
TERM, FILE, LINE = Atom("term"), Atom("file"), Atom("line")


def a(word: str, *values: Term) -> Term:
    """An atom, or a tuple that begins with one."""
    return (Atom(word), *values) if values else Atom(word)


def struct(name: str, **fields: Term) -> dict[Term, Term]:
    given: dict[Term, Term] = {Atom("__struct__"): Atom(f"Elixir.{name}"), Atom("__exception__"): True}
    return given | {Atom(key): value for key, value in fields.items()}


def first(kind: str, reason: Term, stack: Term = STACK) -> str:
    return failure_text(kind, reason, stack).split("\n", 1)[0]


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (a("badarg"), "** (ArgumentError) argument error"),
        (a("badarith"), "** (ArithmeticError) bad argument in arithmetic expression"),
        (a("system_limit"), "** (SystemLimitError) a system limit has been reached"),
        (a("undef"), "** (UndefinedFunctionError) function :lists.map/2 is undefined or private"),
        (a("function_clause"), "** (FunctionClauseError) no function clause matching in :lists.map/2"),
        (a("badmatch", a("error")), "** (MatchError) no match of right hand side value: :error"),
        (a("case_clause", 1), "** (CaseClauseError) no case clause matching: 1"),
        (a("badkey", a("b")), "** (KeyError) key :b not found"),
        (a("badkey", a("b"), {}), "** (KeyError) key :b not found in: %{}"),
        (a("badbool", a("and"), 1), '** (BadBooleanError) expected a boolean on left-side of "and", got: 1'),
        (a("badmap", 1), "** (BadMapError) expected a map, got: 1"),
        (
            a("badarity", (ExportFun(LISTS, MAP, 2), [1])),
            "** (BadArityError) &:lists.map/2 called with 1 arguments (1)",
        ),
        (a("mine", 1), "** (ErlangError) Erlang error: {:mine, 1}"),
        (b"badarg", '** (ErlangError) Erlang error: "badarg"'),
        ([Atom("badmatch"), 1], "** (ErlangError) Erlang error: [:badmatch, 1]"),
        (struct("RuntimeError", message=b"oh no"), "** (RuntimeError) oh no"),
        (struct("RuntimeError", message="oh no"), "** (RuntimeError) oh no"),
        (TermMap(struct("My.Error", message=b"oh no").items()), "** (My.Error) oh no"),
        (struct("MatchError", term=1), "** (MatchError) no match of right hand side value: 1"),
        (struct("KeyError", key=1, term={}, message=None), "** (KeyError) key 1 not found in: %{}"),
        (struct("ErlangError", original=1), "** (ErlangError) Erlang error: 1"),
        (
            struct("UndefinedFunctionError", module=ENUM, function=MAP, arity=2),
            "** (UndefinedFunctionError) function Enum.map/2 is undefined or private",
        ),
        (
            struct("FunctionClauseError", module=ENUM, function=MAP, arity=2),
            "** (FunctionClauseError) no function clause matching in Enum.map/2",
        ),
        (struct("FunctionClauseError"), "** (FunctionClauseError) no function clause matching in a function"),
        (
            struct("CompileError", description=b"no such thing", file=b"a.ex", line=3),
            "** (CompileError) a.ex:3: no such thing",
        ),
        (
            struct("Protocol.UndefinedError", protocol=Atom("Elixir.Enumerable"), value=1, description=b""),
            "** (Protocol.UndefinedError) protocol Enumerable not implemented for 1",
        ),
        (struct("My.Error", code=7), "** (My.Error) %{code: 7}"),
        ({Atom("__exception__"): True}, "** (ErlangError) Erlang error: %{__exception__: true}"),
    ],
)
def test_errors_have_the_names_that_elixir_gives_them(reason: Term, text: str) -> None:
    assert first("error", reason) == text


@pytest.mark.parametrize(
    ("kind", "reason", "text"),
    [
        ("throw", a("ball", 1), "** (throw) {:ball, 1}"),
        ("exit", a("normal"), "** (exit) normal"),
        ("exit", a("shutdown", 3), "** (exit) shutdown: 3"),
        ("exit", a("boom"), "** (exit) :boom"),
        ("exit", a("mine", 3), "** (exit) {:mine, 3}"),
        ("exit", a("nodedown", a("x@y")), "** (exit) no connection to x@y"),
        ("signal", a("killed"), "** (EXIT) killed"),
        ("signal", a("noproc"), "** (EXIT) no process: it is not alive, or nobody has that name there"),
        ("odd", 1, "** (odd) 1"),
    ],
)
def test_the_other_kinds(kind: str, reason: Term, text: str) -> None:
    assert failure_text(kind, reason) == text


def test_an_exit_of_a_call_tells_what_was_called_and_why_it_ended() -> None:
    crash = (struct("RuntimeError", message=b"oh no\nreally"), STACK)
    called = (GEN_SERVER, CALL, [a("it"), a("do"), 5000])
    assert failure_text("exit", (crash, called)).split("\n") == [
        "** (exit) exited in: GenServer.call(:it, :do, 5000)",
        "    ** (EXIT) an exception was raised:",
        "        ** (RuntimeError) oh no",
        "        really",
        "            lists.erl:1338: :lists.map/2",
    ]


def test_exits_within_exits_are_told_to_a_depth() -> None:
    reason: Term = a("deep")
    for _ in range(1_000):
        reason = (reason, (GEN_SERVER, CALL, []))
    assert exit_text(reason).count("exited in") == 3


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ((LISTS, MAP, 2, []), ":lists.map/2"),
        ((LISTS, MAP, [1, [2]], []), ":lists.map(1, [2])"),
        ((ENUM, Atom("-map/2-fun-0-"), 1, []), "anonymous fn/1 in Enum.map/2"),
        ((ENUM, MAP, 2, [(FILE, b"lib/enum.ex"), (LINE, 7)]), "lib/enum.ex:7: Enum.map/2"),
        ((ENUM, MAP, 2, [(FILE, charlist("lib/enum.ex")), (LINE, 0)]), "lib/enum.ex: Enum.map/2"),
        ((ENUM, MAP, 2, [(FILE, 1), (LINE, b"x"), 7]), "Enum.map/2"),
        ((ExportFun(LISTS, MAP, 2), [1], []), "&:lists.map/2/1"),
        ((1, 2, 3, []), "1.2/3"),
        ((Atom("elixir_eval"), Atom("__FILE__"), 1, [(FILE, b"a.exs"), (LINE, 2)]), "a.exs:2: (file)"),
        (a("odd"), ":odd"),
    ],
)
def test_the_entries_of_a_stack(entry: Term, text: str) -> None:
    assert failure_text("error", a("badarg"), [entry]).split("\n")[1:] == [f"    {text}"]


def test_what_was_called_with_arguments_is_named_by_their_number() -> None:
    stack = [(LISTS, MAP, [1, 2], [])]
    assert first("error", a("undef"), stack).startswith(
        "** (UndefinedFunctionError) function :lists.map/2 is"
    )
    assert first("error", a("undef"), []).endswith("function called there is undefined or private")


def test_a_fun_is_shown_by_its_module() -> None:
    pid = Pid(Atom("a@b"), 1, 0, 1)
    fun = Fun(1, bytes(16), 0, ENUM, 0, 0, pid, ())
    assert (
        first("error", a("badfun", fun))
        == "** (BadFunctionError) expected a function, got: #Function<Enum/1>"
    )


class TestBounds:
    @pytest.mark.filterwarnings("ignore:Generating overly large repr")
    @given(terms(), terms())
    def test_no_term_makes_it_raise(self, reason: Term, stack: Term) -> None:
        for word in ("error", "exit", "throw", "signal"):
            for told in (reason, (reason, stack), ((reason, stack), (LISTS, MAP, [stack]))):
                assert failure_text(word, told, stack).startswith("** (")
        assert exit_text((reason, stack))

    @pytest.mark.filterwarnings("ignore:Generating overly large repr")
    @given(terms(), terms())
    def test_no_exception_makes_it_raise(self, value: Term, other: Term) -> None:
        fields = dict.fromkeys(("message", "term", "key", "description", "file", "line", "module"), value)
        for name in ("KeyError", "MatchError", "CompileError", "UndefinedFunctionError", "My"):
            assert failure_text("error", struct(name, **fields, function=other), [other])

    def test_it_is_bounded(self) -> None:
        huge: list[Any] = [b"x" * 10_000_000, "y" * 10_000_000, [b"z" * 1_000] * 100_000]
        long_stack = [(LISTS, MAP, [b"x" * 1_000] * 1_000, [(FILE, [120] * 100_000)])] * 10_000
        for value in huge:
            for reason in (
                value,
                struct("My", message=value),
                a("badkey", value, value),
                (value, long_stack),
            ):
                for kind in ("error", "exit"):
                    assert len(failure_text(kind, reason, long_stack)) < 20_000

    def test_a_long_stack_is_cut(self) -> None:
        lines = failure_text("error", a("badarg"), STACK * 50).split("\n")
        assert len(lines) == 1 + 20 + 1
        assert lines[-1] == "    ... and 30 more"

    def test_a_terminal_is_told_nothing(self) -> None:
        shown = failure_text(
            "error", struct("My", message=b"\x1b[31mred\xff\nline"), [(ENUM, MAP, 1, [(FILE, b"\x1b")])]
        )
        assert "\x1b" not in shown
        assert shown.split("\n")[1] == "line"

    def test_what_is_no_stack(self) -> None:
        for stack in (1, b"x", ImproperList((1,), 2), {}):
            assert failure_text("error", a("badarg"), stack) == "** (ArgumentError) argument error"
