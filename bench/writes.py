"""What it costs a request to prove who makes it, and a write to be repeatable."""

import hmac
import time
from collections.abc import Iterator
from hashlib import sha256
from itertools import count
from typing import Any
from uuid import uuid4

import orjson
from django.db import connections
from django.test import RequestFactory

from accounts import tokens
from accounts.permissions import known
from accounts.queries.identity import find_api_key
from accounts.services.keys import NewKey, api_key_create
from accounts.signatures import check_signature
from bench.database import TENANT, Member, member_of
from bench.measuring import Result, statements, times
from bench.requests import Client
from core.tenancy import organization_scope

ROUNDS = 200
ADDRESS = "/api/v1/products/"


def run(size: int) -> Iterator[Result]:
    member = member_of(TENANT)
    yield from _idempotency(size, Client(member))
    yield from _credentials(size, member)


def _idempotency(size: int, client: Client) -> Iterator[Result]:
    like = orjson.loads(client.get("products/?limit=100")())["results"][50]
    numbers = count(1)

    def body() -> dict[str, Any]:
        names = {"name": f"New {next(numbers)}", "external_ref": f"new-{uuid4()}"}
        return {**names, "category": like["category"], "base_unit": like["base_unit"]}

    def plain() -> None:
        client.post("products/", body())()

    def repeatable() -> None:
        client.post("products/", body(), HTTP_IDEMPOTENCY_KEY=str(uuid4()))()

    repeated = client.post("products/", body(), HTTP_IDEMPOTENCY_KEY=str(uuid4()))
    try:
        repeated()
        without, ours, again = times(ROUNDS, plain, repeatable, repeated)
        sent = statements(repeatable)
    finally:
        with connections["owner"].cursor() as cursor:
            cursor.execute("DELETE FROM inventory_product WHERE external_ref ^@ 'new-'; TRUNCATE accounts_idempotencyrecord")
    yield Result("create a product with Idempotency-Key, beside without", size, ours, without, sent, target=("ratio", 1.5))
    yield Result("the same key again, beside creating", size, again, without)


def _credentials(size: int, member: Member) -> Iterator[Result]:
    def unknown_token() -> None:
        tokens._read.cache_clear()
        tokens.verify(member.token)

    first, known_token = times(ROUNDS, unknown_token, lambda: tokens.verify(member.token))
    yield Result("check of an access token, known to the process", size, known_token, statements=0, target=("ours", 0.05))
    yield Result("check of an access token, for the first time", size, first, statements=0)
    with organization_scope(member.organization_id):
        made = api_key_create(name=f"Bench {uuid4()}", scopes=["inventory.view_product"], granter=known(), require_signature=True)
    try:
        yield from _keys(size, made)
    finally:
        with connections["owner"].cursor() as cursor:
            cursor.execute("TRUNCATE accounts_usednonce; DELETE FROM accounts_apikey WHERE name ^@ 'Bench '")


def _keys(size: int, made: NewKey) -> Iterator[Result]:
    with connections["default"].cursor() as cursor:

        def one_statement() -> None:
            cursor.execute("SELECT 1")

        claim = find_api_key(made.key, "")
        assert claim
        lowest, key, signature = times(
            ROUNDS, one_statement, lambda: find_api_key(made.key, ""), lambda: check_signature(_signed(made), claim),
        )
    yield Result("check of an API key, beside SELECT 1", size, key, lowest, 1)
    yield Result("check of a signature, its nonce committed", size, signature, statements=1)


def _signed(made: NewKey) -> Any:
    nonce, moment = uuid4().hex, int(time.time())
    text = f"{moment}.{nonce}.GET.{ADDRESS}.{sha256(b'').hexdigest()}"
    signature = hmac.new(made.signing_secret.encode(), text.encode(), sha256).hexdigest()
    return RequestFactory().get(ADDRESS, headers={"X-Signature": f"t={moment},nonce={nonce},v1={signature}"})
