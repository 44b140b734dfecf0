"""What nobody can predict: here, that it differs and stays within its bounds."""

from __future__ import annotations

import pytest

from pyerlnode.net import chance
from pyerlnode.net.chance import new_creation, unpredictable


@pytest.mark.parametrize("bits", [8, 24, 32])
def test_numbers_have_as_many_bits_as_were_asked_for(bits: int) -> None:
    numbers = [unpredictable(bits) for _ in range(1000)]
    assert all(0 <= number < 2**bits for number in numbers)
    assert max(numbers) >= 2 ** (bits - 1) > min(numbers)
    assert len(set(numbers)) > 200


def test_creations_differ_and_are_none_of_the_reserved() -> None:
    creations = {new_creation() for _ in range(100)}
    assert len(creations) > 90
    assert all(4 <= creation < 2**32 for creation in creations)


def test_reserved_ones_are_stepped_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chance, "unpredictable", lambda bits: 1)
    assert new_creation() == 4
