"""Exit reasons: Python's ends in Erlang's terms, bounded."""

from __future__ import annotations

import asyncio

import pytest

from pyerlnode.errors import Exit, NameTaken
from pyerlnode.otp import functions
from pyerlnode.runtime.actor import Reactor
from pyerlnode.runtime.exits import (
    MESSAGE_LIMIT,
    NORMAL,
    STACK_LIMIT,
    encodable,
    is_reason,
    reason_of,
    stack_of,
    undef,
)
from pyerlnode.term import Atom, ImproperList, decode_bare, encode_bare
from tests.support.nodes import make_router
from tests.support.threads import worker_threads


def raised(error: BaseException) -> BaseException:
    try:
        raise error  # noqa: TRY301 - to give it a traceback
    except BaseException as caught:
        return caught


def test_exit_chooses_the_reason() -> None:
    assert reason_of(Exit((Atom("shutdown"), 1))) == (Atom("shutdown"), 1)


def test_a_crash_is_an_elixir_exception_with_a_stacktrace() -> None:
    struct, stack = reason_of(raised(ValueError("so wrong")))
    assert struct == {
        "__struct__": "Elixir.RuntimeError",
        "__exception__": True,
        "message": b"ValueError: so wrong",
    }
    (module, function, arity, where), *_ = stack
    assert (module, function, arity) == ("test_exits", "raised", 0)
    assert dict(where)["line"] > 0
    assert bytes(dict(where)["file"]).endswith(b"test_exits.py")
    assert decode_bare(encode_bare(stack))[0] == stack


def test_a_message_without_end_is_cut() -> None:
    message = reason_of(ValueError("x" * 10_000))[0]["message"]
    assert len(message) == MESSAGE_LIMIT + 3
    assert message.endswith(b"...")


def test_an_error_that_cannot_say_what_it_is_has_a_reason_all_the_same() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert reason_of(Mute())[0]["message"] == b"Mute"


def test_text_that_utf8_cannot_carry_is_replaced() -> None:
    assert reason_of(ValueError("\ud800"))[0]["message"] == b"ValueError: ?"


def test_deep_tracebacks_keep_the_innermost_calls() -> None:
    def deep(level: int) -> None:
        if level == 0:
            raise KeyError("deep")
        deep(level - 1)

    with pytest.raises(KeyError) as caught:
        deep(100)
    assert len(stack_of(caught.value)) == STACK_LIMIT


@pytest.mark.parametrize("plain", [True, False])
async def test_the_stack_begins_where_the_users_code_does(plain: bool) -> None:
    def simple() -> None:
        raise KeyError("deep")

    async def coroutine() -> None:
        simple()

    with worker_threads() as pool, pytest.raises(KeyError) as caught:
        await functions.run(lambda: pool, simple if plain else coroutine)
    error = caught.value.with_traceback(caught.tb.tb_next)  # without the frame of this test
    called = ["simple"] if plain else ["simple", "coroutine"]
    assert [entry[1] for entry in stack_of(error)] == called


def test_an_error_of_our_own_has_a_stack_too() -> None:
    with pytest.raises(NameTaken) as caught:
        make_router().registry.register("undefined", Reactor(make_router(), print))
    error = caught.value.with_traceback(caught.tb.tb_next)
    assert [entry[:2] for entry in stack_of(error)] == [("registry", "register")]


def test_names_too_long_for_an_atom_are_cut() -> None:
    source = compile(f"def {'f' * 300}(): raise ValueError\n{'f' * 300}()", "x" * 300, "exec")
    with pytest.raises(ValueError) as caught:
        exec(source, {})
    module, function, *_ = stack_of(caught.value)[0]
    assert (len(module), len(function)) == (255, 255)


def test_what_has_no_term_is_described() -> None:
    assert encodable(object)[0] == "python_reason"
    assert reason_of(Exit(object))[0] == "python_reason"
    assert encodable([1]) == [1]


def test_reasons_are_atoms_and_nothing_that_looks_like_one() -> None:
    assert is_reason(Atom("normal"), NORMAL)
    assert not is_reason("normal", NORMAL)
    assert not is_reason(b"normal", NORMAL)


def test_undef_names_the_call() -> None:
    assert undef(Atom("m"), Atom("f"), [1]) == (Atom("undef"), [("m", "f", [1], [])])


def test_a_call_with_what_is_no_list_of_arguments_is_badarg() -> None:
    args = ImproperList((1,), 2)
    assert undef(Atom("m"), Atom("f"), args) == ("badarg", [("erlang", "apply", ["m", "f", args], [])])


def test_a_cancellation_has_a_reason_too() -> None:
    assert reason_of(raised(asyncio.CancelledError()))[0]["message"] == b"CancelledError: "
