"""What the table says of values and goals."""

from __future__ import annotations

import pytest

from tests.bench import plot, table
from tests.bench.rows import Row, at_least, at_most, goals, rate_text, time_text
from tests.bench.stats import Value, geometric_mean, percentile


def row(compiled: float, pure: float, **changes: object) -> Row:
    values = {"compiled": Value.of([compiled]), "pure": Value.of([pure])}
    given = {"part": "p", "what": "w", "values": values, "goals": goals(at_most(0.9), at_least(2))}
    return Row(**given | changes)  # type: ignore[arg-type]


def test_ratios_are_of_repetitions_side_by_side() -> None:
    assert Value.ratio([2.0, 9.0, 40.0], [1.0, 3.0, 10.0]) == Value(3.0, 2.0, 4.0)
    with pytest.raises(ValueError, match="longer"):
        Value.ratio([1.0], [1.0, 2.0])


def test_percentiles_are_of_the_values_themselves() -> None:
    assert percentile(range(1, 101), 99) == 99
    assert percentile([5, 1, 3], 50) == 3
    assert percentile([5, 1], 50) == 1


def test_the_mean_of_ratios_does_not_mind_which_way_round() -> None:
    assert geometric_mean([4, 1 / 4, 8, 1 / 8]) == pytest.approx(1)


def test_a_goal_is_judged_by_what_is_shown() -> None:
    assert row(0.904, 2).verdict("compiled") is True
    assert row(0.906, 1.994).verdict("compiled") is False
    assert row(1, 1.996).verdict("pure") is True


def test_the_table_counts_goals() -> None:
    rows = [row(0.5, 3.0), row(1.0, 3.0), row(7.0, 1.0, goals={})]
    assert table.summary(rows) == "compiled: 1 of 2 goals met; pure: 2 of 2 goals met."
    assert table.plain(rows).count("missed") == 1
    assert "**missed**" in table.markdown(rows)


def test_the_plot_is_made_of_what_has_a_goal() -> None:
    drawn = plot.svg([row(0.45, 4.0), row(7.0, 1.0, goals={})])
    assert drawn.count("<title>") == 2
    assert drawn.count('class="goal"') == 1


def test_quantities_have_three_digits() -> None:
    assert time_text(0.0000012) == "1.20 µs"
    assert rate_text(34_500, "calls") == "34.5 kcalls/s"
