"""``net_kernel``: what other nodes ask when they ping (kernel's ``net_adm:ping/1``).

``{'$gen_call', From, {is_auth, Node}}`` is answered with ``yes``; whoever could ask has proven the cookie.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyerlnode.errors import CallError, NodeError
from pyerlnode.otp.gen import GEN_CALL, call
from pyerlnode.runtime.actor import Reactor
from pyerlnode.term import Atom, brief

if TYPE_CHECKING:
    from pyerlnode.runtime.actor import Actor
    from pyerlnode.runtime.router import Router
    from pyerlnode.term import Term

NAME = "net_kernel"


class NetKernel(Reactor):
    """The registered process ``net_kernel``."""

    def __init__(self, router: Router) -> None:
        super().__init__(router, self._answer, NAME)

    def _answer(self, message: Term) -> None:
        if type(message) is not tuple:
            return
        match message:
            case (word, caller, (request, _)) if word == GEN_CALL and request == "is_auth":
                self.reply(caller, Atom("yes"))
            case (word, caller, request) if word == GEN_CALL:
                self.reply(caller, (Atom("error"), (Atom("unknown_request"), brief(request).encode())))


async def ping(actor: Actor, peer: str, timeout: float) -> bool:
    """Whether `peer` answers: ``pong`` is True, ``pang`` is False."""
    try:
        answer = await call(actor, (NAME, peer), (Atom("is_auth"), actor.router.node), timeout)
    except (CallError, NodeError):
        return False
    return bool(answer == "yes")
