"""Input for code that runs elsewhere on behalf of this node: lines, as they are asked for.

(stdlib's "The Erlang I/O Protocol": ``get_line``, ``get_chars``, and the options of a device.)
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, TypeAlias

from pyerlnode.errors import NodeError
from pyerlnode.term import Atom

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyerlnode.term import Term

    Read: TypeAlias = Callable[[], str]

EOF = Atom("eof")
OK = Atom("ok")
ERROR = Atom("error")
BINARY = Atom("binary")
ENCODING = Atom("encoding")
UNICODE = Atom("unicode")
LATIN1 = Atom("latin1")


class InputError(NodeError):
    """A request for input that cannot be met; the asker gets ``{error, reason}``."""

    def __init__(self, reason: Term) -> None:
        super().__init__(str(reason))
        self.reason = reason


class Input:
    """What was typed and not taken yet, and the options of the device.

    `read` gives the next line with its end, ``""`` at the end of all input.  It blocks, in a thread that does
    not hold up the end of the program.
    """

    def __init__(self, read: Read | None) -> None:
        self._read = read
        self._rest = ""
        self._binary = True
        self._encoding = UNICODE

    async def line(self) -> str | None:
        """The next line; None at the end of input."""
        if not self._rest:
            self._rest = await self._next()
        head, end, self._rest = self._rest.partition("\n")
        return head + end or None

    async def chars(self, count: int) -> str | None:
        """The next `count` characters, fewer only at the end; None when there are none."""
        while len(self._rest) < count and (more := await self._next()):
            self._rest += more
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken if taken or count == 0 else None

    def unread(self, text: str) -> None:
        """Puts back what was read too far."""
        self._rest = text + self._rest

    async def _next(self) -> str:
        if self._read is None:
            return ""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str] = loop.create_future()
        threading.Thread(target=_read_into, args=(self._read, loop, answer), daemon=True).start()
        return await answer

    # answers ---------------------------------------------------------------------------

    def result(self, text: str | None, encoding: Term) -> Term:
        """`text` as the asker wants it: in `encoding`, as a binary or as a list of characters."""
        if text is None:
            return EOF
        try:
            data = text.encode("latin-1" if encoding == LATIN1 else "utf-8")
        except UnicodeEncodeError:
            return (ERROR, (Atom("no_translation"), UNICODE, LATIN1))
        return data if self._binary else [ord(char) for char in text]

    def options(self) -> list[Term]:
        """The options of the device, as ``io:getopts`` lists them."""
        return [(BINARY, self._binary), (ENCODING, self._encoding)]

    def set_options(self, options: list[Term]) -> Term:
        """Sets them; ``{error, enotsup}``, and nothing changed, when one is not among them."""
        binary, encoding = self._binary, self._encoding
        for option in options:
            match option:
                case "binary":
                    binary = True
                case "list":
                    binary = False
                case ("binary", bool() as value):
                    binary = value
                case ("encoding", ("unicode" | "utf8" | "latin1") as value):
                    encoding = LATIN1 if value == LATIN1 else UNICODE
                case _:
                    return (ERROR, Atom("enotsup"))
        self._binary, self._encoding = binary, encoding
        return OK


def _read_into(read: Read, loop: asyncio.AbstractEventLoop, answer: asyncio.Future[str]) -> None:
    """Reads one line in this thread, and hands it to the loop, unless that is gone by then."""
    try:
        text, error = read(), None
    except Exception as caught:  # noqa: BLE001  whoever waits for the line gets it
        text, error = "", caught
    try:
        loop.call_soon_threadsafe(_settle, answer, text, error)
    except RuntimeError:
        return


def _settle(answer: asyncio.Future[str], text: str, error: Exception | None) -> None:
    if answer.done():
        return
    if error is None:
        answer.set_result(text)
    else:
        answer.set_exception(error)
