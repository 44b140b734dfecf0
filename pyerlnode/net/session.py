"""One connection to a peer, from the end of the handshake to its loss.

Spec: ERTS "Distribution Protocol", "Protocol between Connected Nodes"; kernel(6) ``net_ticktime``.

In: every read is cut into frames, each goes through the :class:`Channel`, and what comes out goes to the
sink, all in one call: between the socket and a mailbox nothing waits, so signals keep their order.
Out: :meth:`Session.send` queues; what one turn of the event loop has queued is written at its end, as far as
the kernel takes it.  The rest stays here, where `congested` sees it, and large messages stay uncut
(:class:`pyerlnode.net.outbox.Outbox`).  Who :meth:`drains <Session.drain>` after each message keeps that
within twice ``Limits.outbox`` and one message of each sender's.  Ticks are written past the queue.

A peer that breaks the protocol, that is silent for too long or does not read ends its connection, never
the node.  There is no farewell in this protocol: a connection ends by closing it.
"""

from __future__ import annotations

import asyncio
import logging
from struct import Struct
from typing import TYPE_CHECKING, Final, Protocol

from pyerlnode.errors import NotConnected, ProtocolError, RemoteProtocolError, TermError
from pyerlnode.limits import DEFAULT, KIB, MIB
from pyerlnode.net.outbox import Outbox
from pyerlnode.net.waiting import Waiting
from pyerlnode.wire.channel import Channel
from pyerlnode.wire.framing import TICK
from pyerlnode.wire.receiving import BULKY
from pyerlnode.wire.ticker import Tick, Ticker

if TYPE_CHECKING:
    from pyerlnode.limits import Limits
    from pyerlnode.net.clock import Clock, Timer
    from pyerlnode.net.stream import Stream
    from pyerlnode.term import Pid, RawTerm
    from pyerlnode.wire.control import Control
    from pyerlnode.wire.handshake import PeerInfo
    from pyerlnode.wire.payload import Payload

__all__ = ["CLOSED", "OVERFLOW", "SILENT", "VIOLATION", "Session", "Sink"]

log = logging.getLogger("pyerlnode.net.session")

CLOSED: Final = "connection_closed"
"""The reason when the peer, or the network, closed the connection."""
SILENT: Final = "net_tick_timeout"
"""... when nothing came for the ticktime."""
VIOLATION: Final = "protocol_error"
"""... when the peer sent what the protocol forbids."""
OVERFLOW: Final = "outbox_overflow"
"""... when the peer does not read what it makes us send."""
FAILURE: Final = "internal_error"
"""... when we failed on a message of the peer's."""

TURN: Final = 1 * MIB + 16 * KIB
"""Bytes written in one go, at most about (a message of 1 MiB is): then others have their turn."""
CHUNK: Final = 2 * BULKY
"""What smaller frames are copied out in, many at once."""
LARGE: Final = 128 * KIB
"""From this size on memory is fetched from the kernel for each message anew, until we say that it recurs."""
LARGEST: Final = 8 * MIB
"""... and of messages up to this size we say so."""
QUIET: Final = 1 * KIB
"""A connection over which no more came between two ticks gives its receive buffer back."""

_LENGTH: Final = Struct(">I")


class Sink(Protocol):
    """Where a session's signals go.  All are called from the event loop and must not block."""

    def deliver(self, session: Session, control: Control, payload: RawTerm | None) -> None:
        """Act on one signal.

        A :class:`ProtocolError` or :class:`TermError` raised here ends the session as the peer's fault; any
        other exception does so as ours, with a traceback in the log.
        """

    def delivered(self) -> None:
        """All that came in one read is delivered: a good time to act on it.

        What is sent in here, over the session that delivered, is written as soon as this returns.
        """

    def lost(self, session: Session, reason: str) -> None:
        """The connection is gone: called once, after the last :meth:`deliver` has returned."""


class Session:
    """One connection.  It does nothing before :meth:`start`."""

    def __init__(
        self,
        stream: Stream,
        info: PeerInfo,
        sink: Sink,
        *,
        ticktime: float = 60.0,
        limits: Limits = DEFAULT,
        clock: Clock | None = None,
    ) -> None:
        """`ticktime` is in seconds (kernel's ``net_ticktime``); `clock` defaults to the event loop."""
        self.info = info
        """Who the peer is and what was agreed with it."""
        self.flags = int(info.flags)  # a plain number: quick to look at for each message
        self.reason: str | None = None
        """Why this session ended; None while it has not."""
        self._stream = stream
        self._sink = sink
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._clock: Clock = clock or self._loop
        self._channel = Channel(info.flags, limits=limits)
        self._channel.batch.wake = self._pump_soon
        self._outbox = Outbox(self._channel)
        self.post = self._channel.post
        """Sends a message the short way, where it can go that, see :meth:`Channel.post`."""
        self._ticker = Ticker(ticktime, hidden=not info.visible)
        self._tick: Timer | None = None
        self._written = 0
        self._pumping = False  # whether a pump is due in the next turn
        self._paused = False
        self._delivering = False
        self._waiting = Waiting(self._outbox, limits.outbox)
        self._overflow = limits.outbox_max  # unsent bytes at which to look who waits for them
        self._flushing: set[asyncio.Future[None]] = set()
        self._seen = 0  # bytes that had come at the last check
        self._bulk = 0  # bytes of the large frames that came in a row
        self._familiar = LARGE  # up to which size the allocator keeps the memory of messages

    @property
    def name(self) -> str:
        """The peer's node name."""
        return self.info.name

    @property
    def is_open(self) -> bool:
        """Whether signals can still pass."""
        return self.reason is None

    @property
    def congested(self) -> bool:
        """Whether more than ``Limits.outbox`` bytes are unsent: senders should :meth:`drain` first."""
        return self._outbox.size > self._limits.outbox

    def start(self) -> None:
        """Take the stream over; what has already arrived is delivered within this call."""
        if self.reason is None:
            self._tick = self._clock.call_later(self._ticker.interval, self._check)
            self._stream.attach(self)

    # ------------------------------------------------------------------ sending

    def send(self, control: Control, payload: Payload | bytes | None = None) -> None:
        """Queue a signal; `payload` is the output of ``encode_bare`` or ``encode_payload``.

        On a session that has ended it vanishes, as on any connection that is lost on the way.  Raises
        ``EncodeError`` and :class:`LocalProtocolError` for what cannot be sent at all.
        """
        if self.reason is not None:
            return
        if self._outbox.size > self._overflow and self._overflows():
            log.warning("connection to %s closed: it does not read what we send", self.name)
            self._end(OVERFLOW, abort=True)
            return
        self._outbox.put(control, payload)
        self._pump_soon()

    def _pump_soon(self) -> None:
        """Something is there to be written."""
        if not self._pumping and not self._paused:
            self._pumping = True
            self._loop.call_soon(self._pump)

    async def drain(self, sender: Pid | None = None) -> None:
        """Wait until no more than ``Limits.outbox`` bytes are unsent.

        `sender`, a process that has just sent, waits for its own large messages, and not for those of others:
        these leave in turns with its small ones.  Of many waiting senders each continues only while there is
        room, and keeps its place where there is none left.  Raises :class:`NotConnected` when the session has
        ended, or ends meanwhile.
        """
        if self._outbox.holds_up(sender, self._limits.outbox):
            await self._waiting.wait(sender)
        if self.reason is not None:
            raise NotConnected(f"the connection to {self.name} is lost: {self.reason}")

    async def flush(self, timeout: float | None = None) -> bool:
        """Wait until all that was sent is with the kernel; False when it is not after `timeout` seconds.

        `timeout` is ``Limits.linger`` by default.  A session that ends meanwhile gives False, too.
        """
        try:
            async with asyncio.timeout(self._limits.linger if timeout is None else timeout):
                while self.reason is None and (self._outbox or self._paused):
                    waiter = self._loop.create_future()
                    self._flushing.add(waiter)
                    try:
                        await waiter
                    finally:
                        self._flushing.discard(waiter)
        except TimeoutError:
            return False
        return self.reason is None

    def _overflows(self) -> bool:
        """Whether more than ``Limits.outbox_max`` is unsent that nobody waits for.

        Each sender that waits stands for one large message, its user's own choice.  Counted for each MiB.
        """
        size, limit = self._outbox.size, self._limits.outbox_max
        self._overflow = max(limit, size + MIB)
        return size > limit and size - self._waiting.awaited() > limit

    def _wake(self) -> None:
        """Let those continue for whom there is room."""
        if self._outbox.size <= self._limits.outbox_max:
            self._overflow = self._limits.outbox_max
        self._waiting.wake()
        for waiter in self._flushing:
            if not waiter.done():
                waiter.set_result(None)

    def _pump(self) -> None:
        """Write what is queued, until the kernel takes no more or others should have a turn."""
        self._pumping = False
        self._write(TURN)
        if self._outbox and self.reason is None:
            self._pump_soon()
        self._wake()

    def _write(self, room: int) -> None:
        outbox = self._outbox
        while outbox and not self._paused and room > 0:
            data = outbox.take()
            room -= len(data)
            self._written += len(data)
            self._stream.write(data)

    # ------------------------------------------------------------------ what the stream tells us

    def data_received(self, data: memoryview) -> int:
        """Deliver every message that is complete in `data` (:class:`pyerlnode.net.stream.Receiver`)."""
        if self.reason is not None:
            return len(data)
        self._delivering = True
        try:
            return self._deliver(data)
        except (ProtocolError, TermError) as error:
            log.warning("connection to %s closed: %s", self.name, error)
            self._end(VIOLATION, abort=True)
        except Exception:
            log.exception("connection to %s closed: a message of its could not be handled", self.name)
            self._end(FAILURE, abort=True)
        finally:
            self._delivering = False
            if not self.is_open:
                self._tell()
            self._settle()
        return len(data)

    def _settle(self) -> None:
        """What was delivered may be acted on; answers are written at once, together."""
        pump_is_due, self._pumping = self._pumping, True
        try:
            self._sink.delivered()
        finally:
            self._pumping = pump_is_due
            if not pump_is_due and self._outbox and not self._paused:
                self._pump()

    def _deliver(self, data: memoryview) -> int:
        position, end, limit = 0, len(data), self._limits.frame
        while end - position >= _LENGTH.size:
            length: int = _LENGTH.unpack_from(data, position)[0]
            start = position + _LENGTH.size
            stop = start + length
            if length > limit:
                raise RemoteProtocolError(f"a packet of {length} bytes is above the limit of {limit}")
            if stop > end:
                self._stream.reserve(stop - position)
                break
            if length >= BULKY:
                self._deliver_bulky(data[start:stop])
                position = stop
            else:
                position += self._deliver_small(bytes(data[position : position + CHUNK]))
            if self.reason is not None:
                return end
        self._channel.keep()
        return position

    def _deliver_bulky(self, frame: memoryview) -> None:
        self._bulk += len(frame)
        if self._bulk > self._familiar:
            self._expect(self._bulk)
        message = self._channel.receive_bulky(frame)
        if message is not None:
            self._sink.deliver(self, message[0], message[1])

    def _deliver_small(self, chunk: bytes) -> int:
        """Deliver the messages that `chunk` begins with, then raise what is wrong; gives how far it got."""
        self._bulk = 0
        fault: ProtocolError | None = None
        messages: list[tuple[Control, RawTerm | None]] = []
        try:
            done = self._channel.receive_all(chunk, messages)
        except ProtocolError as error:
            fault, done = error, len(chunk)
        deliver = self._sink.deliver
        for control, payload in messages:
            deliver(self, control, payload)
            if self.reason is not None:
                return done
        if fault is not None:
            raise fault
        return done

    def _expect(self, size: int) -> None:
        """Messages of `size` bytes come: have their memory kept for the next ones.

        glibc gives blocks from 128 KiB on back to the kernel, so that each message costs a page fault per
        4 KiB, more than all else, until one as large (32 MiB at most) was freed: so we free one, untouched.
        """
        if size <= LARGEST:
            self._familiar = 2 * size
            bytes(min(4 * self._familiar, 31 * MIB))  # zeros as the kernel gives them: none is written

    def connection_lost(self, exc: Exception | None) -> None:
        """The stream is gone."""
        self._end(CLOSED, abort=True)

    def pause_writing(self) -> None:
        """The kernel's buffer is full."""
        self._paused = True

    def resume_writing(self) -> None:
        """The kernel has room again."""
        self._paused = False
        self._pump()

    # ------------------------------------------------------------------ ticks

    def _check(self) -> None:
        read = self._stream.bytes_read
        verdict = self._ticker.check(read, self._written, bool(self._outbox))
        if verdict is Tick.DOWN:
            log.warning("connection to %s closed: nothing came from it for the ticktime", self.name)
            self._end(SILENT, abort=True)
            return
        if verdict is Tick.SEND and self._outbox.at_boundary:
            self._written += len(TICK)
            self._stream.write(TICK)
        if read - self._seen < QUIET:
            self._stream.rest()
        self._seen = read
        self._tick = self._clock.call_later(self._ticker.interval, self._check)

    # ------------------------------------------------------------------ the end

    def close(self, reason: str) -> None:
        """End the session; `reason` goes to the sink.

        What was sent before leaves as far as the kernel takes it now; to wait for the rest, :meth:`flush`
        first.  The sink hears of it before this returns or, when it is just handling a message of this very
        session, right after that.
        """
        self._end(reason, abort=False)

    def _end(self, reason: str, *, abort: bool) -> None:
        if self.reason is not None:
            return
        if abort:
            self._stream.abort()
        else:
            self._write(self._outbox.size)
            self._stream.close()
        self.reason = reason
        if self._tick is not None:
            self._tick.cancel()
        self._outbox.clear()
        self._waiting.wake_all()
        self._wake()
        if not self._delivering:
            self._tell()

    def _tell(self) -> None:
        try:
            self._sink.lost(self, self.reason or CLOSED)
        except Exception:
            log.exception("the loss of the connection to %s could not be handled", self.name)
