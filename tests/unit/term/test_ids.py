from __future__ import annotations

import pytest

from pyerlnode.term import Atom, Pid, Port, Reference

NODE = Atom("a@b")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Pid(NODE, 1, 2, 3), Pid(NODE, 1, 2, 4)),
        (Port(NODE, 1, 2), Port(NODE, 1, 3)),
        (Reference(NODE, 1, (2, 3, 4)), Reference(NODE, 2, (2, 3, 4))),
    ],
)
def test_identifiers_of_another_life_of_the_node_differ(one: object, other: object) -> None:
    assert one != other
    assert len({one, other}) == 2


def test_identifiers_are_values() -> None:
    assert Pid(NODE, 1, 2, 3) == Pid(Atom("a@b"), 1, 2, 3)
    assert hash(Reference(NODE, 1, (2,))) == hash(Reference(NODE, 1, (2,)))
    with pytest.raises(AttributeError):
        Port(NODE, 1, 2).id = 7  # type: ignore[misc]
