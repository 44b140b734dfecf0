"""epmd's messages: bytes as Ericsson's epmd and BEAM exchange them, and everything that is not one."""

from __future__ import annotations

import pytest

from pyerlnode.errors import LocalProtocolError, RemoteProtocolError
from pyerlnode.wire import epmd

ALIVE2_BODY = bytes.fromhex("78 c001 4d 00 0006 0005 0002 7079 0000")
"""What `erl -sname py` sends."""


class TestRequests:
    def test_alive2_is_written_as_beam_writes_it(self) -> None:
        assert epmd.Alive2Req(b"py", 0xC001).to_bytes() == b"\x00\x0f" + ALIVE2_BODY

    def test_a_hidden_node_says_so(self) -> None:
        assert epmd.Alive2Req(b"py", 1, epmd.HIDDEN).to_bytes()[5] == ord("H")

    @pytest.mark.parametrize(
        "request_",
        [
            epmd.Alive2Req(b"py", 49153),
            epmd.Alive2Req("på".encode(), 0, epmd.HIDDEN, 1, 7, 6, b"\0extra"),
            epmd.Port2Req(b"py"),
            epmd.NamesReq(),
            epmd.DumpReq(),
            epmd.KillReq(),
            epmd.StopReq(b"py"),
        ],
    )
    def test_each_is_parsed_as_it_was_written(self, request_: epmd.Request) -> None:
        data = request_.to_bytes()
        assert int.from_bytes(data[:2], "big") == len(data) - 2
        assert epmd.parse_request(data[2:]) == request_

    @pytest.mark.parametrize("name", [b"", b"x" * 1021, b"a\0b"])
    def test_a_name_that_cannot_be_registered_is_our_error(self, name: bytes) -> None:
        with pytest.raises(LocalProtocolError, match="name to register"):
            epmd.Alive2Req(name, 1).to_bytes()

    @pytest.mark.parametrize("port", [-1, 65536])
    def test_a_port_has_16_bits(self, port: int) -> None:
        with pytest.raises(LocalProtocolError, match="0 to 65535"):
            epmd.Alive2Req(b"py", port).to_bytes()

    def test_no_request_is_longer_than_the_buffer_of_epmd(self) -> None:
        assert len(epmd.Port2Req(b"x" * 3056).to_bytes()) == 3059
        with pytest.raises(LocalProtocolError, match="at most 3057"):
            epmd.Port2Req(b"x" * 3057).to_bytes()

    def test_alive2_may_carry_more_than_it_says(self) -> None:
        assert epmd.parse_request(ALIVE2_BODY + b"junk") == epmd.Alive2Req(b"py", 0xC001)

    def test_alive2_may_have_no_name_when_it_has_something_else(self) -> None:
        body = bytes.fromhex("78 0001 4d 00 0006 0005 0000 0001 65")
        assert epmd.parse_request(body) == epmd.Alive2Req(b"", 1, extra=b"e")

    def test_port2_tolerates_one_nul_at_the_end(self) -> None:
        assert epmd.parse_request(b"zpy\0") == epmd.Port2Req(b"py")

    def test_port2_takes_one_character_less_than_alive2(self) -> None:
        assert epmd.parse_request(b"z" + "å".encode() * 254) == epmd.Port2Req("å".encode() * 254)

    def test_stop_ends_its_name_at_a_nul(self) -> None:
        assert epmd.parse_request(b"spy\0junk") == epmd.StopReq(b"py")

    def test_names_dump_and_kill_ignore_what_follows(self) -> None:
        assert epmd.parse_request(b"nx") == epmd.NamesReq()
        assert epmd.parse_request(b"dx") == epmd.DumpReq()
        assert epmd.parse_request(b"kx") == epmd.KillReq()

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"Q",
            b"a\0\1old",
            ALIVE2_BODY[:13],
            ALIVE2_BODY[:9] + b"\x00\x03" + ALIVE2_BODY[11:],
            ALIVE2_BODY[:13] + b"\x00\x01",
            ALIVE2_BODY[:11] + b"p\0" + ALIVE2_BODY[13:],
            b"z",
            b"z\0",
            b"zp\0y",
            b"zpy\0\0",
            b"z\xff",
            b"z" + b"x" * 255,
            b"s",
        ],
    )
    def test_what_epmd_hangs_up_on(self, body: bytes) -> None:
        with pytest.raises(RemoteProtocolError):
            epmd.parse_request(body)


class TestAlive2Resp:
    @pytest.mark.parametrize(
        ("reply", "data"),
        [
            (epmd.Alive2Resp(0, 1795359838), bytes.fromhex("76 00 6b03045e")),
            (epmd.Alive2Resp(1, 99), bytes.fromhex("76 01 00000063")),
            (epmd.Alive2Resp(0, 3, wide=False), bytes.fromhex("79 00 0003")),
            (epmd.Alive2Resp(1, 99, wide=False), bytes.fromhex("79 01 0063")),
        ],
    )
    def test_both_forms(self, reply: epmd.Alive2Resp, data: bytes) -> None:
        assert reply.to_bytes() == data
        assert epmd.Alive2Resp.parse(data) == reply
        assert epmd.Alive2Resp.size(data[:1]) == len(data)

    def test_one_byte_is_needed_to_know_more(self) -> None:
        assert epmd.Alive2Resp.size(b"") == 1

    @pytest.mark.parametrize("data", [b"w", b"", bytes.fromhex("76 00 0000"), bytes.fromhex("79 00 0003 00")])
    def test_anything_else_is_no_reply(self, data: bytes) -> None:
        with pytest.raises(RemoteProtocolError):
            epmd.Alive2Resp.parse(data)


class TestPort2Resp:
    FOUND = bytes.fromhex("77 00 c001 4d 00 0006 0005 0002 7079 0000")

    def test_a_live_node(self) -> None:
        assert epmd.port2_found(epmd.Alive2Req(b"py", 0xC001)) == self.FOUND
        assert epmd.parse_port2(self.FOUND) == epmd.NodeEntry("py", 0xC001)

    def test_the_extra_field_comes_back(self) -> None:
        alive = epmd.Alive2Req("på".encode(), 9, epmd.HIDDEN, 1, 9, 2, b"\0e")
        entry = epmd.parse_port2(epmd.port2_found(alive))
        assert entry == epmd.NodeEntry("på", 9, epmd.HIDDEN, 1, 9, 2, b"\0e")
        assert entry is not None
        assert entry.hidden

    def test_an_unknown_name(self) -> None:
        assert epmd.NOT_FOUND == b"\x77\x01"
        assert epmd.parse_port2(b"\x77\x01") is None

    def test_the_size_becomes_known_step_by_step(self) -> None:
        data = epmd.port2_found(epmd.Alive2Req(b"py", 1, extra=b"abc"))
        assert [epmd.port2_size(data[:cut]) for cut in (0, 1, 2, 11, 12, 15, 16, 19)] == [
            2,
            2,
            12,
            12,
            16,
            16,
            19,
            19,
        ]

    @pytest.mark.parametrize("data", [b"", b"x", b"w", b"w\0", FOUND[:11], FOUND[:-1], FOUND + b"x"])
    def test_anything_else_is_no_reply(self, data: bytes) -> None:
        with pytest.raises(RemoteProtocolError):
            epmd.parse_port2(data)

    @pytest.mark.parametrize(
        ("lowest", "highest", "version"),
        [(5, 5, 5), (5, 6, 6), (6, 6, 6), (5, 9, 6), (0, 4, None), (7, 9, None)],
    )
    def test_the_version_is_the_highest_that_both_speak(
        self, lowest: int, highest: int, version: int | None
    ) -> None:
        assert epmd.NodeEntry("py", 1, highest=highest, lowest=lowest).version == version


class TestNames:
    def test_the_text_of_epmd(self) -> None:
        data = epmd.format_names(4369, [(b"node2", 32971), ("på".encode(), 1)])
        assert data == b"\x00\x00\x11\x11name node2 at port 32971\nname p\xc3\xa5 at port 1\n"
        assert epmd.parse_names(data) == epmd.Names(4369, (("node2", 32971), ("på", 1)))

    def test_none_at_all(self) -> None:
        assert epmd.parse_names(epmd.format_names(24000, [])) == epmd.Names(24000, ())

    def test_a_name_may_look_like_the_text_around_it(self) -> None:
        data = epmd.format_names(1, [(b"a at port 7", 8)])
        assert epmd.parse_names(data).nodes == (("a at port 7", 8),)

    @pytest.mark.parametrize(
        "line",
        [
            b"",
            b"name x",
            b"nom x at port 1",
            b"name x at port y",
            b"name x at port 123456",
            b"name x at port ",
        ],
    )
    def test_other_lines_are_passed_over(self, line: bytes) -> None:
        data = b"\x00\x00\x11\x11" + line + b"\nname y at port 2\n"
        assert epmd.parse_names(data).nodes == (("y", 2),)

    def test_bytes_that_are_not_utf8_do_not_hide_the_others(self) -> None:
        names = epmd.parse_names(epmd.format_names(1, [(b"\xff", 1), (b"y", 2)])).nodes
        assert names == (("�", 1), ("y", 2))

    @pytest.mark.parametrize("data", [b"", b"\0\0\0"])
    def test_a_reply_without_a_port(self, data: bytes) -> None:
        with pytest.raises(RemoteProtocolError):
            epmd.parse_names(data)


class TestDump:
    DATA = (
        b"\x00\x00\x11\x11"
        b"active name     <py> at port 49153, fd = 5\n\0"
        b"old/unused name <gone>, port = 7, fd = 6 \n\0"
    )

    def test_the_text_of_epmd(self) -> None:
        assert epmd.format_dump(4369, [(b"py", 49153, 5)], [(b"gone", 7, 6)]) == self.DATA

    def test_its_lines_are_read_without_the_nuls(self) -> None:
        assert epmd.parse_dump(self.DATA) == (
            "active name     <py> at port 49153, fd = 5\nold/unused name <gone>, port = 7, fd = 6 \n"
        )

    def test_a_reply_without_a_port(self) -> None:
        with pytest.raises(RemoteProtocolError):
            epmd.parse_dump(b"\0\0")


def test_characters_are_counted_in_utf8_alone() -> None:
    assert epmd.characters("på".encode()) == 2
    assert epmd.characters("😀".encode()) == 1
    assert epmd.characters(b"\xed\xa0\x80") is None  # a surrogate
    assert epmd.characters(b"\xc0\x80") is None  # overlong
