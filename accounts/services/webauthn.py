"""Security keys and passkeys. Imported when one is used: fido2 is slow."""

from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal.auth import WebAuthn, get_credentials
from cryptography.exceptions import InvalidSignature
from django.core import signing
from django.utils import timezone
from fido2.server import Fido2Server
from fido2.webauthn import (
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    UserVerificationRequirement,
)  # fmt: skip

from accounts.models import User
from accounts.services.second_factors import WEBAUTHN, webauthn_add
from core.errors import Invalid

SALT = "accounts.webauthn-setup"
SETUP_SECONDS = 300
LARGEST_NAME = 60

# What fido2 raises for what is no credential, is forged or belongs to another challenge.
_WRONG = (ValueError, TypeError, KeyError, AttributeError, signing.BadSignature, InvalidSignature)

type Options = dict[str, Any]


def register_begin(*, user: User, host: str) -> tuple[Options, str]:
    """What the browser's `navigator.credentials.create` takes, and the token that its answer comes back with."""
    person = PublicKeyCredentialUserEntity(id=user.pk.bytes, name=user.email, display_name=user.name)
    options, state = _server(host).register_begin(
        person, get_credentials(user), user_verification=UserVerificationRequirement.PREFERRED,
    )
    return dict(options), signing.dumps([str(user.pk), state], salt=SALT)


def register_complete(*, user: User, host: str, token: str, name: str, credential: Options) -> None:
    """Raises Invalid."""
    try:
        owner, state = signing.loads(token, salt=SALT, max_age=SETUP_SECONDS)
        if owner != str(user.pk):
            raise ValueError("another person's")
        _server(host).register_complete(state, RegistrationResponse.from_dict(credential))
        known = {found.credential_id for found in get_credentials(user)}
        if RegistrationResponse.from_dict(credential).raw_id in known:
            raise ValueError("registered before")
    except _WRONG as error:
        raise Invalid("The security key's answer is not valid: begin again.", code="wrong_credential") from error
    webauthn_add(user=user, name=name.strip()[:LARGEST_NAME] or "Security key", credential=credential)


def authenticate_begin(*, user: User, host: str) -> tuple[Options, Any]:
    options, state = _server(host).authenticate_begin(
        get_credentials(user), user_verification=UserVerificationRequirement.PREFERRED,
    )
    return dict(options), state


def assertion_matches(*, user: User, host: str, state: Any, credential: Options) -> bool:
    try:
        binding = _server(host).authenticate_complete(state, get_credentials(user), credential)
        count = AuthenticationResponse.from_dict(credential).response.authenticator_data.counter
    except _WRONG:
        return False
    return _count(user.pk, binding.credential_id, count)


def _count(user_id: UUID, credential_id: bytes, count: int) -> bool:
    """A key that counts and does not count up may be a copy (WebAuthn, 6.1.1)."""
    for row in Authenticator.objects.select_for_update().filter(user_id=user_id, type=WEBAUTHN):
        if WebAuthn(row).authenticator_data.credential_data.credential_id == credential_id:
            if count and count <= row.data.get("count", 0):
                return False
            row.data["count"], row.last_used_at = count, timezone.now()
            row.save(update_fields=["data", "last_used_at"])
            return True
    return False


def _server(host: str) -> Fido2Server:
    return Fido2Server(PublicKeyCredentialRpEntity(id=host, name="Quartermaster"))
