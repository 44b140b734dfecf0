"""Characters as Erlang's I/O protocol carries them (stdlib's ``unicode:chardata()``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyerlnode.term import ImproperList

if TYPE_CHECKING:
    from pyerlnode.term import Term


def to_text(chars: Term, encoding: str = "utf-8") -> str:
    """Reads character data: binaries in `encoding`, code points, and lists of these, however deep."""
    parts: list[str] = []
    stack = [chars]
    while stack:
        item = stack.pop()
        if isinstance(item, bytes):
            parts.append(item.decode(encoding, "replace"))
        elif isinstance(item, str):
            parts.append(item)
        elif type(item) is int and 0 <= item < 0x110000:
            parts.append("\ufffd" if 0xD800 <= item < 0xE000 else chr(item))
        elif isinstance(item, list):
            stack.extend(reversed(item))
        elif isinstance(item, ImproperList):
            stack.append(item.tail)
            stack.extend(reversed(item.items))
    return "".join(parts)
