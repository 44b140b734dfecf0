from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from pyerlnode.cluster.events import ConnectionFailed, Disconnected, DisconnectionFailed
from pyerlnode.cluster.strategy import Discovery, Polling
from pyerlnode.cluster.topology import Topology
from pyerlnode.errors import ConnectFailed, CookieMismatch, DiscoveryFailed, NodeNotRunning
from tests.support.world import OWN, FakeHome, Surroundings, lines, settle

if TYPE_CHECKING:
    from pyerlnode.cluster.converge import Convergence

A, B, C = "a@10.0.0.1", "b@10.0.0.2", "c@10.0.0.3"


@dataclass(frozen=True, kw_only=True)
class Told(Polling):
    """Finds what the test puts into `answers`: names, or an error to raise; the last one stays."""

    answers: Any = ()

    async def discover(self, cluster: Convergence) -> Discovery:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Discovery) else Discovery.of(answer)


def told(*answers: Any, **options: Any) -> Told:
    return Told(answers=list(answers), polling_interval=1000, **options)


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "pyerlnode.cluster")


async def test_all_that_are_found_are_dialled_but_ourselves(caplog: pytest.LogCaptureFixture) -> None:
    around = Surroundings(FakeHome(up={A, B}))
    async with around.running(told([A, B, OWN])) as cluster:
        assert around.home.connected == {A, B} == cluster.wanted
        assert sorted(around.home.dials) == [A, B]
    assert sorted(lines(caplog.records)) == [
        '[pyerlnode:example] connected to :"a@10.0.0.1"',
        '[pyerlnode:example] connected to :"b@10.0.0.2"',
    ]


async def test_who_is_connected_already_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    around = Surroundings(FakeHome(up={A}))
    around.home.join(A)
    async with around.running(told([A])):
        await around.pass_time(3)
    assert not around.home.dials
    assert not lines(caplog.records)


async def test_one_that_hangs_holds_up_no_other() -> None:
    around = Surroundings(FakeHome(up={B}))
    around.home.stuck.add(A)
    async with around.running(told([A, B])):
        assert around.home.connected == {B}


async def test_each_dial_has_its_deadline(caplog: pytest.LogCaptureFixture) -> None:
    around = Surroundings()
    around.home.stuck.add(A)
    cluster = around.convergence(told([A], connect_timeout=100))
    await cluster.connect([A])
    assert lines(caplog.records) == ['[pyerlnode:example] unable to connect to :"a@10.0.0.1"']
    assert [event.reason for event in around.events if isinstance(event, ConnectionFailed)] == [
        f"{A}: no connection within 0.1 s"
    ]


async def test_one_line_for_each_change_of_state(caplog: pytest.LogCaptureFixture) -> None:
    around = Surroundings()
    async with around.running(told([A])):
        await around.pass_time(5)
        around.home.up.add(A)
        await around.pass_time(1.5)
        around.home.up.discard(A)
        around.home.leave(A)
        await around.pass_time(5)
    assert lines(caplog.records) == [
        '[pyerlnode:example] unable to connect to :"a@10.0.0.1"',
        '[pyerlnode:example] connected to :"a@10.0.0.1"',
        '[pyerlnode:example] unable to connect to :"a@10.0.0.1"',
    ]


async def test_one_that_comes_to_us_is_news_when_it_is_lost_again(caplog: pytest.LogCaptureFixture) -> None:
    around = Surroundings()
    async with around.running(told([A])):
        around.home.join(A)
        await around.pass_time(3)
        around.home.leave(A)
        await around.pass_time(3)
    assert lines(caplog.records) == ['[pyerlnode:example] unable to connect to :"a@10.0.0.1"'] * 2


async def test_one_that_is_late_is_dialled_again_soon_and_then_at_the_pace_of_the_rounds() -> None:
    around = Surroundings()
    async with around.running(told([A])):
        await around.pass_time(1)
        early = len(around.home.dials)
        await around.pass_time(60)
        late = len(around.home.dials) - early
    assert early >= 2
    assert 60 <= late <= 180


async def test_somebody_new_is_dialled_soon_again_too() -> None:
    around = Surroundings()
    async with around.running(told([A], *[[A]] * 20, [A, B])):
        await around.pass_time(20)
        before = around.home.dials.count(B)
        await around.pass_time(5)
    assert before == 0
    assert around.home.dials.count(B) >= 5


@pytest.mark.parametrize("stage", ["name", "cookie", "flags", "refused"])
async def test_what_waiting_does_not_mend_is_explained(stage: str, caplog: pytest.LogCaptureFixture) -> None:
    around = Surroundings()
    around.home.errors[A] = ConnectFailed(A, stage, "do this")
    await around.convergence(told([A])).connect([A])
    assert lines(caplog.records) == ['[pyerlnode:example] unable to connect to :"a@10.0.0.1": do this']


async def test_other_errors_are_told(caplog: pytest.LogCaptureFixture) -> None:
    around = Surroundings()
    around.home.errors = {A: CookieMismatch(A, "cookies differ"), B: NodeNotRunning("stopped")}
    await around.convergence(told([A])).connect([A, B])
    assert sorted(lines(caplog.records)) == [
        '[pyerlnode:example] unable to connect to :"a@10.0.0.1": cookies differ',
        '[pyerlnode:example] unable to connect to :"b@10.0.0.2": not part of network',
    ]


async def test_a_node_without_a_name_dials_nobody(caplog: pytest.LogCaptureFixture) -> None:
    around = Surroundings()
    around.home.is_alive = False
    await around.convergence(told([A])).connect(["b@h"])
    assert lines(caplog.records) == ["[pyerlnode:example] unable to connect to :b@h: not part of network"]
    assert not around.home.dials


async def test_a_failed_look_up_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    around = Surroundings(FakeHome(up={A, B}))
    failure = DiscoveryFailed("lookup against web failed: :nxdomain")
    async with around.running(Topology("example", told([A, B], failure), prune=True)) as cluster:
        await around.pass_time(60)
        assert around.home.connected == {A, B} == cluster.wanted
    assert lines(caplog.records)[2:] == ["[pyerlnode:example] lookup against web failed: :nxdomain"]


async def test_while_look_ups_fail_whoever_was_found_is_dialled() -> None:
    around = Surroundings(FakeHome(up={A}))
    async with around.running(told([A], DiscoveryFailed("no answer"))):
        around.home.up.discard(A)
        around.home.leave(A)
        await around.pass_time(10)
        around.home.up.add(A)
        await around.pass_time(1.5)
        assert around.home.connected == {A}


async def test_whoever_a_partial_look_up_lacks_is_dialled_for_a_while() -> None:
    around = Surroundings()
    partial = Discovery.of([A], complete=False)
    async with around.running(told([A, B], partial)) as cluster:
        await around.pass_time(5)
        assert cluster.wanted == {A, B}
        await around.pass_time(20)
        assert cluster.wanted == {A}


async def test_an_empty_look_up_lets_nobody_be_forgotten() -> None:
    around = Surroundings()
    async with around.running(told([A, B], [])) as cluster:
        await around.pass_time(40)
        assert cluster.wanted == {A, B}


async def test_a_complete_look_up_begins_the_count_anew() -> None:
    around = Surroundings()
    partial = Discovery.of([A], complete=False)
    answers = [[A, B], *[partial] * 10, [A, B], *[partial] * 10, [A, B]]
    async with around.running(told(*answers)) as cluster:
        for _ in range(30):
            await around.pass_time(1)
            assert cluster.wanted == {A, B}


@pytest.mark.parametrize("short", [[], Discovery.of([A], complete=False)], ids=["empty", "partial"])
async def test_a_short_look_up_never_prunes(short: Any) -> None:
    around = Surroundings(FakeHome(up={A, B}))
    async with around.running(Topology("example", told([A, B], short), prune=True)):
        await around.pass_time(60)
        assert around.home.connected == {A, B}


async def test_nobody_is_pruned_unless_it_is_asked_for() -> None:
    around = Surroundings(FakeHome(up={A, B}))
    async with around.running(told([A, B], [A])) as cluster:
        await around.pass_time(60)
        assert around.home.connected == {A, B}
        assert cluster.wanted == {A}


async def test_three_complete_look_ups_in_a_row_without_a_node_prune_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    around = Surroundings(FakeHome(up={A, B}))
    answers = [A, B], [A], [A], [A, B], [A], [A], DiscoveryFailed("no answer"), [A]
    async with around.running(Topology("example", told(*answers), prune=True)):
        await around.pass_time(5.5)
        assert around.home.connected == {A, B}
        await around.pass_time(10)
        assert around.home.connected == {A}
    assert lines(caplog.records)[-1] == '[pyerlnode:example] disconnected from :"b@10.0.0.2"'
    assert Disconnected("example", B, 0.0) in around.events


async def test_one_that_left_by_itself_is_not_pruned() -> None:
    around = Surroundings(FakeHome(up={A, B}))
    async with around.running(Topology("example", told([A, B], [A]), prune=True)):
        around.home.leave(B)
        await around.pass_time(10)
    assert not [e for e in around.events if isinstance(e, Disconnected | DisconnectionFailed)]


async def test_hooks_take_the_place_of_the_nodes_verbs() -> None:
    around = Surroundings()
    connected: set[str] = set()
    dropped: list[str] = []

    async def connect(node: str) -> bool:
        connected.add(node)
        return True

    def disconnect(node: str) -> bool:
        dropped.append(node)
        connected.discard(node)
        return True

    topology = Topology(
        "example",
        told([A, B], [A]),
        connect=connect,
        disconnect=disconnect,
        list_nodes=lambda: connected,
        prune=True,
    )
    async with around.running(topology):
        assert connected == {A, B}
        await around.pass_time(10)
    assert dropped == [B]
    assert not around.home.dials


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (False, "unable to connect to :a@h"),
        (None, "unable to connect to :a@h: not part of network"),
        ("yes", "unable to connect to :a@h: the connect hook answered 'yes' instead of True, False or None"),
        (KeyError("x"), "unable to connect to :a@h: the connect hook raised KeyError: 'x'"),
    ],
)
async def test_what_a_connect_hook_may_answer(
    answer: Any, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    def connect(node: str) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    await Surroundings().convergence(Topology("example", told([A]), connect=connect)).connect(["a@h"])
    assert lines(caplog.records) == [f"[pyerlnode:example] {line}"]


@pytest.mark.parametrize(
    ("answer", "reason"), [(False, "already_disconnected"), (None, "not_part_of_network")]
)
async def test_what_a_disconnect_hook_may_answer(answer: Any, reason: str) -> None:
    around = Surroundings(FakeHome(up={A, B}))
    topology = Topology("example", told([A, B], [A]), disconnect=lambda node: answer, prune=True)
    async with around.running(topology):
        await around.pass_time(4)
    assert DisconnectionFailed("example", B, reason, 0.0) in around.events


async def test_one_dial_at_a_time_for_each_node() -> None:
    around = Surroundings()
    around.home.stuck.add(A)
    cluster = around.convergence(told([A]))
    first = asyncio.create_task(cluster.connect([A]))
    await settle()
    await cluster.connect([A])
    assert around.home.dials == [A]
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)


async def test_a_node_that_is_not_running_has_no_connections() -> None:
    around = Surroundings(FakeHome(up={A}))

    def stopped(kind: str = "visible") -> list[str]:
        raise NodeNotRunning("stopped")

    around.home.list = stopped  # type: ignore[method-assign]
    await around.convergence(told([A])).connect([A])
    assert around.home.dials == [A]


async def test_look_ups_that_fail_are_made_again_sooner_than_those_that_work() -> None:
    around = Surroundings(FakeHome(up={A}))
    async with around.running(told(DiscoveryFailed("x"), [A])):
        await around.pass_time(0.3)
        assert around.home.connected == {A}
