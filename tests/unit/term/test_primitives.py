from __future__ import annotations

import subprocess
import sys

import pytest

from pyerlnode.term import primitives
from pyerlnode.term.modes import COMPILED

WITHOUT_LIBRT = """
import sys
sys.modules["librt"] = None  # as if it were not installed
from pyerlnode.term import decode, encode, primitives
assert primitives.read_i32_be.__module__ == "pyerlnode.term.stand_ins"
term = (1, -70_000, 2**31, 2**63 - 1, -(2**100), 1.5, b"bytes", [1, 2, 300], {"key": None})
assert decode(encode(term)) == (*term[:-1], {b"key": None})
"""


def test_numbers_are_read_in_their_order():
    data = bytes((0xFF, 0xFE, 0, 0, 0, 0, 0, 1))
    assert primitives.read_i16_be(data, 0) == -2
    assert primitives.read_i32_be(data, 4) == 1
    assert primitives.read_i64_be(data, 0) == -0x0002_0000_0000_0000 + 1
    assert primitives.read_i64_le(data, 0) == 0x0100_0000_0000_FEFF
    assert primitives.read_f64_be(b"\x3f\xf8" + bytes(6), 0) == 1.5


@pytest.mark.parametrize("index", [5, 8, 2**40])
def test_reading_beyond_the_end_is_an_index_error(index):
    with pytest.raises(IndexError):
        primitives.read_i32_be(bytes(8), index)


def test_an_index_below_zero_does_not_count_from_the_end():
    with pytest.raises(ValueError, match="non-negative"):
        primitives.read_i32_be(bytes(8), -4)


def test_without_librt_everything_works_interpreted_and_nothing_compiled():
    command = [sys.executable, "-c", WITHOUT_LIBRT]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode == 0) is not COMPILED
    assert ("librt" in done.stderr) is COMPILED
