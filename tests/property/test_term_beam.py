"""The BEAM is the judge: what we write it reads as the same term, what it writes we hand back unchanged."""

from __future__ import annotations

import os
import re
import struct
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from pyerlnode.term import decode, encode
from pyerlnode.term.maps import exact
from pyerlnode.term.text import parse_elixir, parse_erlang, to_elixir, to_erlang
from tests.support import beams
from tests.support.beam import Beam
from tests.support.terms import literals, terms
from tests.vectors.golden import Golden, load

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.beam, pytest.mark.filterwarnings("ignore:Generating overly large repr")]

BEAM = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])

GENERATE = """
Rnd = fun(N) -> rand:uniform(N) - 1 end,
Pick = fun(L) -> lists:nth(rand:uniform(length(L)), L) end,
Int = fun() -> (Rnd(3) - 1) * (Rnd(1 bsl Rnd(70)+1) bsl Pick([0, 0, 0, 1, 31, 64, 2032])) end,
Chars = fun() -> [Pick([$a, $\\s, 16#e9, 16#3bb, 16#1f600]) || _ <- lists:seq(1, Rnd(20))] end,
Leaf = fun() ->
    case Rnd(14) of
        0 -> Int();
        1 -> Rnd(300);
        2 -> (rand:uniform() - 0.5) * math:pow(10, Rnd(300) - 150);
        3 -> Pick([0.0, 1.0, -1.0, 1, 0, -1, true, false, nil, undefined, [], {}, <<>>, #{}]);
        4 -> list_to_atom(Chars());
        5 -> unicode:characters_to_binary(Chars());
        6 -> rand:bytes(Rnd(20));
        7 -> <<(Rnd(1 bsl 30)):(Rnd(64))>>;
        8 -> Chars();
        9 -> self();
        10 -> make_ref();
        11 -> hd(erlang:ports());
        12 -> fun lists:map/2;
        13 -> [rand:uniform(256) - 1 || _ <- lists:seq(1, Rnd(50))]
    end
end,
Gen = fun Gen(0) -> Leaf();
    Gen(D) ->
        Some = fun() -> [Gen(D - 1) || _ <- lists:seq(1, Rnd(5))] end,
        case Rnd(8) of
            0 -> list_to_tuple(Some());
            1 -> Some();
            2 -> Some() ++ Leaf();
            3 -> maps:from_list([{Gen(D - 1), Gen(D - 1)} || _ <- lists:seq(1, Rnd(5))]);
            4 -> maps:from_list([{Pick([1, 1.0, true, {1}, {1.0}, [1], #{1 => 1}]), V} || V <- Some()]);
            5 -> V = Some(), fun(X) -> {X, V} end;
            6 -> erlang:make_tuple(Rnd(300), Leaf());
            7 -> Leaf()
        end
end,
"""
"""Erlang that binds Gen/1: a random term of at most so many levels."""


def _numbers() -> list[int]:
    """The releases this run is about: those of PYERLNODE_RELEASES, else all that we promise or find."""
    found = {release.otp for release in beams.releases()}
    return sorted(found if os.environ.get("PYERLNODE_RELEASES") else found | set(beams.EXPECTED))


def _release(otp: int) -> Any:
    found = {release.otp: release for release in beams.releases()}
    release = found.get(otp)
    reason = release.problem if release else f"OTP {otp} is not on this machine: `make beams` installs it"
    return pytest.param(release, id=f"otp{otp}", marks=pytest.mark.skip(reason=reason) if reason else ())


WITH_ELIXIR = [_release(otp) for otp in _numbers() if otp != 28]  # which comes as a wheel, without Elixir


@pytest.fixture(scope="module", params=[_release(otp) for otp in _numbers()])
def beam(request: pytest.FixtureRequest) -> Iterator[Beam]:
    beam = Beam(request.param, distributed=False, elixir=request.param.elixir is not None).boot()
    yield beam
    beam.close()


def test_what_we_write_the_beam_reads_as_the_same_term(beam: Beam) -> None:
    """Sent out and back: the BEAM's own encoding must mean the same to us, and both be =:= there."""

    @BEAM
    @given(terms(with_records=False))
    def check(term: Any) -> None:
        data = encode(term)
        back = _binary(beam.ask_bytes("term_to_binary(binary_to_term(B))", B=data))
        assert beam.ask("binary_to_term(A) =:= binary_to_term(B)", A=encode(decode(back)), B=data) == "true"
        if beam.otp >= 27:  # before, the BEAM itself lets 0.0 and -0.0 be one key of a map
            assert exact(decode(back)) == exact(term)

    check()


@pytest.mark.parametrize("round_", range(3))
def test_what_the_beam_writes_comes_back_the_same(beam: Beam, round_: int) -> None:
    source = GENERATE.replace("rand:bytes", "crypto:strong_rand_bytes") if beam.otp < 24 else GENERATE
    answer = beam.ask_bytes(
        source
        + f"_ = rand:seed(exsss, {{{round_}, 2, 3}}), [term_to_binary(Gen(4)) || _ <- lists:seq(1, 50)]",
        timeout=30,
    )
    ours = []
    theirs = decode(answer)
    assert len(theirs) == 50
    for data in theirs:
        term = decode(data)
        ours.append(encode(term))
        assert exact(decode(ours[-1])) == exact(term)
    pairs = [struct.pack(">II", len(a), len(b)) + a + b for a, b in zip(theirs, ours, strict=True)]
    same = "[binary_to_term(A) =:= binary_to_term(B) || <<S:32, T:32, A:S/binary, B:T/binary>> <= P]"
    assert beam.ask(f"{same} =:= lists:duplicate(50, true)", P=b"".join(pairs)) == "true"


def test_erlang_reads_what_we_print(beam: Beam) -> None:
    parse = (
        "{ok, T, _} = erl_scan:string(unicode:characters_to_list(S)), {ok, [X]} = erl_parse:parse_exprs(T),"
        "{value, V, _} = erl_eval:expr(X, []), V =:= binary_to_term(B)"
    )

    @BEAM
    @given(literals())
    def check(term: Any) -> None:
        if beam.otp < 27 and "-0.0" in to_erlang(term):
            return  # older compilers take -0.0 for 0.0
        assert beam.ask(parse, S=f"{to_erlang(term)}.".encode(), B=encode(term)) == "true"

    check()


def test_we_read_what_erlang_prints(beam: Beam) -> None:
    @BEAM
    @given(literals())
    def check(term: Any) -> None:
        if beam.otp < 25 and "-0.0" in to_erlang(term):
            return  # older ones print -0.0 as 0.0
        printed = beam.ask_bytes(
            'unicode:characters_to_binary(io_lib:format("~0tp", [binary_to_term(B)]))', B=encode(term)
        )
        assert exact(parse_erlang(_binary(printed).decode())) == exact(term)

    check()


@pytest.mark.parametrize("beam", WITH_ELIXIR, indirect=True)
def test_we_read_what_elixir_inspects(beam: Beam) -> None:
    @BEAM
    @given(literals())
    def check(term: Any) -> None:
        if beam.otp < 25 and "-0.0" in to_erlang(term):
            return  # older ones print -0.0 as 0.0
        printed = beam.ask_bytes(
            "'Elixir.Kernel':inspect(binary_to_term(B), "
            "[{limit, infinity}, {printable_limit, infinity}, {width, infinity}])",
            B=encode(term),
        )
        assert exact(parse_elixir(_binary(printed).decode())) == exact(term)

    check()


@pytest.mark.parametrize("beam", WITH_ELIXIR, indirect=True)
def test_elixir_reads_what_we_print(beam: Beam) -> None:
    @BEAM
    @given(literals())
    def check(term: Any) -> None:
        evaluate = "element(1, 'Elixir.Code':eval_string(S)) =:= binary_to_term(B)"
        assert beam.ask(evaluate, S=to_elixir(term).encode(), B=encode(term)) == "true"

    check()


def test_we_print_as_erlang_does(beam: Beam) -> None:
    for golden in _printed_alike():
        ask = 'unicode:characters_to_binary(io_lib:format("~0tp", [binary_to_term(B)]))'
        printed = _binary(beam.ask_bytes(ask, B=golden.data)).decode()
        assert to_erlang(decode(golden.data)) == printed, golden


@pytest.mark.parametrize("beam", WITH_ELIXIR, indirect=True)
def test_we_print_as_elixir_does(beam: Beam) -> None:
    for golden in _printed_alike():
        ask = "'Elixir.Kernel':inspect(binary_to_term(B), [{limit, infinity}, {width, infinity}])"
        printed = _binary(beam.ask_bytes(ask, B=golden.data)).decode()
        assert to_elixir(decode(golden.data)) == re.sub("'(abc|v)'", r'~c"\1"', printed), golden


def _printed_alike() -> list[Golden]:
    """The golden terms that print alike everywhere: no large maps, whose order is the BEAM's own secret."""
    apart = ("maps:from_list", "#{'__struct__'", "deterministic", "lists:duplicate(1000", "0.0 * -1")
    terms = [golden for golden in load(25) if golden.is_same_everywhere and not golden.name.startswith(apart)]
    return [golden for golden in terms if r"\x{65e5}" not in golden.name]  # scripts, where releases differ


def _binary(answer: bytes) -> bytes:
    found = decode(answer)
    assert type(found) is bytes
    return found
