"""Whom we send to proves who it is."""

import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core.egress import Policy
from core.outbound import Failed, Outbound
from tests.notifications.receiver import Receiver, receiver

LOOPBACK = Policy.of(["127.0.0.0/8", "::1/128"], [443])


class Authority:
    """Signs certificates that nobody else believes in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
        usage = dict.fromkeys([
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign",
            "encipher_only", "decipher_only",
        ], False)  # fmt: skip
        certificate = self._signed(self.name, self.key, [
            (x509.BasicConstraints(ca=True, path_length=None), True), (x509.KeyUsage(**usage, key_cert_sign=True), True),
        ])  # fmt: skip
        self.file = folder / "authority.pem"
        self.file.write_bytes(certificate)

    def server(self, host: str, *, days: int = 1) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        certificate = self._signed(name, key, [(x509.SubjectAlternativeName([x509.DNSName(host)]), False)], days)
        path = self.folder / f"{host}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption(),
        )  # fmt: skip
        path.write_bytes(private + certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _signed(self, name: x509.Name, key: Any, extensions: list[tuple[Any, bool]], days: int = 1) -> bytes:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder().subject_name(name).issuer_name(self.name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=9))
            .not_valid_after(now + timedelta(days=days))
        )  # fmt: skip
        for extension, critical in [
            *extensions,
            (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False),
        ]:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def secured() -> Iterator[Callable[[ssl.SSLContext], Receiver]]:
    with_tls = []

    def start(tls: ssl.SSLContext) -> Receiver:
        entered = receiver(tls)
        with_tls.append(entered)
        return entered.__enter__()

    yield start
    for entered in with_tls:
        entered.__exit__(None, None, None)


def post(listener: Receiver, ca_file: str = "") -> Any:
    sender = Outbound(lambda: LOOPBACK, ca_file=ca_file)
    return sender.post(f"https://localhost:{listener.port}/", content=b"{}", headers={}, within=5, at_most=100)


def test_a_certificate_of_a_known_authority_is_believed(authority: Authority, secured: Any) -> None:
    listener = secured(authority.server("localhost"))
    assert post(listener, str(authority.file)).status == 204
    assert listener.received[0].headers["host"] == f"localhost:{listener.port}"


@pytest.mark.parametrize("host, days, trusted", [("localhost", 1, False), ("other.test", 1, True), ("localhost", -1, True)])
def test_any_other_is_not(host: str, days: int, trusted: bool, authority: Authority, secured: Any) -> None:
    listener = secured(authority.server(host, days=days))
    with pytest.raises(Failed, match="TLS failed"):
        post(listener, str(authority.file) if trusted else "")
    assert not listener.received


def test_a_server_without_tls_is_a_failure(secured: Any) -> None:
    with receiver() as plain, pytest.raises(Failed):
        post(plain)
