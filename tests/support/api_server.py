"""HTTP services that strategies ask, run by the tests, with whatever can be wrong with them.

    with KubernetesApi() as api:                        # TLS on 127.0.0.1 and a free port: api.netloc
        folder = api.account(tmp_path)                  # token, ca.crt, namespace, as in a pod
        api.set_endpoints("web", "10.0.0.1", "10.0.0.2", labels={"app": "web"})
        api.set_pod("web-0", "10.0.0.1", labels={"app": "web"}, hostname="web-0")
        api.remove("web")
        api.fail(Failure.SERVER_ERROR)                  # from now on
        api.accept("another token")                     # and no other
        api.certify("kubernetes.test", authority=CA())  # from the next connection on
        api.down(), api.up()                            # gone, and back on the same port
        api.mend()
        await api.asked(2)                              # two more requests have come
        api.requests                                    # all of them: path, query, headers

    with RancherMetadata() as rancher:                  # plain HTTP: rancher.url
        rancher.containers = [["10.0.0.1"], ["10.0.0.2", "10.0.1.2"]]

They serve from a thread, so they belong to no event loop; `open_socket` lets one serve in another network
(`tests.support.hosts`).  The API server pages, selects by labels, and answers as Kubernetes does to who may
not ask.
"""

from __future__ import annotations

import asyncio
import enum
import json
import socket
import ssl
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from aiohttp import ThreadedResolver, web
from trustme import CA

from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

    import pytest

PATIENCE = 30.0
"""Seconds for a request to come that a test waits for."""
GOODBYE = 0.1
"""Seconds for answers under way, when a service ends."""
TOKEN = "token-of-the-service-account"
NAMESPACE = "default"
NAME = "kubernetes.default.svc.cluster.local"
"""What the API server is called in every cluster."""


class Failure(enum.Enum):
    """What can be wrong with a service."""

    FORBIDDEN = "403, as Kubernetes says it"
    SERVER_ERROR = "500"
    UNAVAILABLE = "503 of a proxy, in HTML"
    SILENCE = "no answer ever"
    HALF = "the first half of the answer, then the connection is cut"
    HANG_UP = "the connection is cut without an answer"
    NOT_HTTP = "octets that are not HTTP"
    NOT_JSON = "octets that are not JSON"
    SHAPE = "JSON of another shape"
    STATUS = "200 and an object of kind Status"
    REDIRECT = "somewhere else"
    FLOOD = "an answer without an end"
    EXPIRED = "410 for all pages but the first"


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asked."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


class HttpService:
    """One server, from entering its block to leaving it."""

    def __init__(
        self,
        address: str = "127.0.0.1",
        port: int | None = None,
        *,
        open_socket: Callable[[int, int], socket.socket] = socket.socket,
    ) -> None:
        self.address = address
        self.port = port or free_port(address)
        self.failure: Failure | None = None
        self.requests: list[Request] = []
        """Everything that was asked."""
        self._open_socket = open_socket
        self._lock = threading.Lock()
        self._waiting: list[tuple[int, Future[None]]] = []
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None

    @property
    def netloc(self) -> str:
        """``host:port``."""
        return f"{self.address}:{self.port}"

    # What goes wrong

    def fail(self, failure: Failure) -> None:
        """From now on, for whatever is asked."""
        self.failure = failure

    def mend(self) -> None:
        """All is well again."""
        self.failure = None

    # What was asked

    async def asked(self, count: int = 1, timeout: float = PATIENCE) -> None:
        """Returns when `count` more requests have come; each is answered after that, or not."""
        with self._lock:
            total = len(self.requests) + count
        await self.asked_in_all(total, timeout)

    async def asked_in_all(self, total: int, timeout: float = PATIENCE) -> None:
        """Returns when `total` requests have come, at once if they have."""
        future: Future[None] = Future()
        with self._lock:
            if len(self.requests) >= total:
                return
            self._waiting.append((total, future))
        await asyncio.wait_for(asyncio.wrap_future(future), timeout)

    def _note(self, request: web.BaseRequest) -> None:
        with self._lock:
            self.requests.append(Request(request.path, dict(request.query), dict(request.headers)))
            waiting, self._waiting = self._waiting, []
            for count, future in waiting:
                if len(self.requests) < count:
                    self._waiting.append((count, future))
                elif future.set_running_or_notify_cancel():
                    future.set_result(None)

    # Answers

    def answer(self, request: web.BaseRequest) -> tuple[int, Any]:
        """The status and the value that a service in good health answers."""
        raise NotImplementedError

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        self._note(request)
        status, value = self.answer(request)
        failure, transport = self.failure, request.transport
        body = json.dumps(value).encode()
        match failure:
            case Failure.SILENCE:
                await asyncio.Event().wait()
            case Failure.HANG_UP if transport is not None:
                transport.abort()
            case Failure.NOT_HTTP if transport is not None:
                transport.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
                transport.close()
            case Failure.HALF:
                return await self._half(request, body)
            case Failure.FLOOD:
                return await self._flood(request)
            case Failure.UNAVAILABLE:
                return web.Response(status=503, text="<html>\n<h1>503</h1> no server\tis available</html>")
            case Failure.REDIRECT:
                raise web.HTTPFound("https://elsewhere.test/")
            case Failure.NOT_JSON:
                return web.Response(text='{"items": [')
            case Failure.SHAPE:
                return web.json_response([1, 2, 3])
        return web.json_response(value, status=status)

    async def _half(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(body))})
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        if request.transport is not None:
            request.transport.abort() if self._tls is None else request.transport.close()
        return response

    async def _flood(self, request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(4_096):  # 256 MiB is endless enough
            await response.write(b" " * 65536)
            await asyncio.sleep(0)  # a connection that is lost takes all at once, and has to be told
        return response

    # Life

    _tls: ssl.SSLContext | None = None

    def up(self) -> None:
        """Serve, also after :meth:`down`."""
        up: Future[None] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(up)), daemon=True)
        self._thread.start()
        up.result(PATIENCE)

    def down(self) -> None:
        """Be gone: connections are refused."""
        if self._loop and self._ended and self._thread:
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join()
            self._thread = None

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    async def _run(self, up: Future[None]) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        runner = web.ServerRunner(web.Server(self._serve, access_log=None), shutdown_timeout=GOODBYE)
        try:
            await runner.setup()
            site = web.SockSite(runner, self._bound(), ssl_context=self._tls)
            await site.start()
        except BaseException as error:
            up.set_exception(error)
            raise
        up.set_result(None)
        await self._ended.wait()
        await asyncio.wait_for(runner.cleanup(), PATIENCE)

    def _bound(self) -> socket.socket:
        made = self._open_socket(
            socket.AF_INET6 if ":" in self.address else socket.AF_INET, socket.SOCK_STREAM
        )
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setblocking(False)
        made.bind((self.address, self.port))
        return made


class KubernetesApi(HttpService):
    """An API server with endpoints and pods."""

    def __init__(self, address: str = "127.0.0.1", port: int | None = None, **options: Any) -> None:
        super().__init__(address, port, **options)
        self.authority = CA()
        self.page = 0
        """Objects in one answer, if fewer than were asked for."""
        self._token = TOKEN
        self._objects: dict[tuple[str, str], dict[str, Any]] = {}
        self.certify(address, NAME)

    # What there is

    def set_endpoints(self, name: str, *addresses: str | Mapping[str, Any], **settings: Any) -> None:
        """Endpoints of a service: addresses, or whole ones; `labels`, `namespace`, `not_ready`."""
        labels, namespace = settings.get("labels", {"app": name}), settings.get("namespace", NAMESPACE)
        whole = [_endpoint(address, namespace) for address in addresses]
        not_ready = [_endpoint(address, namespace) for address in settings.get("not_ready", ())]
        subsets = [{"addresses": whole, "notReadyAddresses": not_ready, "ports": [{"port": 4369}]}]
        self.put("endpoints", {"metadata": _metadata(name, namespace, labels), "subsets": subsets})

    def set_pod(self, name: str, ip: str | None, **settings: Any) -> None:
        """A pod: `labels`, `namespace`, `hostname`, `phase`, `deleted`."""
        labels, namespace = settings.get("labels", {"app": "web"}), settings.get("namespace", NAMESPACE)
        metadata = _metadata(name, namespace, labels)
        if settings.get("deleted"):
            metadata["deletionTimestamp"] = "2026-11-22T18:00:00Z"
        status = {"phase": settings.get("phase", "Running")} | ({"podIP": ip} if ip else {})
        spec = {"hostname": settings["hostname"]} if "hostname" in settings else {}
        self.put("pods", {"metadata": metadata, "spec": spec, "status": status})

    def put(self, resource: str, value: dict[str, Any]) -> None:
        """Any object."""
        self._objects[resource, value["metadata"]["name"]] = value

    def remove(self, name: str) -> None:
        """Forget the endpoints, or the pod, of this name."""
        self._objects = {key: value for key, value in self._objects.items() if key[1] != name}

    # Who it is, and whom it knows

    def account(self, folder: Path, *, token: str = TOKEN, namespace: str = NAMESPACE) -> Path:
        """Write the files of a service account."""
        folder.mkdir(exist_ok=True)
        (folder / "token").write_text(f"{token}\n")
        (folder / "namespace").write_text(namespace)
        self.authority.cert_pem.write_to_path(folder / "ca.crt")
        return folder

    def accept(self, token: str) -> None:
        """This token from now on, and no other."""
        self._token = token

    def certify(self, *names: str, authority: CA | None = None) -> None:
        """Show a certificate for these names, by its own authority or by another."""
        self._tls = self._tls or ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (authority or self.authority).issue_cert(*names).configure_cert(self._tls)

    # Answers

    def answer(self, request: web.BaseRequest) -> tuple[int, Any]:
        """As Kubernetes answers."""
        *_, namespace, resource = request.path.split("/")
        if request.headers.get("Authorization") != f"Bearer {self._token}":
            return 401, _status(401, "Unauthorized")
        if self.failure is Failure.FORBIDDEN:
            user = f"system:serviceaccount:{NAMESPACE}:default"
            message = (
                f'{resource} is forbidden: User "{user}" cannot list resource "{resource}" '
                f'in API group "" in the namespace "{namespace}"'
            )
            return 403, _status(403, message, reason="Forbidden")
        if self.failure is Failure.SERVER_ERROR:
            return 500, _status(500, "etcdserver: request timed out")
        if self.failure is Failure.STATUS:
            return 200, _status(200, "")
        if self.failure is Failure.EXPIRED and "continue" in request.query:
            return 410, _status(410, "The provided continue parameter is too old", reason="Expired")
        return 200, self._list(resource, namespace, request.query)

    def _list(self, resource: str, namespace: str, query: Mapping[str, str]) -> dict[str, Any]:
        wanted = dict(term.split("=") for term in query["labelSelector"].split(","))
        found = [
            value
            for (kind, _), value in sorted(self._objects.items())
            if kind == resource
            and value["metadata"]["namespace"] == namespace
            and wanted.items() <= value["metadata"]["labels"].items()
        ]
        start, size = int(query.get("continue", 0)), self.page or int(query["limit"])
        left = len(found) - start - size
        metadata = {"continue": str(start + size), "remainingItemCount": left} if left > 0 else {}
        kind = "EndpointsList" if resource == "endpoints" else "PodList"
        items = found[start : start + size]
        return {"kind": kind, "apiVersion": "v1", "metadata": metadata, "items": items}


class RancherMetadata(HttpService):
    """Rancher's metadata service, for a container that asks about its own service."""

    containers: Any = ()
    """For each container its addresses; or whatever else shall be answered for containers."""

    @property
    def url(self) -> str:
        """Where the service is told about."""
        return f"http://{self.netloc}/latest/self/service"

    def answer(self, request: web.BaseRequest) -> tuple[int, Any]:
        """As Rancher answers."""
        if self.failure is Failure.SERVER_ERROR:
            return 500, {"code": 500, "message": "Internal error"}
        if request.path != "/latest/self/service" or "json" not in request.headers["Accept"]:
            return 404, "Not found"
        return 200, {"name": "web", "containers": [_container(given) for given in self.containers]}


def _container(given: Any) -> Any:
    return {"ips": list(given), "state": "running"} if isinstance(given, (list, tuple)) else given


def _endpoint(address: str | Mapping[str, Any], namespace: str) -> dict[str, Any]:
    if isinstance(address, str):
        return {"ip": address, "targetRef": {"kind": "Pod", "namespace": namespace}}
    return dict(address)


def _metadata(name: str, namespace: str, labels: Mapping[str, str]) -> dict[str, Any]:
    return {"name": name, "namespace": namespace, "labels": dict(labels)}


def _status(code: int, message: str, **more: str) -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": message,
        "code": code,
    } | more


def unresolved(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on no name is known to aiohttp, without anybody's DNS being asked."""

    async def resolve(*_: Any, **__: Any) -> Any:
        raise OSError(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(ThreadedResolver, "resolve", resolve)
