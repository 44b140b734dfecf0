"""When to say "still here", and when to give a silent peer up.

Spec: kernel(6) ``net_ticktime`` and ``net_tickintensity``; ERTS "Distribution Protocol": an empty packet
is a tick.  A check runs every ticktime / intensity seconds.  It sends a tick when nothing was written
since the last one and nothing waits to be written (to a hidden peer also when nothing was read, for
simple ones tick only in answer to a tick), and gives up after ``intensity`` checks in a row without a
byte read: with the defaults after 45 to 75 seconds, as between BEAMs.
"""

from __future__ import annotations

from enum import Enum

from pyerlnode.errors import LocalProtocolError
from pyerlnode.wire.framing import TICK


class Tick(Enum):
    """What a check asks its caller to do."""

    IDLE = "idle"
    """Nothing."""
    SEND = "send"
    """Write a tick."""
    DOWN = "down"
    """Close the connection: the peer has been silent for too long."""


class Ticker:
    """The tick state of one connection.

    ``ticktime`` is in seconds; ``intensity`` (4 to 1000) the number of checks in that time; ``hidden``
    whether the connection is hidden, that is, not ``PeerInfo.visible``.
    """

    __slots__ = ("_hidden", "_intensity", "_read", "_silent", "_ticked", "_written", "interval")

    def __init__(self, ticktime: float = 60.0, intensity: int = 4, hidden: bool = False) -> None:
        if not ticktime > 0 or not 4 <= intensity <= 1000:
            raise LocalProtocolError(
                f"a ticktime is above 0 and an intensity 4 to 1000, not {ticktime} and {intensity}"
            )
        self.interval = ticktime / intensity
        """Seconds between two checks."""
        self._intensity = intensity
        self._hidden = hidden
        self._read = 0
        self._written = 0
        self._silent = 0
        self._ticked = False

    def check(self, bytes_read: int, bytes_written: int, queued: bool) -> Tick:
        """The check that is due every :attr:`interval` seconds.

        ``bytes_read`` and ``bytes_written`` are totals since the connection began; it does not matter
        whether the latter counts our ticks.  ``queued``: something waits to be written.
        """
        nothing_read = bytes_read == self._read
        self._silent = self._silent + 1 if nothing_read else 0
        if self._silent >= self._intensity:
            return Tick.DOWN
        wrote = bytes_written - self._written
        idle = not queued and (wrote == 0 or (self._ticked and wrote == len(TICK)))
        self._read, self._written = bytes_read, bytes_written
        self._ticked = idle or (self._hidden and nothing_read)
        return Tick.SEND if self._ticked else Tick.IDLE
