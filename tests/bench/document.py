"""What of docs/performance.md is not written by hand: all between the two marks, and the plot beside it."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import plot, table
from tests.bench.setup import ROOT
from tests.support.beams import host_release

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.plan import Plan
    from tests.bench.rows import Row

PAGE = ROOT / "docs" / "performance.md"
PICTURE = PAGE.with_suffix(".svg")
BEGIN, END = "<!-- measured: begin (make bench writes this) -->", "<!-- measured: end -->"
VERSIONS = """
import importlib.metadata, json, sys
found = importlib.metadata.distributions()
print(json.dumps({one.metadata["Name"]: one.version for one in found if one.metadata["Name"] in sys.argv}))
"""
COMPARED = ("erlpack", "msgspec", "uvloop")


def write(rows: Sequence[Row], plan: Plan) -> None:
    """Replaces what the last run wrote."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(before + BEGIN + "\n" + _measured(rows, plan) + END + after, encoding="utf-8")
    PICTURE.write_text(plot.svg(rows), encoding="utf-8")


def _measured(rows: Sequence[Row], plan: Plan) -> str:
    facts = [
        'Made by `make bench BENCH_ARGS="--write"`',
        f"on {datetime.now(UTC):%Y-%m-%d}, commit {_commit()}",
        machine(),
        ", ".join(f"{name} {version}" for name, version in _versions(plan).items()),
    ]
    picture = f"![Values in proportion to their goals]({PICTURE.name})"
    return f"{'; '.join(facts)}.\n\n{picture}\n\n{table.markdown(rows)}\n"


def machine() -> str:
    """The kind of machine, not its name."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = {line.partition(":")[2].strip() for line in lines if line.startswith("model name")}
    release = host_release()
    otp = "no OTP" if release is None else f"OTP {release.otp}"
    cores = f"{len(os.sched_getaffinity(0))} cores"
    return f"{', '.join(sorted(models))}, {cores}, CPython {platform.python_version()}, {otp}"


def _versions(plan: Plan) -> dict[str, str]:
    command = [str(plan.builds[0].python), "-c", VERSIONS, *COMPARED]
    found = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return dict(sorted(json.loads(found).items()))


def _commit() -> str:
    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout.strip()

    changed = " with changes" if git("status", "--porcelain", "--", "pyerlnode") else ""
    return f"{git('rev-parse', '--short=10', 'HEAD')}{changed}"
