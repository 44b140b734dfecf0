"""All settings of a node: which source wins, and what ``Node`` is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode import Node
from pyerlnode.cluster import Topology
from pyerlnode.cluster.epmd import Epmd
from pyerlnode.config import NodeSettings, Wish, cookie_setting, node_name, node_options, node_settings
from pyerlnode.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

TOML = """
[node]
name = "file@10.0.0.9"
cookie = "FILE"
hidden = true
port = 9100
log_level = "debug"

[topologies.example]
strategy = "epmd"
hosts = ["a@10.0.0.1"]
"""


@pytest.fixture
def config(home: Path) -> Path:
    path = home / "node.toml"
    path.write_text(TOML)
    path.chmod(0o600)
    return path


def test_without_anything_it_is_nothing(home: Path) -> None:
    assert node_settings() == NodeSettings()


def test_the_file_alone(config: Path) -> None:
    found = node_settings(config, environ={})
    assert (found.name, found.cookie, found.hidden) == ("file@10.0.0.9", "FILE", True)
    assert (found.log_level, found.further) == ("debug", {"port": 9100})
    assert found.topologies == (Topology("example", Epmd(hosts=["a@10.0.0.1"])),)


def test_the_environment_names_the_file_and_wins_over_it(config: Path) -> None:
    environ = {
        "PYERLNODE_CONFIG": str(config),
        "PYERLNODE_NAME": "env@10.0.0.9",
        "ERLANG_COOKIE": "ENV",
        "PYERLNODE_HIDDEN": "false",
        "PYERLNODE_LOG_LEVEL": "Warning",
        "PYERLNODE_HOSTS": "b@10.0.0.1",
    }
    found = node_settings(environ=environ)
    assert (found.name, found.cookie, found.hidden) == ("env@10.0.0.9", "ENV", False)
    assert (found.log_level, found.further) == ("warning", {"port": 9100})
    assert found.topologies == (Topology("example", Epmd(hosts=["b@10.0.0.1"])),)


def test_arguments_win_over_the_environment(config: Path) -> None:
    environ = {
        "PYERLNODE_CONFIG": "/nowhere",
        "PYERLNODE_NAME": "env@10.0.0.9",
        "PYERLNODE_COOKIE": "ENV",
        "PYERLNODE_HIDDEN": "false",
        "PYERLNODE_LOG_LEVEL": "warning",
    }
    wish = Wish(options={"hosts": "c@10.0.0.1"})
    found = node_settings(
        config, name="arg@h", cookie="ARG", hidden=True, log_level="error", wish=wish, environ=environ
    )
    assert (found.name, found.cookie, found.hidden, found.log_level) == ("arg@h", "ARG", True, "error")
    assert found.topologies == (Topology("example", Epmd(hosts=["c@10.0.0.1"])),)


def test_the_processs_environment_is_read(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYERLNODE_CONFIG", "~/node.toml")
    assert node_settings().name == "file@10.0.0.9"
    assert node_name() == "file@10.0.0.9"
    assert cookie_setting(None, None) == "FILE"
    monkeypatch.setenv("RELEASE_NODE", "app@h")
    monkeypatch.setenv("RELEASE_COOKIE", "RELEASE")
    assert node_name(config) == "app@h"
    assert cookie_setting(None, config) == "RELEASE"
    assert cookie_setting("given", config) == "given"


def test_a_node_can_be_made_of_it(config: Path) -> None:
    node = Node(**node_settings(config, environ={}).options)
    assert node.name == "file@10.0.0.9"
    assert node.hidden
    assert list(node.topologies) == ["example"]


def test_a_node_without_a_name_is_part_of_no_network(home: Path) -> None:
    assert Node(**node_settings(environ={}).options).name == "nonode@nohost"


def test_no_secret_is_shown(config: Path) -> None:
    assert "FILE" not in repr(node_settings(config, environ={}))


@pytest.mark.parametrize(
    ("environ", "key"),
    [
        ({"PYERLNODE_LOG_LEVEL": "loud"}, "$PYERLNODE_LOG_LEVEL"),
        ({"PYERLNODE_HIDDEN": "perhaps"}, "$PYERLNODE_HIDDEN"),
        ({"PYERLNODE_NAME": "a@b@c"}, "$PYERLNODE_NAME"),
        ({"PYERLNODE_CONFIG": "/nowhere"}, "$PYERLNODE_CONFIG"),
        ({"PYERLNODE_COOKIE": ""}, "$PYERLNODE_COOKIE"),
        ({"PYERLNODE_STRATEGY": "none"}, "$PYERLNODE_STRATEGY"),
    ],
)
def test_an_error_names_the_variable(environ: dict[str, str], key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        node_settings(environ=environ)
    assert caught.value.key == key


@pytest.mark.parametrize(
    "given", [{"log_level": "loud"}, {"name": "a@b@c"}, {"cookie": ""}, {"config": "/nowhere"}]
)
def test_a_wrong_argument_is_an_error(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        node_settings(**given, environ={})


def test_variables_that_nothing_reads_are_told() -> None:
    environ = {"PYERLNODE_STRATEGY": "epmd", "PYERLNODE_HOSTS": "a@h", "PYERLNODE_HOST": "a@h"}
    found = node_settings(environ=environ)
    assert found.warnings == ("PYERLNODE_HOST is set, and nothing reads it: did you mean 'PYERLNODE_HOSTS'?",)


def test_warnings_go_to_the_log(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("PYERLNODE_NAM", "a@h")
    monkeypatch.setenv("PYERLNODE_NAME", "b@h")
    assert node_options()["name"] == "b@h"
    assert "PYERLNODE_NAM is set, and nothing reads it" in caplog.text
