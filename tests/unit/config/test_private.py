"""Files that may hold a secret, and who else can read them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyerlnode.config.private import is_handed_out, is_private, read_regular
from pyerlnode.errors import ConfigError


def attributes(mode: int, owner: int = 1000) -> os.stat_result:
    return os.stat_result((0o100000 | mode, 1, 1, 1, owner, 1000, 6, 0, 0, 0))


def test_a_file_is_read_up_to_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100_000)
    for limit, length in ((10, 10), (100_000, 100_000), (200_000, 100_000)):
        read = read_regular("file", path, limit)
        assert read is not None
        assert len(read[0]) == length
        assert read[1].st_size == 100_000


def test_a_file_that_is_not_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert read_regular("file", tmp_path / "nothing", 1) is None
    assert read_regular("file", tmp_path / "file" / "below", 1) is None


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (os.mkdir, "not a regular file"),
        (os.mkfifo, "not a regular file"),
        (lambda path: os.symlink(path, path), "cannot be read: Too many levels"),
    ],
)
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, make: object, why: str) -> None:
    path = tmp_path / "file"
    make(path)  # type: ignore[operator]
    with pytest.raises(ConfigError, match=why) as caught:
        read_regular("the file", path, 1)
    assert (caught.value.key, caught.value.given) == ("the file", str(path))


def test_a_path_that_cannot_be_one_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"it cannot be read: .*embedded null"):
        read_regular("file", Path("a\0b"), 1)


@pytest.mark.parametrize(
    ("mode", "private"), [(0o400, True), (0o600, True), (0o440, False), (0o604, False), (0o601, False)]
)
def test_private_is_what_only_the_owner_reaches(mode: int, private: bool) -> None:
    assert is_private(attributes(mode)) is private
    assert is_handed_out(attributes(mode)) is private


@pytest.mark.parametrize(
    ("mode", "owner", "user", "fine"),
    [
        (0o440, 0, 1000, True),
        (0o400, 0, 1000, True),
        (0o640, 0, 1000, True),
        (0o660, 0, 1000, False),
        (0o444, 0, 1000, False),
        (0o440, 0, 0, False),
        (0o440, 1000, 1000, False),
    ],
)
def test_what_root_lends_to_our_group_alone_is_a_secret_still(
    monkeypatch: pytest.MonkeyPatch, mode: int, owner: int, user: int, fine: bool
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert is_handed_out(attributes(mode, owner)) is fine
