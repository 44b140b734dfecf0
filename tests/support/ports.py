"""TCP ports for tests that must know a port before anybody listens on it.

The kernel gives ports of the ephemeral range to outgoing connections at any moment, so that one which is free
now may be taken when it is wanted.  These come from below that range, and none twice in a run.
"""

from __future__ import annotations

import itertools
import os
import socket

FIRST, LAST = 10_300, 32_700
"""Below Linux's default ephemeral range, 32768 to 60999."""

_counter = itertools.count(os.getpid() * 37)


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port that nobody listens on now, nor will soon."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in _counter:
        port = FIRST + number % (LAST - FIRST)
        with socket.socket(family) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise AssertionError("unreachable")
