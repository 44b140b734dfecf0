"""The codec against marshal, msgspec.msgpack and erlpack, on terms of a real BEAM."""

from __future__ import annotations

import json
import pickle
import subprocess
from typing import TYPE_CHECKING

from tests.bench import vectors
from tests.bench.rows import Goal, Row, at_least, at_most, both, goals, time_text
from tests.bench.stats import Value, geometric_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.plan import Plan
    from tests.bench.setup import Build

PART = "codec: CPU time"
WITHIN = {
    "decode": goals(at_most(0.9), at_most(7)),
    "encode": goals(at_most(0.5), at_most(5.5)),
}
"""Of marshal's time, as the geometric mean of all vectors but the large binary."""
LARGE_BINARY = both(at_most(1.1))
FASTER = {"decode": {"compiled": at_least(6)}, "encode": {"compiled": at_least(1.8)}}
"""Than erlpack, on the vectors that it can do."""

Times = dict[tuple[str, str, str], list[float]]
"""Nanoseconds of each repetition, by vector, direction and contender."""


def measure(plan: Plan) -> list[Row]:
    """Every row of this part."""
    terms = vectors.make()
    times = {build.name: _times(build, terms, plan) for build in plan.builds}
    names = list(terms)
    rows = []
    for direction in ("decode", "encode"):
        rows += [_to_marshal(times, direction, name) for name in names]
        rows += [_mean_to_marshal(times, direction, names), *_means_to_others(times, direction, names)]
    return rows


def _times(build: Build, terms: dict[str, bytes], plan: Plan) -> Times:
    settings = {"repetitions": plan.repetitions, "budget": 4_000_000 if plan.quick else 20_000_000}
    done = subprocess.run(
        build.command("codec_worker.py"),
        env=build.environment,
        input=pickle.dumps((settings, terms)),
        stdout=subprocess.PIPE,
        check=True,
    )
    return {(vector, way, name): figures for vector, way, name, figures in json.loads(done.stdout)}


def _to_marshal(times: dict[str, Times], direction: str, vector: str) -> Row:
    values = {
        build: Value.ratio(found[vector, direction, "pyerlnode"], found[vector, direction, "marshal"])
        for build, found in times.items()
    }
    first = next(iter(times.values()))
    nanoseconds = Value.of(first[vector, direction, "marshal"]).middle
    large = vector == vectors.LARGE
    return Row(
        part=PART,
        what=f"{direction} {vectors.TITLES[vector]}",
        anchor=f"marshal, {time_text(nanoseconds / 1e9)}",
        values=values,
        goals=LARGE_BINARY if large else {},
    )


def _mean_to_marshal(times: dict[str, Times], direction: str, terms: Sequence[str]) -> Row:
    return Row(
        part=PART,
        what=f"{direction}, mean of all but the large binary",
        anchor="marshal",
        values={
            build: _mean(found, direction, "pyerlnode", "marshal", terms) for build, found in times.items()
        },
        goals=WITHIN[direction],
    )


def _means_to_others(times: dict[str, Times], direction: str, terms: Sequence[str]) -> list[Row]:
    rows = [
        Row(
            part=PART,
            what=f"{direction}, mean with the large binary",
            anchor="marshal",
            values={
                build: _mean(found, direction, "pyerlnode", "marshal", terms, large=True)
                for build, found in times.items()
            },
        ),
        Row(
            part=PART,
            what=f"{direction}, mean",
            anchor="msgspec.msgpack",
            values={
                build: _mean(found, direction, "pyerlnode", "msgspec", terms)
                for build, found in times.items()
            },
        ),
    ]
    able = [
        name
        for name in terms
        if name != vectors.LARGE and all((name, direction, "erlpack") in found for found in times.values())
    ]
    if able:
        faster: dict[str, Goal] = FASTER[direction]
        rows.append(
            Row(
                part=PART,
                what=f"{direction}, times faster than erlpack ({len(able)} vectors)",
                anchor="erlpack",
                values={
                    build: _mean(found, direction, "erlpack", "pyerlnode", able)
                    for build, found in times.items()
                },
                goals=faster,
            )
        )
    return rows


def _mean(
    found: Times,
    direction: str,
    ours: str,
    theirs: str,
    names: Sequence[str],
    *,
    large: bool = False,
) -> Value:
    """The geometric mean over the vectors, of each repetition."""
    chosen = [name for name in names if large or name != vectors.LARGE]
    pairs = [
        zip(found[name, direction, ours], found[name, direction, theirs], strict=True) for name in chosen
    ]
    return Value.of(geometric_mean(one / other for one, other in turn) for turn in zip(*pairs, strict=True))
