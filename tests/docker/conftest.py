"""The post's clusters in containers: see tests/support/docker.py, containers.py and compose.py.

    def test_alias(site):                       # tests.support.containers.Site on trixie
    @pytest.mark.parametrize("suite", SUITES)   # on the bases of each release of Debian
    def test_epmd(site):

Without a Docker engine these tests are skipped, and fail under ``CI=true``; `make docker-test` has one.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.support.containers import Container, Site
from tests.support.docker import RUN, problem, remove_containers, remove_images

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

why_not = cache(problem)


@pytest.fixture(scope="session", autouse=True)
def engine() -> Iterator[None]:
    """An engine with the base images; in the end nothing of this run is left there."""
    if reason := why_not():
        pytest.skip(reason)
    yield
    remove_containers(named=RUN)
    remove_images()


@pytest.fixture
def suite() -> str:
    """The Debian release of the images, unless a test chooses others."""
    return "trixie"


@pytest.fixture
def site(suite: str) -> Iterator[Site]:
    """Names and a network of the test's own; all that it runs there ends with it."""
    with Site(suite) as site:
        yield site


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what each container of a failed test wrote."""
    report = yield
    if call.when == "setup":
        Container.seen.clear()
    if report.failed:
        report.sections += [(f"log of {node!r}", "\n".join(node.logs()[-100:])) for node in Container.seen]
    return report
