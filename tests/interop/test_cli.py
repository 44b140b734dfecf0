"""The command line against real BEAMs: what they say of us, and what we print of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pyerlnode import config
from pyerlnode.errors import ConfigError
from tests.support.beams import host_release
from tests.support.epmd import Epmd, find_epmd

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.conftest import Starter
    from tests.support.beam import Beam
    from tests.support.beams import Release

LOOPS = ("asyncio", "uvloop")


def pyerlnode(*words: str) -> tuple[int, str, str]:
    """Exit status, output and complaints of a command."""
    done = subprocess.run(
        [sys.executable, "-m", "pyerlnode", *words], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


# ---------------------------------------------------------------------------------- commands


@pytest.mark.parametrize("loop", LOOPS)
def test_ping(shared_beam: Beam, loop: str) -> None:
    assert pyerlnode("ping", shared_beam.name, "--cookie", "cookie", "--loop", loop) == (0, "pong\n", "")


def test_ping_with_a_wrong_cookie_says_so(shared_beam: Beam) -> None:
    status, out, err = pyerlnode("ping", shared_beam.name, "--cookie", "wrong")
    assert (status, out) == (1, "pang\n")
    assert f"the cookie of this node is not the one of {shared_beam.name}" in err
    assert err.count("\n") == 1


def test_ping_by_a_visible_and_by_a_hidden_name(shared_beam: Beam) -> None:
    for options in ((), ("--hidden",)):
        name = f"cli_{shared_beam.otp}@127.0.0.1"
        assert pyerlnode("ping", shared_beam.name, "--cookie", "cookie", "--name", name, *options)[0] == 0


async def test_ping_by_short_name(release: Release, beams: Starter) -> None:
    short = await beams(release, name=f"short{release.otp}@localhost")
    assert pyerlnode("ping", short.name, "--cookie", "cookie") == (0, "pong\n", "")


async def test_nodes_prints_whom_the_peer_sees(beams: Starter, beam: Beam) -> None:
    other = await beams(beam.release)
    assert await beam.eval(f"net_kernel:connect_node('{other.name}')") == "true"
    assert pyerlnode("nodes", beam.name, "--cookie", "cookie") == (0, f"{other.name}\n", "")
    status, out, _ = pyerlnode("nodes", beam.name, "--cookie", "cookie", "--json")
    assert (status, json.loads(out)) == (0, [other.name])


async def test_call_prints_the_answer(beam: Beam) -> None:
    """`net_kernel` is a gen_server that every node has."""
    question = ("call", beam.name, "net_kernel", "{:is_auth, :nobody@nowhere}", "--cookie", "cookie")
    assert pyerlnode(*question) == (0, ":yes\n", "")


@pytest.mark.beam(elixir=True)
async def test_call_reads_and_prints_elixir_as_elixir_does(beam: Beam) -> None:
    await beam.elixir(
        "defmodule Inspector do\n"
        "  use GenServer\n"
        "  def init(nil), do: {:ok, nil}\n"
        "  def handle_call(term, _from, nil), do: {:reply, {term, inspect(term)}, nil}\n"
        "end\n"
        "{:ok, _} = GenServer.start(Inspector, nil, name: :inspector)"
    )
    for term in ("{:ok, [1, 2.5, nil]}", '%{a: "x"}', ':"node1@127.0.0.1"', "<<1, 2, 255>>", "[a: 1]"):
        status, out, err = pyerlnode("call", beam.name, "inspector", term, "--cookie", "cookie")
        assert (status, err) == (0, "")
        assert out == f"{{{term}, {json.dumps(term)}}}\n"


async def test_call_to_nobody_is_known_at_once(beam: Beam) -> None:
    status, out, err = pyerlnode("call", beam.name, "nobody", ":hello", "--cookie", "cookie")
    assert (status, out) == (1, "")
    assert f"there is no process nobody at {beam.name}" in err


# ---------------------------------------------------------------------------------- epmd


def test_names_prints_what_epmd_prints(beam: Beam) -> None:
    epmd = find_epmd()
    assert epmd is not None
    theirs = subprocess.run([epmd, "-names"], capture_output=True, text=True, check=True)
    assert pyerlnode("names") == (0, theirs.stdout, theirs.stderr)
    assert beam.name.partition("@")[0] in theirs.stdout


def test_without_epmd_it_fails_as_epmd_does(monkeypatch: pytest.MonkeyPatch) -> None:
    epmd = find_epmd()
    assert epmd is not None
    with Epmd() as gone:
        monkeypatch.setenv("ERL_EPMD_PORT", str(gone.port))
    theirs = subprocess.run([epmd, "-names"], capture_output=True, text=True, check=False)
    assert pyerlnode("names") == (theirs.returncode, theirs.stdout, theirs.stderr)


# ---------------------------------------------------------------------------------- the cookie file


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("ERLANG_COOKIE", raising=False)
    return tmp_path


def host() -> Release:
    """The host's own BEAM: those in trees have other home directories."""
    release = host_release()
    if release is None:
        pytest.skip("no `erl` on the PATH of this machine: install Erlang (Debian: erlang-nox)")
    return release


async def cookie_of(beams: Starter, home: Path) -> str:
    """The cookie that the host's BEAM takes from `home`."""
    reader = await beams(host(), distributed=False, env={"HOME": str(home)})
    await reader.eval(f"net_kernel:start(['cookie{os.getpid()}@127.0.0.1', longnames])")
    return await reader.eval("erlang:get_cookie()")


async def test_a_cookie_file_that_we_made_is_read_by_erlang(beams: Starter, home: Path) -> None:
    cookie = config.read_cookie()
    assert (await cookie_of(beams, home)).strip("'") == cookie


async def test_a_cookie_file_that_erlang_made_is_read_by_us(beams: Starter, home: Path) -> None:
    made = (await cookie_of(beams, home)).strip("'")
    assert config.read_cookie() == made


@pytest.mark.parametrize("text", ["SECRET\n", "two words \n", " x", "SECRET\r\n\n"])
async def test_a_cookie_file_means_the_same_to_erlang_and_to_us(
    beams: Starter, home: Path, text: str
) -> None:
    path = home / ".erlang.cookie"
    path.write_bytes(text.encode())
    path.chmod(0o400)
    assert (await cookie_of(beams, home)).strip("'") == config.read_cookie()


@pytest.mark.parametrize(
    ("text", "mode"), [("SECRET", 0o440), ("SECRET", 0o604), ("", 0o400), ("a\nb", 0o400)]
)
async def test_a_cookie_file_that_erlang_refuses_is_refused_by_us(
    beams: Starter, home: Path, text: str, mode: int
) -> None:
    path = home / ".erlang.cookie"
    path.write_text(text)
    path.chmod(mode)
    reader = await beams(host(), distributed=False, env={"HOME": str(home)})
    answer = await reader.eval("catch net_kernel:start(['refused@127.0.0.1', longnames])")
    assert "error" in answer or "EXIT" in answer
    with pytest.raises(ConfigError):
        config.read_cookie()
