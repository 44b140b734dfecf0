"""The vectors in tests/vectors/wire, as values: what real BEAMs said, written by capture.py there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from pyerlnode.wire.flags import Flags

HERE = Path(__file__).parents[2] / "vectors" / "wire"
RELEASES = (23, 25, 27, 28, 29)

_PART = re.compile(r"\{([0-9a-f]+)\*([0-9]+)\}|([0-9a-f]+)")


@dataclass
class Section:
    """One connection: its facts, and what went over it as (mark, bytes or text)."""

    release: int
    kind: str
    title: str
    facts: dict[str, str] = field(default_factory=dict)
    events: list[tuple[str, bytes | str]] = field(default_factory=list)

    def __str__(self) -> str:
        return f"otp{self.release}-{self.title.replace(' ', '-')}"

    @property
    def flags(self) -> Flags:
        return Flags(int(self.facts["flags"], 16))

    def frames(self, mark: str) -> list[bytes]:
        return [data for kind, data in self.events if kind == mark and isinstance(data, bytes)]

    @property
    def closed(self) -> bool:
        return ("!", "closed") in self.events

    def handshake(self) -> list[tuple[str, bytes]]:
        """The frames up to the acknowledgement, or to the end."""
        frames: list[tuple[str, bytes]] = []
        for mark, data in self.events:
            if isinstance(data, bytes) and mark in "<>":
                frames.append((mark, data))
                if data[:1] == b"a" and len(data) == 17:
                    break
        return frames


def sections(*kinds: str, releases: tuple[int, ...] = RELEASES) -> list[Section]:
    """All sections of these kinds: `dial`, `accept` or `frames`."""
    return [section for release in releases for section in _load(release) if section.kind in kinds]


def _load(release: int) -> list[Section]:
    found: list[Section] = []
    for line in (HERE / f"otp{release}.txt").read_text(encoding="utf-8").splitlines():
        mark, _, rest = line.partition(" ")
        if mark == "@":
            kind, _, title = rest.partition(" ")
            found.append(Section(release, kind, title))
        elif mark == ":":
            key, _, value = rest.partition(" ")
            found[-1].facts[key] = value
        elif mark in ("<", ">", "="):
            found[-1].events.append((mark, unsqueeze(rest)))
        elif mark in ("%", "!"):
            found[-1].events.append((mark, rest))
    return found


def unsqueeze(text: str) -> bytes:
    """The bytes behind a line of hexadecimal digits."""
    parts = (
        bytes.fromhex(plain) if plain else bytes.fromhex(run) * int(times)
        for run, times, plain in _PART.findall(text)
    )
    return b"".join(parts)
