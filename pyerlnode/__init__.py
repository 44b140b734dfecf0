"""A Python process as a genuine node of Erlang and Elixir clusters.

Start with :class:`Node`; terms are described in :mod:`pyerlnode.term`, errors in :mod:`pyerlnode.errors`.
Public names are imported when they are first used, so that a tool that needs one part loads one part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyerlnode.lazy import lazy as _lazy

if TYPE_CHECKING:
    from pyerlnode.errors import (
        CallError,
        CallTimeout,
        ConfigError,
        ConnectFailed,
        CookieMismatch,
        DecodeError,
        DiscoveryFailed,
        EncodeError,
        EpmdError,
        Exit,
        HandshakeError,
        LimitExceeded,
        MissingFlags,
        NameTaken,
        NodeDown,
        NodeError,
        NodeNotRunning,
        NoProc,
        NotConnected,
        ProtocolError,
        PyerlnodeError,
        Refused,
        RemoteError,
        RemoteExit,
        TermError,
        WrongPeer,
    )
    from pyerlnode.limits import Limits
    from pyerlnode.node import Node
    from pyerlnode.otp.child import Child, Supervisor
    from pyerlnode.otp.gen import Process
    from pyerlnode.otp.gen_server import Caller, GenServer, Ignore, NoReply, Stop
    from pyerlnode.runtime.events import NodeUp
    from pyerlnode.term import (
        Atom,
        BitString,
        ExportFun,
        Fun,
        ImproperList,
        Pid,
        Port,
        Record,
        Reference,
        Term,
        TermMap,
        charlist,
    )

__version__ = "0.1.0.dev0"

_HOMES = {
    "pyerlnode.errors": (
        "CallError CallTimeout ConfigError ConnectFailed CookieMismatch DecodeError DiscoveryFailed "
        "EncodeError EpmdError Exit HandshakeError LimitExceeded MissingFlags NameTaken NoProc NodeDown "
        "NodeError NodeNotRunning NotConnected ProtocolError PyerlnodeError Refused RemoteError RemoteExit "
        "TermError WrongPeer"
    ),
    "pyerlnode.limits": "Limits",
    "pyerlnode.node": "Node",
    "pyerlnode.otp.child": "Child Supervisor",
    "pyerlnode.otp.gen": "Process",
    "pyerlnode.otp.gen_server": "Caller GenServer Ignore NoReply Stop",
    "pyerlnode.runtime.events": "NodeUp",
    "pyerlnode.term": (
        "Atom BitString ExportFun Fun ImproperList Pid Port Record Reference Term TermMap charlist"
    ),
}
__all__ = [
    "Atom",
    "BitString",
    "CallError",
    "CallTimeout",
    "Caller",
    "Child",
    "ConfigError",
    "ConnectFailed",
    "CookieMismatch",
    "DecodeError",
    "DiscoveryFailed",
    "EncodeError",
    "EpmdError",
    "Exit",
    "ExportFun",
    "Fun",
    "GenServer",
    "HandshakeError",
    "Ignore",
    "ImproperList",
    "LimitExceeded",
    "Limits",
    "MissingFlags",
    "NameTaken",
    "NoProc",
    "NoReply",
    "Node",
    "NodeDown",
    "NodeError",
    "NodeNotRunning",
    "NodeUp",
    "NotConnected",
    "Pid",
    "Port",
    "Process",
    "ProtocolError",
    "PyerlnodeError",
    "Record",
    "Reference",
    "Refused",
    "RemoteError",
    "RemoteExit",
    "Stop",
    "Supervisor",
    "Term",
    "TermError",
    "TermMap",
    "WrongPeer",
    "charlist",
]

__getattr__, __dir__ = _lazy(__name__, _HOMES)
