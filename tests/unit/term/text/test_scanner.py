from __future__ import annotations

import pytest

from pyerlnode.errors import TextError
from pyerlnode.limits import Limits
from pyerlnode.term import BitString, TermMap
from pyerlnode.term.text.elixir_read import ElixirReader
from pyerlnode.term.text.scanner import Bits, Scanner


def test_the_text_is_bounded() -> None:
    limits = Limits(text_input=5)
    assert ElixirReader("12345", limits).whole() == 12345
    with pytest.raises(TextError, match=r"Limits\.text_input=5"):
        ElixirReader("123456", limits)


def test_a_lone_surrogate_is_no_text() -> None:
    with pytest.raises(TextError, match="lone surrogate") as caught:
        ElixirReader('"a\udcff"')
    assert caught.value.offset == 2


def test_a_scanner_alone_knows_no_terms() -> None:
    with pytest.raises(NotImplementedError):
        Scanner("1").term()


def test_maps_take_the_last_of_equal_keys() -> None:
    scanner = Scanner("")
    assert scanner.map([(1, 2), (1, 3)]) == {1: 3}
    assert type(scanner.map([(1, 2), (1, 3)])) is dict
    made = scanner.map([(1, 2), (1.0, 3), (1, 4)])
    assert type(made) is TermMap
    assert made == TermMap([(1, 4), (1.0, 3)])


class TestBits:
    def put(self, *segments: tuple[int, int], limit: int = 100) -> bytes | BitString:
        bits = Bits(Limits(text_input=limit))
        for value, size in segments:
            bits.add(value, size, 0)
        return bits.value()

    def test_segments_are_joined_bit_by_bit(self) -> None:
        assert self.put() == b""
        assert self.put((1, 8), (2, 8)) == b"\1\2"
        assert self.put((1, 1), (0x2A, 7)) == b"\xaa"
        assert self.put((1, 3)) == BitString(b"\x20", 3)
        assert self.put((0x1FF, 9)) == BitString(b"\xff\x80", 1)
        assert self.put((258, 16), (5, 0)) == b"\1\2"

    def test_a_value_is_cut_to_its_size(self) -> None:
        assert self.put((300, 8), (-1, 8)) == b"\x2c\xff"

    def test_the_size_is_bounded(self) -> None:
        assert self.put((0, 80), limit=10) == b"\0" * 10
        for segments in ([(0, 81)], [(0, 40), (0, 41)], [(0, 10**12)]):
            with pytest.raises(TextError, match=r"Limits\.text_input"):
                self.put(*segments, limit=10)
