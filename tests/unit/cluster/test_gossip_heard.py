"""Who is dialled of those heard: everybody once, the unreachable ever less often, floods hardly at all."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from pyerlnode.cluster import gossip_heard
from pyerlnode.cluster.gossip_heard import AT_ONCE, FROM_ONE, RECENT, Credit, Heard
from pyerlnode.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = "10.0.0.1"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def heard(clock: ManualClock) -> Heard:
    return Heard(clock.time, lambda: 0.0)  # pauses are as long as they get


def made_up(count: int, at: str = "nowhere") -> Iterator[str]:
    return (f"n{number}@{at}" for number in range(count))


def fails(heard: Heard, name: str, address: str = HERE) -> bool:
    """Dial it in vain, if it may be dialled."""
    if not heard.may_dial(name, address):
        return False
    heard.failed(name)
    return True


class TestCredit:
    def test_it_ends_and_comes_back_up_to_what_it_was(self, clock: ManualClock) -> None:
        credit = Credit(2, 0.5, clock.time)
        for _ in range(2):
            assert credit.has_one()
            credit.take()
        assert not credit.has_one()
        clock.advance(1.9)
        assert not credit.has_one()
        clock.advance(0.1)
        assert credit.has_one()
        clock.advance(100)
        for _ in range(2):
            assert credit.has_one()
            credit.take()
        assert not credit.has_one()

    def test_it_is_given_back_up_to_what_it_was(self, clock: ManualClock) -> None:
        credit = Credit(1, 1, clock.time)
        credit.give_back()
        credit.take()
        assert not credit.has_one()
        credit.give_back()
        assert credit.has_one()


class TestOneName:
    def test_it_is_dialled_once_at_a_time(self, heard: Heard) -> None:
        assert heard.may_dial("a@h", HERE)
        assert not heard.may_dial("a@h", HERE)
        heard.connected("a@h")
        assert heard.may_dial("a@h", HERE)

    def test_it_is_dialled_less_and_less_often_while_it_fails(self, heard: Heard, clock: ManualClock) -> None:
        dialled = []
        for beat in range(600):
            if fails(heard, "a@h"):
                dialled.append(beat / 10)
            clock.advance(0.1)
        pauses = [round(after - before) for before, after in itertools.pairwise(dialled)]
        assert pauses == [1, 2, 4, 8, 15, 15]

    def test_once_it_was_connected_it_begins_anew(self, heard: Heard, clock: ManualClock) -> None:
        for pause in (1.0, 2.0, 4.0):
            assert fails(heard, "a@h")
            clock.advance(pause)
        heard.connected("a@h")
        assert fails(heard, "a@h")
        clock.advance(0.9)
        assert not heard.may_dial("a@h", HERE)
        clock.advance(0.1)
        assert heard.may_dial("a@h", HERE)

    def test_after_a_long_silence_it_begins_anew(self, heard: Heard, clock: ManualClock) -> None:
        for pause in (1.0, 2.0, 4.0, RECENT + 8.1):
            assert fails(heard, "a@h")
            clock.advance(pause)
        assert fails(heard, "a@h")
        clock.advance(1.0)
        assert heard.may_dial("a@h", HERE)


class TestRecent:
    def test_names_count_for_a_while(self, heard: Heard, clock: ManualClock) -> None:
        assert heard.recent() == frozenset()
        heard.connected("a@h")
        assert fails(heard, "b@h")
        clock.advance(RECENT)
        assert heard.recent() == {"a@h", "b@h"}
        clock.advance(0.1)
        assert heard.recent() == frozenset()

    def test_a_name_that_must_wait_still_counts(self, heard: Heard, clock: ManualClock) -> None:
        for _ in range(100):
            fails(heard, "a@h")
            clock.advance(0.5)
        assert heard.recent() == {"a@h"}

    def test_names_that_nobody_dialled_do_not_count(self, heard: Heard) -> None:
        names = list(made_up(FROM_ONE + 1))
        for name in names:
            fails(heard, name)
        assert heard.recent() == set(names[:-1])


class TestStrangers:
    def test_a_big_cluster_connects_without_delay(self, heard: Heard) -> None:
        for name in made_up(10 * FROM_ONE):
            assert heard.may_dial(name, HERE)
            heard.connected(name)

    def test_from_one_address_a_second_is_what_a_flood_costs(self, heard: Heard, clock: ManualClock) -> None:
        names = made_up(1_000_000)
        assert sum(fails(heard, next(names)) for _ in range(1000)) == FROM_ONE
        for _ in range(10):
            clock.advance(1.0)
            assert sum(fails(heard, next(names)) for _ in range(1000)) == 1

    def test_others_are_dialled_during_a_flood(self, heard: Heard) -> None:
        for name in made_up(1000):
            fails(heard, name)
        assert heard.may_dial("a@h", "10.0.0.2")

    def test_the_flooded_are_dialled_again_as_ever(self, heard: Heard, clock: ManualClock) -> None:
        assert fails(heard, "a@h")
        for name in made_up(1000):
            fails(heard, name)
        clock.advance(1.0)
        fails(heard, "flood@h")
        assert heard.may_dial("a@h", HERE)

    def test_from_all_addresses_there_is_a_bound_too(self, heard: Heard, clock: ManualClock) -> None:
        def flood() -> int:
            return sum(fails(heard, f"n{n}@{clock.time()}", f"{n}") for n in range(5000))

        assert flood() == gossip_heard.FROM_ALL
        clock.advance(1.0)
        assert flood() == gossip_heard.FROM_ALL_PER_SECOND

    def test_few_are_dialled_side_by_side(self, heard: Heard) -> None:
        dialled = [name for n, name in enumerate(made_up(1000)) if heard.may_dial(name, f"{n}")]
        assert len(dialled) == AT_ONCE
        heard.connected(dialled[0])
        assert heard.may_dial("a@h", HERE)


class TestMemory:
    def test_names_that_failed_long_ago_are_forgotten_and_told(
        self, heard: Heard, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(gossip_heard, "FAILURES", 3)
        assert not any(self.dial_in_vain(heard, name) for name in ("a@h", "b@h", "c@h"))
        assert self.dial_in_vain(heard, "d@h") == ["a@h"]
        assert not heard.may_dial("b@h", HERE), "it is remembered, so it must wait"
        assert heard.may_dial("a@h", HERE)

    def dial_in_vain(self, heard: Heard, name: str) -> list[str]:
        assert heard.may_dial(name, HERE)
        return heard.failed(name)

    def test_a_long_flood_leaves_little(self, heard: Heard, clock: ManualClock) -> None:
        forgotten = 0
        for second in range(600):
            for n in range(100):
                name = f"n{n}@{second}"
                if heard.may_dial(name, f"{n}.{second}"):
                    forgotten += len(heard.failed(name))
            clock.advance(1.0)
            heard.recent()
        assert forgotten
        assert len(heard._failures) <= gossip_heard.FAILURES
        assert len(heard._addresses) <= gossip_heard.ADDRESSES
        assert len(heard._last) <= gossip_heard.FROM_ALL + RECENT * gossip_heard.FROM_ALL_PER_SECOND
        assert not heard._dialled
