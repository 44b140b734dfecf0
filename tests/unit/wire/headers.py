"""A sending atom cache, for tests: writes distribution headers as a BEAM may."""

from __future__ import annotations


class Writer:
    """Remembers what it has put into each slot, as a BEAM does."""

    def __init__(self) -> None:
        self.slots: dict[int, str] = {}

    def header(self, entries: list[tuple[int, str]], *, long: bool | None = None) -> bytes:
        """The atom part of a header; `entries` are told as new where the slot holds something else."""
        if not entries:
            return b"\0"
        if long is None:
            long = any(len(text.encode()) > 255 for _, text in entries)
        nibbles, refs = [], b""
        for slot, text in entries:
            new = self.slots.get(slot) != text
            nibbles.append(new << 3 | slot >> 8)
            refs += bytes([slot & 255])
            if new:
                raw = text.encode()
                refs += len(raw).to_bytes(2 if long else 1, "big") + raw
                self.slots[slot] = text
        nibbles.append(int(long))
        nibbles += [0] * (len(nibbles) % 2)
        flags = bytes(low | high << 4 for low, high in zip(nibbles[::2], nibbles[1::2], strict=True))
        return bytes([len(entries)]) + flags + refs
