from __future__ import annotations

import pytest

from pyerlnode.term import Atom, Pid, Reference
from pyerlnode.term.familiar import familiar_pid, familiar_reference

NODE, OTHER = Atom("a@b"), Atom("c@d")


def test_a_pid_is_the_one_that_was_made_before() -> None:
    first = familiar_pid(NODE, 7, 1, 3)
    assert first == Pid(NODE, 7, 1, 3)
    assert familiar_pid(NODE, 7, 1, 3) is first


@pytest.mark.parametrize(
    "parts", [(OTHER, 7, 1, 3), (NODE, 7 + 1024, 1, 3), (NODE, 7, 2, 3), (NODE, 7, 1, 4), (NODE, 0, 0, 0)]
)
def test_a_pid_that_differs_in_one_part_is_another(parts: tuple[Atom, int, int, int]) -> None:
    familiar_pid(NODE, 7, 1, 3)
    assert familiar_pid(*parts).parts() == parts
    assert familiar_pid(NODE, 7, 1, 3).parts() == (NODE, 7, 1, 3)


@pytest.mark.parametrize("words", [(5,), (5, 6), (5, 6, 7), (2**32 - 1, 0, 0, 0, 2**32 - 1)])
def test_a_reference_is_the_one_that_was_made_before(words: tuple[int, ...]) -> None:
    first = familiar_reference(NODE, 3, words)
    assert first == Reference(NODE, 3, words)
    assert familiar_reference(NODE, 3, tuple(words)) is first


@pytest.mark.parametrize(
    "parts",
    [(OTHER, 3, (5, 6)), (NODE, 4, (5, 6)), (NODE, 3, (5, 7)), (NODE, 3, (5,)), (NODE, 3, (5 + 1024, 6))],
)
def test_a_reference_that_differs_in_one_part_is_another(parts: tuple[Atom, int, tuple[int, ...]]) -> None:
    familiar_reference(NODE, 3, (5, 6))
    assert familiar_reference(*parts).parts() == parts
    assert familiar_reference(NODE, 3, (5, 6)).parts() == (NODE, 3, (5, 6))


def test_an_atom_that_is_not_kept_names_the_same_node() -> None:
    stranger = Atom("x" * 10)
    twin = str.__new__(Atom, "x" * 10)
    twin.external = stranger.external
    assert familiar_pid(twin, 1, 2, 3) == familiar_pid(stranger, 1, 2, 3)
    assert familiar_reference(twin, 1, (9,)) == familiar_reference(stranger, 1, (9,))
