"""Which servers are asked, and for which names: resolv.conf."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import dns.exception
import pytest

from pyerlnode.cluster.dns_servers import MOST, RESOLV_CONF, Servers, full_names
from pyerlnode.errors import DiscoveryFailed

if TYPE_CHECKING:
    from pathlib import Path


def of_file(path: Path) -> Servers:
    return Servers(None, 53, 2.0, path)


def names(path: Path, name: str, *lines: str, search: bool = True) -> list[str]:
    path.write_text("\n".join(["nameserver 10.0.0.1", *lines, ""]))
    return [found.to_text() for found in full_names(of_file(path).resolver(), name, search)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "resolv.conf"


def test_servers_that_are_given() -> None:
    resolver = Servers(["10.0.0.1", "fd00::1"], 5353, 2.0, RESOLV_CONF).resolver()
    assert (resolver.nameservers, resolver.port) == (["10.0.0.1", "fd00::1"], 5353)
    assert resolver.timeout == 0.5


def test_servers_of_the_file_the_first_few(path: Path) -> None:
    path.write_text("".join(f"nameserver 10.0.0.{n}\n" for n in range(1, 6)))
    assert of_file(path).resolver().nameservers == [f"10.0.0.{n}" for n in range(1, MOST + 1)]


def test_the_file_is_read_again_when_it_changes(path: Path) -> None:
    path.write_text("nameserver 10.0.0.1\n")
    servers = of_file(path)
    first = servers.resolver()
    assert servers.resolver() is first
    path.write_text("nameserver 10.0.0.22\n")
    assert servers.resolver().nameservers == ["10.0.0.22"]
    other = path.with_suffix(".new")
    other.write_text("nameserver 10.0.0.33\n")
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.replace(path)
    assert servers.resolver().nameservers == ["10.0.0.33"]


def test_without_a_usable_file_there_is_no_look_up_until_there_is_one(path: Path) -> None:
    servers = of_file(path)
    for text in (None, "search test\n", "nameserver nobody\n"):
        if text is not None:
            path.write_text(text)
        with pytest.raises(DiscoveryFailed, match="no look-up is possible") as caught:
            servers.resolver()
        assert str(path) in str(caught.value)
    path.write_text("nameserver 10.0.0.1\n")
    assert servers.resolver().nameservers == ["10.0.0.1"]
    path.unlink()
    with pytest.raises(DiscoveryFailed):
        servers.resolver()


def test_servers_that_are_given_and_are_none() -> None:
    with pytest.raises(DiscoveryFailed, match="nameservers cannot be used"):
        Servers(["web.test"], 53, 2.0, RESOLV_CONF).resolver()


def test_names_without_search(path: Path) -> None:
    assert names(path, "web", "search a.test", search=False) == ["web."]
    assert names(path, "web.b.", "search a.test") == ["web.b."]


def test_names_with_search(path: Path) -> None:
    assert names(path, "web", "search a.test b.test") == ["web.a.test.", "web.b.test.", "web."]
    assert names(path, "web.x", "search a.test") == ["web.x.", "web.x.a.test."]
    assert names(path, "web.x", "search a.test", "options ndots:5") == ["web.x.a.test.", "web.x."]
    assert names(path, "web", "search a.test", "options ndots:0") == ["web.", "web.a.test."]
    assert names(path, "web", "domain a.test") == ["web.a.test.", "web."]
    assert names(path, "web", "search .") == ["web."]


def test_what_is_no_name(path: Path) -> None:
    with pytest.raises(dns.exception.DNSException):
        names(path, "a..b")
    with pytest.raises(dns.exception.DNSException):
        names(path, "x" * 63, f"search {'y' * 63}.{'y' * 63}.{'y' * 63}.test")
