"""The control messages that come by the thousand, read and written by hand: without a term in between.

Spec: ERTS "Distribution Protocol", section "Protocol between Connected Nodes".  A message to a process, to
a name or to an alias is nearly always of one shape, when both ends have an atom cache: all of its atoms
are references into the header, and its other parts have fixed sizes.  What does not fit takes the long way.
"""

from __future__ import annotations

from struct import Struct
from struct import error as StructError  # noqa: N812
from typing import TYPE_CHECKING, Final

from pyerlnode.term import Atom, Pid, Reference, encode_bare
from pyerlnode.term.atom import same_text
from pyerlnode.term.familiar import familiar_pid, familiar_reference
from pyerlnode.term.modes import COMPILED
from pyerlnode.wire.messages import (
    ALIAS,
    UNUSED,
    AliasSend,
    AltactSigSend,
    Control,
    DemonitorP,
    MonitorP,
    PayloadMonitorPExit,
    RegSend,
    SendSender,
)
from pyerlnode.wire.payload import Payload

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyerlnode.limits import Limits

_PID: Final = 0x5852
"""Tag of a pid, and that of the reference to an atom which begins it."""
_REFERENCE: Final = 0x5A
_ATOM: Final = 0x52

_SEND_SENDER: Final = 0x68036116
"""A tuple of three that begins with the integer 22."""
_REG_SEND: Final = 0x68046106
_ALIAS_SEND: Final = b"\x68\3\x61\x21"
_ALTACT: Final = 0x68046125
_MONITOR: Final = 0x68046113
_DEMONITOR: Final = 0x68046114

_two_pids = Struct(">IHBIIIHBIII").pack
_pid_and_names = Struct(">IHBIIIBBBB").pack
_pid_and_reference = tuple(Struct(f">HBIIIBHBBI{words}I").pack for words in range(6))
_altact = Struct(">IBB").pack

_pid = Struct(">HBIII").pack
_reference = tuple(Struct(f">BHBBI{words}I").pack for words in range(6))
_pack_words = tuple(Struct(f">{words}I").pack for words in range(6))

_NOTHING: Final = Payload(b"", {})

_ROOM: Final = 255 - 3
"""Atoms that a payload may have, so that the header has room for those of any of these messages."""


def write_control(control: Control, payload: Payload, limits: Limits) -> tuple[tuple[Atom, ...], bytes]:
    """The atoms of the header for ``control`` and ``payload``, and ``control`` encoded in terms of them.

    Raises ``EncodeError`` for what cannot be encoded.
    """
    if len(payload.refs) <= _ROOM:
        try:
            if isinstance(control, SendSender):
                if control.token is None:
                    return _write_send(control.sender, control.target, payload)
            elif isinstance(control, RegSend):
                if control.token is None:
                    return _write_reg_send(control.sender, control.name, payload)
            elif isinstance(control, AltactSigSend):
                if control.token is None and isinstance(control.target, Reference):
                    head = _altact(_ALTACT, 0x61, control.flags)
                    return _write_to_alias(head, control.sender, control.target, payload)
            elif isinstance(control, AliasSend):
                if control.token is None:
                    return _write_to_alias(_ALIAS_SEND, control.sender, control.alias, payload)
            elif isinstance(control, MonitorP):
                return _write_monitor(_MONITOR, control.watcher, control.target, control.ref, payload)
            elif isinstance(control, DemonitorP):
                return _write_monitor(_DEMONITOR, control.watcher, control.target, control.ref, payload)
        except StructError:
            pass  # a number without its place: what is wrong is told below
    atoms = dict(payload.table)
    term = encode_bare(control.to_term(), limits, atoms=atoms)
    return tuple(atoms), term


def write_address(
    sender: Pid, target: Pid | Atom | Reference, limits: Limits, *, altact: bool
) -> tuple[dict[Atom, int], bytes]:
    """The control message for a message to ``target``, where a reference is an alias; its atoms come first.

    ``altact`` is whether the peer takes ALTACT_SIG_SEND; else an alias gets ALIAS_SEND.  Raises
    ``EncodeError`` for what cannot be encoded.
    """
    table: dict[Atom, int] = {}
    if COMPILED:  # where this is the quicker way
        return table, encode_bare(_address(sender, target, altact).to_term(), limits, atoms=table)
    atoms, term = write_control(_address(sender, target, altact), _NOTHING, limits)
    for atom in atoms:
        table[atom] = len(table)
    return table, term


def _address(sender: Pid, target: Pid | Atom | Reference, altact: bool) -> Control:
    if isinstance(target, Pid):
        return SendSender(sender, target)
    if isinstance(target, Reference):
        return AltactSigSend(ALIAS, sender, target) if altact else AliasSend(sender, target)
    return RegSend(sender, target)


def like_last(head: bytes, last: object, target: object) -> bytes | None:
    """The control message for ``target`` from ``head``, the one of the same sender for ``last``.

    Many calls are answered by one process, each to a reference that differs in its words only.  None where
    that is not so.
    """
    if not isinstance(target, Reference) or not isinstance(last, Reference):
        return None
    words = target.words
    if len(words) != len(last.words) or target.creation != last.creation or target.node is not last.node:
        return None
    try:
        return head[: -4 * len(words)] + _pack_words[_count(words)](*words)
    except StructError:
        return None


def _write_send(sender: Pid, target: Pid, payload: Payload) -> tuple[tuple[Atom, ...], bytes]:
    ours, theirs, refs = _two_nodes(sender.node, target.node, payload)
    return refs, _two_pids(
        _SEND_SENDER,
        _PID,
        ours,
        sender.id,
        sender.serial,
        sender.creation,
        _PID,
        theirs,
        target.id,
        target.serial,
        target.creation,
    )


def _write_reg_send(sender: Pid, name: Atom, payload: Payload) -> tuple[tuple[Atom, ...], bytes]:
    table, refs = payload.table, payload.refs
    ours = table.get(sender.node, -1)
    if ours < 0:
        ours = len(refs)
        refs = (*refs, sender.node)
    unused = table.get(UNUSED, -1)
    if unused < 0:
        unused = len(refs)
        refs = (*refs, UNUSED)
    place = unused if same_text(name, UNUSED) else table.get(name, -1)
    if place < 0:
        place = len(refs)
        refs = (*refs, name)
    return refs, _pid_and_names(
        _REG_SEND, _PID, ours, sender.id, sender.serial, sender.creation, _ATOM, unused, _ATOM, place
    )


def _write_to_alias(
    head: bytes, sender: Pid, alias: Reference, payload: Payload
) -> tuple[tuple[Atom, ...], bytes]:
    """A message to ``alias``, by whichever operation ``head`` begins."""
    ours, theirs, refs = _two_nodes(sender.node, alias.node, payload)
    words = alias.words
    return refs, head + _pid_and_reference[_count(words)](
        _PID,
        ours,
        sender.id,
        sender.serial,
        sender.creation,
        _REFERENCE,
        len(words),
        _ATOM,
        theirs,
        alias.creation,
        *words,
    )


def _write_monitor(
    start: int, watcher: Pid, target: Pid | Atom, ref: Reference, payload: Payload
) -> tuple[tuple[Atom, ...], bytes]:
    if not same_text(ref.node, watcher.node):
        raise StructError("a reference of somebody else: the long way can have it")
    name = target.node if isinstance(target, Pid) else target
    ours, theirs, refs = _two_nodes(watcher.node, name, payload)
    words = ref.words
    term = start.to_bytes(4, "big") + _pid(_PID, ours, watcher.id, watcher.serial, watcher.creation)
    if isinstance(target, Pid):
        term += _pid(_PID, theirs, target.id, target.serial, target.creation)
    else:
        term += bytes((_ATOM, theirs))
    return refs, term + _reference[_count(words)](_REFERENCE, len(words), _ATOM, ours, ref.creation, *words)


def _two_nodes(ours: Atom, theirs: Atom, payload: Payload) -> tuple[int, int, tuple[Atom, ...]]:
    """The places of two atoms, mostly names of nodes, in the header, and all that is in it."""
    refs = payload.refs
    first = payload.table.get(ours, -1)
    second = payload.table.get(theirs, -1)
    count = len(refs)
    if first < 0 and second < 0:
        if same_text(ours, theirs):
            return count, count, (*refs, ours)
        return count, count + 1, (*refs, ours, theirs)
    if first < 0:
        return count, second, (*refs, ours)
    if second < 0:
        return first, count, (*refs, theirs)
    return first, second, refs


def _count(words: tuple[int, ...]) -> int:
    if not 1 <= len(words) <= 5:
        raise StructError("a reference has 1 to 5 words")
    return len(words)


# ---------------------------------------------------------------------------------- reading

HEAD: Final = 4
"""Bytes before the first part of a control message: a tuple and its size, a small integer, the operation."""

_SPANS: Final = tuple({22: 34, 6: 23, 19: 43, 20: 43}.get(op, 0) for op in range(256))
"""By operation: the size of what is likely to come again as it is, 0 for all others.

Messages do so as a whole; monitors, here those of pids, but for the words of their reference.
"""
_BY_NAME: Final = 13
"""Bytes by which a monitor of a name is shorter than one of a pid."""
_WATCHED: Final = HEAD + 15

_pid_parts = Struct(">HBIII").unpack_from
_reference_head = Struct(">BHBBI").unpack_from
_words = tuple(Struct(f">{count}I").unpack_from for count in range(6))
_PID_SIZE: Final = 15
_ATOM_SIZE: Final = 2
_REFERENCE_HEAD: Final = 9


def span_of(frame: bytes, start: int) -> int:
    """The size of what is likely to come again as it is, of the control message at ``start``; 0 for none."""
    if len(frame) <= start + _WATCHED:
        return 0
    op = frame[start + HEAD - 1]
    span = _SPANS[op]
    if (op == 19 or op == 20) and frame[start + _WATCHED] == _ATOM:
        return span - _BY_NAME
    return span


def words_size(frame: bytes, start: int, refs: tuple[Atom, ...]) -> int:
    """The size of the words that end the control message at ``start``, if it is a usual monitor; else 0."""
    usual = read_control(frame, start, refs)
    control = None if usual is None else usual[0]
    return 4 * len(control.ref.words) if isinstance(control, MonitorP | DemonitorP) else 0


def read_again(control: Control, frame: bytes, at: int) -> Control | None:
    """``control`` once more, with other words in its reference: those at ``at``, which end the frame."""
    if not isinstance(control, MonitorP | DemonitorP):
        return None
    ref = control.ref
    count = len(ref.words)
    if len(frame) != at + 4 * count:
        return None
    again = familiar_reference(ref.node, ref.creation, _words[count](frame, at))
    if isinstance(control, MonitorP):
        return MonitorP(control.watcher, control.target, again)
    return DemonitorP(control.watcher, control.target, again)


def read_control(frame: bytes, start: int, refs: tuple[Atom, ...]) -> tuple[Control, int] | None:
    """A control message at ``start`` of one of the usual shapes, and the offset behind it; None for another.

    What is None here may still be a control message, or be wrong: the long way tells.
    """
    try:
        if frame[start] != 104 or frame[start + 2] != 97:
            return None
        arity, op = frame[start + 1], frame[start + 3]
        reader = _READERS.get(arity << 8 | op)
        return None if reader is None else reader(frame, start + HEAD, refs)
    except (IndexError, StructError):
        return None


def _read_send(frame: bytes, at: int, refs: tuple[Atom, ...]) -> tuple[Control, int] | None:
    sender, target = _read_pid(frame, at, refs), _read_pid(frame, at + _PID_SIZE, refs)
    if sender is None or target is None:
        return None
    return SendSender(sender, target), at + 2 * _PID_SIZE


def _read_reg_send(frame: bytes, at: int, refs: tuple[Atom, ...]) -> tuple[Control, int] | None:
    sender = _read_pid(frame, at, refs)
    at += _PID_SIZE
    if sender is None or frame[at] != _ATOM or frame[at + _ATOM_SIZE] != _ATOM:
        return None
    refs[frame[at + 1]]  # nobody cares which, but there must be one
    return RegSend(sender, refs[frame[at + 3]]), at + 2 * _ATOM_SIZE


def _read_alias_send(frame: bytes, at: int, refs: tuple[Atom, ...]) -> tuple[Control, int] | None:
    sender, alias = _read_pid(frame, at, refs), _read_reference(frame, at + _PID_SIZE, refs)
    if sender is None or alias is None:
        return None
    return AliasSend(sender, alias), at + _PID_SIZE + _size(alias)


def _read_altact(frame: bytes, at: int, refs: tuple[Atom, ...]) -> tuple[Control, int] | None:
    """Only messages to an alias: for what else it is used, it comes seldom."""
    if frame[at] != 97 or frame[at + 1] != ALIAS:
        return None
    sender, alias = _read_pid(frame, at + 2, refs), _read_reference(frame, at + 2 + _PID_SIZE, refs)
    if sender is None or alias is None:
        return None
    return AltactSigSend(ALIAS, sender, alias), at + 2 + _PID_SIZE + _size(alias)


def _read_monitor(frame: bytes, at: int, refs: tuple[Atom, ...]) -> tuple[Control, int] | None:
    op = frame[at - 1]
    watcher, at = _read_pid(frame, at, refs), at + _PID_SIZE
    target: Pid | Atom | None
    if frame[at] == _ATOM:
        target, at = refs[frame[at + 1]], at + _ATOM_SIZE
    else:
        target, at = _read_pid(frame, at, refs), at + _PID_SIZE
    ref = _read_reference(frame, at, refs)
    if watcher is None or target is None or ref is None:
        return None
    control = MonitorP(watcher, target, ref) if op == 19 else DemonitorP(watcher, target, ref)
    return control, at + _size(ref)


def _read_down(frame: bytes, at: int, refs: tuple[Atom, ...]) -> tuple[Control, int] | None:
    target: Pid | Atom | None
    if frame[at] == _ATOM:
        target, at = refs[frame[at + 1]], at + _ATOM_SIZE
    else:
        target, at = _read_pid(frame, at, refs), at + _PID_SIZE
    watcher, ref = _read_pid(frame, at, refs), _read_reference(frame, at + _PID_SIZE, refs)
    if watcher is None or target is None or ref is None:
        return None
    return PayloadMonitorPExit(target, watcher, ref), at + _PID_SIZE + _size(ref)


_READERS: Final[dict[int, Callable[[bytes, int, tuple[Atom, ...]], tuple[Control, int] | None]]] = {
    3 << 8 | 22: _read_send,
    4 << 8 | 6: _read_reg_send,
    3 << 8 | 33: _read_alias_send,
    4 << 8 | 37: _read_altact,
    4 << 8 | 19: _read_monitor,
    4 << 8 | 20: _read_monitor,
    4 << 8 | 28: _read_down,
}
"""By the number of elements and the operation."""


def _read_pid(frame: bytes, at: int, refs: tuple[Atom, ...]) -> Pid | None:
    tag, node, number, serial, creation = _pid_parts(frame, at)
    return familiar_pid(refs[node], number, serial, creation) if tag == _PID else None


def _read_reference(frame: bytes, at: int, refs: tuple[Atom, ...]) -> Reference | None:
    tag, count, atom, node, creation = _reference_head(frame, at)
    if tag != _REFERENCE or atom != _ATOM or not 1 <= count <= 5:
        return None
    return familiar_reference(refs[node], creation, _words[count](frame, at + _REFERENCE_HEAD))


def _size(ref: Reference) -> int:
    return _REFERENCE_HEAD + 4 * len(ref.words)
