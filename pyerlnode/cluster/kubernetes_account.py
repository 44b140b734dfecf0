"""A Kubernetes service account, as it lies in the files of every pod: token, authorities, namespace.

Spec: Kubernetes documentation, "Configure Service Accounts for Pods".  Kubernetes replaces the token about
every hour, so nothing of it is kept.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyerlnode.cluster.http import Trust
from pyerlnode.errors import DiscoveryFailed
from pyerlnode.limits import KIB

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Where Kubernetes puts the files."""
LARGEST_FILE = 64 * KIB
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
"""Names of namespaces and services (RFC 1123)."""


@dataclass(frozen=True, slots=True)
class Account:
    """What a pod says and believes when it asks the API server."""

    token: str = field(repr=False)
    namespace: str
    """Empty when there is no such file."""
    trust: Trust


def read_account(folder: Path) -> Account:
    """The account in a folder as it is now; this blocks.  Raises :class:`DiscoveryFailed`."""
    token = _read(folder / "token")
    if token is None:
        raise DiscoveryFailed(
            f"there is no token in {folder}: is this a pod, and automountServiceAccountToken not off? "
            "kubernetes_service_account_path says where else to look"
        )
    if not token.isascii() or not token.isprintable() or " " in token or not token:
        raise DiscoveryFailed(f"{folder / 'token'} holds no token: it is empty, or not one printable word")
    return Account(token, _read(folder / "namespace") or "", _read_trust(folder / "ca.crt"))


def _read(path: Path) -> str | None:
    """The text of a small file; None when there is none."""
    try:
        with path.open("rb") as file:
            octets = file.read(LARGEST_FILE + 1)
        if len(octets) > LARGEST_FILE:
            raise DiscoveryFailed(f"{path} is larger than {LARGEST_FILE // KIB} KiB")
        return octets.decode().strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DiscoveryFailed(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeError:
        raise DiscoveryFailed(f"{path} is not text") from None


def _read_trust(path: Path) -> Trust:
    """Trust in the authorities of a file and nobody else, or in those of the system when it is not there.

    As kubectl does, and other than OpenSSL by itself: what is in the file is trusted, be it a root or not,
    and certificates need not have all that RFC 5280 asks for (authorities of many clusters do not).
    """
    pem = _read(path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # it verifies certificates, and the names in them
    if pem is None:
        context.load_default_certs()
        return Trust(context, f"the CAs of the system, as there is no {path}")
    try:
        context.load_verify_locations(cadata=pem.encode("ascii", "replace").decode())  # comments
    except ssl.SSLError as error:
        raise DiscoveryFailed(f"{path} holds no certificates that can be read: {error.reason}") from error
    except ValueError as error:
        raise DiscoveryFailed(f"{path} holds no certificates: {error}") from error
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return Trust(context, f"{path}")
