"""People with second factors, and a security key made of software."""

import json
import time
from hashlib import sha256
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import Aaguid, AttestedCredentialData, AuthenticatorData, CollectedClientData

from accounts.models import User
from accounts.services.second_factors import totp_activate, totp_begin
from tests.companies import PASSWORD, Api

TOKEN, SECOND = "/api/v1/auth/token/", "/api/v1/auth/token/second-factor/"
OWN = "/api/v1/me/second-factors/"
ORIGIN = "http://localhost"


def code_of(secret: str, periods: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + periods))


def enrolled(user: User) -> str:
    """With an authenticator app, none of whose codes is used up. The secret."""
    setup = totp_begin(user=user)
    totp_activate(user=user, token=setup.token, code=code_of(setup.secret))
    row = Authenticator.objects.get(user_id=user.pk, type="totp")
    row.data["counter"] = 0
    row.save()
    return setup.secret


def begin(email: str, password: str = PASSWORD, **options: Any) -> Any:
    return Api().send("post", TOKEN, {"email": email, "password": password}, **options)


def complete(challenge: str, api: Api | None = None, **answer: Any) -> Any:
    return (api or Api()).send("post", SECOND, {"challenge": challenge, **answer})


def signed_in_by_code(email: str, secret: str, periods: int = 0) -> Api:
    answer = complete(begin(email).json()["challenge"], code=code_of(secret, periods)).json()
    return Api(f"Bearer {answer['access_token']}")


class SecurityKey:
    """Answers as a browser with a key does, by Web Authentication level 2."""

    def __init__(self) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.id = sha256(str(id(self)).encode()).digest()
        self.count = 0

    def create(self, options: Any, origin: str = ORIGIN) -> dict[str, Any]:
        wanted = options["publicKey"]
        public = ES256.from_cryptography_key(self.private.public_key())
        data = AuthenticatorData.create(
            sha256(wanted["rp"]["id"].encode()).digest(), AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.AT, self.count,
            AttestedCredentialData.create(Aaguid(b"\0" * 16), self.id, public),
        )
        client = self._client("webauthn.create", wanted["challenge"], origin)
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": bytes(data)})
        return self._answer(clientDataJSON=websafe_encode(client), attestationObject=websafe_encode(attestation))

    def get(self, options: Any, origin: str = ORIGIN) -> dict[str, Any]:
        wanted = options["publicKey"]
        assert [websafe_decode(one["id"]) for one in wanted["allowCredentials"]] == [self.id]
        self.count += 1
        data = AuthenticatorData.create(sha256(wanted["rpId"].encode()).digest(), AuthenticatorData.FLAG.UP, self.count)
        client = self._client("webauthn.get", wanted["challenge"], origin)
        signature = self.private.sign(bytes(data) + sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            clientDataJSON=websafe_encode(client), authenticatorData=websafe_encode(data), signature=websafe_encode(signature),
        )

    def _client(self, kind: str, challenge: str, origin: str) -> bytes:
        client = CollectedClientData.create(kind, websafe_decode(challenge), origin)
        assert json.loads(client)["challenge"] == challenge
        return bytes(client)

    def _answer(self, **response: str) -> dict[str, Any]:
        key = websafe_encode(self.id)
        return {"id": key, "rawId": key, "type": "public-key", "response": response, "clientExtensionResults": {}}
