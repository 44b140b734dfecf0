"""For tests, yours and ours: nodes' machinery without sockets, clocks or Erlang.

* :func:`memory_streams`: two connected streams in memory, byte by byte if you like.
* :class:`WirePair`: two nodes' handshakes and channels back to back, without even an event loop.
* :class:`ManualClock`: time that passes when you say so.

Nothing in the library imports this package.
"""

from __future__ import annotations

from pyerlnode.testing.clock import ManualClock
from pyerlnode.testing.streams import MemoryTransport, memory_streams
from pyerlnode.testing.wire_pair import OpenGate, WirePair

__all__ = ["ManualClock", "MemoryTransport", "OpenGate", "WirePair", "memory_streams"]
