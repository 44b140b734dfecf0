"""All that is timed, done once with few messages: a BEAM, and nodes of this very tree beside it."""

from __future__ import annotations

import sys
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from tests.bench import bulk, calls, compare, growth, sends, stage
from tests.bench.plan import Plan
from tests.bench.rows import Row, time_text
from tests.bench.setup import ROOT, Build
from tests.bench.stage import FREE, Peer, Stage
from tests.support.beams import Release, host_release

TREE = Build("pure", ROOT, Path(sys.executable))


class Once(Plan):
    """As little as can be."""

    repetitions = 1

    def scaled(self, count: int) -> int:
        return max(1, count // 500)


@pytest.fixture
def plan(release: Release, monkeypatch: pytest.MonkeyPatch) -> Plan:
    monkeypatch.setattr(stage, "host_release", lambda: host_release() or release)
    return Once([TREE])


@pytest.mark.beam(few=1)
def test_everything_that_is_timed_beside_a_beam_works(plan: Plan) -> None:
    with Stage(plan, FREE) as all_of_them:
        rows = [row for part in (calls, sends, bulk) for row in part._measure(all_of_them)]
    assert {row.part for row in rows} == {calls.PART, sends.PART, bulk.PART}
    assert all(row.values["pure"].middle > 0 for row in rows)
    assert any("asyncio" in row.what for row in rows)
    assert any("uvloop" in row.what for row in rows)


@pytest.mark.beam(few=1)
def test_a_crowd_sends_over_all_of_its_connections(plan: Plan) -> None:
    with Stage(plan, FREE, loops=()) as only_a_beam:
        peer = only_a_beam.add(TREE, "asyncio", waiting=5)
        with closing(growth.Crowd(only_a_beam, TREE, peer, 3)) as crowd:
            crowd.expect("ready")
            turn = partial(growth._crowded, {peer: crowd}, 60)
            assert only_a_beam.turns(turn, [peer])[peer][0] > 0


def test_rows_are_ratios_to_the_beam() -> None:
    beam, ours = Peer("beam@h", 1), Peer("py@h", 2, "pure", "uvloop")
    found = {beam: [2.0, 4.0, 8.0], ours: [3.0, 8.0, 12.0]}
    around = Stage(Once([]), FREE)
    [slower] = compare.beside_beam(around, "p", "w", found, time_text)
    [rate] = compare.beside_beam(around, "p", "w", found, time_text, inverse=True)
    assert isinstance(slower, Row)
    assert slower.what == "w, uvloop, free"
    assert slower.values["pure"].middle == 1.5
    assert rate.values["pure"].middle == pytest.approx(2 / 3)
