"""Look-ups side by side: what is found, what there is not, what is not known, and what follows."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pytest

from pyerlnode.cluster.dns import Dns
from pyerlnode.cluster.dns_lookups import (
    AT_ONCE,
    DnsPolling,
    Finding,
    attempt,
    find_addresses,
    side_by_side,
)
from pyerlnode.cluster.events import LookupFailed
from pyerlnode.cluster.strategy import Discovery
from pyerlnode.errors import ConfigError, DiscoveryFailed
from tests.support.fake_dns import FAILS, MISSING, FakeDns
from tests.support.world import Surroundings, lines

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pyerlnode.cluster.converge import Convergence


@dataclass(frozen=True, kw_only=True)
class Asking(DnsPolling):
    """A strategy that finds nobody."""

    async def discover(self, cluster: Convergence) -> Discovery:
        return Discovery.of([])


def some(*found: str) -> Finding:
    return Finding(frozenset(found))


def failed(why: str) -> Finding:
    return Finding(failed=frozenset({why}))


def missing(why: str) -> Finding:
    return Finding(missing=frozenset({why}))


# ---------------------------------------------------------------------------------- options


def test_who_is_asked_may_be_given() -> None:
    dns = FakeDns()
    assert Asking(resolver=dns).dns is dns
    assert isinstance(Asking().dns, Dns)
    strategy = Asking(lookup_timeout=500)
    assert strategy.dns is strategy.dns


@pytest.mark.parametrize("given", ["10.0.0.1", 7, object()])
def test_what_is_no_resolver_is_refused(given: object) -> None:
    with pytest.raises(ConfigError, match=r"resolver=.*pyerlnode\.cluster\.dns\.Dns"):
        Asking(resolver=given)


def test_the_time_of_a_look_up_is_in_milliseconds() -> None:
    with pytest.raises(ConfigError, match=r"lookup_timeout=2.*milliseconds"):
        Asking(lookup_timeout=2)


# ---------------------------------------------------------------------------------- findings


def test_of_look_ups_that_are_all_needed_everything_is_kept() -> None:
    whole = Finding.all_of([some("a", "b"), failed("f"), missing("m"), some("b")])
    assert whole == Finding(frozenset("ab"), frozenset("f"), frozenset("m"))
    assert Finding.all_of([]) == Finding()


def test_of_look_ups_that_may_replace_each_other_one_that_finds_nothing_is_no_matter() -> None:
    assert Finding.any_of([some("a"), missing("m")]) == some("a")
    assert Finding.any_of([some("a"), failed("f")]) == Finding(frozenset("a"), frozenset("f"))
    assert Finding.any_of([failed("f"), missing("m")]) == failed("f")
    assert Finding.any_of([missing("m"), missing("n")]) == Finding(missing=frozenset("mn"))


async def test_what_look_ups_end_in() -> None:
    dns = FakeDns(
        {
            ("web", "A"): ["10.0.0.1"],
            ("fails", "A"): FAILS,
            ("broken", "A"): OSError(113, "No route to host"),
            ("slow", "A"): TimeoutError(),
        }
    )
    ends = [
        await attempt(partial(dns.addresses, name, kind), "nobody")
        for name, kind in [("web", "A"), ("web", "AAAA"), ("none", "A"), ("fails", "A")]
    ]
    assert ends == [
        some("10.0.0.1"),
        missing("nobody"),
        missing("lookup against none failed: :nxdomain"),
        failed("lookup against fails failed: :servfail (A)"),
    ]
    assert await attempt(partial(dns.addresses, "broken"), "") == failed(
        "lookup failed: [Errno 113] No route to host"
    )
    assert await attempt(partial(dns.addresses, "slow"), "") == failed("lookup failed: TimeoutError")


async def test_side_by_side_but_not_too_many() -> None:
    running, most = 0, 0

    async def look_up(number: int) -> Finding:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return some(str(number))

    work: list[Callable[[], Awaitable[Finding]]] = [partial(look_up, number) for number in range(3 * AT_ONCE)]
    assert await side_by_side(work) == [some(str(number)) for number in range(3 * AT_ONCE)]
    assert most == AT_ONCE
    assert await side_by_side([]) == []


# ---------------------------------------------------------------------------------- addresses


async def test_addresses_of_both_kinds_are_found_together() -> None:
    dns = FakeDns({("web", "A"): ["10.0.0.1"], ("web", "AAAA"): ["fd00::1"]})
    assert await find_addresses(dns, "web") == some("10.0.0.1", "fd00::1")
    assert await find_addresses(dns, "web", ["A"], search=True) == some("10.0.0.1")
    assert dns.asked == [("web", "A", False), ("web", "AAAA", False), ("web", "A", True)]


async def test_one_kind_may_be_absent_but_must_not_fail() -> None:
    dns = FakeDns({("web", "A"): ["10.0.0.1"], ("odd", "AAAA"): MISSING, ("odd", "A"): ["10.0.0.2"]})
    assert await find_addresses(dns, "web") == some("10.0.0.1")
    assert await find_addresses(dns, "odd") == some("10.0.0.2")
    dns.data["web", "AAAA"] = FAILS
    finding = await find_addresses(dns, "web")
    assert finding == Finding(
        frozenset({"10.0.0.1"}), frozenset({"lookup against web failed: :servfail (AAAA)"})
    )


async def test_nobody_found_says_what_was_asked_for() -> None:
    dns = FakeDns({("web", "SRV"): []})
    text = "lookup against web found nobody: it has no A or AAAA records"
    assert await find_addresses(dns, "web") == missing(text)
    assert await find_addresses(dns, "db") == missing("lookup against db failed: :nxdomain")


@pytest.mark.parametrize(
    ("own", "found"),
    [
        ("py@10.0.0.9", {"10.0.0.1"}),
        ("py@fd00::9", {"fd00::1"}),
        ("py@web9.example.com", {"10.0.0.1", "fd00::1"}),
    ],
)
async def test_a_node_named_by_an_address_looks_for_its_kind(own: str, found: set[str]) -> None:
    dns = FakeDns({("web", "A"): ["10.0.0.1"], ("web", "AAAA"): ["fd00::1"]})
    assert await find_addresses(dns, "web", own=own) == some(*found)


async def test_what_happens_to_the_other_kind_does_not_matter_then() -> None:
    dns = FakeDns({("web", "A"): ["10.0.0.1"], ("web", "AAAA"): FAILS, ("six", "AAAA"): ["fd00::1"]})
    assert await find_addresses(dns, "web", own="py@10.0.0.9") == some("10.0.0.1")
    assert await find_addresses(dns, "six", own="py@10.0.0.9") == some("fd00::1")


# ---------------------------------------------------------------------------------- conclusions


def test_all_found_is_complete() -> None:
    world = Surroundings()
    discovery = some("node@10.0.0.1").conclude(world.convergence(Asking()), 0.0)
    assert discovery == Discovery.of(["node@10.0.0.1"])


def test_found_in_part_is_told_once_and_is_not_complete(caplog: pytest.LogCaptureFixture) -> None:
    cluster = Surroundings().convergence(Asking())
    finding = Finding.all_of([some("node@10.0.0.1"), failed("b failed"), missing("a is not there")])
    for _ in range(2):
        assert finding.conclude(cluster, 0.0) == Discovery.of(["node@10.0.0.1"], complete=False)
    assert lines(caplog.records) == ["[pyerlnode:example] a is not there; b failed"]


def test_of_many_troubles_a_few_are_told(caplog: pytest.LogCaptureFixture) -> None:
    cluster = Surroundings().convergence(Asking())
    Finding.all_of(failed(word) for word in "edcab").named(["node@10.0.0.1"]).conclude(cluster, 0.0)
    assert lines(caplog.records) == ["[pyerlnode:example] a; b; c; and 2 more"]


async def test_it_is_incomplete_while_not_all_is_known() -> None:
    cluster = Surroundings().convergence(Asking())
    await cluster.converge(Discovery.of(["node@10.0.0.1", "node@10.0.0.2"]))
    findings = Finding.all_of([some("node@10.0.0.3"), failed("f")]), missing("nobody"), failed("f")
    for finding in findings:
        discovery = finding.conclude(cluster, 0.0)
        assert discovery == Discovery(finding.found, complete=False)


def test_nobody_is_told_once_and_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    world = Surroundings()
    cluster = world.convergence(Asking())
    world.clock.advance(3)
    for _ in range(2):
        assert missing("nobody").conclude(cluster, 1.0) == Discovery(frozenset(), complete=False)
    assert lines(caplog.records) == ["[pyerlnode:example] nobody"]
    assert [event.duration for event in world.events if isinstance(event, LookupFailed)] == [
        world.clock.time() - 1
    ] * 2


def test_nothing_ever_known_is_a_failure() -> None:
    cluster = Surroundings().convergence(Asking())
    with pytest.raises(DiscoveryFailed, match=r"^a failed; b is not there$"):
        Finding.all_of([failed("a failed"), missing("b is not there")]).conclude(cluster, 0.0)
