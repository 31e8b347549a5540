"""Secrets of second factors, encrypted at rest."""

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings


class Adapter(DefaultMFAAdapter):
    def encrypt(self, text: str) -> str:
        sealed: bytes = _cipher().encrypt(text.encode())
        return sealed.decode()

    def decrypt(self, encrypted_text: str) -> str:
        plain: bytes = _cipher().decrypt(encrypted_text.encode())
        return plain.decode()


def _cipher() -> Any:
    """Encrypts with the present key, and reads what SECRET_KEY_FALLBACKS encrypted as well."""
    from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415

    keys = [settings.MFA_ENCRYPTION_KEY or settings.SECRET_KEY, settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derived(key)) for key in dict.fromkeys(keys)])


def _derived(key: str) -> bytes:
    return urlsafe_b64encode(hmac.new(key.encode(), b"second factors", sha256).digest())
