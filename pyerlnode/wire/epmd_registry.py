"""What an epmd knows and how it answers: names, creations, old names, who may do what.

ERTS distribution protocol, "EPMD Protocol"; behaviour checked byte for byte against Ericsson's epmd.
A :class:`Registry` is one port mapper's memory.  A :class:`Conversation` is one connection to it: it is fed
what was read and tells what to write and whether to hang up.  Sockets and clocks belong to
:mod:`pyerlnode.net.epmd_server`.

Three things differ from the original, on purpose.  A name that is registered for the first time takes its
creation from the clock even when the memory of old names is full (the original then hands out the counter of
the name that it forgets).  A refused registration does not exempt its connection from time-outs.  And STOP
closes the connection of the name that it stops, never one that merely had the same number earlier.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pyerlnode.errors import RemoteProtocolError
from pyerlnode.wire import epmd

if TYPE_CHECKING:
    from collections.abc import Iterator

REMEMBERED: Final = 1001
"""Old names that are kept, so that their next incarnation gets another creation."""
FIRST_CREATION: Final = 4
"""1 to 3 are left to nodes that only know creations of two bits."""
_BUFFER: Final = epmd.MAX_BODY + 2


def is_local(peer: str, own: str) -> bool:
    """Whether a client at address ``peer``, connected to our address ``own``, is on this host."""
    return peer == "::1" or peer == own or (peer.startswith("127.") and ":" not in peer)


@dataclass(slots=True)
class Entry:
    """A name: live, or remembered."""

    alive: epmd.Alive2Req
    fd: int
    counter: int
    """The name's creation in its 32-bit form."""

    @property
    def creation(self) -> int:
        """The creation as this node's version of the protocol wants it."""
        return self.counter if self.alive.highest >= 6 else self.counter % 3 + 1


class Registry:
    """The names of one host."""

    def __init__(self, port: int, *, relaxed: bool = False, remembered: int = REMEMBERED) -> None:
        """``port`` is told to clients; ``relaxed`` permits STOP, and KILL while names are registered."""
        self.port = port
        self.relaxed = relaxed
        self._remembered = remembered
        self._live: dict[bytes, Entry] = {}
        self._old: dict[bytes, Entry] = {}

    def __len__(self) -> int:
        return len(self._live)

    def register(self, alive: epmd.Alive2Req, fd: int, now: int) -> Entry | None:
        """Enter a name; None when it is taken or impossible.  ``now`` is the wall clock in seconds."""
        characters = epmd.characters(alive.name)
        if characters is None or characters > epmd.MAX_CHARACTERS or len(alive.extra) > epmd.MAX_NAME:
            return None
        if alive.name in self._live:
            return None
        old = self._old.pop(alive.name, None)
        entry = Entry(alive, fd, _next(old.counter if old is not None else now))
        self._live[alive.name] = entry
        return entry

    def find(self, name: bytes) -> Entry | None:
        """The live entry of ``name``."""
        return self._live.get(name)

    def release(self, entry: Entry) -> None:
        """Its node is gone: free the name and remember its creation.  Releasing twice does no harm."""
        if self._live.get(entry.alive.name) is not entry:
            return
        self._old[entry.alive.name] = self._live.pop(entry.alive.name)
        if len(self._old) > self._remembered:
            del self._old[next(iter(self._old))]

    def live(self) -> Iterator[Entry]:
        """Live entries, newest first."""
        return reversed(self._live.values())

    def old(self) -> Iterator[Entry]:
        """Remembered entries, oldest first."""
        return iter(self._old.values())


def _next(counter: int) -> int:
    return max((counter + 1) & 0xFFFFFFFF, FIRST_CREATION)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a connection is to do after it was read from."""

    reply: bytes = b""
    close: bool = True
    """Hang up once the reply is written."""
    stopped: int | None = None
    """The descriptor of another connection, whose name was taken from it: close that, too."""
    shutdown: bool = False
    """End the whole port mapper."""


_READ_ON: Final = Outcome(close=False)
_HANG_UP: Final = Outcome()


class Conversation:
    """One connection: at most one request, then silence for as long as the name is to live."""

    __slots__ = ("_data", "_entry", "_fd", "_local", "_registry", "_silent", "_want")

    def __init__(self, registry: Registry, fd: int, local: bool) -> None:
        self._registry = registry
        self._fd = fd
        self._local = local
        self._data = b""
        self._want = 0
        self._entry: Entry | None = None
        self._silent = False

    @property
    def holds_name(self) -> bool:
        """Whether this connection is a registration."""
        return self._entry is not None

    def receive(self, data: bytes, now: int) -> Outcome:
        """Take what one read gave.

        How reads are cut matters, as it does to the original: more bytes than the request, in the read
        that brought its length, spoil it; bytes after that belong to nobody, or end a registration.
        """
        if self._silent:
            self.lost()
            return _HANG_UP
        taken = (self._want or _BUFFER) - len(self._data)
        rest = data[taken:]
        self._data += data[:taken]
        if self._want == 0 and len(self._data) >= 2:
            self._want = int.from_bytes(self._data[:2], "big") + 2
            if not 3 <= self._want <= _BUFFER or len(self._data) > self._want:
                return _HANG_UP
        if len(self._data) != self._want:
            return _READ_ON
        outcome = self._answer(self._data[2:], now)
        if rest and not outcome.close:
            self.lost()
            return Outcome(outcome.reply)
        return outcome

    def lost(self) -> None:
        """The connection has ended: with it ends the registration that it is.  May be called twice."""
        if self._entry is not None:
            self._registry.release(self._entry)
            self._entry = None

    def _answer(self, body: bytes, now: int) -> Outcome:
        try:
            request = epmd.parse_request(body)
        except RemoteProtocolError:
            return _HANG_UP
        registry = self._registry
        if isinstance(request, epmd.Port2Req):
            entry = registry.find(request.name)
            return Outcome(epmd.port2_found(entry.alive) if entry is not None else epmd.NOT_FOUND)
        if isinstance(request, epmd.NamesReq):
            names = [(entry.alive.name, entry.alive.port) for entry in registry.live()]
            return Outcome(epmd.format_names(registry.port, names))
        return self._answer_local(request, now) if self._local else _HANG_UP

    def _answer_local(self, request: epmd.Request, now: int) -> Outcome:
        match request:
            case epmd.Alive2Req():
                return self._register(request, now)
            case epmd.StopReq():
                return self._stop(request.name)
            case epmd.DumpReq():
                return self._dump()
            case _:
                return self._kill()

    def _register(self, request: epmd.Alive2Req, now: int) -> Outcome:
        self._silent = True
        self._entry = self._registry.register(request, self._fd, now)
        wide = request.highest >= 6
        if self._entry is None:
            return Outcome(epmd.Alive2Resp(1, epmd.FAILURE_CREATION, wide).to_bytes(), close=False)
        return Outcome(epmd.Alive2Resp(0, self._entry.creation, wide).to_bytes(), close=False)

    def _stop(self, name: bytes) -> Outcome:
        if not self._registry.relaxed:
            return _HANG_UP
        entry = self._registry.find(name)
        if entry is None:
            return Outcome(b"NOEXISTSTOPPED")
        self._registry.release(entry)
        return Outcome(b"STOPPED", stopped=entry.fd)

    def _dump(self) -> Outcome:
        live = [(entry.alive.name, entry.alive.port, entry.fd) for entry in self._registry.live()]
        old = [(entry.alive.name, entry.alive.port, entry.fd) for entry in self._registry.old()]
        return Outcome(epmd.format_dump(self._registry.port, live, old))

    def _kill(self) -> Outcome:
        if len(self._registry) and not self._registry.relaxed:
            return Outcome(b"NO")
        return Outcome(b"OK", shutdown=True)
