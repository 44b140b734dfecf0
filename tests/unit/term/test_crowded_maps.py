"""Keys chosen to have one Python hash would make a map take time in the square of its size."""

from __future__ import annotations

from random import Random
from struct import pack
from typing import Any

import pytest

from pyerlnode.errors import LimitExceeded
from pyerlnode.term import Pid, TermMap, decode, encode_bare
from pyerlnode.term.atom import Atom

ORDER = 2**61 - 1
"""Integers are hashed modulo this."""
NODE = Atom("a@h")


def map_of(keys: list[Any]) -> bytes:
    return b"\x83t" + pack(">I", len(keys)) + b"".join(encode_bare(key) + b"j" for key in keys)


@pytest.mark.parametrize(
    "wrap", [lambda key: key, lambda key: (key,), lambda key: [key]], ids=["", "tuple", "list"]
)
def test_many_keys_with_one_hash_are_refused(wrap: Any) -> None:
    with pytest.raises(LimitExceeded, match="collide"):
        decode(map_of([wrap(number * ORDER + 7) for number in range(300)]))


def test_also_among_others() -> None:
    keys = [number * ORDER + 7 for number in range(100)] + list(range(1_000_000, 1_010_000))
    with pytest.raises(LimitExceeded, match="collide"):
        decode(map_of(keys))


def test_a_few_are_nothing_special() -> None:
    keys = [number * ORDER + 7 for number in range(20)] + list(range(100, 300))
    assert list(decode(map_of(keys))) == keys


def test_large_maps_with_keys_as_they_come() -> None:
    rng = Random(1)
    for keys in (
        [rng.getrandbits(64) for _ in range(5_000)],
        list(range(-5_000, 5_000)),
        [rng.random() for _ in range(5_000)],
        [b"%d" % number for number in range(5_000)],
        [(number, NODE) for number in range(5_000)],
        [Pid(NODE, number, number % 7, 1) for number in range(5_000)],
    ):
        assert list(decode(map_of(keys))) == keys
    mixed = decode(map_of([[number] for number in range(5_000)] + [1, 1.0]))
    assert isinstance(mixed, TermMap)
    assert len(mixed) == 5_002
