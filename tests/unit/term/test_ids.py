from __future__ import annotations

import pytest

from pyerlnode.limits import Limits
from pyerlnode.term import Atom, Pid, Port, Reference, decode

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


def test_they_are_equal_when_their_atoms_are_two_of_one_text() -> None:
    """Beyond ``Limits.atoms`` an atom is made anew each time that it comes."""

    def seen(name: bytes) -> Atom:
        made = decode(b"\x83v\0" + bytes((len(name),)) + name, limits=Limits(atoms=1))
        assert isinstance(made, Atom)
        return made

    one, other, third = seen(b"not kept@h"), seen(b"not kept@h"), seen(b"not.kept@h")
    assert one is not other
    for make in (
        lambda node: Pid(node, 1, 2, 3),
        lambda node: Reference(node, 1, (2,)),
        lambda node: Port(node, 1, 2),
    ):
        assert make(one) == make(other)
        assert hash(make(one)) == hash(make(other))
        assert make(one) != make(third)


def test_a_node_given_as_text_becomes_an_atom() -> None:
    for made in (Pid("a@b", 1, 2, 3), Reference("a@b", 1, (2,)), Port("a@b", 1, 2)):
        assert type(made.node) is Atom
        assert made == type(made)(*[Atom("a@b") if part == "a@b" else part for part in made.parts()])


def test_one_differs_from_another_in_any_part() -> None:
    pid = Pid(NODE, 1, 2, 3)
    others = [Pid(Atom("b@b"), 1, 2, 3), Pid(NODE, 9, 2, 3), Pid(NODE, 1, 9, 3), Pid(NODE, 1, 2, 9)]
    assert pid not in others
    reference = Reference(NODE, 1, (2, 3))
    assert reference not in [
        Reference(Atom("b@b"), 1, (2, 3)),
        Reference(NODE, 9, (2, 3)),
        Reference(NODE, 1, (2,)),
    ]
    assert pid != reference
    assert pid != pid.parts()


@pytest.mark.parametrize("pid", [Pid(NODE, 1, 2, 3), Pid(node=NODE, id=1, creation=3, serial=2)])
def test_parts_have_names(pid: Pid) -> None:
    assert (pid.node, pid.id, pid.serial, pid.creation) == (NODE, 1, 2, 3)
    assert repr(pid) == "Pid(node=Atom('a@b'), id=1, serial=2, creation=3)"
    match pid:
        case Pid(node, number, serial, creation=3):
            assert (node, number, serial) == (NODE, 1, 2)
        case _:
            pytest.fail("it does not match")
