"""Numbers that nobody can predict, straight from the system.

:mod:`secrets` takes them from there, too, and loads hashes, statistics and more along with it.
"""

from __future__ import annotations

import os


def unpredictable(bits: int) -> int:
    """Give a number of that many bits, a multiple of 8."""
    return int.from_bytes(os.urandom(bits // 8), "big")


def new_creation() -> int:
    """Give a creation for a node without epmd: unlike that of an earlier incarnation, in all likelihood."""
    return max(unpredictable(32), 4)  # those below are of nodes that know no others
