"""The terms that the codec is measured with, as a real BEAM's ``term_to_binary`` writes them.

Made at every run by the Erlang of this machine, with ``{minor_version, 2}``: atoms in UTF-8, as OTP 26 and
later send them by default.  All but t02 (which has a pid and a reference) are the same on every BEAM.
"""

from __future__ import annotations

from tests.support.beam import Beam
from tests.support.beams import host_release
from tests.support.epmd import Epmd

LARGE = "t07"
"""A single binary: a copy and no decoding, so means leave it out."""

SOURCES = {
    "t01": "{ok, 42}",
    "t02": """
        {'$gen_call', {self(), [alias | make_ref()]}, {predict, #{
            <<"model">> => <<"sentiment-large">>, <<"version">> => 3, <<"stream">> => false, top_k => 5,
            <<"temperature">> => 0.7, <<"stop">> => [<<"###">>],
            <<"prompt">> => <<"The quick brown fox jumps over the lazy dog.">>, meta => #{
                node => 'web@web-1.example.com', <<"trace">> => <<"4bf92f3577b34da6a3ce929d0e0e4736">>}}}}""",
    "t03": """
        maps:from_list(
            [{<<"key_", (integer_to_binary(I))/binary>>, I * 100000} || I <- lists:seq(1, 10)] ++
            [{<<"name_", (integer_to_binary(I))/binary>>, <<"the value ", (integer_to_binary(I))/binary>>}
             || I <- lists:seq(1, 10)])""",
    "t04a": "[I rem 256 || I <- lists:seq(1, 1000)]",
    "t04b": "[(I * 16#9E3779B97F4A7C15) rem (1 bsl (8 * (1 + I rem 8) - 1)) || I <- lists:seq(1, 1000)]",
    "t05": "[math:sin(I) * I || I <- lists:seq(1, 1000)]",
    "t06": """
        #{<<"total">> => 50, <<"page">> => 1, <<"items">> => [#{
            id => I, <<"name">> => <<"Item number ", (integer_to_binary(I))/binary>>, <<"price">> => I * 1.25,
            <<"tags">> => [<<"alpha">>, <<"beta">>, new], <<"in_stock">> => I rem 3 =/= 0,
            <<"size">> => {I, I * 2, I * 3}, status => active,
            <<"owner">> => #{<<"id">> => I * 7919, <<"mail">> => <<"someone@example.com">>, since => nil}
        } || I <- lists:seq(1, 42)]}""",
    "t07": "binary:copy(<<0, 1, 2, 3, 4, 5, 6, 7>>, 131072)",
    "t08": """
        [{lists:nth(1 + I rem 4, [ok, error, pending, cancelled]), I * 37, I / 7,
          <<"row ", (integer_to_binary(I))/binary>>} || I <- lists:seq(1, 10000)]""",
}

TITLES = {
    "t01": "t01 {ok, 42}",
    "t02": "t02 a gen_server call",
    "t03": "t03 a map of 20 binary keys",
    "t04a": "t04a 1000 integers up to 255",
    "t04b": "t04b 1000 integers of 1 to 8 bytes",
    "t05": "t05 1000 floats",
    "t06": "t06 a nested document",
    "t07": "t07 a 1 MiB binary",
    "t08": "t08 10,000 rows {atom, int, float, binary}",
}
ENCODED = "term_to_binary({}, [{{minor_version, 2}}])"


def make() -> dict[str, bytes]:
    """Each vector, 131 first."""
    release = host_release()
    if release is None:
        raise LookupError("the vectors come from a real BEAM: install Erlang (Debian: erlang-base)")
    with Epmd() as epmd:
        beam = Beam(release, name="vectors@127.0.0.1", epmd_port=epmd.port).boot()
        try:
            answers = {name: beam.ask_bytes(ENCODED.format(source)) for name, source in SOURCES.items()}
        finally:
            beam.close()
    return {name: _unpacked(answer) for name, answer in answers.items()}


def _unpacked(answer: bytes) -> bytes:
    """What is in the one binary that `answer` is: 131, 109, four octets of length."""
    return answer[6:]
