"""What holds for every test: the event loop, BEAM logs beside failures, and no silent gaps.

* ``PYERLNODE_LOOP=uvloop|asyncio`` chooses the event loop (uvloop where installed unless told otherwise).
  Loops are per test, so shared fixtures must be plain functions (a `Beam` belongs to no loop).
* A failed test shows the log of each BEAM, and of each other process with a log, that ran during it.
* ``PYERLNODE_COMPILED=1`` sees to it that compiled code is what is tested (`.ci/compiled`), ``=0`` that not.
* Under ``CI=true`` a skipped test is a failed one: what CI does not test, nobody does.
* Interrupts are sent as to a program in a terminal, also where a script runs all this in the background.
* Hypothesis has no deadline, since machines are shared; in CI it takes the same examples each time.
"""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import inspect
import os
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.support import beams
from tests.support.beam import Beam
from tests.support.built import CODEC, IS_COMPILED
from tests.support.log import Log

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Mapping

pytest_plugins = ["tests.support.beam_fixtures"]

IN_CI = os.environ.get("CI") == "true"

settings.register_profile(
    "pyerlnode", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=IN_CI
)
settings.load_profile("pyerlnode")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # what a shell gives to what it runs in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _loop_name() -> str:
    default = "uvloop" if importlib.util.find_spec("uvloop") else "asyncio"
    return os.environ.get("PYERLNODE_LOOP") or default


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    name = _loop_name()
    if name == "asyncio":
        return {name: asyncio.new_event_loop}
    if name == "uvloop":
        import uvloop

        return {name: uvloop.new_event_loop}
    raise pytest.UsageError(f"PYERLNODE_LOOP={name}: there is uvloop and asyncio")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give async tests their deadline inside the loop: uvloop lets no signal of pytest-timeout through."""
    default = float(config.getoption("timeout") or config.getini("timeout"))
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            marker = item.get_closest_marker("timeout")
            chosen = marker and (marker.args[0] if marker.args else marker.kwargs.get("timeout"))
            item.obj = _within(float(chosen or default), item.obj)


def _within(seconds: float, test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    @functools.wraps(test)
    async def limited(*args: object, **kwargs: object) -> None:
        async with asyncio.timeout(max(seconds - 1, seconds / 2)):
            await test(*args, **kwargs)

    return limited


def pytest_configure() -> None:
    wanted = os.environ.get("PYERLNODE_COMPILED")
    if wanted and (wanted == "1") is not IS_COMPILED:
        raise pytest.UsageError(f"PYERLNODE_COMPILED={wanted}, but what would be tested is {CODEC}")


def pytest_report_header() -> str:
    kind = "compiled" if IS_COMPILED else "pure"
    found = ", ".join(release.id for release in beams.releases()) or "none"
    return f"pyerlnode: {kind}, loop {_loop_name()}, BEAMs {found}, CI {'yes' if IN_CI else 'no'}"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    Beam.seen[:] = [beam for beam in Beam.seen if beam.is_alive]
    Log.seen[:] = [log for log in Log.seen if not log.has_ended]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and IN_CI and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = _not_in_ci(report.longrepr)
    if report.failed:
        report.sections += [
            (f"log of {log.who}", "\n".join(log.lines[-200:])) for log in Log.seen if log.lines
        ]
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.skipped and IN_CI:
        report.outcome = "failed"
        report.longrepr = _not_in_ci(report.longrepr)
    return report


def _not_in_ci(skipped: object) -> str:
    reason = skipped[2] if isinstance(skipped, tuple) else skipped
    return f"under CI=true nothing may be skipped.  {reason}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    tested = {release.otp for release in beams.releases() if release.problem is None}
    missing = sorted(set(beams.EXPECTED) - tested)
    if missing:
        names = ", ".join(f"OTP {otp}" for otp in missing)
        terminalreporter.section("NOT TESTED in this run", sep="!", yellow=True, bold=True)
        terminalreporter.line(
            f"{names}: `make beams` installs what is missing, `make interop` tests all", yellow=True
        )


def pytest_sessionfinish() -> None:
    for beam in Beam.seen:
        beam.close()
