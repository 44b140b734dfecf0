"""Variables: which are ours, what they mean, and which are somebody else's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from pyerlnode.cluster.named import options_of
from pyerlnode.cluster.strategy import Polling
from pyerlnode.config.variables import texts_for, truth, unknown_variables
from pyerlnode.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Sample(Polling):
    """Has options of several kinds."""

    hosts: Any = ()
    timeout: Any = 1
    name: Any = None
    secret: Any = field(default=None, repr=False)

    async def discover(self, cluster: Any) -> Any: ...


def test_truths() -> None:
    assert truth({"PYERLNODE_HIDDEN": "yes"}, "HIDDEN") is True
    assert truth({"PYERLNODE_HIDDEN": "0"}, "HIDDEN") is False
    assert truth({"PYERLNODE_HIDDEN": ""}, "HIDDEN") is None
    with pytest.raises(ConfigError, match=r"\$PYERLNODE_HIDDEN='maybe'"):
        truth({"PYERLNODE_HIDDEN": "maybe"}, "HIDDEN")


def test_options_are_found_by_their_capitals_and_settings_are_none() -> None:
    environ = {
        "PYERLNODE_HOSTS": "a@h",
        "PYERLNODE_TIMEOUT": "",
        "PYERLNODE_NAME": "py@h",
        "POLLING_INTERVAL": "1",
    }
    assert texts_for(environ, options_of(Sample)) == {"hosts": "a@h"}


@pytest.mark.parametrize("secret", ["", " ", "tcp://10.0.0.1:80"])
def test_a_secret_is_taken_as_it_is(secret: str) -> None:
    assert texts_for({"PYERLNODE_SECRET": secret}, options_of(Sample)) == {"secret": secret}


def test_a_variable_that_nothing_reads_names_the_nearest_and_not_its_value() -> None:
    environ = {
        "PYERLNODE_HOST": "SECRET",
        "PYERLNODE_COOKI": "SECRET",
        "PYERLNODE_COOKIE": "SECRET",
        "PYERLNODE_HOSTS": "a@h",
    }
    assert unknown_variables(environ, {"hosts", "timeout"}) == [
        "PYERLNODE_COOKI is set, and nothing reads it: did you mean 'PYERLNODE_COOKIE'?",
        "PYERLNODE_HOST is set, and nothing reads it: did you mean 'PYERLNODE_HOSTS'?",
    ]


@pytest.mark.parametrize(
    "name",
    [
        "PYERLNODE_SERVICE_HOST",
        "PYERLNODE_SERVICE_PORT",
        "PYERLNODE_SERVICE_PORT_EPMD",
        "PYERLNODE_PORT_4369_TCP",
        "PYERLNODE_PORT_4369_TCP_ADDR",
        "PYERLNODE_RELEASES",
        "PYERLNODE_STRATEGY",
        "PYERLNODER_HOSTS",
        "HOST",
    ],
)
def test_others_variables_are_left_alone(name: str) -> None:
    assert unknown_variables({name: "10.0.0.1", "PYERLNODE_HOST": "", "PYERLNODE_PORT": "tcp://a"}, ()) == []
