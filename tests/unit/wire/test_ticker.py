from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlnode.errors import LocalProtocolError
from pyerlnode.wire.framing import TICK
from pyerlnode.wire.ticker import Tick, Ticker


def test_the_interval_is_ticktime_over_intensity() -> None:
    assert Ticker().interval == 15.0
    assert Ticker(8, 8).interval == 1.0


@pytest.mark.parametrize(
    ("ticktime", "intensity"), [(0, 4), (-1.0, 4), (float("nan"), 4), (60, 3), (60, 1001)]
)
def test_settings_that_cannot_work_are_refused(ticktime: float, intensity: int) -> None:
    with pytest.raises(LocalProtocolError):
        Ticker(ticktime, intensity)


def test_a_tick_is_due_when_nothing_was_written() -> None:
    ticker = Ticker()
    assert ticker.check(1, 0, queued=False) is Tick.SEND
    assert ticker.check(2, 100, queued=False) is Tick.IDLE
    assert ticker.check(3, 100, queued=False) is Tick.SEND


def test_none_is_due_while_data_waits_to_be_written() -> None:
    ticker = Ticker()
    assert ticker.check(1, 0, queued=True) is Tick.IDLE
    assert ticker.check(2, 0, queued=False) is Tick.SEND


@pytest.mark.parametrize("counted", [0, len(TICK)])
def test_our_own_ticks_are_no_data_whether_counted_or_not(counted: int) -> None:
    ticker = Ticker()
    written = 0
    for read in range(1, 10):
        assert ticker.check(read, written, queued=False) is Tick.SEND
        written += counted


def test_four_bytes_of_data_after_no_tick_are_data() -> None:
    ticker = Ticker()
    assert ticker.check(1, 10, queued=False) is Tick.IDLE
    assert ticker.check(2, 14, queued=False) is Tick.IDLE


@pytest.mark.parametrize("intensity", [4, 5, 10])
def test_a_peer_is_down_after_as_many_silent_checks_as_the_intensity(intensity: int) -> None:
    ticker = Ticker(60, intensity)
    ticker.check(7, 0, queued=False)
    for _ in range(intensity - 1):
        assert ticker.check(7, 0, queued=False) is Tick.SEND
    assert ticker.check(7, 0, queued=False) is Tick.DOWN


def test_any_byte_read_begins_the_count_anew() -> None:
    ticker = Ticker()
    ticker.check(1, 0, queued=False)
    for read in range(2, 40):
        for _ in range(4):
            assert ticker.check(read, 0, queued=False) is Tick.SEND
    assert ticker.check(39, 0, queued=False) is Tick.DOWN


def test_a_hidden_peer_that_says_nothing_is_ticked_whatever_we_write() -> None:
    ticker = Ticker(hidden=True)
    assert ticker.check(5, 50, queued=True) is Tick.IDLE
    assert ticker.check(5, 90, queued=True) is Tick.SEND
    assert ticker.check(6, 130, queued=True) is Tick.IDLE


def test_a_visible_peer_that_says_nothing_gets_no_tick_beside_data() -> None:
    ticker = Ticker()
    ticker.check(5, 50, queued=False)
    assert ticker.check(5, 90, queued=False) is Tick.IDLE


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.booleans()), max_size=60),
    st.integers(4, 8),
    st.booleans(),
)
def test_down_comes_exactly_when_the_last_reads_are_that_long_ago(
    checks: list[tuple[bool, int, bool]], intensity: int, hidden: bool
) -> None:
    ticker = Ticker(60, intensity, hidden)
    read = written = silent = 0
    for reads, writes, queued in checks:
        read += reads
        written += 10 * writes
        silent = 0 if reads else silent + 1
        verdict = ticker.check(read, written, queued)
        assert (verdict is Tick.DOWN) == (silent >= intensity)
        if verdict is Tick.DOWN:
            break
        if writes == 0 and not queued:
            assert verdict is Tick.SEND
        elif not hidden:
            assert verdict is Tick.IDLE
