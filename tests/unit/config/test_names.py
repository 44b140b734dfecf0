"""Names: completed, checked, and taken from the environment."""

from __future__ import annotations

import socket

import pytest

from pyerlnode.config.names import complete_name, long_host, name_from_environment
from pyerlnode.errors import ConfigError


@pytest.fixture(autouse=True)
def _this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "web-1")


def test_a_bare_name_gets_this_hosts_short_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "web-1.example.net")
    assert complete_name("py") == "py@web-1"


@pytest.mark.parametrize("name", ["py@host", "py_1-a@10.0.0.1", "py@a.example.net", "py@::1", "a@b"])
def test_a_full_name_stays(name: str) -> None:
    assert complete_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "@host", "py@", "a@b@c", "p y", "py@a b", "pÿ", "py.a", "py@hôst", "py@h\n", "x" * 250 + "@hosts"],
)
def test_a_name_that_erlang_would_refuse_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"py@host|at most 255"):
        complete_name(name)


def test_a_name_that_is_no_text_is_refused() -> None:
    with pytest.raises(ConfigError, match="a node name is a str"):
        complete_name(7)  # type: ignore[arg-type]


def test_a_machine_without_a_name_is_told_to_give_the_full_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "")
    with pytest.raises(ConfigError, match=r"py@127\.0\.0\.1"):
        complete_name("py")


def test_a_long_host_is_made_up_where_this_machine_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert long_host() == "web-1.localdomain"
    monkeypatch.setattr(socket, "gethostname", lambda: "web-1.example.net")
    assert long_host() == "web-1.example.net"


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({}, None),
        ({"PYERLNODE_NAME": "", "RELEASE_NODE": ""}, None),
        ({"PYERLNODE_NAME": "py@h", "RELEASE_NODE": "app@h"}, "py@h"),
        ({"PYERLNODE_NAME": "py"}, "py@web-1"),
        ({"PYERLNODE_NAME": "py@10.0.0.1", "RELEASE_DISTRIBUTION": "sname"}, "py@10.0.0.1"),
        ({"RELEASE_NODE": "app"}, "app@web-1"),
        ({"RELEASE_NODE": "app", "RELEASE_DISTRIBUTION": "sname"}, "app@web-1"),
        ({"RELEASE_NODE": "app@h.net"}, "app@h.net"),
        ({"RELEASE_NODE": "app@h.net", "RELEASE_DISTRIBUTION": "name"}, "app@h.net"),
        ({"RELEASE_NODE": "app@h", "RELEASE_DISTRIBUTION": "none"}, None),
        ({"RELEASE_DISTRIBUTION": "name"}, None),
    ],
)
def test_the_environment_names_this_node(environ: dict[str, str], name: str | None) -> None:
    assert name_from_environment(environ) == name


@pytest.mark.parametrize(
    ("environ", "key", "cure"),
    [
        ({"PYERLNODE_NAME": "a@b@c"}, "$PYERLNODE_NAME", "py@host"),
        ({"RELEASE_NODE": "a b"}, "$RELEASE_NODE", "py@host"),
        ({"RELEASE_NODE": "a@h.net", "RELEASE_DISTRIBUTION": "sname"}, "$RELEASE_NODE", "or set it to name"),
        ({"RELEASE_NODE": "a@h", "RELEASE_DISTRIBUTION": "name"}, "$RELEASE_NODE", "host with a dot"),
        ({"RELEASE_NODE": "a", "RELEASE_DISTRIBUTION": "name"}, "$RELEASE_NODE", "host with a dot"),
        ({"RELEASE_NODE": "a", "RELEASE_DISTRIBUTION": "long"}, "$RELEASE_DISTRIBUTION", "sname or name"),
    ],
)
def test_variables_that_contradict_each_other_say_the_cure(
    environ: dict[str, str], key: str, cure: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        name_from_environment(environ)
    assert caught.value.key == key
    assert cure in caught.value.hint
