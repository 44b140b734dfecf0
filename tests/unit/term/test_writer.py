from __future__ import annotations

from typing import Any

import pytest

from pyerlnode.errors import EncodeError
from pyerlnode.limits import DEFAULT, Limits
from pyerlnode.term import Atom, decode_bare
from pyerlnode.term.writer import (
    APART,
    DEEPEST,
    Writer,
    borrow,
    give_back,
    write_atom,
    write_integer,
    write_name,
    write_word,
)


def written(write: Any, value: Any) -> bytes:
    w = Writer(DEFAULT)
    write(w.out, value)
    return w.getvalue()


class TestPieces:
    def test_small_ones_are_joined_and_large_ones_are_not_copied(self) -> None:
        large = b"x" * APART
        w = Writer(DEFAULT)
        w.piece(b"a" * (APART - 1))
        assert w.parts is None
        w.piece(large)
        w.piece(b"b")
        assert w.parts is not None
        assert w.parts[1] is large
        assert w.getvalue() == b"a" * (APART - 1) + large + b"b"


class TestBorrowing:
    def test_a_writer_given_back_is_empty_when_it_comes_again(self) -> None:
        w = borrow(DEFAULT)
        w.out.write(b"secret")
        w.atoms = {}
        w.records = False
        give_back(w)
        again = borrow(DEFAULT)
        assert again is w
        assert (again.getvalue(), again.atoms, again.records) == (b"", None, True)

    def test_two_are_never_the_same(self) -> None:
        borrowed = [borrow(DEFAULT) for _ in range(20)]
        assert len(set(map(id, borrowed))) == 20
        for w in borrowed:
            give_back(w)

    def test_one_with_other_limits_is_not_taken(self) -> None:
        limits = Limits(nesting=3)
        w = borrow(limits)
        assert w.nesting == 3
        give_back(w)
        assert borrow(DEFAULT).nesting == DEFAULT.nesting

    @pytest.mark.parametrize("pieces", [[100_000], [100_000, APART], [1, APART, 1, APART]])
    def test_one_that_has_written_much_is_not_kept(self, pieces: list[int]) -> None:
        w = borrow(DEFAULT)
        for size in pieces:
            (w.piece if size == APART else w.out.write)(bytes(size))
        give_back(w)
        assert all(borrow(DEFAULT) is not w for _ in range(8))

    def test_one_that_has_written_a_large_binary_is(self) -> None:
        w = borrow(DEFAULT)
        w.out.write(b"before")
        w.piece(bytes(1 << 20))
        w.out.write(b"after")
        give_back(w)
        again = borrow(DEFAULT)
        assert again is w
        assert again.getvalue() == b""


class TestIntegers:
    @pytest.mark.parametrize(
        "value",
        [
            sign * (1 << bits) + change
            for bits in (0, 7, 8, 15, 16, 30, 31, 32, 39, 40, 47, 48, 55, 56, 61, 62, 63, 64, 65, 2040, 2048)
            for sign in (1, -1)
            for change in (-1, 0, 1)
        ],
    )
    def test_they_are_read_back_at_each_edge(self, value: int) -> None:
        data = written(write_integer, value)
        assert decode_bare(data) == (value, len(data))
        size = (value.bit_length() + 7) // 8
        if not -(2**31) <= value < 2**31:
            assert len(data) == size + (3 if size < 256 else 6)

    @pytest.mark.parametrize("value", [0, 2**31 - 1, 2**31, 2**32 - 1])
    def test_words_are_unsigned(self, value: int) -> None:
        assert written(write_word, value) == value.to_bytes(4, "big")

    @pytest.mark.parametrize("value", [-1, 2**32, 2**64])
    def test_what_is_no_word_is_refused(self, value: int) -> None:
        with pytest.raises(EncodeError, match="too large for its place"):
            written(write_word, value)


class TestAtoms:
    def test_they_are_written_in_full_or_as_a_place_in_the_table(self) -> None:
        w = Writer(DEFAULT)
        write_atom(w, Atom("a"))
        w.atoms = {}
        write_atom(w, Atom("b"))
        write_atom(w, Atom("b"))
        assert w.getvalue() == b"w\1aR\0R\0"
        assert w.atoms == {Atom("b"): 0}

    def test_a_name_may_be_text(self) -> None:
        w = Writer(DEFAULT)
        write_name(w, "a@b")
        assert w.getvalue() == b"w\3a@b"
        with pytest.raises(EncodeError, match="at most 255 characters"):
            write_name(w, "a" * 256)


def test_nesting_has_an_end_whatever_the_limits_say() -> None:
    assert Writer(Limits(nesting=10**30)).nesting == DEEPEST
