"""Runs the measurements and shows the table."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import document, setup, table
from tests.bench.plan import Plan

if TYPE_CHECKING:
    from tests.bench.rows import Row

PARTS = ("codec", "calls", "sends", "bulk", "memory", "growth")
"""Modules beside this one; each has ``measure(plan) -> list[Row]``."""


def main() -> int:
    options = _options()
    plan = Plan(setup.prepare(options.compiled, options.build), quick=options.quick)
    rows: list[Row] = []
    failed = []
    for part in options.only:
        begin = time.monotonic()
        setup.say(f"measuring: {part} ...")
        try:
            rows += importlib.import_module(f"tests.bench.{part}").measure(plan)
        except Exception:
            traceback.print_exc()
            failed.append(part)
        setup.say(f"{part} took {time.monotonic() - begin:.0f} s")
    sys.stdout.write(table.plain(rows) + "\n")
    if options.write and not failed:
        document.write(rows, plan)
    if failed:
        setup.say(f"failed: {', '.join(failed)}")
    return bool(failed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", type=_parts, default=PARTS, metavar="PARTS", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="fewer and shorter repetitions")
    parser.add_argument("--compiled", type=Path, metavar="DIR", help="a folder that has a compiled pyerlnode")
    parser.add_argument("--build", choices=("compiled", "pure"), help="only this one")
    parser.add_argument("--write", action="store_true", help="write the whole table and its plot to docs/")
    options = parser.parse_args()
    if options.write and (options.quick or options.build or tuple(options.only) != PARTS):
        parser.error("--write is for a whole run")
    return options


def _parts(text: str) -> list[str]:
    parts = text.split(",")
    if unknown := set(parts) - set(PARTS):
        raise argparse.ArgumentTypeError(f"no such part: {', '.join(sorted(unknown))}")
    return parts


if __name__ == "__main__":
    sys.exit(main())
