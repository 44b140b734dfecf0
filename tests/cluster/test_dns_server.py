"""The DNS server that cluster tests change: what dnspython's resolver makes of each thing it does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import dns.asyncresolver
import dns.exception
import dns.resolver
import pytest

from tests.support.dns_server import DnsServer, Failure, Question

if TYPE_CHECKING:
    from collections.abc import Iterator

MANY = [f"10.1.{high}.{low}" for high in range(4) for low in range(50)]


@pytest.fixture
def server() -> Iterator[DnsServer]:
    with DnsServer() as server:
        server.add("web.test", "A", "10.0.0.1", "10.0.0.2")
        yield server


async def ask(server: DnsServer, name: str, kind: str = "A", *, lifetime: float = 10) -> list[str]:
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers, resolver.port, resolver.lifetime = [server.address], server.port, lifetime
    answer = await resolver.resolve(name, kind, raise_on_no_answer=False)
    return sorted(record.to_text() for record in answer.rrset or ())


async def test_records_of_every_type(server: DnsServer) -> None:
    server.add("web.test", "AAAA", "fd77::1")
    server.add("_srv.test", "SRV", "1 2 4000 a.test", "0 0 80 b.test.")
    server.add_ptr("10.0.0.1", "web1.net_poc")
    server.add_ptr("fd77::1", "web1.net_poc")
    assert await ask(server, "web.test") == ["10.0.0.1", "10.0.0.2"]
    assert await ask(server, "WEB.test.", "AAAA") == ["fd77::1"]
    assert await ask(server, "_srv.test", "SRV") == ["0 0 80 b.test.", "1 2 4000 a.test."]
    assert await ask(server, "1.0.0.10.in-addr.arpa", "PTR") == ["web1.net_poc."]
    assert await ask(server, f"1.{'0.' * 27}7.7.d.f.ip6.arpa", "PTR") == ["web1.net_poc."]


async def test_the_zone_changes_while_it_serves(server: DnsServer) -> None:
    server.set("web.test", "A", "10.0.0.3")
    assert await ask(server, "web.test") == ["10.0.0.3"]
    server.add("web.test", "A", "10.0.0.4")
    server.remove("web.test", "A", "10.0.0.3")
    assert await ask(server, "web.test") == ["10.0.0.4"]
    server.set("web.test", "A")
    assert await ask(server, "web.test") == []
    server.remove("web.test")
    with pytest.raises(dns.resolver.NXDOMAIN):
        await ask(server, "web.test")


async def test_names_with_other_types_or_names_below_them_exist(server: DnsServer) -> None:
    assert await ask(server, "web.test", "AAAA") == []
    assert await ask(server, "test") == []
    with pytest.raises(dns.resolver.NXDOMAIN):
        await ask(server, "eb.test")


async def test_aliases_are_followed_but_not_in_circles(server: DnsServer) -> None:
    server.add("alias.test", "CNAME", "web.test.")
    assert await ask(server, "alias.test") == ["10.0.0.1", "10.0.0.2"]
    server.add("round.test", "CNAME", "round.test.")
    with pytest.raises((dns.resolver.NoAnswer, dns.exception.DNSException)):
        await ask(server, "round.test", lifetime=1)


async def test_long_answers_come_by_tcp(server: DnsServer) -> None:
    server.set("many.test", "A", *MANY)
    assert await ask(server, "many.test") == sorted(MANY)
    assert [question.transport for question in server.questions] == ["udp", "tcp"]


@pytest.mark.parametrize("failure", [Failure.SERVFAIL, Failure.REFUSED])
async def test_refusals(server: DnsServer, failure: Failure) -> None:
    server.fail(failure, "web.test")
    with pytest.raises((dns.resolver.NoNameservers, dns.resolver.LifetimeTimeout)):
        await ask(server, "web.test", lifetime=1)
    server.mend()
    assert await ask(server, "web.test") == ["10.0.0.1", "10.0.0.2"]


async def test_a_name_that_is_denied(server: DnsServer) -> None:
    server.fail(Failure.NXDOMAIN)
    with pytest.raises(dns.resolver.NXDOMAIN):
        await ask(server, "web.test")
    server.fail(Failure.EMPTY, "web.test")  # what is said of one name goes first
    assert await ask(server, "web.test") == []


@pytest.mark.parametrize("failure", [Failure.DROP, Failure.WRONG_ID, Failure.GARBAGE, Failure.HALF])
async def test_answers_that_are_none(server: DnsServer, failure: Failure) -> None:
    server.fail(failure)
    with pytest.raises((dns.resolver.LifetimeTimeout, dns.resolver.NoNameservers)):
        await ask(server, "web.test", lifetime=0.3)
    assert server.count("web.test") >= 1


async def test_truncated_answers(server: DnsServer) -> None:
    server.fail(Failure.TRUNCATE)
    assert await ask(server, "web.test") == ["10.0.0.1", "10.0.0.2"]
    assert [question.transport for question in server.questions] == ["udp", "tcp"]
    server.fail(Failure.TRUNCATE_ALWAYS)
    assert await ask(server, "web.test") == []  # dnspython does not look at the bit in what comes by TCP


async def test_slow_answers(server: DnsServer) -> None:
    server.slow(60, "web.test")
    with pytest.raises(dns.resolver.LifetimeTimeout):
        await ask(server, "web.test", lifetime=0.3)
    server.slow(0.1, "web.test")
    assert await ask(server, "web.test") == ["10.0.0.1", "10.0.0.2"]


async def test_waiting_for_questions(server: DnsServer) -> None:
    await ask(server, "web.test")
    waiting = asyncio.create_task(server.asked("web.test", count=2))
    await asyncio.sleep(0)
    await ask(server, "web.test", "AAAA")
    await ask(server, "web.test")
    assert not waiting.done()
    await ask(server, "web.test")
    await waiting
    assert server.questions[0] == Question("web.test", "A", "udp", "127.0.0.1")


def test_it_serves_again_after_its_end() -> None:
    server = DnsServer()
    server.add("web.test", "A", "10.0.0.1")
    for _ in range(2):
        with server:
            assert asyncio.run(ask(server, "web.test")) == ["10.0.0.1"]
