"""What remote code prints and asks for, when it runs on behalf of a Python process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.term import decode
from tests.interop.nodes import python_node

if TYPE_CHECKING:
    from pyerlnode import Node
    from tests.support.beam import Beam


async def run(node: Node, beam: Beam, text: str) -> Any:
    """Evaluates Erlang over there, with our group leader."""
    peer = str(beam.name)
    _, tokens, _ = await node.rpc(peer, "erl_scan", "string", [[*map(ord, text)]])
    _, forms = await node.rpc(peer, "erl_parse", "parse_exprs", [tokens])
    _, value, _ = await node.rpc(peer, "erl_eval", "exprs", [forms, []])
    return value


async def test_output_comes_out_here_formatted_as_there(shared_beam: Beam) -> None:
    printed: list[str] = []
    cases = [
        ('io:format("~p ~s ~w~n", [{a, "b", [1.5]}, "text", [$a]]).', '{a,"b",[1.5]} text [97]\n'),
        ('io:format("~ts~n", [[8364, <<"é"/utf8>>]]).', "€é\n"),
        ('io:put_chars([$a, <<"b">>, ["c"]]).', "abc"),
        ('io:format("~5..0B|~-6s|~.2f|~80p", [42, "ab", 1.005, lists:seq(1, 3)]).', None),
        ("io:nl().", "\n"),
        ('io:write({x, "y"}).', "{x,[121]}"),
    ]
    async with python_node(output=printed.append) as node:
        for text, expected in cases:
            printed.clear()
            assert await run(node, shared_beam, text) == "ok"
            wanted = expected
            if wanted is None:
                arguments = text.removeprefix("io:format(").removesuffix(").")
                wanted = await shared_beam.eval(f"lists:flatten(io_lib:format({arguments}))")
                assert f'"{"".join(printed)}"' == wanted
            else:
                assert "".join(printed) == wanted


WRONG = [
    'io:format("~d", [a])',
    "io:put_chars([a])",
    "io:put_chars([16#D800])",
    "io:request({put_chars, unicode, x})",
]


@pytest.mark.parametrize("code", WRONG)
async def test_what_cannot_be_printed_fails_as_it_does_there(shared_beam: Beam, code: str) -> None:
    show = "try {} of X -> X catch C:R -> {{C, R}} end"
    async with python_node(output=unprinted) as node:
        here = await run(node, shared_beam, f"{show.format(code)}.")
    there = await shared_beam.eval_bytes(f"group_leader(whereis(user), self()), {show.format(code)}")
    if shared_beam.otp < 27 and "request" in code:  # what older ones say is less
        assert decode(there) == ("error", "put_chars")
        assert here == ("error", ("put_chars", "unicode", "x"))
    else:
        assert here == decode(there)


@pytest.mark.beam(since=27)
async def test_bytes_that_are_no_text_are_refused_as_there(shared_beam: Beam) -> None:
    code = "try io:put_chars(<<255>>) of X -> X catch C:R -> {C, R} end"
    async with python_node(output=unprinted) as node:
        assert await run(node, shared_beam, f"{code}.") == decode(await shared_beam.eval_bytes(code))


def unprinted(text: str) -> None:
    raise AssertionError(f"{text!r} was printed")


async def test_output_keeps_its_order(shared_beam: Beam) -> None:
    printed: list[str] = []
    text = """
    [begin io:format("~b ", [N]), io:put_chars(integer_to_list(N) ++ "\\n") end || N <- lists:seq(1, 50)], ok.
    """
    async with python_node(output=printed.append) as node:
        assert await run(node, shared_beam, text) == "ok"
    assert "".join(printed) == "".join(f"{n} {n}\n" for n in range(1, 51))


async def test_input_is_asked_for_here(shared_beam: Beam) -> None:
    printed: list[str] = []
    lines = ["first\n", "{a, [1,\n", "2]}. rest\n", "abcdef\n", "é\n"]

    def read() -> str:
        return lines.pop(0) if lines else ""

    async with python_node(output=printed.append, input=read) as node:
        assert await run(node, shared_beam, 'io:get_line("name? ").') == b"first\n"
        assert await run(node, shared_beam, 'io:read("term> ").') == ("ok", ("a", [1, 2]))
        assert await run(node, shared_beam, "io:get_line([]).") == b"rest\n"
        assert await run(node, shared_beam, 'io:get_chars("> ", 3).') == b"abc"
        assert await run(node, shared_beam, 'io:setopts([{binary, false}]), io:get_line("").') == [*b"def\n"]
        assert await run(node, shared_beam, 'io:get_line("").') == [0xE9, 10]
        assert await run(node, shared_beam, 'io:get_line("").') == "eof"
        assert await run(node, shared_beam, 'io:read("").') == "eof"
    assert "".join(printed) == "name? term> term> > "


@pytest.mark.beam(elixir=True)
async def test_elixir_prints_and_asks_here(shared_beam: Beam) -> None:
    printed: list[str] = []
    lines = ["Ada\n"]
    code = """
    IO.puts("hello, " <> String.trim(IO.gets("name? ")))
    IO.inspect(%{a: [1, 2.0, "x"]}, label: "seen")
    IO.write(["é", ?!])
    """
    async with python_node(output=printed.append, input=lambda: lines.pop(0) if lines else "") as node:
        await node.rpc(str(shared_beam.name), "Elixir.Code", "eval_string", [code])
    assert "".join(printed) == 'name? hello, Ada\nseen: %{a: [1, 2.0, "x"]}\né!'


async def test_a_parser_that_fails_is_an_error_of_its_name(shared_beam: Beam) -> None:
    async with python_node(input=lambda: "a\n") as node:
        for module, function in (("nobody", "parse"), ("erlang", "hd")):
            request = f"io:request({{get_until, unicode, '', {module}, {function}, []}})."
            assert await run(node, shared_beam, request) == ("error", function)


async def test_one_that_waits_for_input_holds_up_no_output(shared_beam: Beam) -> None:
    printed: list[str] = []
    typed = asyncio.Event()
    loop = asyncio.get_running_loop()

    def read() -> str:
        asyncio.run_coroutine_threadsafe(typed.wait(), loop).result(30)
        return "at last\n"

    async with python_node(output=printed.append, input=read) as node:
        asking = asyncio.create_task(run(node, shared_beam, 'io:get_line("? ").'))
        while "? " not in printed:
            await asyncio.sleep(0.01)
        assert await run(node, shared_beam, 'io:format("meanwhile").') == "ok"
        typed.set()
        assert await asking == b"at last\n"
    assert printed == ["? ", "meanwhile"]
