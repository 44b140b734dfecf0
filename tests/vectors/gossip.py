"""Heartbeats that libcluster 3.5.0 itself sent, on several releases of OTP: ``gossip.txt``.

Each line: the OTP release, the node's name, the secret (``-`` for none) and the datagram in hexadecimal,
separated by tabs.  Recorded by running its Gossip strategy on each release, outside this repository.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_suffix(".txt")


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """One datagram."""

    otp: int
    name: str
    secret: str | None
    data: bytes

    def __str__(self) -> str:
        return f"otp{self.otp}-{self.name[:20]}-{'sealed' if self.secret else 'plain'}"


def load() -> list[Heartbeat]:
    """All of them."""
    return [_parse(*line.split("\t")) for line in FILE.read_text(encoding="utf-8").splitlines()]


def _parse(otp: str, name: str, secret: str, data: str) -> Heartbeat:
    return Heartbeat(int(otp), name, None if secret == "-" else secret, bytes.fromhex(data))
