"""``user``: the group leader of what runs elsewhere on behalf of this node.

The protocol is stdlib's "The Erlang I/O Protocol".  Code that was started remotely has a leader of the node
that asked for it.  What it prints, and what it asks for, comes as ``{io_request, From, ReplyAs, Request}``
and must be answered, or it waits.  Requests are served in the order of their arrival; while one waits for
input, output of others still appears.

``io:format`` leaves the formatting to its leader, as module, function and arguments, and so does ``io:read``
with its parsing.  Both are done by the node that asks: it has the code, in its own release.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from pyerlnode.errors import CallError, EncodeError, NodeError, RemoteError
from pyerlnode.otp import erpc
from pyerlnode.otp.io_input import EOF, Input, InputError
from pyerlnode.otp.io_text import to_text
from pyerlnode.runtime.actor import Reactor
from pyerlnode.term import Atom, Pid, encode_bare

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pyerlnode.otp.io_input import Read
    from pyerlnode.runtime.router import Router
    from pyerlnode.term import Term

log = logging.getLogger("pyerlnode.io")

NAME = "user"
OK = Atom("ok")
ERROR = Atom("error")
READS = frozenset({"get_line", "get_chars", "get_until", "get_password"})
WAITING = 10_000
"""Requests that wait; whoever asks beyond them is refused at once."""
FORMATTING = 5.0
"""Seconds that the asking node has to format its own output, or to parse its own input."""


def to_stdout(text: str) -> None:
    """Writes to standard output, at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


class Ask(NamedTuple):
    """One request, and who waits for its answer."""

    asker: Pid
    reply_as: Term
    request: Term


class Lane:
    """Requests that are served one after the other, in their order."""

    def __init__(self, serve: Callable[[Ask], Awaitable[None]]) -> None:
        self._serve = serve
        self._asks: deque[Ask] = deque()
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._asks)

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and nothing is being served."""
        return self._task is None

    def put(self, ask: Ask) -> None:
        """Serves `ask` after those before it."""
        self._asks.append(ask)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="pyerlnode io")

    async def _run(self) -> None:
        while self._asks:
            await self._serve(self._asks.popleft())
        self._task = None

    def close(self) -> None:
        """Serves nobody any more."""
        self._asks.clear()
        if self._task is not None:
            self._task.cancel()
            self._task = None


class User(Reactor):
    """The registered process ``user``: the group leader of what this node starts elsewhere.

    `write` takes what is printed; `read` gives the next line of input, ``""`` at its end (None: there is
    none), and is called in a thread of its own.
    """

    def __init__(
        self, router: Router, write: Callable[[str], None] = to_stdout, read: Read | None = None
    ) -> None:
        super().__init__(router, self._receive, NAME)
        self._write = write
        self._input = Input(read)
        self._printing = Lane(self._serve)
        self._reading = Lane(self._serve)

    def close(self) -> None:
        """Ends what is under way, with the node."""
        self._printing.close()
        self._reading.close()

    def _receive(self, message: Term) -> None:
        if type(message) is not tuple:
            return
        match message:
            case (word, Pid() as asker, reply_as, request) if word == "io_request":
                self._take(Ask(asker, reply_as, request))

    def _take(self, ask: Ask) -> None:
        lane = self._reading if _reads(ask.request) else self._printing
        if len(lane) >= WAITING:
            self._reply(ask, (ERROR, Atom("busy")))
        elif lane.is_idle and _is_plain(ask.request):
            self._reply(ask, self._guarded(lambda: self._plainly(ask.request)))
        else:
            lane.put(ask)

    def _reply(self, ask: Ask, answer: Term) -> None:
        reply, word = Atom("io_reply"), ask.reply_as
        try:
            data = encode_bare((reply, word, answer))
        except EncodeError:  # an echo of what came just as deep as may be, and now is too deep
            data = encode_bare((reply, word, (ERROR, Atom("badarg"))))
        self.emit_message(ask.asker.node, ask.asker, data)

    def _guarded(self, perform: Callable[[], Term]) -> Term:
        """What to reply: whoever prints waits for it, also where our output is broken."""
        try:
            return perform()
        except OSError as error:
            log.warning("output for this node could not be written: %s", error)
        except Exception:
            log.exception("output for this node could not be written")
        return (ERROR, Atom("terminated"))

    async def _serve(self, ask: Ask) -> None:
        try:
            answer = await self._perform(ask.asker, ask.request)
        except InputError as error:
            answer = (ERROR, error.reason)
        except (CallError, NodeError) as error:
            log.info("%s could not do its part of an io request: %s", ask.asker.node, error)
            answer = (ERROR, Atom("terminated"))
        except Exception:
            log.exception("a request for input or output failed")
            answer = (ERROR, Atom("terminated"))
        self._reply(ask, answer)

    # requests --------------------------------------------------------------------------

    def _plainly(self, request: Term) -> Term:
        """Performs what takes no waiting."""
        match request:
            case ("put_chars", "latin1", chars) | ("put_chars", chars):
                return self._put(chars, "latin1")
            case ("put_chars", "unicode", chars):
                return self._put(chars, "unicode")
            case ("setopts", list() as options):
                return self._input.set_options(options)
            case "getopts":
                return self._input.options()
        return (ERROR, Atom("request"))

    async def _perform(self, asker: Pid, request: Term) -> Term:
        match request:
            case ("requests", list() as requests):
                return await self._all(asker, requests)
            case ("put_chars", module, function, list() as args):
                return await self._perform(asker, ("put_chars", "latin1", module, function, args))
            case ("put_chars", encoding, module, function, list() as args):
                return await self._put_result(asker, encoding, (module, function, args))
            case ("get_password", *_):
                return (ERROR, Atom("enotsup"))
            case (str() as word, *rest) if word in READS:
                return await self._read(asker, word, rest)
        return self._plainly(request)

    def _put(self, chars: Term, encoding: str) -> Term:
        """Prints, or gives the error of which ``io`` makes a ``badarg``."""
        try:
            text = to_text(chars, "latin-1" if encoding == "latin1" else "utf-8")
        except ValueError:
            return (ERROR, (Atom("put_chars"), Atom(encoding), chars))
        return self._print(text)

    async def _put_result(self, asker: Pid, encoding: Term, mfa: tuple[Term, Term, list[Term]]) -> Term:
        """Prints what a function of the asker's makes; where it cannot, the error is its name."""
        module, function, args = mfa
        try:
            chars = await self._call(asker, module, function, args)
        except RemoteError as error:
            log.info("%s could not format what it prints: %s", asker.node, error)
            return (ERROR, function)
        return self._plainly(("put_chars", encoding, chars))

    async def _all(self, asker: Pid, requests: list[Term]) -> Term:
        """One after the other, up to the first that fails; the answer is the last one's."""
        answer: Term = OK
        for request in requests:
            answer = await self._perform(asker, request)
            if type(answer) is tuple and answer[:1] == (ERROR,):
                break
        return answer

    async def _read(self, asker: Pid, word: str, rest: list[Term]) -> Term:
        if not rest or rest[0] not in ("unicode", "latin1"):
            rest = [Atom("latin1"), *rest]
        encoding, *rest = rest
        match (word, rest):
            case ("get_line", [prompt]):
                await self._prompt(asker, prompt)
                return self._input.result(await self._input.line(), encoding)
            case ("get_chars", [prompt, int() as count]) if count >= 0:
                await self._prompt(asker, prompt)
                return self._input.result(await self._input.chars(count), encoding)
            case ("get_until", [prompt, module, function, list() as args]):
                return await self._parsed(asker, prompt, (module, function, args))
        return (ERROR, Atom("request"))

    async def _parsed(self, asker: Pid, prompt: Term, parser: tuple[Any, Any, list[Term]]) -> Term:
        try:
            return await self._read_until(asker, prompt, parser)
        except (RemoteError, ValueError) as error:
            log.info("%s could not parse what it reads: %s", asker.node, error)
            return (ERROR, Atom(str(parser[1])))

    async def _read_until(self, asker: Pid, prompt: Term, parser: tuple[Any, Any, list[Term]]) -> Term:
        """Hands line after line to a parser of the asker's until it is done."""
        module, function, args = parser
        continuation: Term = []
        while True:
            await self._prompt(asker, prompt)
            line = await self._input.line()
            data = EOF if line is None else [ord(char) for char in line]
            match await self._call(asker, module, function, [continuation, data, *args]):
                case ("done", result, rest):
                    self._input.unread("" if rest == EOF else to_text(rest))
                    return result
                case ("more", following) if line is not None:
                    continuation = following
                case _:
                    return (ERROR, Atom(str(function)))

    async def _prompt(self, asker: Pid, prompt: Term) -> None:
        match prompt:
            case ("format", form, list() as args):
                prompt = await self._call(asker, "io_lib", "format", [form, args])
            case str():
                prompt = str(prompt)
        self._put(prompt, "unicode")

    async def _call(self, asker: Pid, module: Term, function: Term, args: list[Term]) -> Term:
        """What the asking node makes of its own function."""
        if asker.node not in self.router.sessions:
            raise InputError(Atom("request"))
        name = str(asker.node), str(module), str(function)
        return await erpc.call(self, *name, args, FORMATTING, self.pid)

    def _print(self, text: str) -> Atom:
        self._write(text)
        return OK


def _is_plain(request: Term) -> bool:
    """Whether `request` can be performed at once: it neither reads nor runs code of the asker's."""
    match request:
        case ("requests", _) | ("put_chars", _, _, _) | ("put_chars", _, _, _, _):
            return False
    return not _reads(request)


def _reads(request: Term) -> bool:
    match request:
        case ("requests", list() as requests):
            return any(map(_reads, requests))
        case (str() as word, *_):
            return word in READS
    return False


__all__ = ["User", "to_stdout", "to_text"]
