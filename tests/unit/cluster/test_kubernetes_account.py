"""Service accounts: what is read, whom it trusts, and what is wrong with the files."""

from __future__ import annotations

import re
import ssl
from typing import TYPE_CHECKING

import pytest

from pyerlnode.cluster.kubernetes_account import LABEL, read_account
from pyerlnode.errors import DiscoveryFailed
from tests.support.api_server import KubernetesApi

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return KubernetesApi().account(tmp_path / "account", token="abc.def", namespace="ns-1\n")


class TestFiles:
    def test_all_of_it_is_read_and_the_token_is_not_shown(self, folder: Path) -> None:
        account = read_account(folder)
        assert (account.token, account.namespace) == ("abc.def", "ns-1")
        assert account.trust.source == str(folder / "ca.crt")
        assert "abc.def" not in repr(account)

    def test_a_new_token_is_seen(self, folder: Path) -> None:
        read_account(folder)
        (folder / "token").write_text("new")
        assert read_account(folder).token == "new"

    def test_no_namespace(self, folder: Path) -> None:
        (folder / "namespace").unlink()
        assert read_account(folder).namespace == ""

    def test_no_token(self, tmp_path: Path) -> None:
        with pytest.raises(DiscoveryFailed, match=f"no token in {re.escape(str(tmp_path))}: is this a pod"):
            read_account(tmp_path)

    @pytest.mark.parametrize("token", ["", "two words", "a\nb", "\x00", "tök"])
    def test_what_is_no_token(self, folder: Path, token: str) -> None:
        (folder / "token").write_text(token)
        with pytest.raises(DiscoveryFailed, match="holds no token: it is empty, or not one") as caught:
            read_account(folder)
        assert not token or token not in str(caught.value)

    def test_what_is_no_text(self, folder: Path) -> None:
        (folder / "token").write_bytes(b"\xff")
        with pytest.raises(DiscoveryFailed, match="token is not text"):
            read_account(folder)

    def test_what_is_too_large(self, folder: Path) -> None:
        (folder / "ca.crt").write_text("x" * 70_000)
        with pytest.raises(DiscoveryFailed, match=r"ca\.crt is larger than 64 KiB"):
            read_account(folder)

    def test_what_cannot_be_read(self, folder: Path) -> None:
        (folder / "namespace").unlink()
        (folder / "namespace").mkdir()
        with pytest.raises(DiscoveryFailed, match="namespace cannot be read: Is a directory"):
            read_account(folder)


class TestTrust:
    def test_certificates_and_names_are_always_verified(self, folder: Path) -> None:
        for _ in range(2):
            context = read_account(folder).trust.context
            assert context is not None
            assert context.verify_mode is ssl.CERT_REQUIRED
            assert context.check_hostname
            (folder / "ca.crt").unlink(missing_ok=True)

    def test_only_the_authority_in_the_file_is_trusted(self, folder: Path) -> None:
        context = read_account(folder).trust.context
        assert context is not None
        assert len(context.get_ca_certs()) == 1

    def test_comments_may_be_in_any_language(self, folder: Path) -> None:
        (folder / "ca.crt").write_text(f"# für uns\n{(folder / 'ca.crt').read_text()}")
        context = read_account(folder).trust.context
        assert context is not None
        assert len(context.get_ca_certs()) == 1

    def test_without_a_file_it_is_the_systems(self, folder: Path) -> None:
        (folder / "ca.crt").unlink()
        assert (
            read_account(folder).trust.source == f"the CAs of the system, as there is no {folder / 'ca.crt'}"
        )

    @pytest.mark.parametrize(
        ("pem", "text"),
        [
            ("", "holds no certificates"),
            ("nothing", "holds no certificates"),
            ("\xe9", "holds no certificates"),
            ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "holds no certificates"),
        ],
    )
    def test_a_file_without_certificates(self, folder: Path, pem: str, text: str) -> None:
        (folder / "ca.crt").write_text(pem)
        with pytest.raises(DiscoveryFailed, match=f"ca.crt {text}"):
            read_account(folder)


@pytest.mark.parametrize(
    ("name", "fits"),
    [("a", True), ("my-app2", True), ("-a", False), ("A", False), ("a/b", False), ("", False)],
)
def test_names_of_namespaces(name: str, fits: bool) -> None:
    assert bool(LABEL.fullmatch(name)) is fits
