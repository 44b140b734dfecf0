from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyerlnode.errors import LocalProtocolError
from pyerlnode.wire.challenge import DIGEST_SIZE, digest, is_digest


def test_the_digest_is_md5_of_cookie_and_decimal_challenge() -> None:
    assert digest("cookie", 4294967295) == hashlib.md5(b"cookie4294967295").digest()
    assert digest("", 0) == hashlib.md5(b"0").digest()


def test_a_cookie_is_latin_1() -> None:
    assert digest("caf\xe9", 7) == hashlib.md5(b"caf\xe97").digest()


def test_a_cookie_that_no_node_can_use_is_refused_and_not_shown() -> None:
    with pytest.raises(LocalProtocolError) as caught:
        digest("secret\u20ac", 1)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@given(st.binary(max_size=32), st.integers(0, 0xFFFFFFFF))
def test_only_the_digest_itself_is_right(given_digest: bytes, challenge: int) -> None:
    right = digest("cookie", challenge)
    assert len(right) == DIGEST_SIZE
    assert is_digest("cookie", challenge, right)
    assert is_digest("cookie", challenge, given_digest) == (given_digest == right)
