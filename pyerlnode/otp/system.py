"""System messages, ``{system, From, Request}``: what ``:sys`` asks of every OTP process.

``get_state``, ``get_status``, ``suspend`` and ``resume``, ``terminate`` (which ``GenServer.stop`` is made
of), and the debug options.  While a server is suspended its messages wait, and only these are answered.  A
function cannot be run here, so that ``replace_state`` is an error which says so, in the shape that ``:sys``
expects; new code for a running server is one, too (stdlib's ``sys``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyerlnode.errors import TermError
from pyerlnode.otp import status
from pyerlnode.otp.debug import ERROR, NO_FUNCTIONS, OK
from pyerlnode.otp.gen_server import Caller, Stop, name_of
from pyerlnode.runtime.actor import EXIT
from pyerlnode.runtime.exits import exception_struct, is_reason
from pyerlnode.runtime.requests import alias_of
from pyerlnode.term import Atom, Pid, decode_bare, encode_bare

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyerlnode.otp.debug import Debug
    from pyerlnode.otp.gen_server import GenServer
    from pyerlnode.term import Term

STOP = object()  # no term, so no peer can send one
SYSTEM = Atom("system")
GET_STATE = Atom("get_state")
PID_REFERENCE_WORDS = 5
RUNNING = Atom("running")
SUSPENDED = Atom("suspended")


class System:
    """Answers the system messages of one server."""

    def __init__(self, server: GenServer, parent: Pid, debug: Debug) -> None:
        self._server = server
        self._parent = parent
        self._debug = debug
        self.is_suspended = False

    async def takes(self, message: Term) -> bool:
        """Deals with `message` if it is a system message; False for any other.

        Raises :class:`Stop` where that is asked for.
        """
        if type(message) is not tuple:
            return False
        match message:
            case (Atom() as word, (Pid() as pid, tag), request) if word == SYSTEM:
                await self._answer(Caller(self._server.me, pid, tag), request)
                return True
        return False

    async def _answer(self, caller: Caller, request: Term) -> None:
        if type(request) is tuple and len(request) == 2 and is_reason(request[0], Atom("terminate")):
            await caller.reply(OK)
            raise Stop(request[1])
        try:
            answer = self._state_for(caller) if is_reason(request, GET_STATE) else self._result(request)
            await caller.reply(answer)
        except TermError as error:
            await caller.reply(self._failed("reply", error))

    def _result(self, request: Term) -> Term:
        if isinstance(request, Atom):
            return self._plain(request)
        match request if type(request) is tuple else ():
            case (Atom() as word, what) if word == "debug":
                return self._debug.command(name_of(self._server.me), what)
            case (Atom() as word, _) if word == "replace_state":
                return self._refused("system_replace_state")
            case (Atom() as word, _, _, _) if word == "change_code" and self.is_suspended:
                return self._refused("system_code_change")
        return unknown(request)

    def _plain(self, request: Atom) -> Term:
        match request:
            case "get_status":
                running = SUSPENDED if self.is_suspended else RUNNING
                return status.status_of(self._server, self._parent, running, self._debug)
            case "suspend" | "resume":
                self.is_suspended = request == "suspend"
                return OK
        return unknown(request)

    def _state_for(self, caller: Caller) -> Term:
        """The state, within ``{ok, State}`` for those whose ``:sys`` wants it so: OTP 27 and later."""
        try:
            state = status.state_of(self._server)
        except Exception as error:  # noqa: BLE001 - it is the asker's
            return self._failed("get_state", error)
        return (OK, state) if is_recent(caller.tag) else state

    def _failed(self, function: str, error: Exception) -> Term:
        return self._callback_failed(function, exception_struct(error))

    def _refused(self, function: str) -> Term:
        return self._callback_failed(function, NO_FUNCTIONS)

    def _callback_failed(self, function: str, why: Term) -> Term:
        where = (Atom(type(self._server).__name__), Atom(function))
        return (ERROR, (Atom("callback_failed"), where, (ERROR, why)))

    def snapshot(self) -> Term:
        """The state as it is now, for events that are looked at later."""
        try:
            return decode_bare(encode_bare(status.state_of(self._server)))[0]
        except Exception as error:  # noqa: BLE001 - a look at the state must not end the server
            return exception_struct(error)


def is_recent(tag: Term) -> bool:
    """Whether a call comes from OTP 27 or later: there, the alias in its tag has the two words of a pid more.

    The flags of OTP 25 and 27 are the same, so that nothing else tells.
    """
    alias = alias_of(tag)
    return alias is not None and len(alias.words) == PID_REFERENCE_WORDS


def unknown(request: Term) -> Term:
    """The answer to a system message that nobody knows."""
    return (ERROR, (Atom("unknown_system_msg"), request))


def may_pass_a_suspended(parent: Pid | None) -> Callable[[Term], bool]:
    """What a suspended server takes out of its mailbox: system messages, and what asks it to end."""

    def may_pass(message: Term) -> bool:
        if type(message) is not tuple or not message:
            return False
        if is_reason(message[0], EXIT):
            return len(message) == 3 and message[1] == parent is not None
        return message[0] is STOP or is_reason(message[0], SYSTEM)

    return may_pass
