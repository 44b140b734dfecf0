"""Tests with real BEAMs: what gives them some is in tests/support/beam_fixtures.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.epmd import Epmd

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _own_epmd(own_epmd: None) -> None:
    """Never the machine's epmd."""


@pytest.fixture
def plain_epmd(monkeypatch: pytest.MonkeyPatch) -> Iterator[Epmd]:
    """A port mapper for one test: documents use plain names, and show all that it lists."""
    with Epmd() as epmd:
        monkeypatch.setenv("ERL_EPMD_PORT", str(epmd.port))
        yield epmd
