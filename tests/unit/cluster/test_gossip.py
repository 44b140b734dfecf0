"""The Gossip strategy: options, talking, listening, hostile input.  Over 127.0.0.1 only."""

from __future__ import annotations

import logging
import pickle
import socket
from datetime import timedelta
from typing import Any

import pytest

from pyerlnode.cluster.events import Connected, Found, LookupFailed
from pyerlnode.cluster.gossip import BREATH, Gossip
from pyerlnode.cluster.gossip_heard import FROM_ONE
from pyerlnode.cluster.gossip_packets import MARK, NOBODY, Plain
from pyerlnode.cluster.gossip_socket import GossipSocket
from pyerlnode.errors import ConfigError, DiscoveryFailed, NodeNotRunning
from tests.support.gossip_street import gossip, street
from tests.support.nodes import until
from tests.support.world import OWN, FakeHome, Surroundings, lines, settle

PEER, OTHER = "node1@10.0.0.1", "node2@10.0.0.1"
SECRET = "hunter2"


class TestOptions:
    def test_the_defaults_are_those_of_libcluster(self) -> None:
        made = Gossip()
        assert (made.port, made.if_addr, made.multicast_if) == (45892, "0.0.0.0", None)
        assert (made.multicast_addr, made.multicast_ttl) == ("233.252.1.32", 1)
        assert (made.secret, made.broadcast_only) == (None, False)

    @pytest.mark.parametrize("given", ["10.0.0.5", (10, 0, 0, 5), [10, 0, 0, 5]], ids=repr)
    def test_addresses_are_text_or_four_numbers(self, given: Any) -> None:
        assert Gossip(multicast_if=given, if_addr=given).multicast_if == "10.0.0.5"

    @pytest.mark.parametrize(
        "given",
        [
            {"port": 0},
            {"port": 65536},
            {"port": "45892"},
            {"port": True},
            {"multicast_ttl": -1},
            {"multicast_ttl": 256},
            {"broadcast_only": "yes"},
            {"if_addr": "eth0"},
            {"if_addr": None},
            {"if_addr": (10, 0, 0)},
            {"if_addr": (10, 0, 0, 256)},
            {"multicast_if": "fe80::1"},
            {"multicast_if": 167772165},
            {"multicast_addr": "10.0.0.255"},
            {"broadcast_only": True},
            {"secret": ""},
            {"secret": 7},
        ],
        ids=repr,
    )
    def test_what_cannot_work_is_an_error(self, given: dict[str, Any]) -> None:
        with pytest.raises(ConfigError) as caught:
            Gossip(**given)
        wrong = "multicast_addr" if given == {"broadcast_only": True} else next(iter(given))
        assert caught.value.key == wrong

    def test_broadcast_wants_its_address(self) -> None:
        assert Gossip(broadcast_only=True, multicast_addr="10.0.0.255").multicast_addr == "10.0.0.255"

    def test_a_secret_is_never_shown(self) -> None:
        made = Gossip(secret=SECRET)
        assert SECRET not in f"{made!r} {made}"
        with pytest.raises(ConfigError) as caught:
            Gossip(secret=[SECRET])
        assert SECRET not in f"{caught.value!r} {caught.value}"

    def test_it_travels(self) -> None:
        made = Gossip(secret=SECRET, port=4, connect_timeout=timedelta(seconds=1))
        assert pickle.loads(pickle.dumps(made)) == made


class TestTalking:
    async def test_a_heartbeat_goes_out_at_once(self) -> None:
        async with street() as there:
            assert await there.listen() == [OWN]

    @pytest.mark.parametrize(("random", "pause"), [(0.0, 0.001), (0.5, 2.501), (0.99999, 5.0)])
    async def test_the_next_ones_within_five_seconds(self, random: float, pause: float) -> None:
        async with street() as there:
            there.random = random
            assert await there.listen() == [OWN]
            there.clock.advance(2.501)  # the first pause was chosen before
            await settle()
            assert await there.listen() == [OWN]
            there.clock.advance(pause - 0.0005)
            await settle()
            assert await there.silent()
            there.clock.advance(0.0005)
            await settle()
            assert await there.listen() == [OWN]

    async def test_with_a_secret_it_is_sealed(self) -> None:
        async with street(gossip(secret=SECRET)) as there:
            ((datagram, _),) = await there.ear.receive()
            assert OWN.encode() not in datagram
            assert there.strategy.packets().unpack(datagram) == OWN

    async def test_a_node_without_a_name_keeps_silent(self) -> None:
        home = FakeHome(NOBODY)
        home.is_alive = False
        async with street(home=home) as there:
            there.clock.advance(60)
            await settle()
            assert await there.silent()
            home.name, home.is_alive = OWN, True
            there.clock.advance(6)
            await settle()
            assert OWN in await there.listen()

    async def test_it_tells_whom_it_hears(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        async with street(home=FakeHome(up={PEER})) as there:
            there.shout(PEER, OTHER)
            await there.heeded()
            there.clock.advance(6)
            await settle()
        found = [event for event in there.around.events if isinstance(event, Found)]
        assert found[0].nodes == frozenset()
        assert found[-1].nodes == {PEER, OTHER, "marker1@10.0.0.1"}
        assert not found[-1].complete


class TestListening:
    async def test_whoever_is_heard_is_wanted_until_long_silent(self) -> None:
        strategy = gossip()
        around = Surroundings(FakeHome(up={PEER}))
        async with around.running(strategy) as cluster:
            assert cluster.wanted == frozenset()
            with GossipSocket(strategy) as mouth:
                mouth.join()
                for name in (PEER, OTHER, OWN):
                    mouth.send(Plain().pack(name))
            await until(lambda: around.clock.advance(BREATH) or cluster.wanted == {PEER, OTHER})
            await around.pass_time(40)
            assert cluster.wanted == frozenset()

    async def test_whoever_is_heard_is_connected_to(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        async with street(home=FakeHome(up={PEER})) as there:
            there.shout(PEER)
            await until(lambda: PEER in there.home.connected)
            await settle()
        assert lines(caplog.records) == [f'[pyerlnode:example] connected to :"{PEER}"']
        assert any(isinstance(event, Connected) for event in there.around.events)

    async def test_neither_ourselves_nor_who_is_connected_nor_who_has_no_name(self) -> None:
        async with street(home=FakeHome(up={PEER})) as there:
            there.home.join(PEER)
            there.shout(OWN, PEER, NOBODY)
            await there.heeded()
            assert there.home.dials == []

    async def test_a_node_that_goes_is_connected_to_when_it_is_heard_again(self) -> None:
        async with street(home=FakeHome(up={PEER})) as there:
            for _ in range(3):
                there.shout(PEER)
                await until(lambda: PEER in there.home.connected)
                await there.heeded()
                there.home.leave(PEER)
            assert there.home.dials == [PEER] * 3

    async def test_nobody_is_disconnected_for_silence(self) -> None:
        async with street(home=FakeHome(up={PEER}), prune=True) as there:
            there.shout(PEER)
            await until(lambda: PEER in there.home.connected)
            there.clock.advance(600)
            await there.heeded()
            assert PEER in there.home.connected

    async def test_one_that_hangs_holds_up_nobody(self) -> None:
        async with street(home=FakeHome(up={PEER})) as there:
            there.home.stuck.add(OTHER)
            there.shout(OTHER, PEER, OTHER)
            await until(lambda: PEER in there.home.connected)
            await there.heeded()
            assert there.home.dials == [OTHER, PEER]

    async def test_the_unreachable_are_told_once_and_dialled_ever_less_often(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with street() as there:
            for _ in range(30):
                there.shout(PEER)
                await there.heeded()
                there.clock.advance(1.0)
        assert 5 <= len(there.home.dials) <= 7
        assert lines(caplog.records, logging.WARNING) == [
            f'[pyerlnode:example] unable to connect to :"{PEER}"'
        ]

    async def test_trouble_after_a_connection_is_news(self, caplog: pytest.LogCaptureFixture) -> None:
        async with street() as there:
            there.shout(PEER)
            await there.heeded()
            there.home.join(PEER)  # it dialled us
            there.shout(PEER)
            await there.heeded()
            there.home.leave(PEER)
            there.shout(PEER)
            await there.heeded()
        assert len(lines(caplog.records, logging.WARNING)) == 2

    async def test_a_node_without_a_name_says_so(self, caplog: pytest.LogCaptureFixture) -> None:
        home = FakeHome(NOBODY)
        home.is_alive = False

        def not_running(kind: str) -> list[str]:
            raise NodeNotRunning("no")

        home.list = not_running  # type: ignore[method-assign]
        async with street(home=home) as there:
            there.shout(PEER)
            await until(lambda: lines(caplog.records, logging.WARNING))
        assert lines(caplog.records, logging.WARNING) == [
            f'[pyerlnode:example] unable to connect to :"{PEER}": not part of network'
        ]
        assert home.dials == []


class TestHostileInput:
    async def test_it_goes_on(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        async with street() as there:
            for datagram in (
                b"",
                b"x",
                MARK,
                MARK + b"garbage",
                MARK + b"\x83t\xff\xff\xff\xff",
                bytes(65000),
            ):
                there.ear.send(datagram)
            await there.heeded()
            assert there.home.dials == []
        told = [line for line in lines(caplog.records, logging.DEBUG) if "ignored" in line]
        assert [line.split()[2] for line in told] == ["1", "2", "4"]

    @pytest.mark.parametrize("secret", [None, "another"])
    async def test_another_secret_is_not_heard(self, secret: str | None) -> None:
        async with street(gossip(secret=SECRET), FakeHome(up={PEER})) as there:
            there.ear.send(gossip(secret=secret).packets().pack(PEER))
            await there.heeded()
            assert there.home.dials == []

    async def test_without_a_secret_the_sealed_are_not_heard(self) -> None:
        async with street(home=FakeHome(up={PEER})) as there:
            there.ear.send(gossip(secret=SECRET).packets().pack(PEER))
            await there.heeded()
            assert there.home.dials == []

    async def test_made_up_names_are_not_all_dialled(self, caplog: pytest.LogCaptureFixture) -> None:
        async with street() as there:
            for number in range(50):
                there.shout(*(f"x{number}.{n}@nowhere" for n in range(5)))
                await until(lambda: _drained(there.ear))
            await settle(200)
            assert len(there.home.dials) == FROM_ONE
        assert len(lines(caplog.records, logging.WARNING)) == FROM_ONE

    async def test_what_is_forgotten_is_forgotten_by_the_report(
        self, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("pyerlnode.cluster.gossip_heard.FAILURES", 1)
        async with street() as there:
            for name in (PEER, OTHER, PEER):
                there.shout(name)
                await there.heeded()
        assert len(lines(caplog.records, logging.WARNING)) == 3


def _drained(ear: GossipSocket) -> bool:
    """Read what came to us, so that the kernel drops nothing."""
    try:
        while True:
            ear._socket.recv(1)
    except BlockingIOError:
        return True


class TestTrouble:
    async def test_a_port_that_is_taken_is_told_and_tried_again(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        strategy = gossip()
        around = Surroundings(FakeHome(up={PEER}))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as greedy:
            greedy.bind(("0.0.0.0", strategy.port))
            async with around.running(strategy):
                await around.pass_time(10)
                assert len(lines(caplog.records)) == 1
                assert f"UDP port {strategy.port} belongs to" in lines(caplog.records)[0]
                greedy.close()
                caplog.set_level(logging.INFO)
                await around.pass_time(30)
                with GossipSocket(strategy) as ear:
                    ear.join()
                    ear.send(Plain().pack(PEER))
                    await until(lambda: around.clock.advance(BREATH) or PEER in around.home.connected)
        assert "the look-up works again" in lines(caplog.records)[1]
        assert sum(isinstance(event, LookupFailed) for event in around.events) > 2

    async def test_a_network_that_comes_later_is_joined_then(
        self, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        caplog.set_level(logging.INFO)
        strategy = gossip(multicast_if="192.0.2.77")
        around = Surroundings()
        async with around.running(strategy):
            await around.pass_time(10)
            object.__setattr__(strategy, "multicast_if", "127.0.0.1")  # so it has become
            with GossipSocket(strategy) as ear:
                ear.join()
                await around.pass_time(3)
                assert (Plain().pack(OWN), "127.0.0.1") in await ear.receive()
        told = lines(caplog.records)
        assert len(told) == 2
        assert "multicast_if=192.0.2.77 is no address of this machine" in told[0]
        assert "the look-up works again" in told[1]

    async def test_what_cannot_be_sent_is_told_and_the_rest_goes_on(
        self, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def unplugged(self: GossipSocket, datagram: bytes) -> None:
            raise DiscoveryFailed("no heartbeat can be sent")

        async with street(home=FakeHome(up={PEER})) as there:
            with monkeypatch.context() as patch:
                patch.setattr(GossipSocket, "send", unplugged)
                for _ in range(3):
                    there.clock.advance(6)
                    await settle()
            there.shout(PEER)
            await until(lambda: PEER in there.home.connected)
        assert lines(caplog.records, logging.WARNING) == ["[pyerlnode:example] no heartbeat can be sent"]

    async def test_an_address_that_may_be_deaf_is_told(self, caplog: pytest.LogCaptureFixture) -> None:
        async with Surroundings().running(gossip(if_addr="127.0.0.1")):
            pass
        assert "if_addr=127.0.0.1: some systems hear no multicast" in lines(caplog.records)[0]

    async def test_the_port_is_free_when_it_ends(self) -> None:
        async with street() as there:
            port = there.strategy.port
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as alone:
            alone.bind(("0.0.0.0", port))
