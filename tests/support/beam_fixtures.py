"""Fixtures that give a test real BEAMs: a plugin of pytest, which tests/conftest.py names.

    async def test_ping(beam): ...              # a fresh node, once per release
    async def test_calls(shared_beam): ...      # one per release and module: leave it as you found it

    @pytest.mark.beam(since=27, elixir=True)    # releases from 27 on that have Elixir; also only=(23, 25)
    async def test_new(beam): ...

    @pytest.mark.beam(few=1)                    # the release of this host; few=2: the newest, too
    async def test_the_same_with_all(beam): ...

    @pytest.mark.beam(needs=(25, 27, 29))       # all of these, in one test
    async def test_mesh(beams):
        a, b = await beams(25), await beams(27, name="b@127.0.0.1", flags=["-hidden"])

``release`` alone gives the `Release`, for tests that start their own.  All of them use the epmd of this run
(``epmd``, ``epmd_port``), and with ``own_epmd`` so does whatever reads ``ERL_EPMD_PORT``.  Elixir runs where
there is one.

A release that is not on this machine is a skip that says how to get it, and a failure under ``CI=true``.
A test that needs one which ``PYERLNODE_RELEASES`` leaves out is deselected.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import beams as found_beams
from tests.support.beam import Beam
from tests.support.beams import MissingRelease, Release
from tests.support.epmd import Epmd, find_epmd

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHOUT_ELIXIR = frozenset({28})
"""Expected releases whose package has no Elixir."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a test asks of releases, in its ``beam`` marker."""

    since: int = 0
    only: tuple[int, ...] = ()
    few: int = 0
    needs: tuple[int, ...] = ()
    elixir: bool = False

    @classmethod
    def of(cls, node: pytest.Item) -> Wish:
        kwargs: dict[str, Any] = {}
        for marker in reversed(list(node.iter_markers("beam"))):
            kwargs |= marker.kwargs
        return cls(**kwargs)

    def admits(self, otp: int) -> bool:
        plain = otp not in WITHOUT_ELIXIR or not self.elixir
        return otp >= self.since and (not self.only or otp in self.only) and plain

    def choose(self, numbers: list[int]) -> list[int]:
        """Those to run with, of the `numbers` chosen for this run: the host's own and the newest, if few."""
        admitted = [otp for otp in numbers if self.admits(otp)]
        if not self.few:
            return admitted
        host = found_beams.host_release()
        first = [otp for otp in admitted if host is not None and otp == host.otp]
        others = [otp for otp in reversed(admitted) if otp not in first]
        return sorted((first + others)[: self.few])


def _chosen() -> set[int]:
    """The releases this run is about: those of PYERLNODE_RELEASES, else all that we promise or find."""
    found = {release.otp for release in found_beams.releases()}
    return found if os.environ.get("PYERLNODE_RELEASES") else found | set(found_beams.EXPECTED)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "release" in metafunc.fixturenames and not _has_its_own(metafunc):
        wish = Wish.of(metafunc.definition)
        numbers = wish.choose(sorted(_chosen()))
        metafunc.parametrize("release", [_param(otp) for otp in numbers] or [None], scope="session")


def _has_its_own(metafunc: pytest.Metafunc) -> bool:
    """Whether the test gives its `release` itself, as those of recorded bytes do."""
    marks = metafunc.definition.iter_markers("parametrize")
    return any("release" in str(mark.args[0]).replace(",", " ").split() for mark in marks)


def _param(otp: int) -> Any:
    reason = _why_not(otp)
    if reason is None:
        return pytest.param(found_beams.find(otp), id=f"otp{otp}")
    return pytest.param(None, id=f"otp{otp}", marks=pytest.mark.skip(reason=reason))


def _why_not(otp: int) -> str | None:
    try:
        return found_beams.find(otp).problem
    except MissingRelease as missing:
        return str(missing)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    chosen = _chosen()
    left_out = [item for item in items if _is_left_out(item, chosen)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def _is_left_out(item: pytest.Item, chosen: set[int]) -> bool:
    needs = set(Wish.of(item).needs)
    for otp in needs & chosen:
        if reason := _why_not(otp):
            item.add_marker(pytest.mark.skip(reason=reason))
    callspec = getattr(item, "callspec", None)
    skipped = any(item.iter_markers("skip"))
    nothing = callspec is not None and callspec.params.get("release", 0) is None and not skipped
    return nothing or bool(needs - chosen)


@pytest.fixture(scope="session")
def epmd() -> Iterator[Epmd]:
    """The epmd of this test run.  A test that kills or restarts one starts its own `Epmd`."""
    if find_epmd() is None:
        pytest.skip("no `epmd` on this machine: install Erlang (Debian: erlang-base)")
    with Epmd() as epmd:
        yield epmd


@pytest.fixture(scope="session")
def epmd_port(epmd: Epmd) -> int:
    """The port of this run's epmd."""
    return epmd.port


@pytest.fixture
def own_epmd(monkeypatch: pytest.MonkeyPatch, epmd_port: int) -> None:
    """The epmd of this run for whatever reads ``ERL_EPMD_PORT``."""
    monkeypatch.setenv("ERL_EPMD_PORT", str(epmd_port))
    monkeypatch.delenv("ERL_EPMD_ADDRESS", raising=False)


@pytest.fixture
def beam(release: Release, epmd_port: int) -> Iterator[Beam]:
    """A fresh node of each release."""
    beam = Beam(release, epmd_port=epmd_port, elixir=release.elixir is not None).boot()
    yield beam
    beam.close()


@pytest.fixture(scope="module")
def shared_beam(release: Release, epmd_port: int) -> Iterator[Beam]:
    """One node per release for all tests of a module."""
    beam = Beam(release, epmd_port=epmd_port, elixir=release.elixir is not None).boot()
    yield beam
    beam.close()


class Starter:
    """Starts nodes for one test, and ends them with it.

    ``await beams(27, **options)`` takes an OTP number or a `Release`, and the options of `Beam`.
    """

    def __init__(self, epmd_port: int) -> None:
        self._epmd_port = epmd_port
        self._started: list[Beam] = []

    async def __call__(self, release: int | Release, **options: Any) -> Beam:
        if isinstance(release, int):
            release = found_beams.find(release)
        settings = {"epmd_port": self._epmd_port, "elixir": release.elixir is not None} | options
        beam = Beam(release, **settings)
        self._started.append(beam)
        return await beam.start()

    def close(self) -> None:
        for beam in self._started:
            beam.close()


@pytest.fixture
def beams(epmd_port: int) -> Iterator[Starter]:
    """Start as many nodes as a test needs: ``await beams(27, name="a@127.0.0.1")``."""
    starter = Starter(epmd_port)
    yield starter
    starter.close()
