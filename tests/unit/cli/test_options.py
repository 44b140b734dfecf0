"""The options that commands share, and the node that they speak through."""

from __future__ import annotations

import argparse
import re
import socket
from typing import TYPE_CHECKING

import pytest

from pyerlnode.cli.options import add_guest, add_peer, given_name, guest, guest_name, peer_of, seconds
from pyerlnode.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_peer(parser, "node to ask")
    add_guest(parser)
    return parser.parse_args(["node1@127.0.0.1", *words])


@pytest.fixture(autouse=True)
def _this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "web-1")


@pytest.mark.parametrize(
    ("peer", "host"),
    [
        ("node1@127.0.0.1", "127.0.0.1"),
        ("node1@127.0.1.1", "127.0.1.1"),
        ("node1@::1", "::1"),
        ("node1@localhost", "localhost"),
        ("node1@web-2", "web-1"),
        ("node1@web-2.example.net", "web-1.localdomain"),
        ("node1@10.0.0.7", "web-1.localdomain"),
    ],
)
def test_a_guest_has_a_random_name_of_the_peers_form(peer: str, host: str) -> None:
    first, second = guest_name(peer), guest_name(peer)
    assert re.fullmatch(rf"pyerlnode_[0-9a-f]{{6}}@{re.escape(host)}", first)
    assert first != second


def test_a_host_that_is_long_already_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "web-1.example.net")
    assert guest_name("a@b.c").endswith("@web-1.example.net")


async def test_a_guest_is_hidden_and_does_not_listen() -> None:
    async with guest(parse("--cookie", "c"), "node1@127.0.0.1") as node:
        assert node.hidden
        assert node.name.startswith("pyerlnode_")
        assert node.port is None


def test_a_named_one_is_what_was_asked_for() -> None:
    node = guest(parse("--name", "py@127.0.0.1", "--cookie", "c"), "node1@127.0.0.1")
    assert (node.name, node.hidden) == ("py@127.0.0.1", False)
    assert guest(parse("--name", "py@127.0.0.1", "--hidden"), "node1@127.0.0.1").hidden


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ((), None),
        (("--name", "py"), "py@web-1"),
        (("--sname", "py"), "py@web-1"),
        (("--sname", "py@other"), "py@other"),
        (("--name", "py@a.b"), "py@a.b"),
    ],
)
def test_names_are_completed(words: tuple[str, ...], name: str | None) -> None:
    assert given_name(parse(*words)) == name


def test_sname_refuses_a_long_host() -> None:
    with pytest.raises(ConfigError, match="without dots: use --name"):
        given_name(parse("--sname", "py@a.b"))


def test_a_peer_of_this_host_needs_no_host() -> None:
    assert peer_of(parse()) == "node1@127.0.0.1"
    assert peer_of(argparse.Namespace(peer="node1")) == "node1@web-1"
    with pytest.raises(ConfigError, match="peer="):
        peer_of(argparse.Namespace(peer="a@b@c"))


def test_times_are_seconds_above_zero() -> None:
    assert seconds("0.5") == 0.5
    for text in ("0", "-1", "x", "nan", "inf", ""):
        with pytest.raises(argparse.ArgumentTypeError, match="seconds above 0"):
            seconds(text)


def test_name_and_sname_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse("--name", "a", "--sname", "b")
    assert caught.value.code == 2
    assert "not allowed with" in capsys.readouterr().err


async def test_a_guests_cookie_comes_from_the_environment_or_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "node.toml"
    path.write_text('[node]\ncookie = "from_file"\n')
    path.chmod(0o600)
    for name in ("PYERLNODE_COOKIE", "PYERLNODE_COOKIE_FILE", "RELEASE_COOKIE", "ERLANG_COOKIE"):
        monkeypatch.delenv(name, raising=False)
    assert await cookie_of("--config", str(path)) == "from_file"
    monkeypatch.setenv("RELEASE_COOKIE", "from_environment")
    assert await cookie_of("--config", str(path)) == "from_environment"
    assert await cookie_of("--cookie", "given", "--config", str(path)) == "given"


async def cookie_of(*words: str) -> str:
    async with guest(parse(*words), "node1@127.0.0.1") as node:
        return node.cookie
