"""Numbers as the BEAM prints them.

Floats come in the fewest digits that read back as the same float; between plain and scientific form the
shorter wins, and outside of 2^53 it is always the scientific one (``float_to_list(F, [short])``).
"""

from __future__ import annotations

from typing import Final

_EXACT: Final = 2.0**53
_DECIMAL_BITS: Final = 14_000
"""Larger integers are printed in base 16: decimal would take quadratic time, and Python refuses to."""


def float_text(value: float) -> str:
    """Return ``value`` as Erlang prints it; it reads back as the same float."""
    mantissa, _, exponent = f"{value!r}e".rstrip("e").partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.removeprefix("-").partition(".")
    power = int(exponent or "0") + len(whole)  # of the point before all the digits
    digits = whole + ("" if fraction == "0" else fraction)
    stripped = digits.lstrip("0")
    if not stripped:
        return f"{sign}0.0"
    power -= len(digits) - len(stripped)
    digits = stripped.rstrip("0")
    scientific = f"{digits[0]}.{digits[1:] or '0'}e{power - 1}"
    plain = _plain(digits, power)
    return sign + (plain if len(plain) <= len(scientific) and abs(value) < _EXACT else scientific)


def elixir_float_text(value: float) -> str:
    """Return ``value`` as Elixir's ``inspect`` prints it: whole numbers below 1.0e16 stay plain."""
    if 1.0 <= abs(value) < 1.0e16 and value.is_integer():
        return f"{int(value)}.0"
    return float_text(value)


def _plain(digits: str, power: int) -> str:
    """Return 0.``digits`` times 10^``power`` without an exponent (for any sensible power)."""
    if not -20 < power < 30:
        return "0" * 50
    if power <= 0:
        return "0." + "0" * -power + digits
    whole = digits[:power].ljust(power, "0")
    return f"{whole}.{digits[power:] or '0'}"


def integer_text(value: int, base16: str, room: int) -> str:
    """Return ``value`` in decimal, or in base 16 after the prefix ``base16`` when that would be too long.

    Of an integer much longer than ``room`` characters only the first digits are given, in base 16.
    """
    bits = value.bit_length()
    if bits <= _DECIMAL_BITS:
        return str(int(value))
    sign = "-" if value < 0 else ""
    shown = abs(value) >> max(bits - 4 * room - 4, 0) if room < bits else abs(value)
    return f"{sign}{base16}{shown:X}"
