"""Where epmd is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyerlnode.config.epmd import EpmdSettings, epmd_settings
from pyerlnode.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def test_epmd_is_at_4369_on_all_addresses_and_strict_by_default(home: Path) -> None:
    assert epmd_settings() == EpmdSettings(port=4369, addresses=(), relaxed=False)


def test_epmd_settings_come_from_erlangs_variables(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERL_EPMD_PORT", "5000")
    monkeypatch.setenv("ERL_EPMD_ADDRESS", "10.0.0.1, ::1,10.0.0.2 ")
    monkeypatch.setenv("ERL_EPMD_RELAXED_COMMAND_CHECK", "")
    assert epmd_settings() == EpmdSettings(5000, ("10.0.0.1", "::1", "10.0.0.2"), relaxed=True)


@pytest.mark.parametrize("port", ["0", "65536", "-1", "4369x", "٤", "1" * 5000, " "])
def test_a_port_that_is_none_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("ERL_EPMD_PORT", port)
    with pytest.raises(ConfigError, match=r"\$ERL_EPMD_PORT=.* from 1 to 65535"):
        epmd_settings()
