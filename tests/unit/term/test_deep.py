from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from pyerlnode.errors import LimitExceeded
from pyerlnode.limits import Limits
from pyerlnode.term import TermMap, decode
from pyerlnode.term.deep import KEY_NESTING, Deep
from pyerlnode.term.quick import KEY_LEVELS, LEVELS
from pyerlnode.term.reader import Reader
from tests.unit.term.test_decode import TERMS

SMALL_STACK = """
import sys, threading
from pyerlnode.errors import DecodeError
from pyerlnode.term import decode, decode_bare

LEVELS = [b"h\\1", b"h\\2a\\1", b"i\\0\\0\\0\\1", b"l\\0\\0\\0\\1", b"t\\0\\0\\0\\1a\\1", b"t\\0\\0\\0\\1j",
          b"t\\0\\0\\0\\1",
          b"C\\0\\0\\0\\1\\0w\\1mw\\1nw\\1a", b"h\\5a\\1a\\1a\\1a\\1", b"t\\0\\0\\0\\2a\\1jm\\0\\0\\0\\1k",
          b"t\\0\\0\\0\\1h\\1", b"t\\0\\0\\0\\1l\\0\\0\\0\\1", b"l\\0\\0\\0\\1j",
          b"p\\0\\0\\0\\0\\1" + b"u" * 16 + b"\\0" * 7 + b"\\1" + b"w\\1ma\\1a\\1" + b"Xw\\1n" + b"\\0" * 12]
outcomes = []
kept = []  # from 3.13 on, Python itself needs much stack to free what nests

def run():
    for level in LEVELS:
        for levels in (10, 30, 31, 32, 33, 60, 64, 65, 100, 126, 127, 128, 129, 499, 500, 501, 100_000):
            for end in (b"j", b"a\\1", b"j" * 2 * levels, b""):
                try:
                    kept.append(decode_bare(level * levels + end))
                    outcomes.append("read")
                except DecodeError:
                    outcomes.append("refused")

threading.stack_size(STACK)
thread = threading.Thread(target=run)
thread.start()
thread.join()
assert len(outcomes) == len(LEVELS) * 17 * 4, outcomes
assert {"read", "refused"} == set(outcomes)
"""


@pytest.mark.parametrize(("data", "term"), TERMS)
def test_it_reads_what_recursion_reads(data: bytes, term: Any) -> None:
    r = Reader(data + b"rest", 0, (), False, Limits())
    found = Deep(r, 3).read()
    assert found == term
    assert type(found) is type(term)
    assert r.pos == len(data)


@pytest.mark.parametrize("kib", [64, 128, 256])
def test_no_term_is_too_deep_for_a_thread_with_a_small_stack(kib: int) -> None:
    program = SMALL_STACK.replace("STACK)", f"{kib} * 1024)")
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=50
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "around", [0, 1, LEVELS - KEY_LEVELS, LEVELS - KEY_LEVELS + 1, LEVELS - 1, LEVELS, 200]
)
@pytest.mark.parametrize(("wrap", "tail"), [(b"h\1", b""), (b"l\0\0\0\1", b"j"), (b"i\0\0\0\1", b"")])
@pytest.mark.parametrize("before", [[], [b"a\1"], [b"m\0\0\0\1k", b"a\1"], [b"h\1a\1"]])
def test_the_keys_of_maps_do_not_nest_deep(
    around: int, wrap: bytes, tail: bytes, before: list[bytes]
) -> None:
    def map_with(key: bytes) -> bytes:
        start = b"h\1" * around + b"t" + bytes((0, 0, 0, len(before) + 1))
        return b"\x83" + start + b"".join([other + b"j" for other in before]) + key + b"j"

    key = wrap * KEY_NESTING + b"a\1" + tail * KEY_NESTING
    made = decode(map_with(key))
    for _ in range(around):
        (made,) = made
    assert len(made) == len(before) + 1
    with pytest.raises(LimitExceeded, match="a key of a map nests deeper than 128 levels"):
        decode(map_with(wrap + key + tail))


def test_neither_do_those_of_maps_that_are_keys() -> None:
    for levels, fits in ((KEY_NESTING, True), (KEY_NESTING + 1, False)):
        data = b"\x83t\0\0\0\1" + b"t\0\0\0\1" * levels + b"j" * (levels + 2)
        if fits:
            assert type(decode(data)) is TermMap
        else:
            with pytest.raises(LimitExceeded, match="a key of a map"):
                decode(data)


def test_limits_are_what_stops_keys_when_they_are_lower() -> None:
    data = b"\x83t\0\0\0\1" + b"h\1" * 10 + b"a\1j"
    assert decode(data, limits=Limits(nesting=11))
    with pytest.raises(LimitExceeded, match=r"Limits\.nesting=10"):
        decode(data, limits=Limits(nesting=10))


def test_maps_in_keys_and_values_take_linear_time() -> None:
    level = b"t\0\0\0\2" + b"h\1a\1" + b"j" + b"h\2a\1a\2"  # the second value is the next level
    made = decode(b"\x83" + level * 490 + b"k\xff\xff" + b"\7" * 65_535)
    for _ in range(490):
        made = made[(1, 2)]
    assert made == [7] * 65_535


def test_what_is_counted_in_an_element_of_a_deep_term() -> None:
    data = b"h\3" + b"k\0\2\1\2" + b"t\0\0\0\1a\1j" + b"l\0\0\0\1ja\1"
    for elements, fits in ((9, True), (8, False)):
        r = Reader(data, 0, (), False, Limits(elements=elements))
        if fits:
            assert Deep(r, 2).read()
        else:
            with pytest.raises(LimitExceeded, match=r"Limits\.elements=8"):
                Deep(r, 2).read()


def test_a_map_that_no_dict_can_be() -> None:
    data = b"t\0\0\0\2" + b"a\1a\2" + b"F\x3f\xf0" + b"\0" * 6 + b"a\3"
    assert Deep(Reader(data, 0, (), False, Limits()), 1).read() == TermMap([(1, 2), (1.0, 3)])
