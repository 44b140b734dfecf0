"""Which cookie: the one given, the environment's, or that of the file that Erlang keeps.

ERTS ``erl`` (``-setcookie``).  ``$ERLANG_COOKIE`` and the ``PYERLNODE_`` variables are additions;
``$RELEASE_COOKIE`` is that of Mix releases.  Errors never hold a cookie.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pyerlnode.config.cookie_file import (
    check_cookie,
    cookie_paths,
    make_cookie_file,
    read_cookie_file,
    read_named_cookie_file,
)
from pyerlnode.config.environment import environment, variable

if TYPE_CHECKING:
    from collections.abc import Mapping


def read_cookie(explicit: str | None = None) -> str:
    """Give the cookie: ``explicit``, else ``$ERLANG_COOKIE``, else the cookie file's, made if absent.

    Raises :class:`ConfigError` when the one found cannot be used.
    """
    if explicit is not None:
        return check_cookie("cookie", explicit)
    if (value := environment().get("ERLANG_COOKIE")) is not None:
        return check_cookie("$ERLANG_COOKIE", value)
    for path in cookie_paths():
        if (text := read_cookie_file(path)) is not None:
            return text
    return make_cookie_file(cookie_paths()[0])


def cookie_from(environ: Mapping[str, str]) -> str | None:
    """Give the cookie that the environment has for a command or a container, ``None`` when it has none.

    ``$PYERLNODE_COOKIE``, the file that ``$PYERLNODE_COOKIE_FILE`` names, ``$RELEASE_COOKIE``,
    ``$ERLANG_COOKIE``: the first that is set, an empty cookie too, which is an error.
    Raises :class:`ConfigError`.
    """
    if (value := environ.get("PYERLNODE_COOKIE")) is not None:
        return check_cookie("$PYERLNODE_COOKIE", value)
    if (path := variable(environ, "COOKIE_FILE")) is not None:
        return read_named_cookie_file("$PYERLNODE_COOKIE_FILE", os.path.expanduser(path))
    for name in ("RELEASE_COOKIE", "ERLANG_COOKIE"):
        if (value := environ.get(name)) is not None:
            return check_cookie(f"${name}", value)
    return None
