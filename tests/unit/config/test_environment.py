"""The environment: copied for us, handed on to children, and what counts as unset."""

from __future__ import annotations

import os

import pytest

from pyerlnode.config.environment import child_environment, environment, variable


def test_the_environment_is_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYERLNODE_NAME", "py")
    copy = environment()
    assert copy["PYERLNODE_NAME"] == "py"
    copy["PYERLNODE_NAME"] = "other"
    assert os.environ["PYERLNODE_NAME"] == "py"


def test_a_child_gets_ours_and_its_epmds_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERL_EPMD_PORT", "1")
    assert child_environment(5000) == {**os.environ, "ERL_EPMD_PORT": "5000"}


@pytest.mark.parametrize("text", [None, "", "  ", "tcp://10.0.0.1:80", "udp://10.0.0.1:80"])
def test_empty_ones_and_links_to_services_count_as_unset(text: str | None) -> None:
    assert variable({} if text is None else {"PYERLNODE_PORT": text}, "PORT") is None
