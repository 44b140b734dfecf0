from __future__ import annotations

import pytest

from pyerlnode.wire.flags import (
    HIDDEN,
    LOW_HALF,
    MANDATORY_23,
    MANDATORY_25,
    MANDATORY_26,
    NONE,
    REQUIRED,
    VISIBLE,
    Flags,
    describe,
    expand,
    missing,
    without,
)

# What visible nodes of each release announce, seen on the wire.
ANNOUNCED = {
    23: Flags(0x1_01DF7FBD),
    25: Flags(0xD_07DF7FBD),
    27: Flags(0xD_07DF7FBD),
    28: Flags(0x2D_07DF7FBD),
    29: Flags(0x6D_07DF7FBD),
}


def test_the_masks_are_those_of_the_releases() -> None:
    assert MANDATORY_23 == 0x50184
    assert MANDATORY_25 == 0x1070F94
    assert MANDATORY_26 == 0x4_03070F94


def test_we_announce_what_the_newest_release_does() -> None:
    assert ANNOUNCED[29] == VISIBLE
    assert ANNOUNCED[29] & ~1 == HIDDEN


@pytest.mark.parametrize("release", ANNOUNCED)
def test_every_release_has_what_we_require(release: int) -> None:
    assert not missing(ANNOUNCED[release], REQUIRED)


def test_no_bit_is_obsolete_internal_or_twice_used() -> None:
    assert not VISIBLE & (Flags.ATOM_CACHE | Flags.HIDDEN_ATOM_CACHE | Flags.NAME_ME)
    assert not int(VISIBLE) & (0x8000 | 0x200000 | 0xF8000000 | 1 << 36)
    assert len({*Flags.MEMBERS.values()}) == len(Flags.MEMBERS) > 30
    assert all(flag.bit_count() == 1 for flag in Flags.MEMBERS.values())


def test_the_digest_stands_for_all_that_25_made_mandatory() -> None:
    assert expand(Flags.MANDATORY_25_DIGEST) == MANDATORY_25 | Flags.MANDATORY_25_DIGEST
    assert expand(Flags.SPAWN) == Flags.SPAWN
    assert not missing(Flags.MANDATORY_25_DIGEST, MANDATORY_25)
    assert missing(Flags.MANDATORY_25_DIGEST, MANDATORY_26) == Flags.V4_NC | Flags.UNLINK_ID


def test_unknown_bits_are_kept_and_named_by_number() -> None:
    flags = Flags(1 << 60 | 1)
    assert int(flags) == 1 << 60 | 1
    assert int(without(flags, Flags.PUBLISHED)) == 1 << 60
    assert describe(flags) == "PUBLISHED, 0x1000000000000000"


def test_they_are_combined_as_sets() -> None:
    both = Flags.SPAWN | Flags.ALIAS
    assert Flags.SPAWN in both
    assert Flags.SPAWN | Flags.UNLINK_ID not in both
    assert both & ~Flags.SPAWN == Flags.ALIAS
    assert (type(both), type(both & 1), type(~both), type(both.value)) == (Flags, Flags, Flags, int)
    assert list(both | 1 << 60) == [Flags.SPAWN, Flags.ALIAS]
    assert repr(both) == "<Flags SPAWN, ALIAS>"


def test_descriptions_name_each_bit() -> None:
    assert describe(Flags.V4_NC | Flags.UNLINK_ID) == "UNLINK_ID, V4_NC"
    assert describe(NONE) == "none"


def test_the_low_half_is_what_version_5_carries() -> None:
    assert VISIBLE & LOW_HALF == 0x07DF7FBD
