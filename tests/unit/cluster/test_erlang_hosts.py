"""ErlangHosts: the file that Erlang reads, and the epmd of each host in it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pyerlnode.cluster.erlang_hosts import MISSING, ErlangHosts, find_file, parse_hosts, read_hosts
from pyerlnode.errors import ConfigError, DiscoveryFailed, TextError
from tests.support.world import FakeHome, Surroundings, lines

if TYPE_CHECKING:
    from pathlib import Path


def hosts_file(directory: Path, *hosts: str) -> Path:
    path = directory / ".hosts.erlang"
    path.write_text("".join(f"'{host}'.\n" for host in hosts))
    return path


# ---------------------------------------------------------------------------------- the strategy


async def test_it_dials_every_node_of_every_host(tmp_path: Path) -> None:
    world = Surroundings(FakeHome("py@web1"))
    world.names = {"web1": ["py", "node1"], "web2": ["node2"]}
    async with world.running(ErlangHosts(hosts_file=hosts_file(tmp_path, "web1", "web2"))):
        await world.pass_time(60)
    assert sorted(world.home.dials) == ["node1@web1", "node2@web2"]


async def test_hosts_that_do_not_answer_are_skipped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    world = Surroundings(FakeHome("py@web1"))
    world.names = {"web2": ["node2"]}
    strategy = ErlangHosts(hosts_file=hosts_file(tmp_path, "web1", "web2"))
    discovery = await strategy.discover(world.convergence(strategy))
    assert (discovery.nodes, discovery.complete) == ({"node2@web2"}, False)
    assert lines(caplog.records, 0) == ["[pyerlnode:example] no epmd answers at web1"]


async def test_a_host_that_hangs_is_skipped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    world = Surroundings(FakeHome("py@web1"))

    async def hanging(host: str) -> list[str]:
        if host == "web1":
            await asyncio.get_running_loop().create_future()
        return ["node2"]

    world.world = replace(world.world, epmd_names=hanging)
    strategy = ErlangHosts(hosts_file=hosts_file(tmp_path, "web1", "web2"), connect_timeout=100)
    discovery = await strategy.discover(world.convergence(strategy))
    assert (discovery.nodes, discovery.complete) == ({"node2@web2"}, False)
    assert "[pyerlnode:example] the epmd on web1 does not answer in time" in lines(caplog.records, 0)


async def test_when_none_answers_all_are_asked_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world = Surroundings(FakeHome("py@web1", up={"node@web6"}))
    path = hosts_file(tmp_path, *(f"web{n}" for n in range(1, 7)))
    async with world.running(ErlangHosts(hosts_file=path)):
        await world.pass_time(5)
        world.names["web6"] = ["node"]
        await world.pass_time(60)
    assert world.home.connected == {"node@web6"}
    hosts = "web1, web2, web3, web4, web5 and 1 more"
    assert lines(caplog.records)[0] == (
        f"[pyerlnode:example] no epmd answers on {hosts} (the hosts of {path})"
    )


async def test_without_a_file_it_says_what_libcluster_says(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world = Surroundings(FakeHome("py@web1"))
    world.names["web1"] = ["node1"]
    async with world.running(ErlangHosts(hosts_file=tmp_path / ".hosts.erlang", timeout=1000)):
        await world.pass_time(5)
        assert lines(caplog.records) == [f"[pyerlnode:example] {MISSING}"]
        hosts_file(tmp_path, "web1")
        await world.pass_time(2)
    assert world.home.dials[0] == "node1@web1"


async def test_without_a_file_and_a_timeout_it_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    world = Surroundings(environ={"ROOTDIR": str(tmp_path)})
    strategy = ErlangHosts()
    await strategy.run(world.convergence(strategy))
    assert lines(caplog.records) == [f"[pyerlnode:example] {MISSING}"]


async def test_the_file_is_found_where_erlang_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    hosts_file(tmp_path, "web2")
    world = Surroundings(FakeHome("py@web1"))
    world.names["web2"] = []
    strategy = ErlangHosts()
    discovery = await strategy.discover(world.convergence(strategy))
    assert (discovery.nodes, discovery.complete) == (frozenset(), True)


@pytest.mark.parametrize("given", ["", 7])
def test_what_is_no_path_is_refused(given: object) -> None:
    with pytest.raises(ConfigError, match="hosts_file="):
        ErlangHosts(hosts_file=given)


def test_a_path_may_be_text(tmp_path: Path) -> None:
    assert ErlangHosts(hosts_file=str(tmp_path)).hosts_file == tmp_path


# ---------------------------------------------------------------------------------- the file


def test_the_first_file_of_three_places_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, home, root = (tmp_path / name for name in ("here", "home", "root"))
    for place in (here, home, root / "bin"):
        place.mkdir(parents=True)
    monkeypatch.chdir(here)
    erl = root / "bin" / "erl"
    erl.write_text("")
    erl.chmod(0o755)
    environ = {"HOME": str(home), "PATH": str(root / "bin")}
    assert find_file(environ) is None
    in_root = hosts_file(root)
    assert find_file(environ) == in_root.resolve()
    assert find_file({"ROOTDIR": str(root), "PATH": ""}) == in_root
    in_home = hosts_file(home)
    assert find_file(environ) == in_home
    hosts_file(here)
    found = find_file(environ)
    assert found is not None
    assert found.absolute() == here / ".hosts.erlang"


def test_without_erlang_and_home_there_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_file({"PATH": str(tmp_path)}) is None


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("", []),
        ("% nobody\n\n", []),
        ("'web1.example.net'.\n'10.0.0.2'.\n", ["web1.example.net", "10.0.0.2"]),
        ("web1.\nweb2.", ["web1", "web2"]),
        ("'a'. 'b'.\t'a'.", ["a", "b"]),
        ('"web1.net".\n', ["web1.net"]),
        ("'a' .% why\n% not\n'b'.", ["a", "b"]),
    ],
)
def test_it_is_read_as_erlang_reads_it(text: str, hosts: list[str]) -> None:
    assert parse_hosts(text) == hosts


@pytest.mark.parametrize(
    "text", ["web1", "web1.example.net.", "'a@b'.", "''.", "{a}.", "7.", '"".', "[1].", "nil.", "'a' 'b'."]
)
def test_what_is_no_list_of_hosts_is_refused(text: str) -> None:
    with pytest.raises(TextError):
        parse_hosts(text)


def test_a_file_that_cannot_be_read_says_which_and_why(tmp_path: Path) -> None:
    path = tmp_path / ".hosts.erlang"
    assert read_hosts(path) is None
    for data, why in ((b"web1.example.net.\n", "one quoted host a line"), (b"'caf\xe9'.", "utf-8")):
        path.write_bytes(data)
        with pytest.raises(DiscoveryFailed, match=why) as caught:
            read_hosts(path)
        assert str(path) in str(caught.value)
    with pytest.raises(DiscoveryFailed, match="Is a directory"):
        read_hosts(tmp_path)
