from __future__ import annotations

import pytest

from pyerlnode.term import modes, quick
from pyerlnode.term.modes import COMPILED, freeze, ordinary


def test_it_knows_which_of_the_two_it_is() -> None:
    assert (modes.__file__ or "").endswith(".py") != COMPILED
    assert (quick.__file__ or "").endswith(".py") != COMPILED


def test_an_ordinary_class_is_itself() -> None:
    assert ordinary(Plain) is Plain


class Plain:
    __slots__ = ("first", "second")
    __match_args__ = ("first", "second")

    def __init__(self, first: int, second: int = 2) -> None:
        self.first = first
        self.second = second

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plain) and (self.first, self.second) == (other.first, other.second)

    __hash__ = None  # type: ignore[assignment]


freeze(Plain)


def test_a_frozen_class_is_made_as_before_and_not_changed_afterwards() -> None:
    value = Plain(1, second=3)
    assert type(value) is Plain
    assert (value, Plain(1)) == (Plain(1, 3), Plain(first=1, second=2))
    with pytest.raises(TypeError):
        Plain()  # type: ignore[call-arg]
    if COMPILED:  # mypyc's classes need no help, and there are no others
        value.first = 1
        return
    with pytest.raises(AttributeError, match="'first' of a Plain"):
        value.first = 2
    with pytest.raises(AttributeError, match="'first' of a Plain"):
        del value.first
