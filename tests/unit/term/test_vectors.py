"""The golden terms of every OTP release: what a real BEAM wrote is read, and written again as it was."""

from __future__ import annotations

import pytest

from pyerlnode.errors import DecodeError
from pyerlnode.term import Atom, ExportFun, ImproperList, Port, Record, TermMap, decode, encode
from pyerlnode.term.containers import BitString
from pyerlnode.term.maps import exact
from tests.vectors.golden import Golden, load

GOLDEN = load()
READABLE = [golden for golden in GOLDEN if not golden.is_refused]

A = Atom
MEANT = {
    "0": 0,
    "255": 255,
    "256": 256,
    "-1": -1,
    "2147483647": 2**31 - 1,
    "-2147483648": -(2**31),
    "2147483648": 2**31,
    "-2147483649": -(2**31) - 1,
    "-(1 bsl 63)": -(2**63),
    "(1 bsl 2040) - 1": 2**2040 - 1,
    "-((1 bsl 2040) - 1)": 1 - 2**2040,
    "1 bsl 2040": 2**2040,
    "-(1 bsl 4099)": -(2**4099),
    "0.0": 0.0,
    "0.0 * -1": -0.0,
    "-1.0e308": -1.0e308,
    "5.0e-324": 5.0e-324,
    "ok": A("ok"),
    "true": True,
    "false": False,
    "nil": None,
    "undefined": A("undefined"),
    "''": A(""),
    r"'\x{e9}t\x{e9}'": A("été"),
    r"'\x{65e5}\x{672c}\x{8a9e}'": A("日本語"),
    r"'\0'": A("\0"),
    "list_to_atom(lists:duplicate(255, $a))": A("a" * 255),
    "list_to_atom(lists:duplicate(255, 16#e9))": A("é" * 255),
    "list_to_atom(lists:duplicate(255, 16#1f600))": A("😀" * 255),
    "{}": (),
    "{a, {b, {c}}}": (A("a"), (A("b"), (A("c"),))),
    "erlang:make_tuple(256, 0)": (0,) * 256,
    "[]": [],
    '"abc"': [97, 98, 99],
    "lists:seq(0, 255)": list(range(256)),
    "[256]": [256],
    "[1.0, a]": [1.0, A("a")],
    "[1, 2 | 3]": ImproperList((1, 2), 3),
    '[[a | b] | "c"]': [ImproperList((A("a"),), A("b")), 99],
    "[97 | <<>>]": ImproperList((97,), b""),
    '<<"abc">>': b"abc",
    r'<<"\x{65e5}\x{1f600}"/utf8>>': "日😀".encode(),
    "<<1:1>>": BitString(b"\x80", 1),
    "<<0:1>>": BitString(b"\x00", 1),
    "<<255, 3:7>>": BitString(b"\xff\x06", 7),
    "#{}": {},
    '#{<<"k">> => "v", k => #{}}': {b"k": [118], A("k"): {}},
    "#{1 => a, 1.0 => b}": TermMap([(1, A("a")), (1.0, A("b"))]),
    "#{1 => a, true => b, 0 => c}": TermMap([(1, A("a")), (True, A("b")), (0, A("c"))]),
    "#{[1] => 1, [1.0] => 2}": TermMap([([1], 1), ([1.0], 2)]),
    "#{{1} => a, {1.0} => b, {true} => c}": TermMap([((1,), A("a")), ((1.0,), A("b")), ((True,), A("c"))]),
    "#{#{1 => 1} => x, #{1.0 => 1} => y}": TermMap([({1: 1}, A("x")), ({1.0: 1}, A("y"))]),
    "#{'__struct__' => 'Elixir.Foo', a => nil}": {A("__struct__"): A("Elixir.Foo"), A("a"): None},
    "fun lists:map/2": ExportFun(A("lists"), A("map"), 2),
    "fun nil:true/0": ExportFun(A("nil"), A("true"), 0),
    "compressed": [(A("a"), 1)] * 1000,
    "compressed 9": b"\1\2\3" * 1000,
    "minor version 0": (1.5, -0.1, 1.0e300, A("atom"), A("é"), A("λ"), b"\1", BitString(b"\x80", 1)),
    "both zeros": TermMap([(0.0, A("plus")), (-0.0, A("minus"))]),
    "records": (
        Record(
            A("golden"),
            A("pub"),
            (
                (A("x"), [5]),
                (A("y"), Record(A("golden"), A("priv"), ((A("a"), 1), (A("b"), 7.0)), False)),
            ),
            True,
        ),
        Record(A("golden"), A("empty"), (), False),
    ),
}


def test_there_is_a_file_for_each_kind_of_release() -> None:
    assert {golden.otp for golden in GOLDEN} == {23, 25, 27, 28, 29}


def test_what_is_meant_names_existing_vectors() -> None:
    assert MEANT.keys() <= {golden.name for golden in GOLDEN}


@pytest.mark.parametrize("golden", [g for g in GOLDEN if g.name in MEANT], ids=str)
def test_a_golden_term_means_what_its_source_says(golden: Golden) -> None:
    assert exact(decode(golden.data)) == exact(MEANT[golden.name])


@pytest.mark.parametrize("golden", READABLE, ids=str)
def test_a_golden_term_is_written_again(golden: Golden) -> None:
    term = decode(golden.data)
    again = encode(term)
    assert exact(decode(again)) == exact(term)
    if golden.is_canonical and not isinstance(term, Port):
        assert again == golden.data


@pytest.mark.parametrize("golden", [g for g in READABLE if "compressed" not in g.name], ids=str)
def test_a_golden_term_cut_short_is_refused(golden: Golden) -> None:
    ends = (
        range(len(golden.data))
        if len(golden.data) < 400
        else [*range(200), *range(200, len(golden.data), 97)]
    )
    for end in ends:
        with pytest.raises(DecodeError) as caught:
            decode(golden.data[:end])
        assert 0 <= caught.value.offset <= end


@pytest.mark.parametrize("golden", [g for g in READABLE if g.name.startswith("compressed")], ids=str)
def test_a_compressed_term_cut_short_is_refused(golden: Golden) -> None:
    for end in range(len(golden.data)):
        with pytest.raises(DecodeError):
            decode(golden.data[:end])


@pytest.mark.parametrize("golden", [g for g in GOLDEN if g.is_refused], ids=str)
def test_a_term_local_to_its_node_is_refused(golden: Golden) -> None:
    with pytest.raises(DecodeError, match="121"):
        decode(golden.data)


def test_releases_agree_on_every_term_that_has_no_identity() -> None:
    seen: dict[str, object] = {}
    for golden in READABLE:
        if golden.is_same_everywhere:
            meaning = exact(decode(golden.data))
            assert seen.setdefault(golden.name, meaning) == meaning, golden
