"""The cookie's file: the rules of Erlang, and errors that say the cure."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from pyerlnode.config import cookie_file as module
from pyerlnode.config import read_cookie
from pyerlnode.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def cookie_file(directory: Path, text: str | bytes, mode: int = 0o400) -> Path:
    path = directory / ".erlang.cookie"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o700])
def test_the_home_file_is_read_when_only_its_owner_may(home: Path, mode: int) -> None:
    cookie_file(home, "SECRET", mode)
    assert read_cookie() == "SECRET"


@pytest.mark.parametrize(
    ("text", "cookie"),
    [
        ("SECRET\n", "SECRET"),
        ("SECRET\r\n", "SECRET"),
        ("SECRET\n \n\r", "SECRET"),
        ("with space ", "with space "),  # OTP keeps spaces of the line itself, and so must we
        (" lead~!", " lead~!"),
    ],
)
def test_the_line_is_read_as_erlang_reads_it(home: Path, text: str, cookie: str) -> None:
    cookie_file(home, text)
    assert read_cookie() == cookie


@pytest.mark.parametrize("text", ["", "\n", "two\nlines", "tab\there", b"caf\xc3\xa9", b"nul\x00"])
def test_a_file_that_holds_no_cookie_is_refused(home: Path, text: str | bytes) -> None:
    path = cookie_file(home, text)
    with pytest.raises(ConfigError, match=r"one line of printable ASCII|it is empty") as caught:
        read_cookie()
    assert caught.value.given == str(path)


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o644, 0o420, 0o401])
def test_a_file_that_others_can_reach_is_refused_with_the_cure(home: Path, mode: int) -> None:
    path = cookie_file(home, "SECRET", mode)
    with pytest.raises(ConfigError, match="accessible by its owner only: chmod 400") as caught:
        read_cookie()
    assert str(path) in str(caught.value)
    assert "SECRET" not in str(caught.value)


def test_a_directory_and_a_pipe_in_the_files_place_are_refused_at_once(home: Path) -> None:
    path = home / ".erlang.cookie"
    path.mkdir()
    with pytest.raises(ConfigError, match="not a regular file"):
        read_cookie()
    path.rmdir()
    os.mkfifo(path, 0o600)
    with pytest.raises(ConfigError, match="not a regular file"):
        read_cookie()


def test_a_symbolic_link_is_followed(home: Path) -> None:
    (home / "elsewhere").mkdir()
    target = cookie_file(home / "elsewhere", "SECRET")
    (home / ".erlang.cookie").symlink_to(target)
    assert read_cookie() == "SECRET"


def test_a_link_that_leads_nowhere_is_refused_with_the_cure(home: Path) -> None:
    (home / ".erlang.cookie").symlink_to(home / "nowhere")
    with pytest.raises(ConfigError, match="link that leads nowhere"):
        read_cookie()
    assert os.listdir(home) == [".erlang.cookie"]


def test_a_file_that_cannot_be_opened_is_named(home: Path) -> None:
    (home / ".erlang.cookie").symlink_to(home / ".erlang.cookie")
    with pytest.raises(ConfigError, match="it cannot be read: Too many levels"):
        read_cookie()


def test_the_xdg_file_is_read_after_the_home_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    xdg = home / "xdg"
    (xdg / "erlang").mkdir(parents=True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(xdg))
    cookie_file(xdg / "erlang", "FROMXDG")
    assert read_cookie() == "FROMXDG"
    cookie_file(home, "FROMHOME")
    assert read_cookie() == "FROMHOME"


def test_the_xdg_default_is_dot_config(home: Path) -> None:
    (home / ".config" / "erlang").mkdir(parents=True)
    cookie_file(home / ".config" / "erlang", "FROMDEFAULT")
    assert read_cookie() == "FROMDEFAULT"


def test_where_there_is_no_file_one_is_made(home: Path) -> None:
    cookie = read_cookie()
    path = home / ".erlang.cookie"
    assert len(cookie) == 20
    assert cookie.isascii()
    assert cookie.isalpha()
    assert cookie.isupper()
    assert path.read_text() == cookie
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert os.listdir(home) == [".erlang.cookie"]
    assert read_cookie() == cookie


def test_two_made_cookies_differ(tmp_path: Path) -> None:
    assert module.make_cookie_file(tmp_path / "a") != module.make_cookie_file(tmp_path / "b")


def test_making_it_many_times_at_once_gives_everybody_the_same(home: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        cookies = list(pool.map(lambda _: read_cookie(), range(64)))
    assert len(set(cookies)) == 1
    assert os.listdir(home) == [".erlang.cookie"]


def test_a_maker_that_comes_second_takes_the_firsts_cookie(home: Path) -> None:
    path = cookie_file(home, "FIRST")
    assert module.make_cookie_file(path) == "FIRST"
    assert os.listdir(home) == [".erlang.cookie"]


def test_a_home_that_cannot_hold_the_file_says_what_to_do_instead(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "file").touch()
    monkeypatch.setenv("HOME", str(home / "file"))
    with pytest.raises(ConfigError, match=r"none can be made .*: pass a cookie or set \$ERLANG_COOKIE"):
        read_cookie()


def test_without_a_home_the_xdg_file_serves_and_without_both_the_error_says_so(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOME")
    with pytest.raises(ConfigError, match=r"\$HOME is not set"):
        read_cookie()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    cookie = read_cookie()
    assert (home / "erlang" / ".erlang.cookie").read_text() == cookie


# ---------------------------------------------------------------------------------- one that a setting names


@pytest.mark.parametrize("mode", [0o400, 0o600])
def test_a_file_that_a_setting_names_is_read(tmp_path: Path, mode: int) -> None:
    assert module.read_named_cookie_file("file", cookie_file(tmp_path, "SECRET\n", mode)) == "SECRET"


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o644, 0o620])
def test_one_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = cookie_file(tmp_path, "SECRET", mode)
    with pytest.raises(ConfigError, match=f"others can read it: chmod 400 {path}") as caught:
        module.read_named_cookie_file("$PYERLNODE_COOKIE_FILE", path)
    assert caught.value.key == "$PYERLNODE_COOKIE_FILE"
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "why"), [("", "write the cookie into it"), ("a\nb", "one line of printable")]
)
def test_one_that_holds_no_cookie_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        module.read_named_cookie_file("file", cookie_file(tmp_path, text))


def test_one_that_is_not_there_is_an_error_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        module.read_named_cookie_file("file", tmp_path / "cookie")
    assert os.listdir(tmp_path) == []
