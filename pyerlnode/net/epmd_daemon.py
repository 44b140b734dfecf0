"""Our epmd as a program: ``python -m pyerlnode.net.epmd_daemon``, with the flags of the original.

See the ``epmd`` manual page.  In the foreground it runs until SIGINT, SIGTERM or a client's KILL.  With
``-daemon`` it listens first and detaches then, so that whoever started it may connect as soon as the
starting process has ended; :mod:`pyerlnode.net.epmd_detached` relies on that.

Exit status: 0, also when there is an epmd already, as with the original; 1 when it cannot listen; 2 for a
wrong flag.  The environment is not read here: whoever starts it has done so.
"""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pyerlnode.errors import ConfigError
from pyerlnode.limits import DEFAULT
from pyerlnode.net.epmd_flags import Options
from pyerlnode.net.epmd_server import EpmdServer, bind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_USAGE: Final = (
    "usage: python -m pyerlnode.net.epmd_daemon [-port NO] [-address LIST] [-relaxed_command_check]\n"
    "           [-packet_timeout SECONDS] [-daemon]\n"
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run as ``epmd`` does.  Returns the exit status."""
    try:
        options = Options.parse(sys.argv[1:] if argv is None else argv)
    except ConfigError as error:
        return _fail(f"{error}\n{_USAGE}", 2)
    try:
        sockets = bind(options.port, options.addresses)
    except ConfigError as error:
        return _fail(f"{error}\n", 2)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return 0
        return _fail(f"epmd: cannot listen on port {options.port}: {error}\n", 1)
    if options.daemon:
        daemonize([sock.fileno() for sock in sockets])
    limits = replace(DEFAULT, epmd_packet_time=options.packet_time)
    asyncio.run(serve(EpmdServer(options.port, relaxed=options.relaxed, limits=limits, sockets=sockets)))
    return 0


def _fail(text: str, status: int) -> int:
    sys.stderr.write(text)
    return status


async def serve(server: EpmdServer) -> None:
    """Run ``server`` until a client kills it, or SIGINT or SIGTERM do."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.end)
    async with server:
        await server.wait_ended()


def daemonize(keep: Iterable[int] = ()) -> None:
    """Become nobody's process: a session of its own, in ``/``, with no files open but ``keep``.

    The process that called ends with status 0, once the daemon's process id is on its standard output.
    """
    if child := os.fork():
        os.waitpid(child, 0)
        os._exit(0)
    os.setsid()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if child := os.fork():
        os.write(1, b"%d\n" % child)
        os._exit(0)
    os.chdir("/")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    _close_all_but({0, 1, 2, *keep})


def _close_all_but(keep: set[int]) -> None:
    for descriptor in [int(name) for name in os.listdir("/dev/fd")]:
        if descriptor not in keep:
            try:
                os.close(descriptor)
            except OSError:  # the one that listed the directory
                continue


if __name__ == "__main__":
    sys.exit(main())
