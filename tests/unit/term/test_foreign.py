from __future__ import annotations

import enum
from collections import OrderedDict
from typing import Any, NamedTuple

import pytest

from pyerlnode.term.foreign import PLAIN, advice


class Colour(enum.IntEnum):
    RED = 1


class Name(enum.StrEnum):
    JOE = "joe"


class Point(NamedTuple):
    x: int


class Fickle(bytes):
    def __len__(self) -> int:
        return 1000


class Shout(str):
    __slots__ = ()

    def __str__(self) -> str:
        return self.upper()


@pytest.mark.parametrize(
    ("kind", "value", "plain"),
    [
        (int, Colour.RED, 1),
        (str, Name.JOE, "joe"),
        (str, Shout("a"), "a"),
        (tuple, Point(1), (1,)),
        (bytes, Fickle(b"ab"), b"ab"),
        (dict, OrderedDict([(2, 1), (1, 2)]), {2: 1, 1: 2}),
        (float, type("Metres", (float,), {})(1.5), 1.5),
        (list, type("Items", (list,), {})([1]), [1]),
    ],
)
def test_an_instance_of_a_subclass_becomes_a_plain_one(kind: type, value: Any, plain: Any) -> None:
    made = PLAIN[kind](value)
    assert type(made) is kind
    assert made == plain
    assert not isinstance(made, dict) or list(made) == list(value)


def test_there_is_advice_for_everything() -> None:
    assert "list" in advice({1})
    assert "two floats" in advice(1j)
    assert "export" in advice(len)
    assert "pyerlnode.term" in advice(object())
