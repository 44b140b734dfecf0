"""A thin HTTP client for strategies: GET, bounded in time and size, and TLS that is always verified.

It is aiohttp (``pip install "pyerlnode[kubernetes]"``) with all doors shut that a look-up does not need: no
redirects, proxies, cookies or compression.  Whatever goes wrong is a :class:`DiscoveryFailed` that reads as
libcluster's log lines do, with the cure where there is one.  It never holds the token, nor aiohttp's own
error, which does.
"""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from pyerlnode.errors import ConfigError, DiscoveryFailed
from pyerlnode.limits import MIB

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    import aiohttp

LARGEST = 8 * MIB
"""Bytes of one answer.  What is larger is not read."""
SHOWN = 300
"""Characters of an answer that an error shows."""
WRONG_NAME = frozenset({62, 64})
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""


def check_installed(strategy: str) -> None:
    """Raise :class:`ConfigError` when there is no aiohttp, which `strategy` needs."""
    try:
        import_module("aiohttp")
    except ImportError as error:
        cure = 'it needs aiohttp, which is not installed: pip install "pyerlnode[kubernetes]"'
        raise ConfigError("strategy", strategy, cure) from error


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said."""

    status: int
    reason: str
    body: bytes

    @property
    def message(self) -> str:
        """What it says to people: the ``message`` of a JSON object, or the body's beginning."""
        try:
            message = json.loads(self.body)["message"]
        except (ValueError, TypeError, KeyError, RecursionError):
            message = None
        return readable(message if isinstance(message, str) else self.body[:SHOWN].decode(errors="replace"))


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom to believe: certificate authorities, and what to call them in an error."""

    context: ssl.SSLContext | None = None
    """None: those of the system."""
    source: str = "the CAs of the system"


class Client:
    """Asks one service, from entering its block to leaving it.

    `service` is how errors call it, `option` what to change when its address is wrong, `seconds` what each
    request may take as a whole, `token` what it is shown, if anything.
    """

    def __init__(
        self,
        service: str,
        option: str,
        *,
        seconds: float,
        token: str = "",
        trust: Trust | None = None,
        largest: int = LARGEST,
    ) -> None:
        self._service = service
        self._option = option
        self._seconds = seconds
        self._token = token
        self._trust = trust or Trust()
        self._largest = largest

    async def __aenter__(self) -> Self:
        import aiohttp  # noqa: PLC0415  an extra, and slow to load

        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=self._trust.context or True, resolver=aiohttp.ThreadedResolver(), use_dns_cache=False
            ),
            headers=headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            auto_decompress=False,
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def get(self, url: str) -> Answer:
        """What `url` answers, whatever its status.  Raises :class:`DiscoveryFailed`."""
        import aiohttp  # noqa: PLC0415

        server = urlsplit(url).netloc
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._session.get(url, allow_redirects=False) as response,
            ):
                return Answer(response.status, readable(response.reason or ""), await self._body(response))
        except TimeoutError:
            why = f"{server} gave no answer within {self._seconds:g} s"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            why = self._explain(server, error)
        raise self.failed(why)

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > self._largest:
                raise self.failed(f"the answer is longer than {self._largest / MIB:g} MiB")
        return bytes(body)

    def json(self, answer: Answer) -> Any:
        """The value that an answer holds.  Raises :class:`DiscoveryFailed`."""
        if answer.status != 200:
            raise self.refused(answer)
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError):
            raise self.failed(f"the answer is not JSON: {answer.message!r}") from None

    # errors ----------------------------------------------------------------------------

    def failed(self, why: str) -> DiscoveryFailed:
        """An error for a question that got no useful answer."""
        return DiscoveryFailed(self._clean(f"request to {self._service} failed!: {why}"))

    def refused(self, answer: Answer, *, word: str = "", cure: str = "") -> DiscoveryFailed:
        """An error for an answer that is a refusal; `word` says so in place of its status."""
        word = word or f"{answer.status} {answer.reason}".strip()
        said = f": {answer.message}" if answer.message else ""
        text = f"cannot query {self._service} ({word}){said}"
        return DiscoveryFailed(self._clean(f"{text}; {cure}" if cure else text))

    def _clean(self, text: str) -> str:
        return text.replace(self._token, "***") if self._token else text

    def _explain(self, server: str, error: Exception) -> str:
        import aiohttp  # noqa: PLC0415

        match error:
            case aiohttp.ClientConnectorCertificateError():
                return self._explain_certificate(server, error.certificate_error)
            case aiohttp.ClientConnectorDNSError():
                return f"the name of {server} cannot be resolved; is {self._option} right?"
            case aiohttp.ClientConnectorSSLError():
                return f"{server} does not speak TLS as it should ({error.strerror})"
            case aiohttp.ClientConnectorError(os_error=reason):
                why = os.strerror(reason.errno) if reason.errno else readable(str(reason))
                return f"{server} cannot be reached: {why}"
            case aiohttp.ClientPayloadError() | aiohttp.ServerDisconnectedError() | aiohttp.ClientOSError():
                return f"{server} cut the connection before its answer was complete"
            case _:
                return f"{server}: {type(error).__name__}: {readable(str(error))}"

    def _explain_certificate(self, server: str, error: Any) -> str:
        why = readable(getattr(error, "verify_message", "") or str(error))
        if getattr(error, "verify_code", None) in WRONG_NAME:
            return f"{server} shows a certificate for other names ({why}); give {self._option} one of those"
        return f"the certificate of {server} does not verify against {self._trust.source} ({why})"


def readable(text: str) -> str:
    """Bring the beginning of any text into one printable line."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: SHOWN + 1]).split())
    return f"{line[:SHOWN]}..." if len(text) > SHOWN else line
