"""The HTTP client of strategies, against real servers on this machine."""

from __future__ import annotations

import socket
import ssl
import sys
from typing import TYPE_CHECKING

import pytest
from trustme import CA

from pyerlnode.cluster.http import Answer, Client, Trust, check_installed, readable
from pyerlnode.errors import ConfigError, DiscoveryFailed
from tests.support.api_server import TOKEN, Failure, KubernetesApi, RancherMetadata, unresolved

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = "api/v1/namespaces/default/endpoints?labelSelector=app%3Dweb&limit=100"


@pytest.fixture
def api() -> Iterator[KubernetesApi]:
    with KubernetesApi() as api:
        api.set_endpoints("web", "10.0.0.1")
        yield api


@pytest.fixture
def plain() -> Iterator[RancherMetadata]:
    with RancherMetadata() as server:
        server.containers = [["10.0.0.1"], ["10.0.0.2"]]
        yield server


def trust(api: KubernetesApi) -> Trust:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    api.authority.configure_trust(context)
    return Trust(context, "the test's CA")


async def ask(url: str, **options: object) -> Answer:
    settings = {"seconds": 20.0, "token": TOKEN} | options
    async with Client("kubernetes", "kubernetes_master", **settings) as client:  # type: ignore[arg-type]
        answer = await client.get(url)
        client.json(answer)
    return answer


async def failure(url: str, **options: object) -> str:
    with pytest.raises(DiscoveryFailed) as caught:
        await ask(url, **options)
    assert caught.value.__cause__ is None
    assert TOKEN not in str(caught.value)
    return str(caught.value)


class TestAnswers:
    async def test_it_asks_with_its_token_for_json_that_is_not_compressed(self, api: KubernetesApi) -> None:
        answer = await ask(f"https://{api.netloc}/{PATH}", trust=trust(api))
        assert (answer.status, answer.reason) == (200, "OK")
        assert b"10.0.0.1" in answer.body
        headers = api.requests[0].headers
        assert headers["Authorization"] == f"Bearer {TOKEN}"
        assert headers["Accept"] == "application/json"
        assert headers["Accept-Encoding"] == "identity"
        assert api.requests[0].query["labelSelector"] == "app=web"

    async def test_a_proxy_of_the_environment_is_not_used(
        self, plain: RancherMetadata, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        assert (await ask(plain.url, token="")).status == 200
        assert "Authorization" not in plain.requests[0].headers

    async def test_several_questions_share_a_connection(self, api: KubernetesApi) -> None:
        url = f"https://{api.netloc}/{PATH}"
        async with Client("kubernetes", "x", seconds=20, token=TOKEN, trust=trust(api)) as client:
            await client.get(url)
            await client.get(url)
            assert len(api.requests) == 2

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            (b'{"message": "no\\nsuch\\tthing"}', "no such thing"),
            (b'{"message": 5}', '{"message": 5}'),
            (b"[1]", "[1]"),
            (b"<h1>\x1b[31mno \xff</h1>\n", "<h1> [31mno \N{REPLACEMENT CHARACTER}</h1>"),
            (b"[" * 100_000, "[" * 300),
            (b"", ""),
        ],
    )
    def test_its_message_is_fit_to_print(self, body: bytes, message: str) -> None:
        assert Answer(500, "", body).message == message

    def test_readable_text_is_cut(self) -> None:
        assert readable("x" * 301) == f"{'x' * 300}..."


class TestFailures:
    async def test_a_refusal(self, plain: RancherMetadata) -> None:
        plain.fail(Failure.UNAVAILABLE)
        expected = (
            "cannot query kubernetes (503 Service Unavailable): <html> <h1>503</h1> no server is available"
        )
        assert (await failure(plain.url)).startswith(expected)

    async def test_a_redirect_is_not_followed(self, plain: RancherMetadata) -> None:
        plain.fail(Failure.REDIRECT)
        assert await failure(plain.url) == "cannot query kubernetes (302 Found): 302: Found"
        assert len(plain.requests) == 1

    async def test_nonsense(self, plain: RancherMetadata) -> None:
        plain.fail(Failure.NOT_JSON)
        text = """request to kubernetes failed!: the answer is not JSON: '{"items": ['"""
        assert await failure(plain.url) == text

    async def test_it_is_not_http(self, plain: RancherMetadata) -> None:
        plain.fail(Failure.NOT_HTTP)
        assert "ClientResponseError: 400" in await failure(plain.url)

    async def test_no_answer(self, plain: RancherMetadata) -> None:
        plain.fail(Failure.SILENCE)
        text = f"request to kubernetes failed!: {plain.netloc} gave no answer within 0.2 s"
        assert await failure(plain.url, seconds=0.2) == text

    async def test_an_answer_that_never_ends(self, plain: RancherMetadata) -> None:
        plain.fail(Failure.FLOOD)
        text = "request to kubernetes failed!: the answer is longer than 8 MiB"
        assert await failure(plain.url) == text

    @pytest.mark.parametrize("wrong", [Failure.HALF, Failure.HANG_UP])
    async def test_a_cut_answer(self, plain: RancherMetadata, api: KubernetesApi, wrong: Failure) -> None:
        plain.fail(wrong)
        api.fail(wrong)
        for url, netloc in ((plain.url, plain.netloc), (f"https://{api.netloc}/{PATH}", api.netloc)):
            why = f"{netloc} cut the connection before its answer was complete"
            assert await failure(url, trust=trust(api)) == f"request to kubernetes failed!: {why}"

    async def test_nobody_there(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            netloc = f"127.0.0.1:{unused.getsockname()[1]}"
            text = f"request to kubernetes failed!: {netloc} cannot be reached: Connection refused"
            assert await failure(f"http://{netloc}/") == text
            text = await failure(f"http://localhost:{unused.getsockname()[1]}/")
        assert "cannot be reached: " in text
        assert "refused" in text.lower() or "failed" in text

    async def test_no_such_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        unresolved(monkeypatch)
        why = "the name of api.invalid:6443 cannot be resolved; is kubernetes_master right?"
        assert await failure("https://api.invalid:6443/") == f"request to kubernetes failed!: {why}"

    async def test_a_url_that_is_none(self) -> None:
        assert "InvalidUrlClientError" in await failure("http://")

    async def test_a_token_that_the_server_repeats_is_not_shown(self, plain: RancherMetadata) -> None:
        plain.containers = []
        text = await failure(plain.url.replace("latest", TOKEN), token="found")
        assert "found" not in text
        assert text.endswith('"Not ***"')

    async def test_it_may_be_refused_in_other_words(self) -> None:
        client = Client("kubernetes", "x", seconds=1)
        error = client.refused(Answer(403, "Forbidden", b""), word="unauthorized", cure="do this")
        assert str(error) == "cannot query kubernetes (unauthorized); do this"
        assert str(client.refused(Answer(500, "", b""))) == "cannot query kubernetes (500)"


class TestTls:
    async def test_a_certificate_of_somebody_else_is_refused(self, api: KubernetesApi) -> None:
        api.certify("127.0.0.1", authority=CA())
        text = await failure(f"https://{api.netloc}/{PATH}", trust=trust(api))
        why = f"the certificate of {api.netloc} does not verify against the test's CA ("
        assert text.startswith(f"request to kubernetes failed!: {why}")
        assert api.requests == []

    async def test_so_it_is_by_default(self, api: KubernetesApi) -> None:
        text = await failure(f"https://{api.netloc}/{PATH}")
        assert "does not verify against the CAs of the system (" in text
        assert api.requests == []

    @pytest.mark.parametrize("name", ["10.0.0.1", "other.test"])
    async def test_a_certificate_for_another_name_is_refused(self, api: KubernetesApi, name: str) -> None:
        api.certify(name)
        for host in ("127.0.0.1", "localhost"):
            text = await failure(f"https://{host}:{api.port}/{PATH}", trust=trust(api))
            why = f"{host}:{api.port} shows a certificate for other names ("
            assert text.startswith(f"request to kubernetes failed!: {why}")
            assert text.endswith("; give kubernetes_master one of those")
        assert api.requests == []

    async def test_a_server_without_tls(self, plain: RancherMetadata) -> None:
        text = await failure(plain.url.replace("http", "https"))
        assert f"{plain.netloc} does not speak TLS as it should (" in text


def test_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    check_installed("Kubernetes")
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(ConfigError, match=r'not installed: pip install "pyerlnode\[kubernetes\]"'):
        check_installed("Kubernetes")
