"""Idempotency-Key: a request that is repeated with its key is answered as before, and has one effect.

Used inside the scope, where the answer is kept in the transaction of the effect: both are there or neither. A request
that is refused (400 and above) is rolled back and leaves no record, so it may be repeated with the same key.
"""

import hmac
import re
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpResponse

from accounts.principal import Principal
from accounts.services.traffic import KeptAnswer, StillRunning, idempotency_begin, idempotency_keep
from core.problems import json_response, problem
from core.sealing import seal, unseal

HEADER = "Idempotency-Key"
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
FORM = re.compile(r"[\x20-\x7e]{1,255}")
REPEATED = ("Content-Type", "Location", "ETag", "Last-Modified", "Cache-Control")
LARGEST_ANSWER = 1024 * 1024
PURPOSE = "idempotency"


def idempotent(request: Any, principal: Principal, get_response: Any) -> Any:
    key = request.headers.get(HEADER)
    if key is None or request.method not in UNSAFE or request.path_info.startswith("/admin/"):
        return get_response(request)
    if not FORM.fullmatch(key):
        return refused(request, 400, "invalid_idempotency_key", "Idempotency-Key takes 1 to 255 printable ASCII characters.")
    who = f"key:{principal.api_key_id}" if principal.api_key_id else f"user:{principal.user.pk}"
    try:
        asked = request_hash(request)
        known = idempotency_begin(principal=who, key_hash=(named := key_hash(key)))
        if known:
            return repeated(request, known, asked, key)
        response = get_response(request)
        if response.status_code < 400:
            idempotency_keep(principal=who, key_hash=named, answer=kept(response, asked, key))
    except RequestDataTooBig:
        most = f"{settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes"
        return refused(request, 413, "body_too_large", f"The body may have {most}: send it in parts.")
    except StillRunning as running:
        response = refused(request, 409, running.code, running.detail)
        response.headers["Retry-After"] = "1"
    return response


def request_hash(request: Any) -> str:
    """Raises RequestDataTooBig."""
    return sha256(b"\n".join([request.method.encode(), request.get_full_path().encode(), request.body])).hexdigest()


def key_hash(key: str) -> str:
    """By the installation's secret: who reads the table must not find the keys by trying, for they open answers."""
    return hmac.new(settings.SECRET_KEY.encode(), f"{PURPOSE} {key}".encode(), sha256).hexdigest()


def kept(response: Any, asked: str, key: str) -> KeptAnswer:
    """What must not be stored by others (a new API key) is stored sealed here."""
    body = None if response.streaming or len(response.content) > LARGEST_ANSWER else bytes(response.content)
    is_secret = "no-store" in response.headers.get("Cache-Control", "")
    if is_secret and body is not None:
        body = seal(body, purpose=PURPOSE, passphrase=key)
    headers = {name: response.headers[name] for name in REPEATED if name in response.headers}
    return KeptAnswer(asked, response.status_code, headers, body, is_secret)


def repeated(request: Any, known: KeptAnswer, asked: str, key: str) -> Any:
    if known.request_hash != asked:
        detail = "This Idempotency-Key came with another request before: a new request takes a new key."
        return refused(request, 422, "idempotency_key_reused", detail)
    if known.body is None:
        detail = "This request was carried out, but its answer was too large to be kept: read what it made."
        return refused(request, 409, "idempotency_answer_not_kept", detail)
    body = unseal(known.body, purpose=PURPOSE, passphrase=key) if known.is_sealed else known.body
    response = HttpResponse(body, status=known.status, headers={**known.headers, "Idempotent-Replayed": "true"})
    if "Content-Type" not in known.headers:
        del response.headers["Content-Type"]
    return response


def refused(request: Any, status: int, code: str, detail: str) -> HttpResponse:
    return json_response(problem(status, code, detail, request=request))
