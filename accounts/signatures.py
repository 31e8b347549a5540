"""Signed requests: what an API key that requires it must show besides itself. docs/guide/api-keys.md has a client.

X-Signature: t=<unix time>,nonce=<letters and digits>,v1=<hex HMAC-SHA256 of t.nonce.METHOD.path?query.hex SHA-256 of the body>
"""

import hmac
import re
import time
from hashlib import sha256
from typing import Any

from django.core.exceptions import RequestDataTooBig

from accounts.principal import KeyClaim
from accounts.services.keys import SIGNING, nonce_use
from core.errors import NotAuthenticated
from core.sealing import BrokenSeal, unseal

HEADER = "X-Signature"
FORM = re.compile(r"t=([0-9]{1,12}),nonce=([A-Za-z0-9_-]{8,64}),v1=([0-9a-f]{64})")
WINDOW = 300  # seconds that a clock may be wrong, either way


def check_signature(request: Any, claim: KeyClaim) -> None:
    """Raises NotAuthenticated, with a code of its own for each reason."""
    if claim.signing_secret is None:
        return
    if (given := request.headers.get(HEADER)) is None:
        raise NotAuthenticated(f"This API key signs its requests: add {HEADER}.", code="signature_missing")
    if (found := FORM.fullmatch(given)) is None:
        form = "t=<unix time>,nonce=<8 to 64 of A-Z a-z 0-9 _ ->,v1=<64 hex digits>"
        raise NotAuthenticated(f"{HEADER} is written {form}.", code="signature_invalid")
    moment, nonce, signature = found.groups()
    if not hmac.compare_digest(signature, _expected(claim.signing_secret, _signed(request, moment, nonce))):
        raise NotAuthenticated("The signature does not fit this request and this key.", code="signature_invalid")
    if abs(time.time() - int(moment)) > WINDOW:
        detail = f"The signature is more than {WINDOW} s away from our clock: sign each request as it is sent."
        raise NotAuthenticated(detail, code="signature_expired")
    if not nonce_use(organization_id=claim.organization_id, api_key_id=claim.api_key_id, nonce=nonce, keep=2 * WINDOW):
        raise NotAuthenticated("This signature was used before: sign each request anew.", code="signature_replayed")


def _expected(sealed: bytes, text: bytes) -> str:
    """Empty, as no signature is, where the secret was sealed with a SECRET_KEY that is gone."""
    try:
        return hmac.new(unseal(sealed, purpose=SIGNING), text, sha256).hexdigest()
    except BrokenSeal:
        return ""


def _signed(request: Any, moment: str, nonce: str) -> bytes:
    """The path without percent-encoding, because servers decode it before we see it, but for %3F; the query as it was sent."""
    query = request.META.get("QUERY_STRING", "")
    path = request.path.replace("?", "%3F")  # one in the path must not pass for the one that begins the query
    address = f"{path}?{query}" if query else path
    try:
        body = sha256(request.body).hexdigest()
    except RequestDataTooBig as error:
        detail = "The body is too large to be signed: send it in parts."
        raise NotAuthenticated(detail, code="signature_body_too_large") from error
    return ".".join([moment, nonce, request.method, address, body]).encode()
