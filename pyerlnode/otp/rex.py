"""``rex``: the older remote call server (kernel's ``rpc``), as far as nodes of today still ask it.

On connect every visible node asks ``{Pid, features_request}``; the answer ``{features_reply, Node, [erpc]}``
tells it to use :mod:`pyerlnode.otp.erpc`.  A call that comes here all the same is served from the same
exports; what is not exported is ``{badrpc, {'EXIT', {undef, ...}}}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyerlnode.errors import Exit
from pyerlnode.otp.gen import GEN_CALL, GEN_CAST, Process
from pyerlnode.runtime.actor import Reactor
from pyerlnode.runtime.exits import encodable, reason_of, undef
from pyerlnode.term import Atom, Pid, encode_bare

if TYPE_CHECKING:
    from pyerlnode.otp.exports import Exports
    from pyerlnode.runtime.router import Router
    from pyerlnode.term import Term

NAME = "rex"
CALLS = ("call", "block_call")


class Rex(Reactor):
    """The registered process ``rex``."""

    def __init__(self, router: Router, exports: Exports, node: Any) -> None:
        super().__init__(router, self._react, NAME)
        self._exports = exports
        self._node = node

    def _react(self, message: Term) -> None:
        match message:
            case (Pid() as asker, "features_request"):
                answer = (Atom("features_reply"), self.router.node, [Atom("erpc")])
                self.emit_message(asker.node, asker, encode_bare(answer))
            case (word, caller, (kind, module, function, args, _)) if word == GEN_CALL and kind in CALLS:
                self._start(self._call, caller, module, function, args)
            case (word, ("cast", module, function, args, _)) if word == GEN_CAST:
                self._start(self._cast, module, function, args)
            case (Pid() as asker, ("call", module, function, args, _)):
                self._start(self._plain_call, asker, module, function, args)
            case (word, caller, _) if word == GEN_CALL:
                self.reply(caller, (Atom("badrpc"), Atom("notsup")))

    def _start(self, body: Any, *args: Term) -> None:
        Process(self.router, self._node).start(body, args)

    async def _call(self, me: Process, caller: Term, *call: Term) -> None:
        self.reply(caller, await self._value(*call))

    async def _cast(self, me: Process, *call: Term) -> None:
        await self._value(*call)

    async def _plain_call(self, me: Process, asker: Pid, *call: Term) -> None:
        answer = (Atom("rex"), await self._value(*call))
        self.emit_message(asker.node, asker, encode_bare(answer))

    async def _value(self, module: Term, function: Term, args: Term) -> Term:
        target = self._exports.find(module, function, args)
        if target is None:
            return _badrpc(undef(module, function, args))
        try:
            return encodable(await self._exports.run(target, args))
        except Exit as error:
            return _badrpc(error.reason)
        except Exception as error:  # noqa: BLE001 - the caller gets it
            return _badrpc(reason_of(error))


def _badrpc(reason: Term) -> Term:
    return (Atom("badrpc"), (Atom("EXIT"), encodable(reason)))
