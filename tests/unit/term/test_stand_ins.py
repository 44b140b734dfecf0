from __future__ import annotations

from struct import pack

import pytest

from pyerlnode.term import stand_ins

DATA = bytes(range(250, 256)) + bytes(range(250, 238, -1)) + pack(">d", -1.5)
FORMATS = {
    "read_i16_be": ">h",
    "read_i32_be": ">i",
    "read_i64_be": ">q",
    "read_i64_le": "<q",
    "read_f64_be": ">d",
}


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_read_is_what_was_written(name):
    for value in (0, 1, -2, 12_345, -32_768):
        packed = pack(FORMATS[name], value)
        assert getattr(stand_ins, name)(b"ab" + packed + b"cd", 2) == value


@pytest.mark.parametrize("name", FORMATS)
def test_they_read_and_refuse_what_librt_does(name):
    real = getattr(pytest.importorskip("librt.strings"), name)
    ours = getattr(stand_ins, name)
    for index in range(-9, len(DATA) + 9):
        assert _outcome(ours, index) == _outcome(real, index)


def _outcome(read, index):
    try:
        return repr(read(DATA, index))
    except (IndexError, ValueError) as error:
        return type(error)


def _used(kind, module):
    w = kind()
    for value in (0, 1, -2, 12_345, -32_768):
        module.write_i16_be(w, value)
        module.write_i32_be(w, value << 16)
        module.write_i64_le(w, value << 48)
        module.write_f64_be(w, value / 7)
        w.append(value & 255)
        w.write(b"some bytes")
    w.truncate(len(w) - 3)
    whole = w.getvalue()
    w.truncate(0)
    return whole, len(w), w.getvalue()


def test_what_is_written_is_what_librt_writes():
    real = pytest.importorskip("librt.strings")
    whole, *rest = _used(stand_ins.BytesWriter, stand_ins)
    assert len(whole) == 5 * 33 - 3
    assert rest == [0, b""]
    assert (whole, *rest) == _used(real.BytesWriter, real)
