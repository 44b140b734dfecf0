"""Starts our epmd where none runs: as a process of its own, which outlives the node that started it.

``erl`` does the same with the original (``epmd -daemon``), for the same reason: all nodes of a host share one
port mapper, so it must not go down with any of them.  Two starters at once do no harm: one of the two daemons
gets the port, the other sees that and ends.

To end it: ``pyerlnode epmd stop``, ``epmd -kill``, or a signal to its process id.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pyerlnode.errors import EpmdError
from pyerlnode.limits import DEFAULT, Limits
from pyerlnode.net.epmd_client import EpmdClient
from pyerlnode.net.epmd_flags import Options
from pyerlnode.wire.epmd import EPMD_PORT

if TYPE_CHECKING:
    from collections.abc import Sequence

_START: Final = (
    "import sys; sys.path.append({root!r}); "
    "from pyerlnode.net.epmd_daemon import main; raise SystemExit(main())"
)
"""The package is found where this one was, be it installed or not: the daemon's directory is ``/``."""
_SECRETS: Final = re.compile("COOKIE|SECRET|TOKEN|PASSWORD")
"""What the variables are called that the daemon does not get: it outlives us and needs none of them."""
_PATIENCE: Final = 4
"""How many times the deadline of one conversation the start of a Python process may take."""


async def start_detached(
    port: int = EPMD_PORT,
    addresses: Sequence[str] = (),
    *,
    relaxed: bool = False,
    limits: Limits = DEFAULT,
) -> int | None:
    """See to it that an epmd answers on loopback: if none does, start ours.

    ``addresses`` are what it listens on beside loopback; none means all of this host's.  Returns the process
    id of a daemon that this call started, None when one was there already.  ``EpmdError`` when something
    else holds the port, or the daemon cannot be started.
    """
    client = EpmdClient(port=port, limits=limits)
    if await client.is_running():
        return None
    options = Options(port, tuple(addresses), relaxed, limits.epmd_packet_time, daemon=True)
    printed = await asyncio.to_thread(_run, options, limits.epmd_time * _PATIENCE)
    if not await client.is_running():
        raise EpmdError(f"an epmd was started on port {port}, but it does not answer")
    return int(printed) if printed.strip() else None


def _run(options: Options, patience: float) -> bytes:
    """Run the daemon's program until it has detached.  Returns what it printed."""
    if not sys.executable:
        raise EpmdError(
            "cannot start an epmd: no Python is known here; run `pyerlnode epmd start` or `epmd -daemon`"
        )
    root = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-P", "-c", _START.format(root=root), *options.to_flags()]
    environment = {name: value for name, value in os.environ.items() if not _SECRETS.search(name)}
    try:
        done = subprocess.run(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment,
            timeout=patience,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EpmdError(f"cannot start an epmd with {sys.executable}: {error}") from error
    if done.returncode != 0:
        why = done.stderr.decode(errors="replace").strip()[-500:]
        raise EpmdError(f"cannot start an epmd on port {options.port}: {why or done.returncode}")
    return done.stdout
