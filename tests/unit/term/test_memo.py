from __future__ import annotations

from random import Random

import pytest

from pyerlnode.term.memo import LONGEST, MISSING, recall, table

TEXT = bytes(range(33, 97))


@pytest.mark.parametrize("size", range(LONGEST + 1))
@pytest.mark.parametrize("start", [0, 1, 7])
def test_what_was_made_of_a_text_is_found_again_wherever_it_stands(size: int, start: int) -> None:
    places = table()
    text = TEXT[start : start + size]
    made = object()
    assert recall(places, TEXT, start, size) is MISSING
    assert recall(places, TEXT, start, size, made) is made
    for data, at in (
        (TEXT, start),
        (text, 0),
        (b"?" + text, 1),
        (b"?" + text + b"?", 1),
        (text + b"?" * 9, 0),
    ):
        assert recall(places, data, at, size) is made


@pytest.mark.parametrize("size", range(1, LONGEST + 1))
def test_a_text_that_differs_in_one_byte_is_another(size: int) -> None:
    for place in range(size):
        places = table()
        text = bytearray(TEXT[:size])
        recall(places, bytes(text), 0, size, "made")
        text[place] ^= 1 << Random(place).randrange(8)
        assert recall(places, bytes(text), 0, size) is MISSING


@pytest.mark.parametrize("size", range(LONGEST))
def test_so_is_one_that_is_longer(size: int) -> None:
    for byte in (b"\0", b"\xff"):
        places = table()
        recall(places, byte * size, 0, size, "made")
        assert recall(places, byte * (size + 1), 0, size + 1) is MISSING


def test_none_can_be_remembered() -> None:
    places = table()
    recall(places, b"nil", 0, 3, None)
    assert recall(places, b"nil", 0, 3) is None


def test_keys_that_are_much_alike_do_not_share_places() -> None:
    for pattern in ("key_%d", "%d", "a_longer_key_%d", "%05d", "x%d", "name%d@some-host.example.com", "%d_k"):
        places = table()
        texts = [(pattern % number).encode() for number in range(200)]
        for text in texts:
            recall(places, text, 0, len(text), text)
        assert sum(recall(places, text, 0, len(text)) is text for text in texts) > 140


def test_a_table_keeps_its_size() -> None:
    places = table()
    size = len(places)
    for number in range(3 * size):
        text = b"%d" % number
        assert recall(places, text, 0, len(text), number) == number
    assert len(places) == size
