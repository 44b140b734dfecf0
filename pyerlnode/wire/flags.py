"""Distribution flags: what each node can do, told in the handshake.

Spec: ERTS "Distribution Protocol", section "Distribution Flags"; ``MANDATORY_25_DIGEST`` is bit 26 on
the wire, whatever the manual prints.  What two nodes may use is the intersection of their flags.
"""

from __future__ import annotations

from enum import IntFlag


class Flags(IntFlag):
    """One bit each.  Bits that we do not know are kept as they came."""

    # The node shows in nodes() of others; both must say so.
    PUBLISHED = 1 << 0
    # Obsolete: the first atom cache.
    ATOM_CACHE = 1 << 1
    # References of several words.
    EXTENDED_REFERENCES = 1 << 2
    # Monitors across nodes.
    DIST_MONITOR = 1 << 3
    # Funs have a tag of their own; obsolete, yet mandatory.
    FUN_TAGS = 1 << 4
    # Monitors of registered names across nodes.
    DIST_MONITOR_NAME = 1 << 5
    # Obsolete: an atom cache for hidden nodes.
    HIDDEN_ATOM_CACHE = 1 << 6
    # NEW_FUN_EXT.
    NEW_FUN_TAGS = 1 << 7
    # Pids and ports with 15 and 28 significant bits.
    EXTENDED_PIDS_PORTS = 1 << 8
    # EXPORT_EXT.
    EXPORT_PTR_TAG = 1 << 9
    # BIT_BINARY_EXT.
    BIT_BINARIES = 1 << 10
    # NEW_FLOAT_EXT.
    NEW_FLOATS = 1 << 11
    # io requests may carry Unicode.
    UNICODE_IO = 1 << 12
    # Packets start with a distribution header, which may define and use cached atoms.
    DIST_HDR_ATOM_CACHE = 1 << 13
    # SMALL_ATOM_EXT.
    SMALL_ATOM_TAGS = 1 << 14
    # ATOM_UTF8_EXT and SMALL_ATOM_UTF8_EXT.
    UTF8_ATOMS = 1 << 16
    # MAP_EXT.
    MAP_TAG = 1 << 17
    # Creations of 32 bits.
    BIG_CREATION = 1 << 18
    # SEND_SENDER takes the place of SEND.
    SEND_SENDER = 1 << 19
    # seq_trace labels may be any term.
    BIG_SEQTRACE_LABELS = 1 << 20
    # Exit reasons travel behind the control message, not in it.
    EXIT_PAYLOAD = 1 << 22
    # Large messages are cut into fragments.
    FRAGMENTS = 1 << 23
    # Handshake version 6: name and challenge tagged "N".
    HANDSHAKE_23 = 1 << 24
    # Unlinking is acknowledged, by number.
    UNLINK_ID = 1 << 25
    # Short for everything that OTP 25 made mandatory.
    MANDATORY_25_DIGEST = 1 << 26
    # SPAWN_REQUEST and SPAWN_REPLY.
    SPAWN = 1 << 32
    # The dialler has no name yet and asks for one.
    NAME_ME = 1 << 33
    # Pids and ports of 64 bits, references of five words.
    V4_NC = 1 << 34
    # ALIAS_SEND.
    ALIAS = 1 << 35
    # ALTACT_SIG_SEND: priority and other unusual signals (OTP 28).
    ALTACT_SIG = 1 << 37
    # RECORD_EXT: native records (OTP 29).
    NATIVE_RECORDS = 1 << 38

    @classmethod
    def _missing_(cls, value: object) -> Flags:
        """A combination.  Enums remember each one for ever, but strangers can send any number of them."""
        flags: Flags = super()._missing_(value)
        if flags:
            cls._value2member_map_.pop(value, None)
            cls._value2member_map_.pop(flags.value, None)
        return flags


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
    known = [member.name or "" for member in Flags if member & flags]
    unknown = int(flags) & ~int(_ALL)
    return ", ".join([*known, hex(unknown)] if unknown else known) or "none"


_ALL = NONE
for _member in Flags:
    _ALL |= _member
