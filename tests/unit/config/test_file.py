"""The TOML file: what it may say, and what an error says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyerlnode.config.file import LONGEST, ConfigFile, read_config
from pyerlnode.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = """
[node]
name = "py@10.0.0.9"
cookie = "SECRET"
hidden = true
listen = true
host = "10.0.0.9"
port = 9100
epmd = 5000
start_epmd = false
peer_ports = {"a@10.0.0.1" = 9100}
net_ticktime = 30
log_level = "DEBUG"

[topologies.example]
strategy = "epmd"
hosts = ["a@10.0.0.1"]
timeout = 5000

[topologies.other]
strategy = "gossip"
prune = true
"""


def written(directory: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path = directory / "node.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def test_everything_that_it_may_say(tmp_path: Path) -> None:
    path = written(tmp_path, WHOLE)
    found = read_config(path)
    assert found.node == {
        "name": "py@10.0.0.9",
        "cookie": "SECRET",
        "hidden": True,
        "listen": True,
        "host": "10.0.0.9",
        "port": 9100,
        "epmd": 5000,
        "start_epmd": False,
        "peer_ports": {"a@10.0.0.1": 9100},
        "net_ticktime": 30.0,
        "log_level": "debug",
    }
    assert found.topologies == {
        "example": {"strategy": "epmd", "hosts": ["a@10.0.0.1"], "timeout": 5000},
        "other": {"strategy": "gossip", "prune": True},
    }
    assert found.path == path
    assert "SECRET" not in repr(found)


def test_it_may_say_nothing(tmp_path: Path) -> None:
    found = read_config(written(tmp_path, "", 0o644))
    assert (found.node, found.topologies, found.is_private) == ({}, {}, False)


@pytest.mark.parametrize(
    ("text", "key", "hint"),
    [
        ("nodes = {}", "nodes", "did you mean 'node'"),
        ("node = 7", "node", "it is a table"),
        ("topologies = []", "topologies", "it is a table"),
        ("[node]\nnmae = 'py'", "node.nmae", "did you mean 'name'"),
        ("[node]\ncooky = 'SECRET'", "node.cooky", "did you mean 'cookie'"),
        ("[node]\nname = 'a@b@c'", "node.name", "py@host"),
        ("[node]\nname = 7", "node.name", "py@host"),
        ("[node]\nhidden = 'yes'", "node.hidden", "true or false"),
        ("[node]\nhost = ''", "node.host", "not empty"),
        ("[node]\nport = 65536", "node.port", "0 (any) to 65535"),
        ("[node]\nport = true", "node.port", "0 (any) to 65535"),
        ("[node]\nepmd = 'no'", "node.epmd", "0 (any) to 65535"),
        ("[node]\npeer_ports = {a = 1}", "node.peer_ports", "exactly one @"),
        ("[node]\npeer_ports = '1'", "node.peer_ports", "0 (any) to 65535"),
        ("[node]\nnet_ticktime = 0", "node.net_ticktime", "seconds above 0"),
        ("[node]\nnet_ticktime = inf", "node.net_ticktime", "seconds above 0"),
        ("[node]\nnet_ticktime = true", "node.net_ticktime", "seconds above 0"),
        ("[node]\nlog_level = 'loud'", "node.log_level", "debug, info, warning, error"),
        ("[node]\nlog_level = 7", "node.log_level", "debug, info, warning, error"),
        ("[node]\ncookie_file = 7", "node.cookie_file", "a string"),
        ("[node]\ncookie_file = 'nowhere'", "node.cookie_file", "no such file"),
        ("[node]\ncookie = ''", "node.cookie", "cannot be empty"),
        ("[topologies]\nexample = 'SECRET'", "topologies.example", "it is a table"),
        ("[topologies.example]\nhosts = []", "topologies.example.strategy", "strategy = 'epmd'"),
        ("[topologies.example]\nstrategy = 7", "topologies.example.strategy", "a string"),
        ("[topologies.a]\nstrategy = 'epmd'\nprune = 'no'", "topologies.a.prune", "true or false"),
    ],
)
def test_an_error_says_which_key_and_what_would_work(tmp_path: Path, text: str, key: str, hint: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    assert caught.value.key == f"{path}: {key}"
    assert hint in caught.value.hint
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("text", ["[node", "a = 1\na = 2", b"name = '\xff'", "a = " + "[" * 100_000])
def test_what_is_no_toml_is_refused(tmp_path: Path, text: str | bytes) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError, match="it is no TOML") as caught:
        read_config(path, "$PYERLNODE_CONFIG")
    assert (caught.value.key, caught.value.given) == ("$PYERLNODE_CONFIG", str(path))
    assert len(str(caught.value)) < 400


def test_one_that_is_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"at most {LONGEST} bytes"):
        read_config(written(tmp_path, "#" * (LONGEST + 1)))
    assert read_config(written(tmp_path, "#" * LONGEST)).node == {}


def test_one_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        read_config(tmp_path / "node.toml")


# ---------------------------------------------------------------------------------- secrets


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_cookie_in_a_file_that_others_can_read_is_refused_with_the_cure(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path, "[node]\ncookie = 'SECRET'", mode)
    with pytest.raises(ConfigError, match=f"may not hold a secret: chmod 600 {path}") as caught:
        read_config(path)
    assert "SECRET" not in str(caught.value)


def test_other_secrets_ask_the_file() -> None:
    from pathlib import Path

    with pytest.raises(ConfigError, match=r"secret='\*\*\*': others can read node.toml"):
        ConfigFile(Path("node.toml")).refuse_secret("secret")
    ConfigFile(Path("node.toml"), is_private=True).refuse_secret("secret")


@pytest.mark.parametrize("absolute", [True, False])
def test_a_cookie_file_is_found_from_where_the_file_is(tmp_path: Path, absolute: bool) -> None:
    cookie = tmp_path / "cookie"
    cookie.write_text("SECRET\n")
    cookie.chmod(0o400)
    named = cookie if absolute else "cookie"
    path = written(tmp_path, f"[node]\ncookie_file = '{named}'", 0o644)
    assert read_config(path).node == {"cookie": "SECRET"}
    cookie.chmod(0o444)
    with pytest.raises(ConfigError, match="others can read it"):
        read_config(path)
