"""``pyerlnode rpc`` and ``eval`` with real BEAMs: what is printed, what comes back, how failures read."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.interop.conftest import Starter
    from tests.support.beam import Beam


def pyerlnode(*words: str, typed: str = "") -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "pyerlnode", *words, "--cookie", "cookie"],
        input=typed,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_rpc_calls_erlang(shared_beam: Beam) -> None:
    assert pyerlnode("rpc", shared_beam.name, ":lists", "sum", "[[1, 2, 3]]") == (0, "6\n", "")
    assert pyerlnode("rpc", shared_beam.name, "erlang", "node") == (0, f':"{shared_beam.name}"\n', "")


def test_rpc_prints_what_the_function_prints_then_its_result(shared_beam: Beam) -> None:
    words = ("rpc", shared_beam.name, ":io", "format", "['~p ~ts~n', [{:a, 1}, \"é\"]]")
    assert pyerlnode(*words) == (0, "{a,1} é\n:ok\n", "")
    status, out, err = pyerlnode(*words[:-1], '["~p~n", [[1, 2]]]', "--json")
    assert (status, json.loads(out), err) == (0, "ok", "[1,2]\n")


@pytest.mark.beam(elixir=True)
def test_rpc_shows_structs_as_elixir_does(shared_beam: Beam) -> None:
    assert pyerlnode("rpc", shared_beam.name, "Date", "from_iso8601!", '["2026-11-22"]') == (
        0,
        "~D[2026-11-22]\n",
        "",
    )
    assert pyerlnode("rpc", shared_beam.name, "String", "upcase", '["hello"]') == (0, '"HELLO"\n', "")


@pytest.mark.beam(elixir=True)
def test_a_failure_reads_as_in_iex(shared_beam: Beam) -> None:
    status, out, err = pyerlnode("rpc", shared_beam.name, ":erlang", "hd", "[[]]")
    assert (status, out) == (1, "")
    assert err.startswith("** (ArgumentError) ")
    assert ":erlang.hd([])" in err
    status, _, err = pyerlnode("rpc", shared_beam.name, "Nobody", "home", "[]")
    assert (status, err.startswith("** (UndefinedFunctionError) function Nobody.home/0 is undefined")) == (
        1,
        True,
    )
    assert pyerlnode("rpc", shared_beam.name, ":erlang", "throw", "[:ball]")[2].startswith("** (throw) :ball")
    assert pyerlnode("rpc", shared_beam.name, ":erlang", "exit", "[:bye]")[2].startswith("** (exit) :bye")


@pytest.mark.beam(since=25)
def test_a_failure_reads_as_in_erl(shared_beam: Beam) -> None:
    status, out, err = pyerlnode("eval", shared_beam.name, "1 / zero()", "--erl")
    assert (status, out) == (1, "")
    assert "undef" in err


def test_a_function_that_takes_too_long(shared_beam: Beam) -> None:
    status, out, err = pyerlnode("rpc", shared_beam.name, ":timer", "sleep", "[60000]", "--timeout", "1")
    assert (status, out) == (1, "")
    assert err.count("\n") == 1


@pytest.mark.beam(elixir=True)
def test_eval_prints_what_the_code_prints_then_its_value(shared_beam: Beam) -> None:
    code = 'IO.puts("hello, " <> String.trim(IO.gets("name? "))); Enum.map([1, 2], &(&1 * 2))'
    assert pyerlnode("eval", shared_beam.name, code, typed="Ada\n") == (0, "name? hello, Ada\n[2, 4]\n", "")


@pytest.mark.beam(elixir=True)
def test_eval_of_what_is_no_elixir(shared_beam: Beam) -> None:
    status, out, err = pyerlnode("eval", shared_beam.name, "1 +")
    assert (status, out) == (1, "")
    assert err.startswith("** (TokenMissingError)")


def test_eval_erlang(shared_beam: Beam) -> None:
    for code in ("X = lists:seq(1, 3), {X, lists:sum(X)}", "X = lists:seq(1, 3), {X, lists:sum(X)}.\n"):
        assert pyerlnode("eval", shared_beam.name, code, "--erl") == (0, "{[1,2,3],6}\n", "")
    assert pyerlnode("eval", shared_beam.name, 'io:format("~p~n", [a])', "--erl") == (0, "a\nok\n", "")


def test_eval_of_what_is_no_erlang(shared_beam: Beam) -> None:
    for code in ("1 +", "'open", "1 2"):
        status, out, err = pyerlnode("eval", shared_beam.name, code, "--erl")
        assert (status, out) == (1, "")
        assert err.startswith("pyerlnode: this is no Erlang: ")
        assert err.count("\n") == 1


async def test_several_nodes_at_once(beams: Starter, shared_beam: Beam) -> None:
    other = await beams(shared_beam.release)
    peers = f"{shared_beam.name},{other.name}"
    status, out, err = pyerlnode("rpc", peers, ":erlang", "node", "--json")
    assert (status, json.loads(out), err) == (0, {n: n for n in (shared_beam.name, other.name)}, "")
    status, out, _ = pyerlnode("eval", peers, "node().", "--erl")
    assert out == f"{shared_beam.name}: '{shared_beam.name}'\n{other.name}: '{other.name}'\n"
