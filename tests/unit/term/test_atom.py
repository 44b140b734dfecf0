from __future__ import annotations

import copy
import pickle
import tracemalloc
from itertools import pairwise

import pytest

from pyerlnode.limits import Limits
from pyerlnode.term import Atom, decode
from pyerlnode.term import atom as atoms


def test_an_atom_equals_the_plain_text_and_has_its_hash() -> None:
    assert Atom("ok") == "ok"
    assert {Atom("ok"): 1}["ok"] == 1
    match ("ok", 1):
        case (Atom("ok"), value):
            assert value == 1


def test_an_atom_says_that_it_is_one() -> None:
    assert repr(Atom("it's")) == 'Atom("it\'s")'
    assert str(Atom("ok")) == "ok"
    assert type(str(Atom("ok"))) is str


def test_the_same_atom_is_the_same_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atoms, "_by_name", {})  # other tests may have filled the table
    assert Atom("some_atom") is Atom("some_atom")
    assert Atom(Atom("some_atom")) is Atom("some_atom")


@pytest.mark.parametrize("name", ["ok", "", "é" * 255, "😀" * 64])
def test_copies_and_pickles_are_atoms(name: str) -> None:
    atom = Atom(name)
    assert copy.copy(atom) is atom
    assert copy.deepcopy([atom])[0] is atom
    assert type(pickle.loads(pickle.dumps(atom))) is Atom
    assert pickle.loads(pickle.dumps(atom)) == atom


def test_an_atom_has_at_most_255_characters() -> None:
    assert len(Atom("😀" * 255)) == 255
    with pytest.raises(ValueError, match="255 characters"):
        Atom("a" * 256)


def test_an_atom_is_valid_unicode() -> None:
    with pytest.raises(ValueError, match="surrogate"):
        Atom("\ud800")


@pytest.mark.parametrize(
    ("name", "external"),
    [("", b"w\0"), ("ok", b"w\2ok"), ("é" * 127, b"w\xfe" + b"\xc3\xa9" * 127)],
)
def test_short_atoms_are_written_with_one_byte_of_length(name: str, external: bytes) -> None:
    assert Atom(name).external == external


def test_long_atoms_are_written_with_two_bytes_of_length() -> None:
    assert Atom("é" * 128).external == b"v\x01\x00" + b"\xc3\xa9" * 128


def test_atoms_beyond_the_bound_decode_but_are_not_kept() -> None:
    limits = Limits(atoms=1)
    data = b"\x83w\x21pyerlnode test: never seen before"
    first = decode(data, limits=limits)
    second = decode(data, limits=limits)
    assert first == second == "pyerlnode test: never seen before"
    assert type(first) is Atom
    assert first is not second


def test_endless_new_atoms_do_not_grow_memory() -> None:
    limits = Limits(atoms=len(atoms.by_utf8))

    def read(numbers: range) -> None:
        for number in numbers:
            decode(b"\x83w\x14" + b"%020d" % number, limits=limits)

    tracemalloc.start()
    try:
        held = []
        for start in range(0, 60_000, 15_000):
            read(range(start, start + 15_000))
            held.append(tracemalloc.get_traced_memory()[0])
        grown = [after - before for before, after in pairwise(held)]
        assert min(grown) < 20_000  # Python's own tables may be made larger once, not each time
    finally:
        tracemalloc.stop()


def test_atoms_with_a_python_value_of_their_own() -> None:
    assert atoms.as_atom(True) is Atom("true")
    assert atoms.as_atom(False) is Atom("false")
    assert atoms.as_atom(None) is Atom("nil")
    assert atoms.as_atom(Atom("x")) is Atom("x")
    assert atoms.as_atom("x") is None
    assert atoms.as_atom(1) is None
    assert atoms.special_atom(True) is Atom("true")
