"""What one session has still to send, and in which order it goes out.

Spec: ERTS "Distribution Protocol", "Protocol between Connected Nodes"; Erlang Reference Manual,
"Processes": signals between a pair of processes arrive in order, others in any.  So:

* small messages are made into packets at once, and leave in batches (:mod:`pyerlnode.wire.batch`);
* what is larger joins a queue, and as long as there is something in it, or in lanes, so does everything;
* a message that needs fragments gets a *lane* of its sender's, where everything that this sender sends
  later waits behind it; lanes take turns with each other and with the queue, one fragment a turn (where that
  is a large one, it has had the next three turns, too).  A fragment is made when its turn comes, so memory
  stays at what was put in, and so is the header of every message: headers speak of a cache of atoms that the
  peer fills in the order in which they arrive;
* a lane starts when what was in the queue before it is gone, and ends when it is empty;
* what is in lanes holds up nobody but their senders (:meth:`Outbox.holds_up`);
* a signal whose sender we are not told (some ends of processes that were monitored by name) passes no lane:
  it waits in all of them, then behind the queue.

No I/O and no clock here: :class:`pyerlnode.net.session.Session` writes what :meth:`Outbox.take` gives.
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Final

from pyerlnode.term import Atom, Pid
from pyerlnode.wire.batch import CHUNK
from pyerlnode.wire.control import (
    Control,
    DemonitorP,
    GroupLeader,
    MonitorP,
    MonitorPExit,
    PayloadMonitorPExit,
    Send,
    SpawnReply,
)
from pyerlnode.wire.fragments import FRAGMENT_SIZE, LARGE_FRAGMENT
from pyerlnode.wire.messages import NOBODY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyerlnode.wire.channel import Channel, Packet
    from pyerlnode.wire.payload import Payload

__all__ = ["Outbox"]

BATCH: Final = CHUNK
"""Bytes that one :meth:`Outbox.take` gives, about: always whole packets, except of one above it."""

SLICE: Final = LARGE_FRAGMENT - FRAGMENT_SIZE
"""Bytes of the rest of a packet above BATCH that are written at once, from where they are."""

_OVERHEAD: Final = 7
"""Bytes of a packet that every one has: they are counted before it has a header."""


class _Run:
    """A message that leaves in fragments."""

    __slots__ = ("left", "pieces")

    def __init__(self, pieces: Iterator[list[bytes | memoryview]], left: int) -> None:
        self.pieces = pieces
        self.left = left


class _Barrier:
    """A packet that waits until each of `lanes` lanes has come to it."""

    __slots__ = ("lanes", "packet")

    def __init__(self, packet: Packet, lanes: int) -> None:
        self.packet = packet
        self.lanes = lanes


class _Lane:
    """What one sender has queued from its first large message on; starts when `after` packets are out."""

    __slots__ = ("after", "ahead", "items", "sender", "size")

    def __init__(self, sender: Pid, after: int) -> None:
        self.sender = sender
        self.after = after
        self.ahead = 0  # turns that it has had in advance
        self.size = 0  # bytes of all that is in it, but barriers
        self.items: deque[Packet | _Run | _Barrier] = deque()


class Outbox:
    """The unsent messages of one connection.  Falsy when there are none."""

    __slots__ = (
        "_batch",
        "_bulk",
        "_channel",
        "_cut",
        "_lanes",
        "_queue",
        "_queue_size",
        "_queued",
        "_turn",
        "_turns",
        "_unsent",
        "_waiting",
        "ended",
    )

    def __init__(self, channel: Channel) -> None:
        self.ended: list[Pid] = []
        """Senders whose lanes have ended since :meth:`take_ended`."""
        self._channel = channel
        self._batch = channel.batch  # it leaves before all else; closed while there is anything else
        self._unsent = 0  # bytes of all else, without the atoms of headers that are not made yet
        self._bulk = 0  # bytes of these that are in lanes
        self._queue: deque[Packet] = deque()
        self._queue_size = 0
        self._queued = 0  # packets that were ever put into the queue
        self._lanes: dict[Pid, _Lane] = {}
        self._turns: list[_Lane] = []  # few: no deques, which take much memory when they are empty
        self._waiting: list[_Lane] = []  # lanes whose start is not reached
        self._turn = False  # whether it is a lane's turn
        self._cut: memoryview | None = None  # the rest of a packet of which a part is out

    def __bool__(self) -> bool:
        return self._batch.size > 0 or self._unsent > 0

    @property
    def size(self) -> int:
        """Bytes that are still here."""
        return self._batch.size + self._unsent

    @property
    def at_boundary(self) -> bool:
        """Whether what was taken so far ends with a whole packet."""
        return self._cut is None

    def clear(self) -> None:
        """Forget everything."""
        self._unsent = self._bulk = self._queue_size = 0
        self._cut = None
        self._batch.clear()
        self._lanes.clear()
        self._queue.clear()
        self._turns.clear()
        self._waiting.clear()

    def holds_up(self, sender: Pid | None, limit: int) -> bool:
        """Whether `sender` (None: anybody) is to wait, with at most `limit` bytes unsent.

        Whoever has a lane waits until it is gone; the others do not wait for what is in lanes.
        """
        if self.size <= limit:
            return False
        return sender is None or sender in self._lanes or self.size - self._bulk > limit

    def is_full(self, limit: int) -> bool:
        """Whether everybody is to wait, with at most `limit` bytes unsent."""
        return self.size - self._bulk > limit

    def has_lane(self, sender: Pid) -> bool:
        """Whether large messages of `sender` are under way."""
        return sender in self._lanes

    def take_ended(self) -> list[Pid]:
        """Gives :attr:`ended`, once."""
        ended, self.ended = self.ended, []
        return ended

    def size_of_first(self, sender: Pid, count: int) -> int:
        """Bytes still unsent of the first `count` large messages in the lane of `sender`."""
        lane = self._lanes.get(sender)
        runs = () if lane is None else (item.left for item in lane.items if isinstance(item, _Run))
        return sum(islice(runs, count))

    # ------------------------------------------------------------------ in

    def put(self, control: Control, payload: Payload | bytes | None = None) -> None:
        """Encode a message and queue it; what does not encode raises, as in :meth:`Channel.prepare`."""
        channel = self._channel
        if payload is not None and channel.needs_fragments(payload):
            sender = sender_of(control)
            if isinstance(sender, Pid):
                self._put_run(sender, _Run(channel.fragments(control, payload), len(payload)))
                return
        open_ = self._batch.is_open
        packet = channel.put(control, payload) if open_ else channel.prepare(control, payload)
        if packet is not None:
            self._put_behind(control, packet)

    def _enqueue(self, packet: Packet, size: int) -> None:
        self._queue.append(packet)
        self._queue_size += size
        self._queued += 1

    def _put_run(self, sender: Pid, run: _Run) -> None:
        lane = self._lanes.get(sender)
        if lane is None:
            lane = self._lanes[sender] = _Lane(sender, self._queued)
            (self._waiting if self._queue else self._turns).append(lane)
        self._batch.is_open = False
        lane.items.append(run)
        lane.size += run.left
        self._bulk += run.left
        self._unsent += run.left

    def _put_behind(self, control: Control, packet: Packet) -> None:
        """Queue a message that leaves in one packet, behind its sender's lane if there is one."""
        size = _counted(packet)
        self._batch.is_open = False
        self._unsent += size
        if not self._lanes:
            self._enqueue(packet, size)
            return
        sender = sender_of(control)
        if sender is None:
            barrier = _Barrier(packet, len(self._lanes))
            for lane in self._lanes.values():
                lane.items.append(barrier)
        elif isinstance(sender, Pid) and sender in self._lanes:
            lane = self._lanes[sender]
            lane.items.append(packet)
            lane.size += size
            self._bulk += size
        else:
            self._enqueue(packet, size)

    # ------------------------------------------------------------------ out

    def take(self) -> bytes | memoryview:
        """The next bytes to write; empty when there are none."""
        if self._cut is not None:
            return self._slice(self._cut)
        if self._batch.size:
            return self._batch.take()
        if not self._lanes and self._queue_size <= BATCH:
            return self._take_all()
        parts: list[bytes | memoryview] = []
        while not parts and self._unsent:
            if self._turns and (self._turn or not self._queue):
                self._take_turn(parts)
            else:
                self._take_queue(parts)
            self._turn = not self._turn
        if parts and len(parts[-1]) > BATCH:
            large = memoryview(parts.pop())
            parts.append(large[:FRAGMENT_SIZE])  # a write of its own for what is before it costs more
            self._cut = large[FRAGMENT_SIZE:]
        data = b"".join(parts)
        self._sent(len(data))
        return data

    def _sent(self, size: int) -> None:
        """So many bytes are out; with the last of them, what follows may go the short way again."""
        self._unsent -= size
        if not self._unsent and not self._lanes:
            self._batch.is_open = True

    def _take_all(self) -> bytes:
        """The common case: a few messages."""
        data = self._channel.join(self._queue)
        self._queue.clear()
        self._queue_size = 0
        self._sent(self._unsent)
        return data

    def _slice(self, cut: memoryview) -> memoryview:
        """A piece of a packet that is too large for one write."""
        piece = cut[:SLICE]
        self._cut = cut[SLICE:] if len(cut) > SLICE else None
        self._sent(len(piece))
        return piece

    def _take_queue(self, parts: list[bytes | memoryview]) -> None:
        room = BATCH
        while self._queue and room > 0:
            room -= self._finish(self._queue.popleft(), parts)
        self._queue_size -= BATCH - room
        out = self._queued - len(self._queue)
        while self._waiting and self._waiting[0].after <= out:
            self._turns.append(self._waiting.pop(0))

    def _finish(self, packet: Packet, parts: list[bytes | memoryview]) -> int:
        """Make the header of a packet; gives the size that it was counted with."""
        counted = _counted(packet)
        self._unsent += self._channel.finish(packet, parts) - counted
        return counted

    def _take_turn(self, parts: list[bytes | memoryview]) -> None:
        """The turn of one lane: a fragment, or the small messages that follow one."""
        lane = self._turns.pop(0)
        if lane.ahead and (self._turns or self._queue):
            lane.ahead -= 1
            self._turns.append(lane)
            return
        before = lane.size
        room = BATCH
        while lane.items and room > 0:
            item = lane.items[0]
            if isinstance(item, _Run):
                if parts or self._take_fragment(lane, item, parts):
                    break
            elif isinstance(item, _Barrier):
                item.lanes -= 1
                if not item.lanes:
                    self._enqueue(item.packet, _counted(item.packet))
            else:
                size = self._finish(item, parts)
                room -= size
                lane.size -= size
            lane.items.popleft()
        self._bulk -= before - lane.size
        if lane.items:
            self._turns.append(lane)
        else:
            del self._lanes[lane.sender]
            self.ended.append(lane.sender)

    def _take_fragment(self, lane: _Lane, run: _Run, parts: list[bytes | memoryview]) -> bool:
        """Make the next fragment; False when there is none left."""
        piece = next(run.pieces, None)
        if piece is None:
            lane.size -= run.left  # what the payload became shorter by for a peer without an atom cache
            self._unsent -= run.left
            return False
        parts.extend(piece)
        size = sum(map(len, piece))
        sent = min(run.left, size - len(piece[0]) - len(piece[1]))
        run.left -= sent
        lane.size -= sent
        lane.ahead = max(sent - 1, 0) // FRAGMENT_SIZE
        self._unsent += size - sent  # the heads come on top of the payload that was counted
        return True


def _counted(packet: Packet) -> int:
    """The size that a packet counts with before its header is made."""
    return len(packet[1]) + len(packet[2]) + _OVERHEAD


def sender_of(control: Control) -> Pid | Atom | None:
    """Whose order `control` belongs to: a process, NOBODY's, or None where that is not known.

    NOBODY's may pass whatever is queued.
    """
    match control:
        case MonitorP() | DemonitorP():
            return control.watcher
        case MonitorPExit() | PayloadMonitorPExit():
            return control.target if isinstance(control.target, Pid) else control.origin
        case SpawnReply():
            return control.result if isinstance(control.result, Pid) else NOBODY
        case GroupLeader() | Send():
            return None
    return control.sender
