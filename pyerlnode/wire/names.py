"""Node names: ``name@host``.

Spec: Erlang Reference Manual, "Distributed Erlang System", section "Nodes"; the handshake carries names
as Latin-1 bytes, terms carry them as UTF-8 atoms, so a name must fit both.  We are stricter than a BEAM
in one thing: unprintable characters are refused, since names end up in logs and terminals.
"""

from __future__ import annotations

from pyerlnode.errors import LocalProtocolError

MAX_NAME = 255
"""Characters in a node name, as in any atom."""


def split_name(name: str) -> tuple[str, str]:
    """Split ``"py@host"`` into ``("py", "host")``.

    Raises :class:`LocalProtocolError` when ``name`` cannot be the name of a node: not exactly one ``@``,
    an empty part, more than 255 characters, or characters that a handshake cannot carry.
    """
    fault = _fault(name)
    if fault:
        raise LocalProtocolError(f"{name[:MAX_NAME]!r} is not a node name such as 'py@host': {fault}")
    alive, _, host = name.partition("@")
    return alive, host


def is_valid_name(name: str) -> bool:
    """Whether ``name`` can be the full name of a node."""
    return not _fault(name)


def is_valid_host(host: str) -> bool:
    """Whether ``host`` can stand behind the ``@``: all that a node says that asks for a name."""
    return bool(host) and "@" not in host and not _fault(f"x@{host}")


def is_long_host(host: str) -> bool:
    """Whether ``host`` makes a long name: a domain or an address, with a dot, or with a colon (IPv6)."""
    return "." in host or ":" in host


def _fault(name: str) -> str:
    """What is wrong with ``name``; nothing when it is fine."""
    if len(name) > MAX_NAME:
        return f"it has more than {MAX_NAME} characters"
    alive, at, host = name.partition("@")
    if not at or "@" in host:
        return "it needs exactly one @"
    if not alive or not host:
        return "a part of it is empty"
    if not name.isprintable() or max(name) > "\xff":
        return "it has characters that a handshake cannot carry"
    return ""
