from __future__ import annotations

import pytest

from pyerlnode.errors import DecodeError
from pyerlnode.limits import DEFAULT
from pyerlnode.term.reader import Reader, unsigned


def reader(data: bytes) -> Reader:
    return Reader(data, 0, (), False, DEFAULT)


def test_take_moves_behind_what_it_returns() -> None:
    r = reader(b"abcdef")
    assert r.take(1, 3) == b"bcd"
    assert r.pos == 4


@pytest.mark.parametrize(("start", "count", "offset"), [(0, 7, 0), (5, 2, 5), (9, 1, 6)])
def test_take_never_returns_less_than_announced(start: int, count: int, offset: int) -> None:
    with pytest.raises(DecodeError, match=f"{count} bytes are announced") as caught:
        reader(b"abcdef").take(start, count)
    assert caught.value.offset == offset


def test_words_and_creations() -> None:
    r = reader(b"\xff\xff\xff\xfe\3\4")
    assert r.word() == 2**32 - 2
    assert r.tiny_creation() == 3
    with pytest.raises(DecodeError, match="0 to 3"):
        r.tiny_creation()


def test_a_misfit_is_told_in_numbers() -> None:
    error = reader(b"abc").misfit(4, 2)
    assert "4 elements cannot fit into the 3 bytes left" in str(error)
    assert error.offset == 2


def test_numbers_read_with_a_sign_lose_it() -> None:
    assert [unsigned(value) for value in (0, 2**31 - 1, -1, -(2**31))] == [0, 2**31 - 1, 2**32 - 1, 2**31]
