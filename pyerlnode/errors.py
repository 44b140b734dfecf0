"""Every exception of this library.

::

    PyerlnodeError
      TermError(ValueError)
        DecodeError              bytes that are no term; carries the offset
          LimitExceeded          a term larger than Limits allow
        EncodeError              a Python value that has no term
        TextError                text that is no term in Elixir's or Erlang's syntax; carries the offset
      ProtocolError
        LocalProtocolError       we were misused
        RemoteProtocolError      the peer broke the protocol
        HandshakeError           a connection that did not come about
          Refused                the peer said no, with a status
          CookieMismatch         the two nodes do not share a cookie
          MissingFlags           one side lacks what the other insists on
          WrongPeer              another node answered than the one dialled
      NodeError
        NodeNotRunning           the node is not started, or was stopped
        NotConnected             no connection to that peer
        ConnectFailed            a dial that failed, and at which stage
        EpmdError                the port mapper is absent or answers nonsense
        NameTaken                the port mapper, or this node, knows that name already
        DiscoveryFailed          a strategy could not learn which nodes there are
      Exit                       a process ends with a reason: the only one with Erlang meaning
      CallError
        CallTimeout(TimeoutError)
        NoProc                   nobody is registered there, or that process is dead
        NodeDown                 the connection to the callee's node is lost or cannot be made
        RemoteExit               the callee ended, with a reason, before it answered
        RemoteError              a remote function raised: kind, reason, stack
      ConfigError(ValueError)    which key, what was given, what would work

An error says who is wrong and what to do, carries data, chains its cause, never logs itself and never
holds a cookie or a whole payload.
"""

from __future__ import annotations

from typing import TypeVar

_Error = TypeVar("_Error", bound=BaseException)


class PyerlnodeError(Exception):
    """Base of every error raised by this library."""

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(
    kind: type[PyerlnodeError], args: tuple[object, ...], state: dict[str, object]
) -> PyerlnodeError:
    """Make an error anew from its pickle: its text is there, whatever its class was made from."""
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


def caused(error: _Error, by: BaseException) -> _Error:
    """Return ``error`` with its cause: compiled code passes over the ``from`` of a ``raise``."""
    error.__cause__ = by
    return error


# ---------------------------------------------------------------------------------- terms


class TermError(PyerlnodeError, ValueError):
    """A value and its external form do not fit together."""


class DecodeError(TermError):
    """Bytes that are not a term in the external term format."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(f"{message} (at byte {offset})")
        self.offset = offset
        """Where in the input the trouble was found, in bytes from its start."""


class LimitExceeded(DecodeError):
    """Input that is well-formed so far but larger than :class:`pyerlnode.Limits` allow."""


class EncodeError(TermError):
    """A Python value that cannot be written as an Erlang term."""


class TextError(TermError):
    """Text that is not a term in Elixir's or Erlang's syntax."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(f"{message} (at character {offset + 1})")
        self.offset = offset
        """Where in the text the trouble was found, in characters from its start."""


# ---------------------------------------------------------------------------------- the wire


class ProtocolError(PyerlnodeError):
    """The distribution or epmd protocol was broken."""


class LocalProtocolError(ProtocolError):
    """This side tried something that the protocol does not allow."""


class RemoteProtocolError(ProtocolError):
    """The other side sent something that the protocol does not allow."""


class HandshakeError(ProtocolError):
    """A connection that was not set up."""

    def __init__(self, peer: str, message: str) -> None:
        super().__init__(message)
        self.peer = peer
        """The other node's name, as far as it is known."""


class Refused(HandshakeError):
    """The peer answered our name with a status that ends the attempt."""

    def __init__(self, peer: str, status: str, message: str | None = None) -> None:
        super().__init__(peer, message or f"{peer} refused the connection with status {status!r}")
        self.status = status


class CookieMismatch(HandshakeError):
    """The two nodes do not have the same cookie."""

    def __init__(self, peer: str, message: str | None = None) -> None:
        super().__init__(
            peer,
            message
            or f"the cookie of this node is not the one of {peer}: give both the same "
            f"(--cookie, $ERLANG_COOKIE or ~/.erlang.cookie), or node.set_cookie({peer!r}, ...)",
        )


class MissingFlags(HandshakeError):
    """One node lacks distribution flags that the other insists on."""

    def __init__(self, peer: str, missing: str) -> None:
        super().__init__(peer, f"{peer} lacks distribution flags that this node needs: {missing}")
        self.missing = missing


class WrongPeer(HandshakeError):
    """The node that answered is not the one that was dialled."""

    def __init__(self, dialled: str, reached: str) -> None:
        super().__init__(
            dialled,
            f"the node that answers there calls itself {reached}: dial it by that name "
            f"(or, if {dialled} should be there, its port mapper's entry is stale)",
        )
        self.reached = reached


# ---------------------------------------------------------------------------------- the node


class NodeError(PyerlnodeError):
    """The node cannot do what was asked."""


class NodeNotRunning(NodeError):
    """The node has not been started, or has been stopped."""


class NotConnected(NodeError):
    """There is no connection to that peer, and none was to be made."""


class ConnectFailed(NodeError):
    """A dial that failed.  The text says at which stage, and what to do about it."""

    def __init__(self, peer: str, stage: str, message: str) -> None:
        super().__init__(f"cannot connect to {peer}: {message}")
        self.peer = peer
        self.stage = stage
        """``network``, ``name``, ``dns``, ``epmd``, ``port``, ``cookie``, ``flags``, ``refused`` or
        ``timeout``."""


class EpmdError(NodeError):
    """The port mapper is absent, or answers nonsense."""


class NameTaken(NodeError):
    """That name is registered already: at the port mapper, or on this node."""


class DiscoveryFailed(NodeError):
    """A strategy could not learn which nodes there are.  Its topology stays as it is and tries again."""


# ---------------------------------------------------------------------------------- processes


class Exit(PyerlnodeError):
    """Ends the process that raises it, with ``reason`` (a term), as ``exit/1`` does."""

    def __init__(self, reason: object) -> None:
        super().__init__(reason)
        self.reason = reason


class CallError(PyerlnodeError):
    """A call that got no answer."""


class CallTimeout(CallError, TimeoutError):
    """No answer came in time.  A late one is dropped."""


class NoProc(CallError):
    """There is no such process: the name is not registered there, or the process is dead."""


class NodeDown(CallError):
    """The connection to a node is lost, or cannot be made.

    Raised by calls; also what ``node.monitor_nodes()`` yields when a node goes down.
    """

    __match_args__ = ("name", "reason")

    def __init__(self, name: str, reason: str = "connection lost") -> None:
        super().__init__(f"{name} is down: {reason}")
        self.name = name
        self.reason = reason

    def __eq__(self, other: object) -> bool:
        if isinstance(other, NodeDown):
            return (self.name, self.reason) == (other.name, other.reason)
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.name, self.reason))

    def __repr__(self) -> str:
        return f"NodeDown({self.name!r}, {self.reason!r})"


class RemoteExit(CallError):
    """The callee ended before it answered.  ``reason`` is the term it ended with."""

    def __init__(self, reason: object, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class RemoteError(CallError):
    """A remote function call failed there.

    Its text says what was called, then what Elixir's shell would say: ``** (ArithmeticError) bad argument in
    arithmetic expression``, and the stack, one call a line.
    """

    def __init__(self, kind: str, reason: object, stack: object, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        """``error``, ``exit``, ``throw`` or ``signal``; ``erpc`` when the call itself was at fault."""
        self.reason = reason
        """The term that was raised: an Elixir exception is its struct, as a map."""
        self.stack = stack
        """The stack of an ``error``, innermost call first, as Erlang has it: a list of tuples."""


class ConfigError(PyerlnodeError, ValueError):
    """A setting that cannot work."""

    def __init__(self, key: str, given: object, hint: str) -> None:
        super().__init__(f"{key}={given!r}: {hint}")
        self.key = key
        self.given = given
        self.hint = hint
