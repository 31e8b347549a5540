"""An identity provider of the tests: it publishes keys over HTTP and signs whatever it is asked to."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from accounts.models import IdentityProvider
from accounts.services.providers import identity_provider_approve
from tests.companies import Company

AUDIENCE = "client-1"


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@dataclass
class Issuer:
    url: str
    keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=lambda: {"key-1": new_key()})
    questions: int = 0  # how often its keys were asked for
    is_down: bool = False
    nonsense: bytes = b""  # in the place of the keys

    def published(self) -> bytes:
        if self.nonsense:
            return self.nonsense
        public = {kid: RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) for kid, key in self.keys.items()}
        return json.dumps({"keys": [key | {"kid": kid, "use": "sig"} for kid, key in public.items()]}).encode()

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Those of Cognito's access tokens; a change to None leaves one out."""
        now = int(time.time())
        standard = {
            "iss": self.url, "sub": "subject-1", "client_id": AUDIENCE, "token_use": "access", "scope": "openid",
            "iat": now, "exp": now + 3600, "username": "lena",
        }  # fmt: skip
        return {name: value for name, value in {**standard, **changes}.items() if value is not None}

    def token(self, *, kid: str = "key-1", algorithm: str = "RS256", key: Any = None, typ: str = "JWT", **changes: Any) -> str:
        signing = key if key is not None else self.keys[kid]
        return jwt.encode(self.claims(**changes), signing, algorithm=algorithm, headers={"kid": kid, "typ": typ})


@contextmanager
def running_issuer() -> Iterator[Issuer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name that http.server gives
            issuer.questions += 1
            body = issuer.published()
            self.send_response(500 if issuer.is_down or not self.path.endswith("jwks.json") else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    # The path is new each time, because key sets are kept by their address.
    issuer = Issuer(f"http://127.0.0.1:{server.server_port}/{uuid4().hex}")
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def provider_of(company: Company, issuer: Issuer, *, approved: bool = True, **values: Any) -> IdentityProvider:
    with company.scope():
        provider = IdentityProvider.objects.create(
            **{"name": "Staff", "issuer": issuer.url, "audience": AUDIENCE, "creates_members": True, **values}
        )
    if approved:
        [provider] = identity_provider_approve(organization_id=company.organization.pk, issuer=issuer.url)
    return provider
