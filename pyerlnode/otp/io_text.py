"""Characters as Erlang's I/O protocol carries them (stdlib's ``unicode:chardata()``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyerlnode.term import Atom, ImproperList, brief

if TYPE_CHECKING:
    from pyerlnode.term import Term


def to_text(chars: Term, encoding: str = "utf-8") -> str:
    """Reads character data: binaries in `encoding`, code points, and lists of these, however deep.

    Raises :class:`ValueError` for anything else, and for bytes and code points that are no characters.
    """
    last = 0xFF if encoding == "latin-1" else 0x10FFFF
    parts: list[str] = []
    stack = [chars]
    while stack:
        item = stack.pop()
        if isinstance(item, bytes):
            parts.append(item.decode(encoding))
        elif isinstance(item, str) and not isinstance(item, Atom):
            parts.append(item)
        elif type(item) is int and 0 <= item <= last and not 0xD800 <= item < 0xE000:
            parts.append(chr(item))
        elif isinstance(item, list):
            stack.extend(reversed(item))
        elif isinstance(item, ImproperList):
            stack.append(item.tail)
            stack.extend(reversed(item.items))
        else:
            raise ValueError(f"this is no character data: {brief(item)}")
    return "".join(parts)
