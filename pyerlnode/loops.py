"""Which event loop our own entry points run on: uvloop where it is installed, else asyncio's.

The library itself runs on whichever loop it finds; only the command line and ``pyerlnode.sync``, which own
their loop, have to choose one.
"""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Callable
from typing import Literal, TypeAlias

from pyerlnode.errors import ConfigError

LoopName: TypeAlias = Literal["auto", "uvloop", "asyncio"]
LoopFactory: TypeAlias = Callable[[], asyncio.AbstractEventLoop]


def loop_factory(name: LoopName = "auto") -> LoopFactory:
    """Give what makes an event loop, for ``asyncio.Runner(loop_factory=...)``.

    ``auto`` takes uvloop if it is installed.  Raises :class:`ConfigError` when ``uvloop`` itself is asked
    for and is not there.
    """
    installed = importlib.util.find_spec("uvloop") is not None
    if name == "asyncio" or (name == "auto" and not installed):
        return asyncio.new_event_loop
    if not installed:
        raise ConfigError(
            "loop", name, "uvloop is not installed here: pip install uvloop, or choose 'asyncio'"
        )
    import uvloop  # noqa: PLC0415 - it costs start-up time and is absent on some platforms

    factory: LoopFactory = uvloop.new_event_loop
    return factory
