"""``pyerlnode rpc`` and ``eval`` with real BEAMs: what is printed, what comes back, how failures read."""

from __future__ import annotations

import asyncio
import json
import signal
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


def shell(line: str, beam: Beam) -> tuple[str, str]:
    """What a shell prints that runs `line`, in which PY is the command and NODE the node."""
    words = line.replace("PY", f"{sys.executable} -m pyerlnode").replace(
        "NODE", f"{beam.name} --cookie cookie"
    )
    done = subprocess.run(["bash", "-c", words], capture_output=True, text=True, check=False)
    return done.stdout, done.stderr


PRINT = "'[io:format(\"~b~n\", [N]) || N <- lists:seq(1, 100000)]' --erl"


def test_a_reader_that_goes_away_ends_the_command(shared_beam: Beam) -> None:
    assert shell(f"PY eval NODE {PRINT} | head -1; echo ${{PIPESTATUS[0]}}", shared_beam) == ("1\n0\n", "")


def test_a_full_disk_is_told_in_one_line(shared_beam: Beam) -> None:
    for code in ("1", "io:nl()"):
        out, err = shell(f"PY eval NODE '{code}' --erl >/dev/full; echo $?", shared_beam)
        assert out == "1\n"
        assert err == "pyerlnode: [Errno 28] No space left on device\n"


async def test_an_interrupted_command_says_nothing(shared_beam: Beam) -> None:
    words = [sys.executable, "-m", "pyerlnode", "eval", shared_beam.name, "io:get_line('? ')", "--erl"]
    pipe = asyncio.subprocess.PIPE
    running = await asyncio.create_subprocess_exec(
        *words, "--cookie", "cookie", "--timeout", "50", stdin=pipe, stdout=pipe, stderr=pipe
    )
    assert running.stdout is not None
    assert await running.stdout.readexactly(2) == b"? "
    running.send_signal(signal.SIGINT)
    assert await running.communicate() == (b"", b"")
    assert running.returncode == 130


def test_output_is_not_cut(shared_beam: Beam) -> None:
    status, out, err = pyerlnode(
        "eval", shared_beam.name, "io:put_chars(lists:duplicate(1500000, $x))", "--erl"
    )
    assert (status, out, err) == (0, "x" * 1_500_000 + "ok\n", "")


def test_one_that_is_killed_is_told_in_one_line(shared_beam: Beam) -> None:
    status, out, err = pyerlnode("eval", shared_beam.name, "exit(self(), kill)", "--erl")
    assert (status, out) == (1, "")
    assert err.startswith("pyerlnode: ")
    assert "killed" in err
    assert err.count("\n") == 1


@pytest.mark.beam(elixir=True)
async def test_a_process_that_a_module_names(shared_beam: Beam) -> None:
    await shared_beam.elixir("{:ok, _} = Agent.start(fn -> 7 end, name: My.Agent)")
    words = ("call", shared_beam.name, "My.Agent", "{:get, &Function.identity/1}")
    assert pyerlnode(*words) == (0, "7\n", "")


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
    assert not err.endswith("\n\n")
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
