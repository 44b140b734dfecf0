"""The flags of our epmd."""

from __future__ import annotations

import pytest

from pyerlnode.errors import ConfigError
from pyerlnode.net.epmd_flags import Options


class TestFlags:
    @pytest.mark.parametrize(
        ("flags", "options"),
        [
            ("", Options()),
            ("-port 5000", Options(port=5000)),
            ("-address 10.0.0.1,::1", Options(addresses=("10.0.0.1", "::1"))),
            ("-relaxed_command_check -daemon", Options(relaxed=True, daemon=True)),
            ("-packet_timeout 2.5", Options(packet_time=2.5)),
        ],
    )
    def test_they_are_those_of_epmd(self, flags: str, options: Options) -> None:
        assert Options.parse(flags.split()) == options
        assert Options.parse(options.to_flags()) == options

    def test_a_list_of_addresses_may_have_spaces(self) -> None:
        assert Options.parse(["-address", " 10.0.0.1, 10.0.0.2 "]).addresses == ("10.0.0.1", "10.0.0.2")

    @pytest.mark.parametrize(
        "flags",
        [
            "-nonsense",
            "4369",
            "-port",
            "-port x",
            "-port 0",
            "-port 65536",
            "-port nan",
            "-packet_timeout -1",
            "-address",
        ],
    )
    def test_others_are_refused(self, flags: str) -> None:
        with pytest.raises(ConfigError, match="epmd flag"):
            Options.parse(flags.split())


def test_the_default_port_is_that_of_epmd() -> None:
    assert Options().port == 4369
