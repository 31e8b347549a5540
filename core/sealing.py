"""Secrets that must be read again, encrypted at rest by AES-256-GCM with a key derived from SECRET_KEY."""

import hmac
import os
from hashlib import sha256
from typing import Any

from django.conf import settings

NONCE = 12  # bytes, of AES-GCM


class BrokenSeal(Exception):
    """Sealed with another SECRET_KEY, for another purpose or with another passphrase, or changed since."""


def seal(plain: bytes, *, purpose: str, passphrase: str = "") -> bytes:
    """`purpose` binds it to its place; with a `passphrase`, which is kept nowhere, nobody opens it without that."""
    nonce = os.urandom(NONCE)
    sealed: bytes = _cipher(settings.SECRET_KEY, purpose, passphrase).encrypt(nonce, plain, None)
    return nonce + sealed


def unseal(sealed: bytes, *, purpose: str, passphrase: str = "") -> bytes:
    """Raises BrokenSeal. SECRET_KEY_FALLBACKS are tried too."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415

    sealed = bytes(sealed)
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            plain: bytes = _cipher(secret, purpose, passphrase).decrypt(sealed[:NONCE], sealed[NONCE:], None)
        except InvalidTag:
            continue
        return plain
    raise BrokenSeal(purpose)


def _cipher(secret: str, purpose: str, passphrase: str) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    return AESGCM(hmac.new(secret.encode(), f"seal\0{purpose}\0{passphrase}".encode(), sha256).digest())
