from __future__ import annotations

import pytest

from pyerlnode.limits import DEFAULT
from pyerlnode.term.numbers import read_small_big
from pyerlnode.term.reader import Reader


@pytest.mark.parametrize("size", range(13))
@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize("behind", [b"", b"....", b"........"])
@pytest.mark.parametrize("byte", [0, 1, 0x7F, 0x80, 0xFF])
def test_a_big_integer_is_read_whatever_stands_behind_it(
    size: int, sign: int, behind: bytes, byte: int
) -> None:
    magnitude = bytes((byte,)) * size
    r = Reader(b"n" + bytes((size, sign)) + magnitude + behind, 0, (), False, DEFAULT)
    value = int.from_bytes(magnitude, "little")
    assert read_small_big(r) == (-value if sign else value)
    assert r.pos == 3 + size
