"""One port mapper's memory, and one connection to it, without a socket."""

from __future__ import annotations

import pytest

from pyerlnode.wire import epmd
from pyerlnode.wire.epmd_registry import Conversation, Outcome, Registry, is_local

NOW = 1_700_000_000


def framed(body: bytes) -> bytes:
    return len(body).to_bytes(2, "big") + body


def alive(name: bytes, *, port: int = 1, highest: int = 6, extra: bytes = b"") -> epmd.Alive2Req:
    return epmd.Alive2Req(name, port, highest=highest, extra=extra)


def creation(outcome: Outcome) -> int:
    reply = epmd.Alive2Resp.parse(outcome.reply)
    assert reply.result == 0
    return reply.creation


REFUSED = Outcome(epmd.Alive2Resp(1, 99).to_bytes(), close=False)


class Host:
    """A registry and its clients."""

    def __init__(self, *, relaxed: bool = False, remembered: int = 1001) -> None:
        self.registry = Registry(4369, relaxed=relaxed, remembered=remembered)
        self._fd = 4

    def client(self, *, local: bool = True) -> Conversation:
        self._fd += 1
        return Conversation(self.registry, self._fd, local)

    def ask(self, request: epmd.Request, *, local: bool = True) -> Outcome:
        return self.client(local=local).receive(request.to_bytes(), NOW)

    def register(self, name: bytes, now: int = NOW) -> tuple[Conversation, int]:
        client = self.client()
        return client, creation(client.receive(alive(name).to_bytes(), now))

    def names(self) -> list[str]:
        return [name for name, _ in epmd.parse_names(self.ask(epmd.NamesReq()).reply).nodes]


class TestRegistration:
    def test_a_node_is_found_from_then_on(self) -> None:
        host = Host()
        client = host.client()
        outcome = client.receive(alive(b"py", port=7, extra=b"e").to_bytes(), NOW)
        assert not outcome.close
        assert client.holds_name
        found = host.ask(epmd.Port2Req(b"py"))
        assert found == Outcome(epmd.port2_found(alive(b"py", port=7, extra=b"e")))

    def test_names_come_newest_first(self) -> None:
        host = Host()
        for name in (b"a", b"b", b"c"):
            host.register(name)
        assert host.names() == ["c", "b", "a"]

    def test_a_live_name_is_refused_to_others_and_they_are_not_hung_up_on(self) -> None:
        host = Host()
        host.register(b"py")
        client = host.client()
        assert client.receive(alive(b"py").to_bytes(), NOW) == REFUSED
        assert not client.holds_name

    @pytest.mark.parametrize("name", [b"\xff", b"x" * 256, b"x" * 1020, "å".encode() * 256])
    def test_an_impossible_name_is_refused(self, name: bytes) -> None:
        assert Host().ask(alive(name)) == REFUSED

    @pytest.mark.parametrize("name", [b"x" * 255, "å".encode() * 255, "😀".encode() * 255])
    def test_255_characters_are_possible(self, name: bytes) -> None:
        host = Host()
        host.register(name)
        assert host.names() == [name.decode()]

    def test_the_extra_field_has_at_most_1020_bytes(self) -> None:
        assert Host().ask(alive(b"py", extra=b"\0" * 1020)) != REFUSED
        assert Host().ask(alive(b"py", extra=b"\0" * 1021)) == REFUSED

    def test_a_refusal_speaks_the_version_of_the_request(self) -> None:
        outcome = Host().ask(alive(b"\xff", highest=5))
        assert outcome == Outcome(bytes.fromhex("79 01 0063"), close=False)

    def test_the_name_lives_as_long_as_the_connection(self) -> None:
        host = Host()
        client, _ = host.register(b"py")
        client.lost()
        client.lost()
        assert host.names() == []
        assert not client.holds_name

    def test_one_more_byte_ends_it(self) -> None:
        host = Host()
        client, _ = host.register(b"py")
        assert client.receive(b"x", NOW) == Outcome()
        assert host.names() == []

    def test_one_more_byte_after_a_refusal_ends_that_connection_only(self) -> None:
        host = Host()
        host.register(b"py")
        client = host.client()
        client.receive(alive(b"py").to_bytes(), NOW)
        assert client.receive(b"x", NOW) == Outcome()
        assert host.names() == ["py"]

    def test_a_late_goodbye_does_not_take_the_name_from_its_next_holder(self) -> None:
        host = Host(relaxed=True)
        first, _ = host.register(b"py")
        host.ask(epmd.StopReq(b"py"))
        host.register(b"py")
        first.lost()
        assert host.names() == ["py"]


class TestCreations:
    def test_the_first_comes_from_the_clock(self) -> None:
        assert Host().register(b"py")[1] == NOW + 1

    def test_two_nodes_may_share_one(self) -> None:
        host = Host()
        assert host.register(b"a")[1] == host.register(b"b")[1]

    def test_each_incarnation_gets_the_next(self) -> None:
        host = Host()
        seen = []
        for later in range(4):
            client, number = host.register(b"py", NOW + later * 100)
            seen.append(number)
            client.lost()
        assert seen == [NOW + 1, NOW + 2, NOW + 3, NOW + 4]

    @pytest.mark.parametrize("now", [0, 1, 3, 0xFFFFFFFF])
    def test_1_to_3_are_never_given(self, now: int) -> None:
        assert Host().register(b"py", now)[1] == 4

    def test_an_old_node_gets_two_bits(self) -> None:
        host = Host()
        seen = []
        for _ in range(4):
            client = host.client()
            outcome = client.receive(alive(b"py", highest=5).to_bytes(), NOW)
            assert outcome.reply[0] == ord("y")
            seen.append(creation(outcome))
            client.lost()
        assert seen == [(NOW + 1 + each) % 3 + 1 for each in range(4)]

    def test_a_forgotten_name_starts_from_the_clock_again(self) -> None:
        host = Host(remembered=2)
        for name in (b"a", b"b", b"c"):
            host.register(name)[0].lost()
        assert host.register(b"a", NOW + 50)[1] == NOW + 51
        assert host.register(b"b", NOW + 50)[1] == NOW + 2

    def test_the_memory_of_old_names_is_bounded(self) -> None:
        host = Host()
        for number in range(1500):
            host.register(b"%d" % number)[0].lost()
        assert len(list(host.registry.old())) == 1001
        assert len(host.registry) == 0


class TestReads:
    def test_a_request_may_come_byte_by_byte(self) -> None:
        host = Host()
        host.register(b"py")
        client = host.client()
        data = epmd.Port2Req(b"py").to_bytes()
        assert [client.receive(data[at : at + 1], NOW).close for at in range(len(data) - 1)] == [False] * 4
        assert client.receive(data[-1:], NOW).reply[:2] == b"w\0"

    def test_bytes_after_it_in_the_read_that_brought_its_length_spoil_it(self) -> None:
        assert Host().client().receive(framed(b"n") + b"x", NOW) == Outcome()
        client = Host().client()
        assert client.receive(b"\0", NOW) == Outcome(close=False)
        assert client.receive(b"\x01nx", NOW) == Outcome()

    def test_bytes_after_it_in_a_later_read_do_not(self) -> None:
        client = Host().client()
        client.receive(b"\0\x01", NOW)
        assert client.receive(b"nxxx", NOW) == Outcome(b"\x00\x00\x11\x11")

    def test_but_they_end_a_registration_at_once(self) -> None:
        host = Host()
        client = host.client()
        client.receive(alive(b"py").to_bytes()[:2], NOW)
        outcome = client.receive(alive(b"py").to_bytes()[2:] + b"x", NOW)
        assert outcome.close
        assert creation(outcome) == NOW + 1
        assert host.names() == []

    @pytest.mark.parametrize("size", [0, 3058, 65535])
    def test_an_impossible_length_ends_it(self, size: int) -> None:
        assert Host().client().receive(size.to_bytes(2, "big"), NOW) == Outcome()

    def test_the_longest_request(self) -> None:
        client = Host().client()
        assert client.receive(framed(b"n" * 3057), NOW).reply == b"\x00\x00\x11\x11"
        client = Host().client()
        assert client.receive(framed(b"n" * 3057) + b"unread", NOW).reply == b"\x00\x00\x11\x11"

    def test_garbage_ends_it(self) -> None:
        assert Host().client().receive(framed(b"Q"), NOW) == Outcome()


class TestWhoMay:
    def test_anyone_may_ask_for_nodes(self) -> None:
        host = Host()
        host.register(b"py")
        assert host.ask(epmd.Port2Req(b"py"), local=False).reply[:2] == b"w\0"
        assert host.ask(epmd.Port2Req(b"other"), local=False) == Outcome(b"w\1")
        assert host.ask(epmd.NamesReq(), local=False).reply.endswith(b"name py at port 1\n")

    @pytest.mark.parametrize("request_", [alive(b"b"), epmd.DumpReq(), epmd.KillReq(), epmd.StopReq(b"py")])
    def test_the_rest_is_for_local_clients(self, request_: epmd.Request) -> None:
        host = Host(relaxed=True)
        host.register(b"py")
        assert host.ask(request_, local=False) == Outcome()
        assert host.names() == ["py"]

    @pytest.mark.parametrize(
        ("peer", "own", "local"),
        [
            ("127.0.0.1", "127.0.0.1", True),
            ("127.8.9.10", "127.0.0.1", True),
            ("::1", "::1", True),
            ("10.0.0.5", "10.0.0.5", True),
            ("fd00::5", "fd00::5", True),
            ("10.0.0.6", "10.0.0.5", False),
            ("127::1", "fd00::5", False),
            ("1.127.0.1", "10.0.0.5", False),
        ],
    )
    def test_who_is_local(self, peer: str, own: str, local: bool) -> None:
        assert is_local(peer, own) is local

    def test_kill_is_refused_while_a_name_lives(self) -> None:
        host = Host()
        client, _ = host.register(b"py")
        assert host.ask(epmd.KillReq()) == Outcome(b"NO")
        client.lost()
        assert host.ask(epmd.KillReq()) == Outcome(b"OK", shutdown=True)

    def test_kill_is_obeyed_always_when_relaxed(self) -> None:
        host = Host(relaxed=True)
        host.register(b"py")
        assert host.ask(epmd.KillReq()) == Outcome(b"OK", shutdown=True)

    def test_stop_is_not_answered_unless_relaxed(self) -> None:
        host = Host()
        host.register(b"py")
        assert host.ask(epmd.StopReq(b"py")) == Outcome()
        assert host.names() == ["py"]

    def test_stop_frees_the_name_and_names_its_connection(self) -> None:
        host = Host(relaxed=True)
        host.register(b"py")
        assert host.ask(epmd.StopReq(b"py")) == Outcome(b"STOPPED", stopped=5)
        assert host.names() == []

    def test_stop_of_an_unknown_name_says_both(self) -> None:
        assert Host(relaxed=True).ask(epmd.StopReq(b"py")) == Outcome(b"NOEXISTSTOPPED")


def test_dump_shows_live_names_newest_first_and_old_ones_oldest_first() -> None:
    host = Host()
    for name in (b"old1", b"old2"):
        host.register(name)[0].lost()
    for name in (b"live1", b"live2"):
        host.register(name)
    assert epmd.parse_dump(host.ask(epmd.DumpReq()).reply).splitlines() == [
        "active name     <live2> at port 1, fd = 8",
        "active name     <live1> at port 1, fd = 7",
        "old/unused name <old1>, port = 1, fd = 5 ",
        "old/unused name <old2>, port = 1, fd = 6 ",
    ]
