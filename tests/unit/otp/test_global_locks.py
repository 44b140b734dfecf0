"""Locks: one requester at a time, each of its processes on its own, and none outlives its holders."""

from __future__ import annotations

import pytest

from pyerlnode.otp.global_locks import Locks, is_lock_id
from pyerlnode.term import Atom, Pid, Reference
from tests.support.net import pid, ref


class Watching:
    """Monitors that the test fires."""

    def __init__(self) -> None:
        self.of: dict[Pid, Reference] = {}
        self.ended: list[Reference] = []
        self.dead: set[Pid] = set()
        self.locks = Locks(self.watch, self.ended.append)

    def watch(self, holder: Pid) -> Reference | None:
        if holder in self.dead:
            return None
        self.of[holder] = ref(len(self.of) + 1)
        return self.of[holder]


ONE, TWO, OTHER = pid(1), pid(2), pid(3)
LOCK, RIVAL = (Atom("global"), 1), (Atom("global"), 2)


@pytest.fixture
def watching() -> Watching:
    return Watching()


def test_one_requester_at_a_time(watching: Watching) -> None:
    locks = watching.locks
    assert locks.is_free(LOCK)
    assert locks.set(LOCK, ONE) is True
    assert locks.set(LOCK, ONE) is True  # again is no second hold
    assert (locks.is_free(LOCK), locks.is_free(RIVAL)) == (True, False)
    assert locks.set(RIVAL, OTHER) is False
    assert locks.set((Atom("another"), 2), OTHER) is True
    assert len(locks) == 2
    locks.delete(LOCK, ONE)
    assert locks.set(RIVAL, OTHER) is True


def test_every_holder_must_release(watching: Watching) -> None:
    locks = watching.locks
    locks.set(LOCK, ONE)
    locks.set(LOCK, TWO)
    locks.delete(LOCK, ONE)
    assert locks.set(RIVAL, OTHER) is False
    locks.delete(LOCK, TWO)
    assert locks.set(RIVAL, OTHER) is True
    assert watching.ended == [watching.of[ONE], watching.of[TWO]]


@pytest.mark.parametrize(("ident", "holder"), [(LOCK, OTHER), (RIVAL, ONE), ((Atom("none"), 1), ONE)])
def test_only_its_holder_can_release(watching: Watching, ident: tuple[Atom, int], holder: Pid) -> None:
    watching.locks.set(LOCK, ONE)
    watching.locks.delete(ident, holder)
    assert not watching.locks.is_free(RIVAL)
    assert watching.ended == []


def test_the_death_of_the_last_holder_releases(watching: Watching) -> None:
    locks = watching.locks
    locks.set(LOCK, ONE)
    locks.set(LOCK, TWO)
    assert locks.holder_down(watching.of[ONE]) is True
    assert locks.holder_down(watching.of[ONE]) is False
    assert not locks.is_free(RIVAL)
    assert locks.holder_down(watching.of[TWO]) is True
    assert len(locks) == 0
    assert locks._watched == {}


def test_the_dead_hold_nothing(watching: Watching) -> None:
    watching.dead.add(ONE)
    assert watching.locks.set(LOCK, ONE) is True
    assert len(watching.locks) == 0
    watching.locks.set(LOCK, TWO)
    assert watching.locks.set(LOCK, ONE) is True
    assert not watching.locks.is_free(RIVAL)


def test_terms_are_compared_exactly(watching: Watching) -> None:
    watching.locks.set((1, 1), ONE)
    assert watching.locks.is_free((1.0, 2))
    assert watching.locks.is_free((True, 2))
    assert not watching.locks.is_free((1, 1.0))
    assert watching.locks.set(([1], {1: 2}), ONE)  # keys need not be hashable


def test_shapes() -> None:
    assert is_lock_id((1, 2))
    assert not is_lock_id([1, 2])
    assert not is_lock_id((1, 2, 3))
    assert not is_lock_id(1)
