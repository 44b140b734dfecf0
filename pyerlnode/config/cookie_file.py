"""The file that holds the cookie: Erlang's own, made where there is none, or one that a setting names.

The "Distributed Erlang" chapter's paragraphs on ``~/.erlang.cookie``.  Errors are
:class:`~pyerlnode.errors.ConfigError` and say the cure; none ever holds a cookie.
"""

from __future__ import annotations

import contextlib
import os
import string
from typing import TYPE_CHECKING

from pyerlnode.config.environment import environment
from pyerlnode.config.private import is_handed_out, is_private, read_regular
from pyerlnode.errors import ConfigError
from pyerlnode.lazy import later

if TYPE_CHECKING:
    import secrets

    from pyerlnode.config.private import PathLike
else:
    secrets = later("secrets")

COOKIE_FILE = ".erlang.cookie"
COOKIE_LENGTH = 20
MAX_COOKIE = 255
KEY = "cookie file"

HIDDEN = "***"
"""What errors show in place of a cookie."""


def check_cookie(key: str, cookie: str) -> str:
    """Give ``cookie`` back if a node can have it; ``key`` is what the error calls it."""
    if not isinstance(cookie, str):
        raise ConfigError(key, HIDDEN, f"a cookie is a str, this is a {type(cookie).__name__}")
    if not cookie:
        raise ConfigError(key, "", "a cookie cannot be empty: give the one your other nodes have")
    if len(cookie) > MAX_COOKIE:
        raise ConfigError(
            key, HIDDEN, f"a cookie has at most {MAX_COOKIE} characters, this has {len(cookie)}"
        )
    if not cookie.isprintable():
        raise ConfigError(
            key, HIDDEN, "the cookie holds a line end or another character that cannot be seen: leave it out"
        )
    return cookie


def cookie_paths() -> list[str]:
    """Give the places of the cookie file, the first to look at (and to make) first.

    ``~/.erlang.cookie``, then ``$XDG_CONFIG_HOME/erlang/.erlang.cookie`` as OTP does since 25.
    """
    environ = environment()
    home = environ.get("HOME")
    config = environ.get("XDG_CONFIG_HOME") or (os.path.join(home, ".config") if home else None)
    paths = [os.path.join(home, COOKIE_FILE)] if home else []
    if config:
        paths.append(os.path.join(config, "erlang", COOKIE_FILE))
    if not paths:
        raise ConfigError(
            "cookie",
            None,
            "$HOME is not set, so there is no cookie file: pass a cookie or set $ERLANG_COOKIE",
        )
    return paths


def read_cookie_file(path: PathLike) -> str | None:
    """Give the cookie in ``path``, ``None`` when there is no such file.

    Refuses, as Erlang does, what is no regular file, what others than its owner may read or write, and
    what holds anything but one line of printable ASCII.
    """
    read = read_regular(KEY, path, 2 * MAX_COOKIE)
    if read is None:
        return None
    if not is_private(read[1]):
        raise ConfigError(KEY, str(path), f"it must be accessible by its owner only: chmod 400 {path}")
    return _parse_cookie(KEY, path, read[0], "remove it (a new one will be made) or fill it")


def read_named_cookie_file(key: str, path: PathLike) -> str:
    """Give the cookie in the file that a setting names; ``key`` is what the error calls the setting.

    As :func:`read_cookie_file`, but the file has to be there; and a secret that root lends to our group alone
    is taken.
    """
    read = read_regular(key, path, 2 * MAX_COOKIE)
    if read is None:
        raise ConfigError(key, str(path), "there is no such file")
    if not is_handed_out(read[1]):
        cure = f"others can read it: chmod 400 {path}, or mode 0440 for one that root lends to your group"
        raise ConfigError(key, str(path), cure)
    return _parse_cookie(key, path, read[0], "write the cookie into it")


def _parse_cookie(key: str, path: PathLike, data: bytes, cure: str) -> str:
    """Keep the line of printable ASCII; only line ends and spaces may follow it."""
    end = next((i for i, byte in enumerate(data) if not 0x20 <= byte <= 0x7E), len(data))
    if data[end:].strip(b"\r\n "):
        raise ConfigError(key, str(path), "it must hold one line of printable ASCII characters")
    if end == 0:
        raise ConfigError(key, str(path), f"it is empty: {cure}")
    return check_cookie(f"cookie in {path}", data[:end].decode("ascii"))


def make_cookie_file(path: PathLike) -> str:
    """Make the cookie file with 20 random upper-case letters, mode 0400, and give the cookie.

    The file appears whole or not at all; when another program makes it first, that one's cookie is given.
    """
    cookie = "".join(secrets.choice(string.ascii_uppercase) for _ in range(COOKIE_LENGTH))
    try:
        _put_new_file(path, cookie)
    except OSError as error:
        raise ConfigError(
            KEY,
            str(path),
            f"there is none and none can be made ({error.strerror}): pass a cookie or set $ERLANG_COOKIE",
        ) from error
    made = read_cookie_file(path)
    if made is None:
        raise ConfigError(KEY, str(path), "it is a link that leads nowhere: remove it, or pass a cookie")
    return made


def _put_new_file(path: PathLike, text: str) -> None:
    """Write ``path`` in one step, mode 0400; leave one that is there by then as it is."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    draft = f"{os.fspath(path)}.{secrets.token_hex(8)}"
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    try:
        with open(file, "w", encoding="ascii") as writer:
            writer.write(text)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        os.unlink(draft)
