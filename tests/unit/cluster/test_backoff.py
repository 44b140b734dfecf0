from __future__ import annotations

import pytest

from pyerlnode.cluster.backoff import Backoff, jittered


def test_delays_double_up_to_the_most_and_begin_anew_after_a_reset() -> None:
    backoff = Backoff(1.0, 5.0, lambda: 0.0)
    assert [backoff.delay() for _ in range(5)] == [1.0, 2.0, 4.0, 5.0, 5.0]
    backoff.reset()
    assert backoff.delay() == 1.0


def test_chance_shortens_a_delay_by_up_to_half() -> None:
    assert Backoff(8.0, 8.0, lambda: 1.0).delay() == 4.0


def test_the_first_delay_is_never_above_the_most() -> None:
    assert Backoff(9.0, 2.0, lambda: 0.0).delay() == 2.0


@pytest.mark.parametrize(("chance", "expected"), [(0.0, 9.0), (0.5, 10.0), (1.0, 11.0)])
def test_an_interval_is_a_tenth_longer_or_shorter(chance: float, expected: float) -> None:
    assert jittered(10.0, lambda: chance) == pytest.approx(expected)
