from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyerlnode.errors import LocalProtocolError
from pyerlnode.net.outbox import BATCH, SLICE, Outbox, sender_of
from pyerlnode.term import Atom, encode_bare
from pyerlnode.wire import control as c
from pyerlnode.wire.channel import Channel
from pyerlnode.wire.flags import VISIBLE, Flags, without
from pyerlnode.wire.fragments import FRAGMENT_SIZE, LARGE_FRAGMENT
from pyerlnode.wire.framing import Framer
from pyerlnode.wire.messages import NOBODY
from pyerlnode.wire.payload import Payload, encode_payload
from tests.support.net import RIGHT, pid, ref

if TYPE_CHECKING:
    from random import Random

    from pyerlnode.term import Term

LARGE = 3 * FRAGMENT_SIZE
TARGET = pid(1, RIGHT)


def message(sender: int, number: int, size: int = 0, atoms: range = range(0)) -> tuple[c.Control, Payload]:
    names = [Atom(f"atom{number}") for number in atoms]
    return c.SendSender(pid(sender), TARGET), encode_payload((sender, number, bytes(size), names))


def by_name(number: int) -> tuple[c.Control, bytes]:
    """The end of a process that was monitored by name: whose it is the outbox cannot know."""
    return c.PayloadMonitorPExit(Atom("name"), TARGET, ref(number)), encode_bare(
        (Atom("name"), number, b"", [])
    )


class Wire:
    """An outbox, and the peer's end of what it gives."""

    def __init__(self, flags: Flags = VISIBLE) -> None:
        self.channel_out = Channel(flags)
        self.outbox = Outbox(self.channel_out)
        self.framer = Framer(2**31)
        self.channel = Channel(flags)
        self.arrived: list[Term] = []
        self.atoms: dict[tuple[str, int], range] = {}  # what each message was sent with

    def post(self, sender: int, number: int, size: int, atoms: range) -> None:
        """Sends what `message` makes as a process does: the short way where that can be."""
        self.atoms[str(sender), number] = atoms
        names = [Atom(f"atom{atom}") for atom in atoms]
        rest = self.channel_out.post(pid(sender), TARGET, (sender, number, bytes(size), names))
        if not isinstance(rest, bool):
            self.outbox.put(c.SendSender(pid(sender), TARGET), rest)

    def put(self, *messages: tuple[c.Control, Payload | bytes]) -> None:
        for control, payload in messages:
            self.outbox.put(control, payload)

    def take(self) -> int:
        data = self.outbox.take()
        for frame in self.framer.receive(data):
            event = self.channel.receive(frame)
            if event is not None:
                _, payload = event
                assert payload is not None
                sender, number, _, names = payload.decode()
                assert names == [f"atom{atom}" for atom in self.atoms.get((str(sender), number), ())]
                self.arrived.append((str(sender), number))
        if self.outbox.at_boundary:
            assert self.framer.pending == 0
        return len(data)

    def drain(self) -> list[Term]:
        while self.outbox:
            assert self.take()
        assert self.outbox.size == 0
        return self.arrived


def test_small_messages_leave_together_in_order() -> None:
    wire = Wire()
    wire.put(*(message(number % 3, number) for number in range(100)))
    assert wire.outbox
    assert wire.take()
    assert [number for _, number in wire.arrived] == list(range(100))
    assert not wire.outbox
    assert wire.outbox.take() == b""


def test_batches_are_bounded() -> None:
    wire = Wire()
    wire.put(*(message(1, number, 1000) for number in range(1000)))
    taken = []
    while wire.outbox:
        taken.append(wire.take())
    assert max(taken) < BATCH + 2000
    assert [number for _, number in wire.arrived] == list(range(1000))


def test_a_large_message_lets_others_pass_but_not_its_own_sender() -> None:
    wire = Wire()
    wire.put(message(1, 0, 20 * FRAGMENT_SIZE), message(1, 1), message(2, 2))
    arrived = wire.drain()
    assert arrived == [("2", 2), ("1", 0), ("1", 1)]


def test_what_a_sender_sent_before_its_large_message_stays_before_it() -> None:
    wire = Wire()
    wire.put(*(message(1, number, 1000) for number in range(400)), message(1, 400, LARGE))
    assert [number for _, number in wire.drain()] == list(range(401))


def test_large_messages_take_turns() -> None:
    wire = Wire()
    wire.put(
        message(1, 0, 10 * FRAGMENT_SIZE), message(2, 0, LARGE), message(2, 1, LARGE), message(3, 0, LARGE)
    )
    assert wire.drain() == [("2", 0), ("3", 0), ("2", 1), ("1", 0)]


def test_a_large_fragment_takes_the_turns_of_small_ones() -> None:
    wire = Wire()
    wire.put(message(1, 0, 4 * LARGE_FRAGMENT), message(2, 0, 7 * FRAGMENT_SIZE))
    sizes = [wire.take()]
    assert wire.outbox.size_of_first(pid(1), 1) < 3 * LARGE_FRAGMENT + 100
    while not wire.outbox.at_boundary:
        sizes.append(wire.take())
    assert sum(sizes) < LARGE_FRAGMENT + 100
    for done in range(1, 5):  # now the others, fragment by fragment
        assert wire.take() < FRAGMENT_SIZE + 100
        assert wire.outbox.at_boundary
        assert 7 - done < wire.outbox.size_of_first(pid(2), 1) / FRAGMENT_SIZE < 8 - done
    assert wire.drain() == [("2", 0), ("1", 0)]


def test_a_flood_of_small_messages_does_not_starve_a_large_one() -> None:
    wire = Wire()
    wire.put(message(1, 0, LARGE))
    number = 0
    while ("1", 0) not in wire.arrived:
        for _ in range(200):
            wire.put(message(2, number, 1000))
            number += 1
        wire.take()
        assert number < 10_000
    wire.drain()
    assert [number for sender, number in wire.arrived if sender == "2"] == list(range(number))


def test_whoever_has_a_large_message_under_way_waits_and_nobody_else() -> None:
    wire = Wire()
    wire.put(message(1, 0, 10 * FRAGMENT_SIZE), message(1, 1, LARGE), message(1, 2, 100), message(2, 0, 100))
    outbox = wire.outbox
    assert outbox.holds_up(pid(1), 1000)
    assert outbox.holds_up(None, 1000)
    assert not outbox.holds_up(pid(2), 1000)
    assert not outbox.holds_up(pid(1), outbox.size)
    wire.put(*(message(2, number, 100) for number in range(1, 10)))
    assert outbox.holds_up(pid(2), 1000)
    assert outbox.holds_up(pid(3), 1000)
    wire.drain()
    assert not outbox.holds_up(pid(1), 1)
    assert not outbox.holds_up(None, 1)


def test_the_first_large_messages_of_a_sender_are_told_apart() -> None:
    wire = Wire()
    wire.put(message(1, 0, LARGE), message(1, 1, 100), message(1, 2, 2 * LARGE), message(1, 3, LARGE))
    of_first = wire.outbox.size_of_first
    assert LARGE < of_first(pid(1), 1) < LARGE + 100
    assert 3 * LARGE < of_first(pid(1), 2) < 3 * LARGE + 100
    assert of_first(pid(1), 9) < 4 * LARGE + 200
    assert of_first(pid(2), 1) == 0
    wire.take()
    assert of_first(pid(1), 1) < LARGE - FRAGMENT_SIZE + 100


def test_fragments_are_made_when_their_turn_comes() -> None:
    wire = Wire()
    wire.put(message(1, 0, 100 * FRAGMENT_SIZE))
    before = wire.outbox.size
    assert wire.take() < 2 * FRAGMENT_SIZE
    assert before - FRAGMENT_SIZE - 100 <= wire.outbox.size < before


def test_an_end_by_name_passes_nobodys_large_message() -> None:
    wire = Wire()
    wire.put(
        message(1, 0, LARGE), message(2, 0, 2 * LARGE), by_name(1), message(3, 0), by_name(2), message(1, 1)
    )
    assert wire.drain() == [("3", 0), ("1", 0), ("1", 1), ("2", 0), ("name", 1), ("name", 2)]


def test_a_large_end_by_name_waits_too_and_leaves_whole() -> None:
    wire = Wire()
    control, _ = by_name(0)
    wire.put(message(1, 0, LARGE), (control, encode_bare((Atom("name"), 0, bytes(LARGE), []))))
    assert wire.drain() == [("1", 0), ("name", 0)]


def test_without_fragments_a_large_frame_is_written_piece_by_piece() -> None:
    wire = Wire(without(VISIBLE, Flags.FRAGMENTS))
    wire.put(message(1, 0), message(1, 1, 10 * BATCH), message(2, 2))
    boundaries = []
    while wire.outbox:
        assert wire.take() <= SLICE
        boundaries.append(wire.outbox.at_boundary)
    assert wire.arrived == [("1", 0), ("1", 1), ("2", 2)]
    assert boundaries.count(False) >= 10 * BATCH // SLICE
    assert boundaries[-1]


def test_what_cannot_be_encoded_leaves_nothing_behind() -> None:
    outbox = Outbox(Channel(VISIBLE))
    with pytest.raises(LocalProtocolError):
        outbox.put(c.SendSender(pid(1), TARGET))
    with pytest.raises(LocalProtocolError):
        outbox.put(c.Link(pid(1), TARGET), bytes(LARGE))
    assert not outbox


def test_clear_forgets_everything() -> None:
    wire = Wire(without(VISIBLE, Flags.FRAGMENTS))
    wire.put(message(1, 0, 10 * BATCH))
    wire.take()
    wire.outbox.clear()
    assert not wire.outbox
    assert wire.outbox.take() == b""
    wire = Wire()
    wire.put(message(1, 0, LARGE), message(2, 1), by_name(1))
    wire.take()
    wire.outbox.clear()
    assert wire.outbox.take() == b""
    wire.put(message(1, 2))
    assert wire.outbox.take()


def test_the_short_way_is_closed_while_something_larger_is_under_way() -> None:
    wire = Wire()
    batch = wire.channel_out.batch
    wire.post(1, 0, 10, range(3))
    assert batch.is_open
    for size in (5000, LARGE):
        wire.post(1, size, size, range(3))
        assert not batch.is_open
        wire.post(1, size + 1, 10, range(3))
        wire.drain()
        wire.put(message(1, size + 2))  # with it goes what the last fragment leaves
        wire.drain()
        assert batch.is_open
    assert [number for _, number in wire.arrived] == [0, 5000, 5001, 5002, LARGE, LARGE + 1, LARGE + 2]


@pytest.mark.parametrize(
    ("control", "sender"),
    [
        (c.Link(pid(1), TARGET), pid(1)),
        (c.Exit(pid(1), TARGET, Atom("bye")), pid(1)),
        (c.RegSend(pid(1), Atom("x")), pid(1)),
        (c.MonitorP(pid(1), TARGET, ref(1)), pid(1)),
        (c.DemonitorP(pid(1), TARGET, ref(1)), pid(1)),
        (c.MonitorPExit(pid(1), TARGET, ref(1), Atom("bye")), pid(1)),
        (c.MonitorPExit(Atom("x"), TARGET, ref(1), Atom("bye")), None),
        (c.MonitorPExit(Atom("x"), TARGET, ref(1), Atom("bye"), pid(2)), pid(2)),
        (c.PayloadMonitorPExit(pid(1), TARGET, ref(1)), pid(1)),
        (c.PayloadMonitorPExit(Atom("x"), TARGET, ref(1)), None),
        (c.PayloadMonitorPExit(Atom("x"), TARGET, ref(1), pid(2)), pid(2)),
        (c.PayloadMonitorPExit(Atom("x"), TARGET, ref(1), NOBODY), NOBODY),
        (c.SpawnReply(ref(1), TARGET, 0, pid(1)), pid(1)),
        (c.SpawnReply(ref(1), TARGET, 0, Atom("notsup")), NOBODY),
        (c.GroupLeader(pid(1), TARGET), None),
        (c.Send(TARGET), None),
        (c.UnlinkId(7, pid(1), TARGET), pid(1)),
    ],
)
def test_whose_order_a_signal_belongs_to(control: c.Control, sender: object) -> None:
    assert sender_of(control) == sender


STEPS = st.lists(
    st.one_of(
        st.tuples(st.integers(1, 4), st.sampled_from([0, 0, 10, 5000, BATCH, LARGE, 3 * LARGE_FRAGMENT])),
        st.just("take"),
        st.just("name"),
        st.just("crowd"),
    ),
    max_size=60,
)


@given(
    STEPS,
    st.sampled_from(
        [VISIBLE, without(VISIBLE, Flags.FRAGMENTS), without(VISIBLE, Flags.DIST_HDR_ATOM_CACHE)]
    ),
    st.randoms(use_true_random=False),
)
@settings(max_examples=100, deadline=None)
def test_every_sender_is_heard_in_order_whatever_happens(
    steps: list[object], flags: Flags, random: Random
) -> None:
    """And every atom is the one that was meant, though slots of the cache change hands all the time."""
    wire = Wire(flags)
    sent: list[tuple[str, int]] = []

    def put(sender: int, number: int, size: int, atoms: range) -> None:
        sent.append((str(sender), number))
        if random.random() < 0.5:
            wire.post(sender, number, size, atoms)
        else:
            wire.atoms[str(sender), number] = atoms
            wire.put(message(sender, number, size, atoms))

    for number, step in enumerate(steps):
        start = random.randrange(4000)
        match step:
            case (int(sender), int(size)):
                put(sender, number, size, range(start, start + random.choice((0, 1, 5, 300))))
            case "name":
                wire.put(by_name(number))
                sent.append(("name", number))
            case "crowd":  # one atom after another, all the slots there are
                for crowd in range(8):
                    put(5, 100 * number + crowd, 0, range(start + 255 * crowd, start + 255 * (crowd + 1)))
            case _:
                wire.take()
        assert wire.outbox._bulk == sum(lane.size for lane in wire.outbox._lanes.values())
        assert wire.outbox._bulk <= wire.outbox.size
    arrived = wire.drain()
    assert wire.outbox._bulk == 0
    assert sorted(arrived) == sorted(sent)
    for sender in {sender for sender, _ in sent}:
        assert [m for m in arrived if m[0] == sender] == [m for m in sent if m[0] == sender]
    places = {sent_message: place for place, sent_message in enumerate(sent)}
    for position, arrival in enumerate(arrived):
        if arrival[0] == "name":  # nothing sent before it arrives after it
            assert all(places[later] >= places[arrival] for later in arrived[position:])
