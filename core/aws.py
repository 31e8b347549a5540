"""Two things that a first request may need of AWS, signed by ourselves (Signature Version 4).

The SDK takes half a second to import; everything else goes through it.
"""

import hmac
import json
import os
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

ALGORITHM = "AWS4-HMAC-SHA256"
PATIENCE = 5.0  # seconds, for each of the tries
TRIES = 3
TOKEN_SECONDS = 900  # in which a token of the database begins a session; AWS allows no more


class Unavailable(Exception):
    """AWS did not give what it was asked for; the text says why, and holds no secret."""


class Credentials(NamedTuple):
    key: str
    secret: str
    token: str = ""


def credentials() -> Credentials:
    """Of the environment, where Lambda puts them, or else of wherever the SDK finds some. Raises Unavailable."""
    key, secret = os.environ.get("AWS_ACCESS_KEY_ID", ""), os.environ.get("AWS_SECRET_ACCESS_KEY", "")
    if key and secret:
        return Credentials(key, secret, os.environ.get("AWS_SESSION_TOKEN", ""))
    from botocore.session import get_session  # noqa: PLC0415  # slow to import, and needed on servers alone

    found = get_session().get_credentials()
    if found is None:
        raise Unavailable("There are no credentials of AWS here: give this machine a role, or set AWS_ACCESS_KEY_ID.")
    frozen = found.get_frozen_credentials()
    return Credentials(frozen.access_key, frozen.secret_key, frozen.token or "")


def secret_value(arn: str, *, endpoint_url: str = "") -> str:
    """Of Secrets Manager, the current version. Raises Unavailable."""
    region = _region_of(arn)
    url = endpoint_url or f"https://secretsmanager.{region}.{'amazonaws.com.cn' if region.startswith('cn-') else 'amazonaws.com'}"
    body = json.dumps({"SecretId": arn}).encode()
    status, answer = _post(url, "secretsmanager", region, "secretsmanager.GetSecretValue", body)
    if status != 200:
        kind = str(answer.get("__type", "")).rpartition("#")[2] or status
        why = answer.get("message") or answer.get("Message") or "no reason was given."
        raise Unavailable(f"The secret {arn} cannot be read: {kind}, {why}")
    if not isinstance(value := answer.get("SecretString"), str):
        raise Unavailable(f"The secret {arn} holds no text.")
    return value


def database_token(*, host: str, port: str, user: str, region: str) -> str:
    """In the place of a password, for 15 minutes, where the database or its proxy authenticates by IAM. Asks nobody."""
    given, now = credentials(), datetime.now(UTC)
    where = f"{host}:{port}"
    query = {
        "Action": "connect", "DBUser": user, "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Credential": f"{given.key}/{_scope(now, region, 'rds-db')}", "X-Amz-Date": _stamp(now),
        "X-Amz-Expires": str(TOKEN_SECONDS), "X-Amz-SignedHeaders": "host",
        **({"X-Amz-Security-Token": given.token} if given.token else {}),
    }
    asked = urlencode(sorted(query.items()), quote_via=quote, safe="-_.~")
    request = "\n".join(("GET", "/", asked, f"host:{where}\n", "host", sha256(b"").hexdigest()))
    return f"{where}/?{asked}&X-Amz-Signature={_signature(given, now, region, 'rds-db', request)}"


def signed(
    given: Credentials, now: datetime, *, service: str, region: str, headers: Mapping[str, str], body: bytes,
) -> dict[str, str]:
    """The headers of a POST to /, with a date and a signature."""
    every = {**headers, "x-amz-date": _stamp(now), **({"x-amz-security-token": given.token} if given.token else {})}
    names = sorted(every)
    listed = "".join(f"{name}:{every[name]}\n" for name in names)
    request = "\n".join(("POST", "/", "", listed, ";".join(names), sha256(body).hexdigest()))
    by = f"Credential={given.key}/{_scope(now, region, service)}, SignedHeaders={';'.join(names)}"
    return {**every, "authorization": f"{ALGORITHM} {by}, Signature={_signature(given, now, region, service, request)}"}


def _region_of(arn: str) -> str:
    parts = arn.split(":")
    if len(parts) < 7 or parts[0] != "arn" or parts[2] != "secretsmanager":
        raise Unavailable(f"{arn!r} is no secret: name one by its ARN, arn:aws:secretsmanager:<region>:<account>:secret:<name>.")
    return parts[3]


def _post(url: str, service: str, region: str, target: str, body: bytes) -> tuple[int, dict[str, Any]]:
    """What Secrets Manager is too busy for, or loses on the way, is asked again."""
    where = urlsplit(url)
    headers = {"host": where.netloc, "content-type": "application/x-amz-json-1.1", "x-amz-target": target}
    for last in (False,) * (TRIES - 1) + (True,):
        made = signed(credentials(), datetime.now(UTC), service=service, region=region, headers=headers, body=body)
        try:
            status, text = _exchanged(where.scheme, where.netloc, made, body)
        except (OSError, HTTPException) as error:
            if last:
                raise Unavailable(f"{where.netloc} does not answer: {error or type(error).__name__}.") from error
            continue
        if last or status < 500:
            break
    try:
        answer = json.loads(text)
    except ValueError:
        answer = {}
    return status, answer if isinstance(answer, dict) else {}


def _exchanged(scheme: str, host: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
    if scheme == "https":
        connection: HTTPConnection = HTTPSConnection(host, timeout=PATIENCE, context=ssl.create_default_context())
    else:
        connection = HTTPConnection(host, timeout=PATIENCE)
    try:
        connection.request("POST", "/", body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _stamp(now: datetime) -> str:
    return now.strftime("%Y%m%dT%H%M%SZ")


def _scope(now: datetime, region: str, service: str) -> str:
    return f"{now:%Y%m%d}/{region}/{service}/aws4_request"


def _signature(given: Credentials, now: datetime, region: str, service: str, request: str) -> str:
    key = f"AWS4{given.secret}".encode()
    for part in _scope(now, region, service).split("/"):
        key = hmac.new(key, part.encode(), sha256).digest()
    text = "\n".join((ALGORITHM, _stamp(now), _scope(now, region, service), sha256(request.encode()).hexdigest()))
    return hmac.new(key, text.encode(), sha256).hexdigest()
