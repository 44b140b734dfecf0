from __future__ import annotations

import enum
import struct
import subprocess
import sys
import threading
from collections import Counter, OrderedDict, defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from pyerlnode.errors import EncodeError
from pyerlnode.limits import Limits
from pyerlnode.term import (
    Atom,
    BitString,
    ExportFun,
    Fun,
    ImproperList,
    Pid,
    Port,
    RawTerm,
    Record,
    Reference,
    TermMap,
    charlist,
    decode,
    decode_bare,
    encode,
    encode_bare,
)
from pyerlnode.term.maps import exact
from pyerlnode.term.modes import COMPILED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

A = Atom
N = Atom("a@b")
NODE = b"w\3a@b"
PID = Pid(N, 1, 2, 3)
PID_DATA = b"X" + NODE + struct.pack(">III", 1, 2, 3)


def u32(value: int) -> bytes:
    return struct.pack(">I", value)


def fun(**changes: Any) -> Fun:
    parts: dict[str, Any] = {
        "arity": 1,
        "uniq": b"u" * 16,
        "index": 2,
        "module": A("m"),
        "old_index": 3,
        "old_uniq": 4,
        "pid": PID,
        "free": ([], 1),
    }
    return Fun(**(parts | changes))


FUN_DATA = b"\1" + b"u" * 16 + u32(2) + u32(2) + b"w\1m" + b"a\3a\4" + PID_DATA + b"ja\1"


class Colour(enum.IntEnum):
    RED = 1
    LATE = 300


class Name(enum.StrEnum):
    JOE = "joe"


class Point(NamedTuple):
    x: int
    y: int


class Metres(float):
    pass


class Token(bytes):
    pass


class Items(list[Any]):
    pass


@dataclass
class Plain:
    x: int


TERMS: list[tuple[Any, bytes]] = [
    (True, b"w\4true"),
    (False, b"w\5false"),
    (None, b"w\3nil"),
    (A("ok"), b"w\2ok"),
    (A("é" * 128), b"v\1\0" + b"\xc3\xa9" * 128),
    (0, b"a\0"),
    (255, b"a\xff"),
    (256, b"b\0\0\1\0"),
    (-1, b"b\xff\xff\xff\xff"),
    (2**31 - 1, b"b\x7f\xff\xff\xff"),
    (-(2**31), b"b\x80\0\0\0"),
    (2**31, b"n\4\0\0\0\0\x80"),
    (-(2**31) - 1, b"n\4\1\1\0\0\x80"),
    (2**2040 - 1, b"n\xff\0" + b"\xff" * 255),
    (-(2**2040), b"o" + u32(256) + b"\1" + b"\0" * 255 + b"\1"),
    (1.5, b"F" + struct.pack(">d", 1.5)),
    (-0.0, b"F\x80" + b"\0" * 7),
    ("é", b"m" + u32(2) + b"\xc3\xa9"),
    ("", b"m" + u32(0)),
    (b"\xff", b"m" + u32(1) + b"\xff"),
    (b"x" * 513, b"m" + u32(513) + b"x" * 513),
    (bytearray(b"a"), b"m" + u32(1) + b"a"),
    (memoryview(b"abcd")[::2], b"m" + u32(2) + b"ac"),
    (BitString(b"\xff", 3), b"M" + u32(1) + b"\3\xe0"),
    ((), b"h\0"),
    ((1, (2,)), b"h\2a\1h\1a\2"),
    ((0,) * 255, b"h\xff" + b"a\0" * 255),
    ((0,) * 256, b"i" + u32(256) + b"a\0" * 256),
    ([], b"j"),
    ([0, 255], b"k\0\2\0\xff"),
    (charlist("hi"), b"k\0\2hi"),
    ([1] * 65_535, b"k\xff\xff" + b"\1" * 65_535),
    ([1] * 65_536, b"l" + u32(65_536) + b"a\1" * 65_536 + b"j"),
    ([256], b"l" + u32(1) + b"b\0\0\1\0j"),
    ([1, -1], b"l" + u32(2) + b"a\1b\xff\xff\xff\xffj"),
    ([1, True], b"l" + u32(2) + b"a\1w\4truej"),
    ([True], b"l" + u32(1) + b"w\4truej"),
    ([1, 1.0], b"l" + u32(2) + b"a\1F" + struct.pack(">d", 1) + b"j"),
    ([[]], b"l" + u32(1) + b"jj"),
    (ImproperList((1, 2), A("t")), b"l" + u32(2) + b"a\1a\2w\1t"),
    ({}, b"t" + u32(0)),
    ({1: [], A("a"): {}}, b"t" + u32(2) + b"a\1jw\1at" + u32(0)),
    (TermMap([(1, 2), ([1], 3)]), b"t" + u32(2) + b"a\1a\2k\0\1\1a\3"),
    (PID, PID_DATA),
    (Port(N, 2**28 - 1, 7), b"Y" + NODE + u32(2**28 - 1) + u32(7)),
    (Port(N, 2**28, 7), b"x" + NODE + struct.pack(">QI", 2**28, 7)),
    (Reference(N, 7, (1, 2, 3)), b"Z\0\3" + NODE + struct.pack(">4I", 7, 1, 2, 3)),
    (ExportFun(A("true"), A("f"), 2), b"qw\4truew\1fa\2"),
    (fun(), b"p" + u32(4 + len(FUN_DATA)) + FUN_DATA),
    (Record(A("m"), A("n"), ((A("x"), 1), (A("y"), [])), True), b"C" + u32(2) + b"\1w\1mw\1nw\1xw\1ya\1j"),
    (Record(A("m"), A("n"), (), False), b"C" + u32(0) + b"\0w\1mw\1n"),
    (RawTerm(b"..h\1a\1", 2), b"h\1a\1"),
    (RawTerm(b"R\0", 0, (A("a"),)), b"w\1a"),
    ([RawTerm(b"R\0", 0, (A("a"),))], b"l" + u32(1) + b"w\1aj"),
    (Colour.RED, b"a\1"),
    (Colour.LATE, b"b\0\0\1\x2c"),
    ([Colour.RED], b"l" + u32(1) + b"a\1j"),
    (Name.JOE, b"m" + u32(3) + b"joe"),
    (Point(1, 2), b"h\2a\1a\2"),
    (Metres(1.5), b"F" + struct.pack(">d", 1.5)),
    (Token(b"a"), b"m" + u32(1) + b"a"),
    (Items([1]), b"k\0\1\1"),
    (OrderedDict([(2, 1)]), b"t" + u32(1) + b"a\2a\1"),
    (defaultdict(int, {2: 1}), b"t" + u32(1) + b"a\2a\1"),
    (Counter([2]), b"t" + u32(1) + b"a\2a\1"),
]


@pytest.mark.parametrize(("term", "data"), TERMS)
def test_a_value_is_written_as_a_beam_would(term: Any, data: bytes) -> None:
    assert encode_bare(term) == data
    assert encode(term) == b"\x83" + data


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        ({1}, "set has no Erlang term: use a list"),
        (frozenset(), "frozenset has no Erlang term: use a list"),
        (1j, "complex .* two floats"),
        (Plain(1), r"Plain .* dataclasses\.asdict"),
        (print, "builtin_function_or_method .* export a function"),
        (Decimal(1), "Decimal .* use a dict, list"),
        (object(), "object has no Erlang term"),
        (range(3), "range has no Erlang term"),
        ({"x": [object()]}, "object has no Erlang term"),
        (float("inf"), "inf has no Erlang term"),
        (float("nan"), "nan has no Erlang term"),
        ("\ud800", "lone surrogate"),
        (Reference(N, 1, ()), "1 to 5 words"),
        (Reference(N, 1, (1,) * 6), "1 to 5 words"),
        (Reference(N, 1, (2**32,)), "too large for its place"),
        (Pid(N, -1, 0, 0), "too large for its place"),
        (Pid(A("a" * 255), 2**32, 0, 0), "too large for its place"),
        (Port(N, 2**64, 0), "too large for its place"),
        (fun(uniq=b"u"), "uniq of 16 bytes"),
        (fun(free=(1,) * 256), "255 free values"),
        (fun(arity=256), "at most 255 arguments"),
        (Record(A("m"), A("n"), ((A("x"), 1), (A("x"), 2)), True), "field comes twice"),
        ((0,) * 2**24, "at most 16777215 elements"),
    ],
)
def test_what_has_no_term_is_refused_with_advice(value: Any, advice: str) -> None:
    with pytest.raises(EncodeError, match=advice):
        encode(value)


def test_a_node_name_may_be_given_as_text() -> None:
    assert encode_bare(Pid("a@b", 1, 2, 3)) == PID_DATA


class TestKeys:
    @pytest.mark.parametrize(
        "value",
        [
            {"a": 1, b"a": 2},
            {True: 1, A("true"): 2},
            {None: 1, A("nil"): 2},
            {("a",): 1, (b"a",): 2},
            {ImproperList(("a",), 1): 1, ImproperList((b"a",), 1): 2},
        ],
    )
    def test_two_that_are_one_for_erlang_are_refused(self, value: Any) -> None:
        with pytest.raises(EncodeError, match="the same Erlang term"):
            encode(value)

    @pytest.mark.parametrize(
        "value",
        [
            {"a": 1, b"b": 2, A("c"): 3, 1: 4, None: 5},
            {A("a"): 1, b"a": 2},
            {(1,): 1, (2,): 2},
            {Colour.RED: 1},
        ],
    )
    def test_all_others_are_written(self, value: Any) -> None:
        assert exact(decode(encode(value))) == exact(value)


class TestNesting:
    def test_it_is_bounded(self) -> None:
        assert encode([[[]]], limits=Limits(nesting=2))
        for value in (
            [[[]]],
            (((1,),),),
            {1: {2: {3: 4}}},
            TermMap({1: [[2, 300]]}),
            ImproperList(([[1]],), 2),
            [ImproperList(([],), 2)],
        ):
            encode(value, limits=Limits(nesting=3))
            with pytest.raises(EncodeError, match=r"Limits\.nesting=1"):
                encode(value, limits=Limits(nesting=1))

    def test_what_contains_itself_is_refused(self) -> None:
        endless: list[Any] = []
        endless.append(endless)
        mapping: dict[str, Any] = {}
        mapping["self"] = (mapping,)
        for value in (endless, mapping, (endless, 1)):
            with pytest.raises(EncodeError, match="contains itself"):
                encode(value)
            with pytest.raises(EncodeError, match="this thread's stack"):
                encode(value, limits=Limits(nesting=10**9))


DEEP = """
import sys, threading
from typing import NamedTuple
from pyerlnode.errors import EncodeError
from pyerlnode.limits import DEFAULT, Limits
from pyerlnode.term import Fun, Atom, ImproperList, Pid, TermMap, encode

class Box(NamedTuple):
    inside: object

PID = Pid(Atom("a@b"), 1, 2, 3)
MAKERS = {
    "list": lambda inside: [inside],
    "tuple": lambda inside: (1, inside),
    "dict": lambda inside: {"key": inside},
    "improper": lambda inside: ImproperList((inside,), 1),
    "map": lambda inside: TermMap([(1, inside)]),
    "box": Box,
    "fun": lambda inside: Fun(0, b"u" * 16, 0, Atom("m"), 0, 0, PID, (inside,)),
}

def nested(make, depth):
    value = 1
    for _ in range(depth):
        value = make(value)
    return value

LIMITS = {DEFAULT.nesting - 1: DEFAULT, 20_000: Limits(nesting=10**9)}
# not in the thread: from 3.13 on, Python itself needs much stack to free what nests
VALUES = {(name, depth): nested(make, depth) for name, make in MAKERS.items() for depth in LIMITS}

def work():
    for name in MAKERS:
        for depth, limits in LIMITS.items():
            try:
                encode(VALUES[name, depth], limits=limits)
                print(name, depth, "written")
            except EncodeError as error:
                print(name, depth, "refused" if "stack" in str(error) else error)
    endless = []
    endless.append((1, {"again": endless}))
    try:
        encode(endless, limits=Limits(nesting=10**9))
    except EncodeError as error:
        print("endless refused" if "stack" in str(error) else error)

threading.stack_size(STACK)
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


@pytest.mark.parametrize("stack", [512 * 1024, 8 * 1024 * 1024])
def test_no_nesting_uses_up_the_stack_of_a_thread(stack: int) -> None:
    code = DEEP.replace("STACK", str(stack))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = set(done.stdout.splitlines())
    for name in ("list", "tuple", "dict", "improper", "map"):
        assert f"{name} 499 written" in lines
    for name in ("list", "tuple", "dict", "improper", "map", "box", "fun"):
        assert f"{name} 20000 refused" in lines
    assert "endless refused" in lines


class Late(list[Any]):
    """Does something when it is written, as another thread could at any moment."""

    def __init__(self, change: Callable[[], object]) -> None:
        self.change = change

    def __iter__(self) -> Iterator[Any]:
        self.change()
        return iter(())


class TestChanges:
    """Values that change while they are written: an error, or what they were; never less than was said."""

    def test_a_list_is_written_as_it_was(self) -> None:
        value: list[Any] = [1.5]
        value += [Late(value.clear), 2.5]
        assert decode(encode(value)) == [1.5, [], 2.5]

    @pytest.mark.parametrize("change", ["clear", "add", "replace"])
    def test_a_dict_is_written_as_it_was_or_an_error(self, change: str) -> None:
        value: dict[Any, Any] = {"a": 1}

        def replace() -> None:
            del value["c"], value["a"]
            value.update({n: n for n in range(50)})
            for n in range(48):
                del value[n]

        changes = {"clear": value.clear, "add": lambda: value.update(d=1), "replace": replace}
        value |= {"b": Late(changes[change]), "c": 3}
        if COMPILED:
            with pytest.raises(EncodeError, match="changed"):
                encode(value)
        else:
            assert decode(encode(value)) == {b"a": 1, b"b": [], b"c": 3}

    def test_threads_may_change_what_another_encodes(self) -> None:
        numbers: list[Any] = [1000] * 50
        table: dict[Any, Any] = dict.fromkeys(range(50), 1.5)
        stop = threading.Event()

        def disturb() -> None:
            while not stop.is_set():
                numbers.append(b"x")
                table[len(table)] = 1
                if len(table) > 200:
                    table.clear()
                    del numbers[20:]

        thread = threading.Thread(target=disturb)
        thread.start()
        try:
            for _ in range(300):
                try:
                    decode(encode((numbers, table)))
                except EncodeError as error:
                    assert "changed" in str(error)
        finally:
            stop.set()
            thread.join()


class TestCompressed:
    def test_it_is_deflated_where_that_helps(self) -> None:
        data = encode([0] * 10_000, compressed=True)
        assert data[:2] == b"\x83P"
        assert len(data) < 200
        assert decode(data) == [0] * 10_000

    def test_it_is_plain_where_it_does_not(self) -> None:
        assert encode((1, 2), compressed=True) == encode((1, 2))


def test_encoding_copies_what_is_mutable() -> None:
    data = bytearray(b"x" * 1000)
    encoded = encode(data)
    data[:] = b"y" * 1000
    assert decode(encoded) == b"x" * 1000


def test_a_record_is_refused_where_the_reader_cannot_have_one() -> None:
    record = Record(A("m"), A("n"), (), True)
    assert encode_bare([record], records=True)
    with pytest.raises(EncodeError, match="record"):
        encode_bare([record], records=False)


class TestAtomsOfAHeader:
    @pytest.mark.parametrize("term", [term for term, _data in TERMS])
    def test_each_is_written_as_its_index_and_read_back(self, term: Any) -> None:
        atoms: dict[Atom, int] = {}
        data = encode_bare(term, atoms=atoms)
        assert list(atoms.values()) == list(range(len(atoms)))
        plain = isinstance(term, RawTerm) and not term.refs
        assert data == encode_bare(term) if not atoms or plain else data != encode_bare(term)
        read, end = decode_bare(data, refs=tuple(atoms))
        assert end == len(data)
        assert encode_bare(read) == encode_bare(decode(encode(term)))

    def test_the_table_is_continued(self) -> None:
        atoms = {A("first"): 0, A("true"): 1}
        assert encode_bare([A("first"), True, A("new"), None, A("new")], atoms=atoms) == (
            b"l" + u32(5) + b"R\0R\1R\2R\3R\2j"
        )
        assert atoms == {A("first"): 0, A("true"): 1, A("new"): 2, A("nil"): 3}
        assert encode_bare(PID, atoms=atoms)[:3] == b"XR\4"

    def test_so_it_is_by_keys_and_values_and_alone(self) -> None:
        atoms = {A("key"): 0}
        term = {A("key"): A("value"), A("value"): (1, A("key"), A("more"))}
        assert encode_bare(term, atoms=atoms) == b"t" + u32(2) + b"R\0R\1R\1h\3a\1R\0R\2"
        assert encode_bare(A("value"), atoms=atoms) == b"R\1"
        assert list(atoms) == ["key", "value", "more"]

    def test_node_names_are_atoms_too(self) -> None:
        atoms: dict[Atom, int] = {}
        assert encode_bare(PID, atoms=atoms) == b"XR\0" + PID_DATA[6:]
        assert [type(atom) for atom in atoms] == [Atom]

    def test_a_full_table_leaves_further_atoms_as_they_are(self) -> None:
        names = [A(f"atom{n}") for n in range(256)]
        atoms: dict[Atom, int] = {}
        data = encode_bare([*names, names[254]], atoms=atoms)
        assert data == b"l" + u32(257) + b"".join(bytes((82, n)) for n in range(255)) + b"w\7atom255R\xfej"
        assert len(atoms) == 255
        assert decode_bare(data, refs=tuple(atoms))[0] == [*names, names[254]]

    def test_an_undecoded_term_is_taken_out_of_its_own_header(self) -> None:
        atoms = {A("other"): 0}
        raw = RawTerm(b"h\2R\0R\0", 0, (A("mine"),))
        assert encode_bare((raw, A("mine")), atoms=atoms) == b"h\2h\2R\1R\1R\1"
