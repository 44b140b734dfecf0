"""The golden terms that real BEAMs wrote (by `make.py`), one file per OTP release.

Each line: a name, the options of ``term_to_binary``, its bytes in hexadecimal, and the source in Erlang that
made the term, separated by tabs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Golden:
    """One term as an OTP release wrote it."""

    otp: int
    name: str
    options: str
    data: bytes
    source: str

    def __str__(self) -> str:
        return f"otp{self.otp}-{self.name.replace(' ', '-')}"

    @property
    def is_refused(self) -> bool:
        """Whether no other node may read it: LOCAL_EXT."""
        return self.options == "[local]"

    @property
    def is_canonical(self) -> bool:
        """Whether a BEAM of today writes the term in just these bytes."""
        return self.otp >= 26 and self.options == "[]"

    @property
    def is_same_everywhere(self) -> bool:
        """Whether every release makes an equal term from the source: there is no identity in it."""
        return not self.name.startswith("own ")


def load(otp: int | None = None) -> list[Golden]:
    """All golden terms of one release, or of all."""
    files = sorted(HERE.glob("otp*.txt" if otp is None else f"otp{otp}.txt"))
    return [_parse(int(file.stem[3:]), line) for file in files for line in _lines(file)]


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()


def _parse(otp: int, line: str) -> Golden:
    name, options, data, source = line.split("\t")
    return Golden(otp, name, options, bytes.fromhex(data), source)
