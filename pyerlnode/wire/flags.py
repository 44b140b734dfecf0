"""Distribution flags: what each node can do, told in the handshake.

Spec: ERTS "Distribution Protocol", section "Distribution Flags"; ``MANDATORY_25_DIGEST`` is bit 26 on
the wire, whatever the manual prints.  What two nodes may use is the intersection of their flags.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pyerlnode.term.modes import ordinary

if TYPE_CHECKING:
    from collections.abc import Iterator


@ordinary
class _Bit:
    """The number of a flag's bit: below, the flag itself takes its place."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __get__(self, instance: object, owner: type[Flags]) -> Flags:
        """What a type checker takes it for."""
        raise NotImplementedError


@ordinary
class Flags(int):
    """Any number of flags, one bit each.  Bits that we do not know are kept as they came.

    A plain number: an ``IntFlag`` takes a millisecond to define, and remembers every combination for ever
    that any stranger sends.
    """

    __slots__ = ()
    MEMBERS: ClassVar[dict[str, Flags]] = {}
    """Each by its name."""

    # The node shows in nodes() of others; both must say so.
    PUBLISHED = _Bit(0)
    # Obsolete: the first atom cache.
    ATOM_CACHE = _Bit(1)
    # References of several words.
    EXTENDED_REFERENCES = _Bit(2)
    # Monitors across nodes.
    DIST_MONITOR = _Bit(3)
    # Funs have a tag of their own; obsolete, yet mandatory.
    FUN_TAGS = _Bit(4)
    # Monitors of registered names across nodes.
    DIST_MONITOR_NAME = _Bit(5)
    # Obsolete: an atom cache for hidden nodes.
    HIDDEN_ATOM_CACHE = _Bit(6)
    # NEW_FUN_EXT.
    NEW_FUN_TAGS = _Bit(7)
    # Pids and ports with 15 and 28 significant bits.
    EXTENDED_PIDS_PORTS = _Bit(8)
    # EXPORT_EXT.
    EXPORT_PTR_TAG = _Bit(9)
    # BIT_BINARY_EXT.
    BIT_BINARIES = _Bit(10)
    # NEW_FLOAT_EXT.
    NEW_FLOATS = _Bit(11)
    # io requests may carry Unicode.
    UNICODE_IO = _Bit(12)
    # Packets start with a distribution header, which may define and use cached atoms.
    DIST_HDR_ATOM_CACHE = _Bit(13)
    # SMALL_ATOM_EXT.
    SMALL_ATOM_TAGS = _Bit(14)
    # ATOM_UTF8_EXT and SMALL_ATOM_UTF8_EXT.
    UTF8_ATOMS = _Bit(16)
    # MAP_EXT.
    MAP_TAG = _Bit(17)
    # Creations of 32 bits.
    BIG_CREATION = _Bit(18)
    # SEND_SENDER takes the place of SEND.
    SEND_SENDER = _Bit(19)
    # seq_trace labels may be any term.
    BIG_SEQTRACE_LABELS = _Bit(20)
    # Exit reasons travel behind the control message, not in it.
    EXIT_PAYLOAD = _Bit(22)
    # Large messages are cut into fragments.
    FRAGMENTS = _Bit(23)
    # Handshake version 6: name and challenge tagged "N".
    HANDSHAKE_23 = _Bit(24)
    # Unlinking is acknowledged, by number.
    UNLINK_ID = _Bit(25)
    # Short for everything that OTP 25 made mandatory.
    MANDATORY_25_DIGEST = _Bit(26)
    # SPAWN_REQUEST and SPAWN_REPLY.
    SPAWN = _Bit(32)
    # The dialler has no name yet and asks for one.
    NAME_ME = _Bit(33)
    # Pids and ports of 64 bits, references of five words.
    V4_NC = _Bit(34)
    # ALIAS_SEND.
    ALIAS = _Bit(35)
    # ALTACT_SIG_SEND: priority and other unusual signals (OTP 28).
    ALTACT_SIG = _Bit(37)
    # RECORD_EXT: native records (OTP 29).
    NATIVE_RECORDS = _Bit(38)

    @property
    def value(self) -> int:
        """The same as any other number, which is a little quicker to look at."""
        return int(self)

    def __or__(self, others: int) -> Flags:
        return Flags(int(self) | int(others))

    def __and__(self, others: int) -> Flags:
        return Flags(int(self) & int(others))

    def __invert__(self) -> Flags:
        return Flags(~int(self))

    def __contains__(self, others: Flags) -> bool:
        return int(self) & others == others

    def __iter__(self) -> Iterator[Flags]:
        return (flag for flag in Flags.MEMBERS.values() if flag in self)

    def __repr__(self) -> str:
        return f"<Flags {describe(self)}>"


for _name, _bit in [*vars(Flags).items()]:
    if isinstance(_bit, _Bit):
        Flags.MEMBERS[_name] = Flags(1 << _bit.number)
        setattr(Flags, _name, Flags.MEMBERS[_name])

NONE = Flags(0)

LOW_HALF = Flags(0xFFFF_FFFF)
"""The flags that a version 5 name message can carry."""

MANDATORY_23 = (
    Flags.EXTENDED_REFERENCES
    | Flags.NEW_FUN_TAGS
    | Flags.EXTENDED_PIDS_PORTS
    | Flags.UTF8_ATOMS
    | Flags.BIG_CREATION
)
"""What OTP 23 and 24 insist on."""

MANDATORY_25 = (
    MANDATORY_23
    | Flags.FUN_TAGS
    | Flags.EXPORT_PTR_TAG
    | Flags.BIT_BINARIES
    | Flags.NEW_FLOATS
    | Flags.MAP_TAG
    | Flags.HANDSHAKE_23
)
"""What OTP 25 insists on, and what ``MANDATORY_25_DIGEST`` stands for."""

MANDATORY_26 = MANDATORY_25 | Flags.V4_NC | Flags.UNLINK_ID
"""What OTP 26 and later insist on."""

REQUIRED = MANDATORY_23
"""What a peer must have for us: OTP 23 is the oldest that we talk to."""

HIDDEN = (
    MANDATORY_26
    | Flags.MANDATORY_25_DIGEST  # and the single flags, for OTP 23 and 24 do not know the digest
    | Flags.DIST_MONITOR
    | Flags.DIST_MONITOR_NAME
    | Flags.UNICODE_IO
    | Flags.DIST_HDR_ATOM_CACHE
    | Flags.SMALL_ATOM_TAGS
    | Flags.SEND_SENDER
    | Flags.BIG_SEQTRACE_LABELS
    | Flags.EXIT_PAYLOAD
    | Flags.FRAGMENTS
    | Flags.SPAWN
    | Flags.ALIAS
    | Flags.ALTACT_SIG
    | Flags.NATIVE_RECORDS
)
"""What a hidden node of ours announces: all that this library can do."""

VISIBLE = HIDDEN | Flags.PUBLISHED
"""What a visible node of ours announces."""


def expand(flags: Flags) -> Flags:
    """The same flags, with what ``MANDATORY_25_DIGEST`` stands for spelled out."""
    return flags | MANDATORY_25 if flags & Flags.MANDATORY_25_DIGEST else flags


def missing(flags: Flags, required: Flags) -> Flags:
    """What ``flags``, once expanded, lack of ``required``."""
    return Flags(int(required) & ~int(expand(flags)))


def without(flags: Flags, unwanted: Flags) -> Flags:
    """``flags`` minus ``unwanted``; bits that we do not know stay."""
    return Flags(int(flags) & ~int(unwanted))


def describe(flags: Flags) -> str:
    """The names of the bits in ``flags``, for people: ``"UNLINK_ID, V4_NC"``."""
    known = [name for name, flag in Flags.MEMBERS.items() if flag in flags]
    unknown = flags & ~_ALL
    return ", ".join([*known, hex(unknown)] if unknown else known) or "none"


_ALL = Flags(sum(Flags.MEMBERS.values()))
