"""Frozen dataclasses of our own making: as those of ``dataclasses``, save that defining one is cheap."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields, is_dataclass, replace
from typing import Any

import pytest

from pyerlnode.frozen import frozen, frozen_options


@frozen
class Ours:
    """What is tested."""

    name: str
    port: int = 4369
    seen: list[int] = field(default_factory=list)

    @property
    def next_port(self) -> int:
        return self.port + 1


@dataclass(frozen=True)
class Theirs:
    """What it must be like."""

    name: str
    port: int = 4369
    seen: list[int] = field(default_factory=list)


@frozen
class Other:
    name: str
    port: int = 4369


@frozen_options
class Chosen:
    size: int = 1
    depth: int = 2

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError("size")


GIVEN: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    (("a",), {}),
    (("a", 1), {}),
    (("a", 1, [2]), {}),
    (("a",), {"seen": [1]}),
    ((), {"port": 1, "name": "a"}),
]
WRONG: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((), {}),
    ((), {"port": 1}),
    (("a", 1, [], 2), {}),
    (("a",), {"name": "b"}),
    (("a",), {"colour": 1}),
]


@pytest.mark.parametrize(("args", "named"), GIVEN)
def test_it_is_made_and_shown_as_a_dataclass_is(args: tuple[Any, ...], named: dict[str, Any]) -> None:
    ours, theirs = Ours(*args, **named), Theirs(*args, **named)
    assert repr(ours) == repr(theirs).replace("Theirs", "Ours")
    assert vars(ours) == vars(theirs)
    assert ours.next_port == theirs.port + 1


@pytest.mark.parametrize(("args", "named"), WRONG)
@pytest.mark.parametrize("kind", [Ours, Theirs])
def test_wrong_arguments_are_an_error(kind: Any, args: tuple[Any, ...], named: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        kind(*args, **named)


def test_it_is_a_dataclass() -> None:
    assert is_dataclass(Ours)
    assert [known.name for known in fields(Ours)] == [known.name for known in fields(Theirs)]
    assert replace(Ours("a"), port=1) == Ours("a", 1)


def test_each_has_a_default_of_its_own() -> None:
    Ours("a").seen.append(1)
    assert Ours("a").seen == []


def test_it_is_a_value() -> None:
    assert Other("a") == Other("a", 4369)
    assert Other("a") != Other("b")
    assert hash(Other("a")) == hash(Other("a"))
    assert Ours("a") != Theirs("a")
    assert Ours("a") != ("a", 4369, [])


def test_those_of_two_classes_differ() -> None:
    @frozen
    class Another:
        name: str
        port: int = 4369

    assert Other("a") != Another("a")


def test_it_does_not_change() -> None:
    value = Other("a")
    with pytest.raises(FrozenInstanceError, match="'name'"):
        value.name = "b"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError, match="'name'"):
        del value.name
    with pytest.raises(FrozenInstanceError):
        value.colour = 1  # type: ignore[attr-defined]


def test_its_parts_are_matched() -> None:
    match Other("a", 1):
        case Other(name, 1):
            assert name == "a"
        case _:
            pytest.fail("no match")


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))]
)
def test_it_is_copied(copied: Any) -> None:
    assert copied(Other("a", 1)) == Other("a", 1)


def test_options_are_given_by_name_and_checked() -> None:
    assert Chosen(depth=3) == Chosen(size=1, depth=3)
    with pytest.raises(TypeError):
        Chosen(1)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="size"):
        Chosen(size=-1)
