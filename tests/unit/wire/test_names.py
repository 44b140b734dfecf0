from __future__ import annotations

import pytest

from pyerlnode.errors import LocalProtocolError
from pyerlnode.wire.names import is_long_host, is_valid_host, is_valid_name, split_name

LONGEST = "a" * 250 + "@host"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("py@host", ("py", "host")),
        ("py@127.0.0.1", ("py", "127.0.0.1")),
        ("py@::1", ("py", "::1")),
        ("jos\xe9@h\xf4te", ("jos\xe9", "h\xf4te")),
        (LONGEST, ("a" * 250, "host")),
    ],
)
def test_a_name_has_two_parts(name: str, parts: tuple[str, str]) -> None:
    assert split_name(name) == parts
    assert is_valid_name(name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "exactly one @"),
        ("py", "exactly one @"),
        ("a@b@c", "exactly one @"),
        ("@", "empty"),
        ("py@", "empty"),
        ("@host", "empty"),
        ("a" + LONGEST, "255 characters"),
        ("py\n@host", "cannot carry"),
        ("py\x1b[31m@host", "cannot carry"),
        ("\u043f\u0438@host", "cannot carry"),
    ],
)
def test_what_is_no_name_is_told_why(name: str, why: str) -> None:
    assert not is_valid_name(name)
    with pytest.raises(LocalProtocolError, match=why):
        split_name(name)


def test_an_endless_name_makes_no_endless_error() -> None:
    with pytest.raises(LocalProtocolError) as caught:
        split_name("x" * 100_000)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("host", "valid"), [("host", True), ("127.0.0.1", True), ("", False), ("a@b", False)]
)
def test_a_host_is_what_may_stand_behind_the_at(host: str, valid: bool) -> None:
    assert is_valid_host(host) is valid


@pytest.mark.parametrize(
    ("host", "long"), [("host", False), ("a.b", True), ("127.0.0.1", True), ("::1", True)]
)
def test_long_hosts_have_a_dot_or_a_colon(host: str, long: bool) -> None:
    assert is_long_host(host) is long
