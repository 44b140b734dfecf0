"""Look-ups in DNS, against a server of our own on the loopback that fails in every way."""

from __future__ import annotations

import asyncio
import errno
import re
from typing import TYPE_CHECKING, Any

import dns.exception
import dns.resolver
import pytest
import uvloop

from pyerlnode.cluster.dns import MOST, Dns, NoSuchName, Service, reason
from pyerlnode.errors import DiscoveryFailed
from tests.support.dns_server import DnsServer, Failure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANY = [f"10.1.{high}.{low}" for high in range(1, 5) for low in range(1, 51)]


@pytest.fixture
def server() -> Iterator[DnsServer]:
    with DnsServer() as server:
        server.add("web.test", "A", "10.0.0.2", "10.0.0.1")
        server.add("web.test", "AAAA", "fd00::1")
        yield server


def ours(server: DnsServer, timeout: float = 20.0, **options: Any) -> Dns:
    return Dns(nameservers=[server.address], port=server.port, timeout=timeout, **options)


async def failure(dns: Dns, name: str = "web.test") -> str:
    with pytest.raises(DiscoveryFailed) as caught:
        await dns.addresses(name)
    assert not isinstance(caught.value, NoSuchName)
    return str(caught.value)


# ---------------------------------------------------------------------------------- what is found


async def test_addresses_in_order(server: DnsServer) -> None:
    dns = ours(server)
    assert await dns.addresses("web.test") == ["10.0.0.1", "10.0.0.2"]
    assert await dns.addresses("WEB.test.", "AAAA") == ["fd00::1"]


async def test_nothing_is_kept(server: DnsServer) -> None:
    dns = ours(server)
    assert await dns.addresses("web.test") == ["10.0.0.1", "10.0.0.2"]
    server.set("web.test", "A", "10.0.0.3")
    assert await dns.addresses("web.test") == ["10.0.0.3"]


async def test_aliases_are_followed(server: DnsServer) -> None:
    server.add("www.test", "CNAME", "alias.test.")
    server.add("alias.test", "CNAME", "web.test.")
    assert await ours(server).addresses("www.test") == ["10.0.0.1", "10.0.0.2"]


async def test_names_of_an_address(server: DnsServer) -> None:
    dns = ours(server)
    server.add_ptr("10.0.0.1", "Node1.net_poc", "a.test")
    server.add_ptr("fd00::1", "six.test")
    assert await dns.names_of("10.0.0.1") == ["Node1.net_poc", "a.test"]
    assert await dns.names_of("fd00::1") == ["six.test"]


async def test_services(server: DnsServer) -> None:
    server.add("_srv.test", "SRV", "1 2 4000 b.test.", "0 0 80 c.test.", "1 1 4000 a.test")
    assert await ours(server).services("_srv.test") == [
        Service("c.test", 80, 0, 0),
        Service("a.test", 4000, 1, 1),
        Service("b.test", 4000, 1, 2),
    ]
    server.add("_gone.test", "SRV", "0 0 0 .")
    assert await ours(server).services("_gone.test") == []


async def test_long_answers_come_by_tcp(server: DnsServer) -> None:
    server.set("web.test", "A", *MANY)
    assert len(await ours(server).addresses("web.test")) == len(MANY)
    assert [question.transport for question in server.questions] == ["udp", "tcp"]


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_both_event_loops_are_left_clean(server: DnsServer, factory: Any) -> None:
    async def look_up() -> int:
        dns = ours(server)
        both = await asyncio.gather(dns.addresses("web.test"), dns.addresses("many.test"))
        return sum(map(len, both))

    server.set("many.test", "A", *MANY)
    with asyncio.Runner(loop_factory=factory) as runner:
        assert runner.run(look_up()) == 2 + len(MANY)
        server.fail(Failure.DROP)
        with pytest.raises(TimeoutError):
            runner.run(asyncio.wait_for(look_up(), 0.1))


# ---------------------------------------------------------------------------------- what is not


async def test_no_such_name_and_no_such_record_are_told_apart(server: DnsServer) -> None:
    dns = ours(server)
    with pytest.raises(NoSuchName, match=r"^lookup against nothing\.test failed: :nxdomain$"):
        await dns.addresses("nothing.test")
    with pytest.raises(NoSuchName, match=r"^lookup against 10\.9\.9\.9 failed: :nxdomain$"):
        await dns.names_of("10.9.9.9")
    assert await dns.services("web.test") == []


@pytest.mark.parametrize(
    ("fault", "word"), [(Failure.SERVFAIL, "servfail"), (Failure.REFUSED, "refused")], ids=str
)
async def test_what_a_server_says_is_told(server: DnsServer, fault: Failure, word: str) -> None:
    server.fail(fault)
    assert await failure(ours(server)) == f"lookup against web.test failed: :{word} (A from 127.0.0.1)"


@pytest.mark.parametrize(
    "fault", [Failure.DROP, Failure.GARBAGE, Failure.WRONG_ID, Failure.HALF], ids=lambda x: x.name
)
async def test_silence_and_noise_end_in_time(server: DnsServer, fault: Failure) -> None:
    server.fail(fault)
    text = await failure(ours(server, timeout=0.2))
    assert text == "lookup against web.test failed: :timeout (A from 127.0.0.1)"


async def test_a_lost_question_is_asked_again(server: DnsServer) -> None:
    server.fail(Failure.DROP)
    looking = asyncio.create_task(ours(server, timeout=2.0).addresses("web.test"))
    await server.asked("web.test")
    server.mend()
    assert await looking == ["10.0.0.1", "10.0.0.2"]


async def test_the_second_server_helps_when_the_first_is_silent(server: DnsServer) -> None:
    with DnsServer("127.0.0.2", server.port) as silent:
        silent.fail(Failure.DROP)
        dns = Dns(nameservers=[silent.address, server.address], port=server.port, timeout=2.0)
        assert await dns.addresses("web.test") == ["10.0.0.1", "10.0.0.2"]
        server.fail(Failure.SERVFAIL)
        text = await failure(dns)
    assert text == "lookup against web.test failed: :servfail (A from 127.0.0.2, 127.0.0.1)"


async def test_an_answer_that_is_cut_short_is_none(server: DnsServer) -> None:
    server.fail(Failure.TRUNCATE_ALWAYS)
    assert await failure(ours(server)) == "lookup against web.test failed: :truncated (A from 127.0.0.1)"


async def test_a_server_that_cannot_be_reached(server: DnsServer) -> None:
    text = await failure(Dns(nameservers=["255.255.255.255"], timeout=0.2))
    words = "eacces|enetunreach|timeout"  # by what the system thinks of its network
    assert re.fullmatch(rf"lookup against web.test failed: :({words}) \(A from 255\.255\.255\.255\)", text)


async def test_answers_without_end_are_refused(server: DnsServer) -> None:
    server.set("web.test", "A", *(f"10.{n >> 8}.{n & 255}.1" for n in range(MOST + 1)))
    assert await failure(ours(server)) == (
        f"lookup against web.test failed: {MOST + 1} records, more than {MOST}, are no cluster"
    )


async def test_addresses_that_are_none_are_a_failure(server: DnsServer) -> None:
    server.set("web.test", "A", "0.0.0.0")
    assert await failure(ours(server)) == (
        "lookup against web.test failed: it gives 0.0.0.0, which is no node's address"
    )


async def test_names_that_are_no_hosts_are_a_failure(server: DnsServer) -> None:
    server.add_ptr("10.0.0.1", r"evil\@host.test")
    server.add("_srv.test", "SRV", r"0 0 1 a\032b.test.")
    with pytest.raises(DiscoveryFailed, match="which is no host's name"):
        await ours(server).names_of("10.0.0.1")
    with pytest.raises(DiscoveryFailed, match="which is no host's name"):
        await ours(server).services("_srv.test")


@pytest.mark.parametrize("name", ["a..b", "x" * 64, "x." * 200, "a\udcffb"])
async def test_what_cannot_be_asked_is_a_failure(server: DnsServer, name: str) -> None:
    assert ":einval (no name for DNS:" in await failure(ours(server), name)
    assert server.questions == []


# ---------------------------------------------------------------------------------- the search list


def written(path: Path, server: DnsServer, *lines: str) -> Dns:
    path.write_text("\n".join([f"nameserver {server.address}", *lines, ""]))
    return Dns(resolv_conf=path, port=server.port, timeout=20.0)


async def test_search_goes_on_until_something_is_found(server: DnsServer, tmp_path: Path) -> None:
    dns = written(tmp_path / "resolv.conf", server, "search none.test empty.test test")
    server.add("web.empty.test", "TXT", "nothing")
    assert await dns.addresses("web", search=True) == ["10.0.0.1", "10.0.0.2"]
    assert [question.name for question in server.questions] == ["web.none.test", "web.empty.test", "web.test"]
    with pytest.raises(NoSuchName):
        await dns.addresses("web")


async def test_search_that_finds_nothing_says_the_worst(server: DnsServer, tmp_path: Path) -> None:
    dns = written(tmp_path / "resolv.conf", server, "search one.test two.test")
    with pytest.raises(NoSuchName, match="against db failed: :nxdomain"):
        await dns.addresses("db", search=True)
    server.add("db.one.test", "TXT", "nothing")
    assert await dns.addresses("db", search=True) == []
    server.fail(Failure.SERVFAIL, "db.two.test")
    with pytest.raises(DiscoveryFailed, match="against db failed: :servfail"):
        await dns.addresses("db", search=True)
    server.add("db", "A", "10.0.0.5")
    assert await dns.addresses("db", search=True) == ["10.0.0.5"]


# ---------------------------------------------------------------------------------- words


def test_reasons() -> None:
    def with_errors(kind: type[dns.exception.DNSException], *errors: Any, **more: Any) -> Exception:
        return kind(errors=[("Do53:10.0.0.1@53", False, 53, error, None) for error in errors], **more)

    request = dns.message.make_query("web.test", "A")
    nobody = dns.resolver.NoNameservers
    plain: Any = dns.resolver.YXDOMAIN
    assert reason(with_errors(dns.resolver.LifetimeTimeout, timeout=2)) == "timeout"
    assert reason(with_errors(dns.resolver.LifetimeTimeout, "SERVFAIL", timeout=2)) == "servfail"
    assert reason(with_errors(nobody, TimeoutError(), request=request)) == "timeout"
    assert reason(with_errors(nobody, EOFError(), request=request)) == "eoferror"
    assert reason(with_errors(nobody, OSError("odd"), request=request)) == "eio"
    assert reason(plain()) == "yxdomain"
    assert reason(OSError(errno.ENETUNREACH, "no network")) == "enetunreach"
