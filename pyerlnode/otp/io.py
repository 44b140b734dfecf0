"""``user``: where the output of code appears that runs elsewhere on behalf of this node.

A process that is started remotely has a group leader of the node that asked for it; what it prints comes as
``{io_request, From, ReplyAs, Request}`` and must be answered, or it waits (stdlib's I/O protocol).  Output is
written to the given function; there is nothing to read here, so that input is ``eof``.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from pyerlnode.runtime.actor import Reactor
from pyerlnode.term import Atom, ImproperList, Pid, encode_bare
from pyerlnode.term.text import to_erlang

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyerlnode.runtime.router import Router
    from pyerlnode.term import Term

log = logging.getLogger("pyerlnode.io")

NAME = "user"
OK = Atom("ok")
READS = frozenset({"get_line", "get_chars", "get_until", "get_password"})
MAX_OUTPUT = 1_000_000
"""Characters of one request that are written."""


def to_stdout(text: str) -> None:
    """Writes to standard output, at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


class User(Reactor):
    """The registered process ``user``: the group leader of what this node starts elsewhere."""

    def __init__(self, router: Router, write: Callable[[str], None] = to_stdout) -> None:
        super().__init__(router, self._answer, NAME)
        self._write = write

    def _answer(self, message: Term) -> None:
        if type(message) is not tuple:
            return
        match message:
            case (word, Pid() as asker, reply_as, request) if word == "io_request":
                reply = (Atom("io_reply"), reply_as, self._outcome(request))
                self.emit_message(asker.node, asker, encode_bare(reply))

    def _outcome(self, request: Term) -> Term:
        """What to reply: whoever prints waits for it, also where our output is broken."""
        try:
            return self._perform(request)
        except Exception:
            log.exception("output for this node could not be written")
            return (Atom("error"), Atom("terminated"))

    def _perform(self, request: Term) -> Term:
        match request:
            case ("put_chars", "latin1", chars) | ("put_chars", chars):
                self._write(to_text(chars, "latin-1")[:MAX_OUTPUT])
                return OK
            case ("put_chars", _, chars):
                self._write(to_text(chars)[:MAX_OUTPUT])
                return OK
            case ("put_chars", _, "io_lib", "format", [form, list() as args]):
                self._write(
                    " ".join([to_text(form), *(to_erlang(arg, limit=1_000) for arg in args)])[:MAX_OUTPUT]
                )
                return OK
            case ("requests", list() as requests):
                return [self._perform(each) for each in requests][-1] if requests else OK
            case ("setopts", _):
                return OK
            case "getopts":
                return [(Atom("binary"), True), (Atom("encoding"), Atom("unicode"))]
            case (str() as word, *_) if word in READS:
                return Atom("eof")
        return (Atom("error"), Atom("request"))


def to_text(chars: Term, encoding: str = "utf-8") -> str:
    """Reads Erlang's ``unicode:chardata()``: binaries in `encoding`, code points, and lists of these."""
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
