"""Which cookie: given, the environment's, or the file's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pyerlnode.config.cookie import cookie_from, read_cookie
from pyerlnode.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def cookie_file(directory: Path, text: str | bytes, mode: int = 0o400) -> Path:
    path = directory / ".erlang.cookie"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def test_an_explicit_cookie_wins_over_everything(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERLANG_COOKIE", "from_environment")
    cookie_file(home, "from_file")
    assert read_cookie("given") == "given"


def test_the_environment_wins_over_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERLANG_COOKIE", "from_environment")
    cookie_file(home, "from_file")
    assert read_cookie() == "from_environment"


@pytest.mark.parametrize("cookie", ["", "x" * 256, "SECRET\n", "SECRET\a"])
def test_a_given_cookie_that_cannot_be_one_is_refused_without_showing_it(cookie: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_cookie(cookie)
    assert not cookie or cookie.strip() not in str(caught.value)


def test_a_cookie_of_another_type_is_refused_without_showing_it() -> None:
    with pytest.raises(ConfigError, match="a cookie is a str, this is a bytes") as caught:
        read_cookie(b"SECRET")  # type: ignore[arg-type]
    assert "SECRET" not in str(caught.value)


# ---------------------------------------------------------------------------------- for commands

ORDER = ("PYERLNODE_COOKIE", "PYERLNODE_COOKIE_FILE", "RELEASE_COOKIE", "ERLANG_COOKIE")


def test_commands_take_the_first_variable_that_is_set(tmp_path: Path) -> None:
    environ = {name: name for name in ORDER}
    environ["PYERLNODE_COOKIE_FILE"] = str(cookie_file(tmp_path, "PYERLNODE_COOKIE_FILE\n"))
    for name in ORDER:
        assert cookie_from(environ) == name
        del environ[name]
    assert cookie_from(environ) is None


@pytest.mark.parametrize("name", [name for name in ORDER if not name.endswith("FILE")])
def test_an_empty_cookie_is_an_error_and_not_another_cookie(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"\${name}=.*cannot be empty"):
        cookie_from({name: ""})


@pytest.mark.parametrize("name", ORDER)
def test_no_error_shows_a_cookie(name: str, tmp_path: Path) -> None:
    given = "SECRET\nSECRET"
    value = str(cookie_file(tmp_path, given)) if name.endswith("FILE") else given
    with pytest.raises(ConfigError) as caught:
        cookie_from({name: value})
    assert "SECRET" not in str(caught.value)
    assert name in caught.value.key


def test_the_home_of_the_files_path_is_understood(home: Path) -> None:
    cookie_file(home, "SECRET")
    assert cookie_from({"PYERLNODE_COOKIE_FILE": "~/.erlang.cookie"}) == "SECRET"
    assert cookie_from({"PYERLNODE_COOKIE_FILE": ""}) is None
