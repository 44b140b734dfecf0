"""Rows from what nodes did in turns: each of ours beside the BEAM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench.rows import Goal, Row
from tests.bench.stats import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.bench.stage import Peer, Stage


def beside_beam(
    stage: Stage,
    part: str,
    what: str,
    found: Mapping[Peer, Sequence[float]],
    text: Callable[[float], str],
    goals: Mapping[str, Mapping[str, Goal]] | None = None,
    *,
    inverse: bool = False,
) -> list[Row]:
    """A row for each loop: how many times the BEAM's figure ours is.

    `text` writes the BEAM's own figure; `goals` are by loop and build; `inverse` is for figures of which more
    is better but which were measured as times.
    """
    beam = next(peer for peer in found if peer.build is None)
    anchor = f"BEAM, {text(Value.of(found[beam]).middle)}"
    rows = []
    for loop in dict.fromkeys(peer.loop for peer in found if peer.build):
        ours = {peer.build: found[peer] for peer in found if peer.build and peer.loop == loop}
        rows.append(
            Row(
                part=part,
                what=f"{what}, {loop}, {stage.cores}",
                anchor=anchor,
                values={
                    build: Value.ratio(found[beam], figures) if inverse else Value.ratio(figures, found[beam])
                    for build, figures in ours.items()
                },
                goals=(goals or {}).get(loop, {}),
            )
        )
    return rows
