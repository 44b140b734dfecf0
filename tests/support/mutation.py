"""Bad input made out of good: random bytes, truncations and mutations, from one seed."""

from __future__ import annotations

import os
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SEED = int(os.environ.get("PYERLNODE_SEED") or 1)
"""Each seed gives other inputs, and always the same."""

INTERESTING = (b"\0", b"\xff", b"\x7f\xff\xff\xff", b"\xff" * 4, b"\0" * 4, b"\x80", b"\x83", b"\x52\0")
TAGS = bytes([*range(64, 122), 131])


def source(salt: object = "") -> Random:
    """A source of randomness for one test."""
    return Random(f"{SEED} {salt}")


def random_bytes(rng: Random, longest: int = 200) -> bytes:
    """Up to `longest` bytes of nothing."""
    return rng.randbytes(rng.randrange(longest + 1))


def truncated(rng: Random, data: bytes) -> bytes:
    """The start of `data`."""
    return data[: rng.randrange(len(data))] if data else data


def mutated(rng: Random, data: bytes, others: Sequence[bytes] = ()) -> bytes:
    """`data` with a few things changed; pieces of `others` may get into it."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 8))):
        _change(rng, changed, others)
    return bytes(changed)


def _change(rng: Random, data: bytearray, others: Sequence[bytes]) -> None:
    at = rng.randrange(len(data) + 1)
    match rng.randrange(8):
        case 0 if at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        case 1 if at < len(data):
            data[at] = rng.randrange(256)
        case 2:
            piece = rng.choice(INTERESTING)
            data[at : at + len(piece)] = piece
        case 3:
            del data[at : at + rng.randrange(1, 9)]
        case 4:
            data[at:at] = rng.randbytes(rng.randrange(1, 9))
        case 5 if others:
            other = rng.choice(others)
            start = rng.randrange(len(other) + 1)
            data[at:at] = other[start : start + rng.randrange(1, 64)]
        case 6 if at < len(data):
            data[at] = rng.choice(TAGS)
        case _:
            data[at:at] = data[at : at + rng.randrange(1, 32)]


def bad(rng: Random, data: bytes, others: Sequence[bytes] = ()) -> bytes:
    """One of all these."""
    match rng.randrange(10):
        case 0:
            return random_bytes(rng)
        case 1 | 2:
            return truncated(rng, data)
        case _:
            return mutated(rng, data, others)
