"""What pids, references, ports, funs, records, improper lists and bit strings have in common."""

from __future__ import annotations

import copy
import pickle
import weakref
from typing import Any

import pytest

from pyerlnode.term import Atom, BitString, ExportFun, Fun, ImproperList, Pid, Port, Record, Reference

N = Atom("a@b")
PID = Pid(N, 1, 2, 3)
VALUES: list[Any] = [
    PID,
    Reference(N, 1, (2, 3, 4)),
    Port(N, 1, 2),
    Fun(1, b"u" * 16, 2, N, 3, 4, PID, (5,)),
    ExportFun(N, N, 1),
    Record(N, N, ((N, 1),), True),
    ImproperList((1, 2), 3),
    BitString(b"a", 3),
]
every_kind = pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)


@every_kind
def test_it_cannot_be_changed(value: Any) -> None:
    before = value.parts()
    for name in value.__match_args__:
        with pytest.raises(AttributeError):
            setattr(value, name, None)
        with pytest.raises(AttributeError):
            delattr(value, name)
    with pytest.raises(AttributeError):
        value.something_else = 1
    assert value.parts() == before


@every_kind
def test_it_equals_what_is_made_of_the_same(value: Any) -> None:
    twin = type(value)(*value.parts())
    assert twin == value
    assert hash(twin) == hash(value)
    assert {value: 1}[twin] == 1
    assert type(twin) is type(value)
    assert value != value.parts()
    assert [other for other in VALUES if other == value] == [value]


@every_kind
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_can_be_pickled(value: Any, protocol: int) -> None:
    loaded = pickle.loads(pickle.dumps(value, protocol))
    assert loaded == value
    assert type(loaded) is type(value)


@every_kind
def test_it_can_be_copied(value: Any) -> None:
    assert copy.copy(value) == value
    assert copy.deepcopy(value) == value


@every_kind
def test_it_shows_its_parts_by_name(value: Any) -> None:
    shown = [f"{name}={getattr(value, name)!r}" for name in value.__match_args__]
    assert repr(value) == f"{type(value).__name__}({', '.join(shown)})"
    named = dict(zip(value.__match_args__, value.parts(), strict=True))
    assert type(value)(**named) == value


@every_kind
def test_it_has_no_dictionary(value: Any) -> None:
    assert not hasattr(value, "__dict__")
    with pytest.raises(TypeError):
        weakref.ref(value)


def test_copies_are_deep_where_parts_can_change() -> None:
    value = ImproperList(([1],), 2)
    copied = copy.deepcopy(value)
    copied.items[0].append(2)
    assert value == ImproperList(([1],), 2)


def test_what_holds_something_unhashable_is_unhashable() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(ImproperList(([1],), 2))


def test_some_parts_can_be_replaced_in_a_copy() -> None:
    assert PID.__replace__(id=9, creation=8) == Pid(N, 9, 2, 8)
    assert Pid(N, 1, 2, 3) == PID
    with pytest.raises(TypeError):
        PID.__replace__(nothing=1)
