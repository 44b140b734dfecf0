"""``rex``: the older remote call server (kernel's ``rpc``), as far as nodes of today still ask it.

On connect every visible node asks ``{Pid, features_request}``; the answer ``{features_reply, Node, [erpc]}``
tells it to use :mod:`pyerlnode.otp.erpc`.  A call that comes here all the same is served from the same
exports; what is not exported is ``{badrpc, {'EXIT', {undef, ...}}}``.  ``rpc:sbcast/3`` waits for an answer
of each ``rex``, so it gets one.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pyerlnode.errors import Exit
from pyerlnode.otp.exports import CALLER
from pyerlnode.otp.gen import GEN_CALL, GEN_CAST, Process
from pyerlnode.runtime.actor import Reactor
from pyerlnode.runtime.exits import encodable, reason_of, undef
from pyerlnode.term import Atom, Pid, encode_bare

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyerlnode.otp.exports import Exports
    from pyerlnode.runtime.router import Router
    from pyerlnode.term import Term

NAME = "rex"
CALLS = ("call", "block_call")
SYSTEM_LIMIT = Atom("system_limit")
_ENDED = object()
"""Stands for the value of a call that an exit signal ended."""


class Rex(Reactor):
    """The registered process ``rex``."""

    def __init__(self, router: Router, exports: Exports, node: Any) -> None:
        super().__init__(router, self._react, NAME)
        self._exports = exports
        self._node = node

    def _react(self, message: Term) -> None:
        if type(message) is not tuple:
            return
        match message:
            case (Pid() as asker, "features_request"):
                self._answer(asker, (Atom("features_reply"), self.router.node, [Atom("erpc")]))
            case (word, (Pid() as asker, _) as caller, (kind, *call)) if word == GEN_CALL and kind in CALLS:
                self._start(asker, call, partial(self.reply, caller))
            case (word, ("cast", *call)) if word == GEN_CAST:
                self._start(None, call, _nobody)
            case (Pid() as asker, ("call", *call)):
                self._start(asker, call, lambda value: self._answer(asker, (Atom("rex"), value)))
            case (Pid() as asker, ("sbcast", name, text)):
                found = self._pass_on(name, text)
                answer = self.router.node if found else (Atom("nonexisting_name"), name)
                self._answer(asker, (Atom("rex"), self.router.node, answer))
            case (Pid() as asker, ("send", name, text)):
                self._pass_on(name, (asker, text))
            case (word, caller, _) if word == GEN_CALL:
                self.reply(caller, (Atom("badrpc"), Atom("notsup")))

    def _pass_on(self, name: Term, message: Term) -> bool:
        """Sends to whoever has that name here; False where nobody has."""
        actor = self.router.registry.whereis(name) if isinstance(name, Atom) else None
        if actor is None:
            return False
        self.emit_message(self.router.node, actor.pid, encode_bare(message))
        return True

    def _answer(self, asker: Pid, answer: Term) -> None:
        self.emit_message(asker.node, asker, encode_bare(answer))

    def _start(self, asker: Pid | None, call: list[Term], answer: Callable[[Term], None]) -> None:
        """Runs a call, ``[Module, Function, Args, GroupLeader]``, in a process of its own."""
        if len(call) != 4:
            answer((Atom("badrpc"), Atom("notsup")))
        elif self._exports.is_full(self.router.limits.spawned):
            answer(_badrpc((SYSTEM_LIMIT, [])))
        else:
            *mfa, leader = call
            process = Process(self.router, self._node)
            process.group_leader = leader if isinstance(leader, Pid) else None
            self._exports.started(process)
            told = None if asker is None else CALLER.set(asker)
            process.start(self._run, (answer, *mfa))
            if told is not None:
                CALLER.reset(told)

    async def _run(self, me: Process, answer: Callable[[Term], None], *mfa: Term) -> None:
        value = _ENDED
        try:
            value = await self._value(me, *mfa)
        finally:
            answer(_badrpc(me.exit_reason) if value is _ENDED else value)

    async def _value(self, me: Process, module: Term, function: Term, args: Term) -> Term:
        target = self._exports.find(module, function, args)
        if target is None:
            return _badrpc(undef(module, function, args))
        try:
            value = await self._exports.run(target, args, me)
            encode_bare((value,))  # what has no term, or is too deep for an answer, is an error, too
        except Exit as error:
            return _badrpc(error.reason)
        except Exception as error:  # noqa: BLE001 - the caller gets it
            return _badrpc(reason_of(error))
        return value


def _nobody(value: Term) -> None:
    """Takes what came of a cast."""


def _badrpc(reason: Term) -> Term:
    """The answer to a call that failed; a reason that is too deep for it is described."""
    within = (((reason,),),)  # as deep as an answer carries it
    shown = encodable(within)
    return (Atom("badrpc"), (Atom("EXIT"), reason if shown is within else shown))
