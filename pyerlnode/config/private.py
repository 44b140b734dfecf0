"""Files that may hold a secret: read once, together with who else can read them."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from pyerlnode.errors import ConfigError

if TYPE_CHECKING:
    from typing import TypeAlias

PathLike: TypeAlias = "str | os.PathLike[str]"
"""A file's path, with or without :mod:`pathlib`, which a node does not need to start."""


def read_regular(key: str, path: PathLike, limit: int) -> tuple[bytes, os.stat_result] | None:
    """Give at most ``limit`` bytes of the file and its attributes, ``None`` when there is no such file.

    ``key`` is what the :class:`ConfigError` calls it, for what is no regular file or cannot be read.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a FIFO of that name must not make us wait
        try:
            found = os.fstat(file)
            if not stat.S_ISREG(found.st_mode):
                raise ConfigError(key, str(path), "it is not a regular file: give another")
            return _read(file, limit), found
        finally:
            os.close(file)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        why = getattr(error, "strerror", None) or f"{error}"
        raise ConfigError(key, str(path), f"it cannot be read: {why}") from error


def _read(file: int, limit: int) -> bytes:
    data = b""
    while len(data) < limit and (more := os.read(file, limit - len(data))):
        data += more
    return data


def is_private(found: os.stat_result) -> bool:
    """Whether nobody but its owner can reach the file: Erlang's rule for cookies."""
    return not found.st_mode & 0o077


def is_handed_out(found: os.stat_result) -> bool:
    """Whether the file is private, or root's and readable for our group alone: an orchestrator's secret.

    Kubernetes mounts secrets so for processes that do not run as root.
    """
    lent = found.st_uid == 0 and os.geteuid() != 0 and not found.st_mode & 0o037
    return is_private(found) or lent
