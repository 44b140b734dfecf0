"""Tests with real BEAMs: what gives them some is in tests/support/beam_fixtures.py."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _own_epmd(own_epmd: None) -> None:
    """Never the machine's epmd."""
