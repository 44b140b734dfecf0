"""What a node takes from its surroundings: the cookie, its host's name, epmd's place.

The only module that reads the environment and the user's files, so that everything else can be handed
plain values and several nodes in one process cannot surprise each other.  It follows Erlang where Erlang has
a rule: ERTS ``erl`` (``-sname``, ``-setcookie``), the "Distributed Erlang" chapter's paragraphs on
``~/.erlang.cookie``, and ``epmd``'s environment variables.  ``$ERLANG_COOKIE`` is the one addition.

Errors are :class:`~pyerlnode.errors.ConfigError` and say the cure; none ever holds a cookie.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import socket
import stat
import string
from dataclasses import dataclass
from pathlib import Path

from pyerlnode.errors import ConfigError
from pyerlnode.wire.epmd import EPMD_PORT
from pyerlnode.wire.names import MAX_NAME

COOKIE_FILE = ".erlang.cookie"
COOKIE_LENGTH = 20
MAX_COOKIE = 255

_ALIVE = re.compile(r"[A-Za-z0-9_-]+")
_HOST = re.compile(r"[!-?A-~]+")
_HIDDEN = "***"


# ---------------------------------------------------------------------------------- cookies


def read_cookie(explicit: str | None = None) -> str:
    """Give the cookie: ``explicit``, else ``$ERLANG_COOKIE``, else the cookie file's, made if absent.

    Raises :class:`ConfigError` when the one found cannot be used.
    """
    if explicit is not None:
        return check_cookie("cookie", explicit)
    if (value := os.environ.get("ERLANG_COOKIE")) is not None:
        return check_cookie("$ERLANG_COOKIE", value)
    for path in cookie_paths():
        if (text := read_cookie_file(path)) is not None:
            return text
    return make_cookie_file(cookie_paths()[0])


def check_cookie(key: str, cookie: str) -> str:
    """Give ``cookie`` back if a node can have it; ``key`` is what the error calls it."""
    if not isinstance(cookie, str):
        raise ConfigError(key, _HIDDEN, f"a cookie is a str, this is a {type(cookie).__name__}")
    if not cookie:
        raise ConfigError(key, "", "a cookie cannot be empty: give the one your other nodes have")
    if len(cookie) > MAX_COOKIE:
        raise ConfigError(
            key, _HIDDEN, f"a cookie has at most {MAX_COOKIE} characters, this has {len(cookie)}"
        )
    if not cookie.isprintable():
        raise ConfigError(
            key, _HIDDEN, "the cookie holds a line end or another character that cannot be seen: leave it out"
        )
    return cookie


def cookie_paths() -> list[Path]:
    """Give the places of the cookie file, the first to look at (and to make) first.

    ``~/.erlang.cookie``, then ``$XDG_CONFIG_HOME/erlang/.erlang.cookie`` as OTP does since 25.
    """
    home = os.environ.get("HOME")
    config = os.environ.get("XDG_CONFIG_HOME") or (os.path.join(home, ".config") if home else None)
    paths = [Path(home, COOKIE_FILE)] if home else []
    if config:
        paths.append(Path(config, "erlang", COOKIE_FILE))
    if not paths:
        raise ConfigError(
            "cookie",
            None,
            "$HOME is not set, so there is no cookie file: pass a cookie or set $ERLANG_COOKIE",
        )
    return paths


def read_cookie_file(path: Path) -> str | None:
    """Give the cookie in ``path``, ``None`` when there is no such file.

    Refuses, as Erlang does, what is no regular file, what others than its owner may read or write, and
    what holds anything but one line of printable ASCII.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a FIFO of that name must not make us wait
        try:
            _check_attributes(path, os.fstat(file))
            return _parse_cookie(path, os.read(file, 2 * MAX_COOKIE))
        finally:
            os.close(file)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError("cookie file", str(path), f"it cannot be read: {error.strerror}") from error


def _check_attributes(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise ConfigError("cookie file", str(path), "it is not a regular file: remove it, or pass a cookie")
    if found.st_mode & 0o077:
        raise ConfigError(
            "cookie file", str(path), f"it must be accessible by its owner only: chmod 400 {path}"
        )


def _parse_cookie(path: Path, data: bytes) -> str:
    """Keep the line of printable ASCII; only line ends and spaces may follow it."""
    end = next((i for i, byte in enumerate(data) if not 0x20 <= byte <= 0x7E), len(data))
    if data[end:].strip(b"\r\n "):
        raise ConfigError("cookie file", str(path), "it must hold one line of printable ASCII characters")
    if end == 0:
        raise ConfigError(
            "cookie file", str(path), "it is empty: remove it (a new one will be made) or fill it"
        )
    return check_cookie(f"cookie in {path}", data[:end].decode("ascii"))


def make_cookie_file(path: Path) -> str:
    """Make the cookie file with 20 random upper-case letters, mode 0400, and give the cookie.

    The file appears whole or not at all; when another program makes it first, that one's cookie is given.
    """
    cookie = "".join(secrets.choice(string.ascii_uppercase) for _ in range(COOKIE_LENGTH))
    try:
        _put_new_file(path, cookie)
    except OSError as error:
        raise ConfigError(
            "cookie file",
            str(path),
            f"there is none and none can be made ({error.strerror}): pass a cookie or set $ERLANG_COOKIE",
        ) from error
    made = read_cookie_file(path)
    if made is None:
        raise ConfigError(
            "cookie file", str(path), "it is a link that leads nowhere: remove it, or pass a cookie"
        )
    return made


def _put_new_file(path: Path, text: str) -> None:
    """Write ``path`` in one step, mode 0400; leave one that is there by then as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    try:
        with open(file, "w", encoding="ascii") as writer:
            writer.write(text)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


# ---------------------------------------------------------------------------------- names


def complete_name(name: str, key: str = "name") -> str:
    """Give the full node name: ``"py"`` becomes ``py@shorthost`` as with ``--sname py``, ``"py@host"`` stays.

    ``key`` is what the error calls it.  Raises :class:`ConfigError` for what no Erlang node could be named.
    """
    if not isinstance(name, str):
        raise ConfigError(key, name, "a node name is a str such as 'py@host'")
    alive, at, host = name.partition("@")
    if not _ALIVE.fullmatch(alive):
        raise ConfigError(
            key, name, "the part before @ must be letters, digits, _ and - only, as in 'py@host' or 'py'"
        )
    if not at:
        host = short_host()
    elif not _HOST.fullmatch(host):
        raise ConfigError(
            key, name, "after the one @ comes a host name or address, as in 'py@host' or 'py@127.0.0.1'"
        )
    full = f"{alive}@{host}"
    if len(full) > MAX_NAME:
        raise ConfigError(key, name, f"a node name has at most {MAX_NAME} characters, this has {len(full)}")
    return full


def short_host() -> str:
    """Give this machine's name up to its first dot: the host of a short node name."""
    host = socket.gethostname().partition(".")[0]
    if not _HOST.fullmatch(host):
        raise ConfigError(
            "name", host, "this machine has no usable host name: give the full name, 'py@127.0.0.1'"
        )
    return host


def long_host() -> str:
    """Give a host with a dot for a node of ours that nobody will dial: no look-up is made."""
    host = socket.gethostname()
    return host if "." in host and _HOST.fullmatch(host) else f"{short_host()}.localdomain"


# ---------------------------------------------------------------------------------- epmd


@dataclass(frozen=True, slots=True)
class EpmdSettings:
    """Where the port mapper is, and how one that we start behaves."""

    port: int = EPMD_PORT
    """Its TCP port (``$ERL_EPMD_PORT``), on every host."""
    addresses: tuple[str, ...] = ()
    """Addresses that ours listens on beside loopback (``$ERL_EPMD_ADDRESS``); empty means all."""
    relaxed: bool = False
    """Whether ours may be stopped while names are registered (``$ERL_EPMD_RELAXED_COMMAND_CHECK``)."""


def epmd_settings() -> EpmdSettings:
    """Read epmd's environment variables.  Raises :class:`ConfigError` for a port that is none."""
    return EpmdSettings(
        port=parse_port("$ERL_EPMD_PORT", os.environ.get("ERL_EPMD_PORT") or str(EPMD_PORT)),
        addresses=tuple(re.findall(r"[^\s,]+", os.environ.get("ERL_EPMD_ADDRESS", ""))),
        relaxed="ERL_EPMD_RELAXED_COMMAND_CHECK" in os.environ,
    )


def parse_port(key: str, text: str) -> int:
    """Read a TCP port from ``text``; ``key`` is what the error calls it."""
    if not (text.isascii() and text.isdigit()) or len(text) > 5 or not 1 <= int(text) <= 65535:
        raise ConfigError(key, text, "a TCP port is a number from 1 to 65535")
    return int(text)


def child_environment(epmd_port: int) -> dict[str, str]:
    """Give this process's environment for a child that is to use the port mapper at ``epmd_port``."""
    return {**os.environ, "ERL_EPMD_PORT": str(epmd_port)}


def environment() -> dict[str, str]:
    """Give a copy of the environment, for topologies: libcluster's Kubernetes strategies read some of it."""
    return dict(os.environ)
