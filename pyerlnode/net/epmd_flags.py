"""The flags of our epmd, which are those of the original: read by the program, written by who starts it.

See the ``epmd`` manual page.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pyerlnode.errors import ConfigError
from pyerlnode.frozen import frozen
from pyerlnode.limits import DEFAULT
from pyerlnode.wire.epmd import EPMD_PORT

if TYPE_CHECKING:
    from collections.abc import Iterable


@frozen
class Options:
    """What the flags say."""

    port: int = EPMD_PORT
    addresses: tuple[str, ...] = ()
    relaxed: bool = False
    packet_time: float = DEFAULT.epmd_packet_time
    daemon: bool = False

    def to_flags(self) -> list[str]:
        """The command line that gives these options."""
        flags = ["-port", str(self.port), "-packet_timeout", str(self.packet_time)]
        flags += ["-address", ",".join(self.addresses)] if self.addresses else []
        flags += ["-relaxed_command_check"] if self.relaxed else []
        return flags + (["-daemon"] if self.daemon else [])

    @staticmethod
    def parse(flags: Iterable[str]) -> Options:
        """Read a command line.  ``ConfigError`` for a flag that is unknown or lacks its value."""
        options = Options()
        rest = iter(flags)
        for flag in rest:
            options = options._with(flag, rest)
        return options

    def _with(self, flag: str, rest: Iterable[str]) -> Options:
        match flag:
            case "-daemon":
                return replace(self, daemon=True)
            case "-relaxed_command_check":
                return replace(self, relaxed=True)
            case "-port":
                return replace(self, port=int(_number(flag, rest, 65535)))
            case "-packet_timeout":
                return replace(self, packet_time=_number(flag, rest, 1e6))
            case "-address":
                return replace(self, addresses=tuple(_value(flag, rest).replace(",", " ").split()))
            case _:
                raise ConfigError("epmd flag", flag, "there is no such flag")


def _value(flag: str, rest: Iterable[str]) -> str:
    value = next(iter(rest), None)
    if value is None:
        raise ConfigError("epmd flag", flag, "its value is missing")
    return value


def _number(flag: str, rest: Iterable[str], highest: float) -> float:
    text = _value(flag, rest)
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 < number <= highest:
        raise ConfigError(f"epmd flag {flag}", text, f"give a number greater than 0, at most {highest:g}")
    return number
