from __future__ import annotations

import pytest

from pyerlnode.errors import DecodeError, LimitExceeded
from pyerlnode.limits import Limits
from pyerlnode.term.reader import Reader


def reader(data: bytes, **limits: int) -> Reader:
    return Reader(data, 0, (), False, Limits(**limits))


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


def test_a_refusal_says_which_bound_is_broken() -> None:
    r = reader(b"abc", elements=5, nesting=5)
    assert type(r.refusal(4, 0)) is DecodeError
    assert "4 elements cannot fit into the 3 bytes left" in str(r.refusal(4, 0))
    r.elements = -1
    assert isinstance(r.refusal(1, 0), LimitExceeded)
    assert "Limits.elements=5" in str(r.refusal(1, 0))
    r.elements = 1
    assert "Limits.nesting=5" in str(r.refusal(1, 2))
    assert r.refusal(1, 2).offset == 2
