"""Signed requests: whole, fresh and once; and the client of the guide, as it stands there."""

import hmac
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test.testcases import LiveServerThread

from accounts.models import ApiKey, AuditEntry, Party, UsedNonce
from accounts.permissions import known
from accounts.services.keys import NewKey, api_key_create
from core.json import dumps
from tests.companies import JSON, Api, Company
from tests.contracts.resources import assert_problem
from tests.inventory.test_races import at_once

PARTIES, KEYS = "/api/v1/parties/", "/api/v1/api-keys/"
GUIDE = Path(settings.BASE_DIR) / "docs" / "guide" / "api-keys.md"
SCOPES = ("accounts.view_party", "accounts.add_party")


def signing_key(company: Company, **values: Any) -> NewKey:
    with company.scope():
        name = f"Signer {ApiKey.objects.count()}"
        return api_key_create(name=name, scopes=SCOPES, granter=known(), require_signature=True, **values)


def signature(
    made: NewKey, method: str, address: str, body: bytes = b"", *, shift: int = 0, nonce: str = "nonce-0001", secret: str = "",
) -> str:
    moment = int(time.time()) + shift
    text = f"{moment}.{nonce}.{method}.{address}.{sha256(body).hexdigest()}"
    mac = hmac.new((secret or made.signing_secret).encode(), text.encode(), sha256)
    return f"t={moment},nonce={nonce},v1={mac.hexdigest()}"


def get(made: NewKey, address: str, given: str | None) -> Any:
    return Api(f"Api-Key {made.key}").get(address, headers={} if given is None else {"X-Signature": given})


def post(made: NewKey, body: bytes, given: str) -> Any:
    return Api(f"Api-Key {made.key}").post(PARTIES, body, content_type=JSON, headers={"X-Signature": given})


def test_the_secret_is_shown_once_and_kept_sealed(acme: Company) -> None:
    body = {"name": "Carrier", "scopes": list(SCOPES), "require_signature": True}
    response = acme.api.send("post", KEYS, body)
    assert response.status_code == 201 and response.headers["Cache-Control"] == "no-store"
    made = response.json()
    assert made["signing_secret"].startswith("qms_") and made["require_signature"] is True
    shown = acme.api.get(f"{KEYS}{made['id']}/")
    assert "signing_secret" not in shown.json() and made["signing_secret"] not in shown.text
    with acme.scope():
        row = ApiKey.objects.get(pk=made["id"])
        assert made["signing_secret"].encode() not in bytes(row.signing_secret)
        [entry] = AuditEntry.objects.filter(row_id=row.pk)
        assert entry.changes["signing_secret"] == ["redacted", "redacted"]
    unsigned = acme.api.send("post", KEYS, {"name": "Till", "scopes": list(SCOPES)}).json()
    assert "signing_secret" not in unsigned


@pytest.mark.parametrize("address", [PARTIES, f"{PARTIES}?limit=1&sort=name", "/api/v1/me/"])
def test_a_signed_request_is_answered(address: str, acme: Company) -> None:
    made = signing_key(acme)
    assert get(made, address, signature(made, "GET", address)).status_code == 200
    body = dumps({"name": "Signed"})
    assert post(made, body, signature(made, "POST", PARTIES, body, nonce="nonce-0002")).status_code == 201


def refusal(made: NewKey, given: str | None, code: str, address: str = PARTIES) -> None:
    response = get(made, address, given)
    assert_problem(response, 401, code)
    assert response.headers["WWW-Authenticate"]


def test_a_missing_signature(acme: Company) -> None:
    made = signing_key(acme)
    refusal(made, None, "signature_missing")
    assert_problem(Api(f"Api-Key {made.key[:-1]}").get(PARTIES), 401, "not_authenticated")


@pytest.mark.parametrize("given", ["", "x", f"t=1,nonce=short,v1={'0' * 64}", "v1=0", f"t=x,nonce=nonce-0001,v1={'0' * 64}"])
def test_what_is_no_signature(given: str, acme: Company) -> None:
    refusal(signing_key(acme), given, "signature_invalid")


def test_a_signature_of_something_else(acme: Company) -> None:
    made, other = signing_key(acme), signing_key(acme)
    for wrong in (
        signature(made, "POST", PARTIES), signature(made, "GET", f"{PARTIES}?limit=1"), signature(made, "GET", KEYS),
        signature(made, "GET", PARTIES, b"{}"), signature(made, "GET", PARTIES, secret=other.signing_secret),
        signature(made, "GET", PARTIES).replace("nonce-0001", "nonce-0002"),
    ):  # fmt: skip
        refusal(made, wrong, "signature_invalid")
    body = dumps({"name": "Changed on its way"})
    assert_problem(post(made, body, signature(made, "POST", PARTIES, dumps({"name": "Signed"}))), 401, "signature_invalid")


@pytest.mark.parametrize(("seconds", "status"), [(-310, 401), (-290, 200), (290, 200), (310, 401)])
def test_an_old_signature_and_one_from_the_future(seconds: int, status: int, acme: Company) -> None:
    made = signing_key(acme)
    response = get(made, PARTIES, signature(made, "GET", PARTIES, shift=seconds))
    assert response.status_code == status
    if status == 401:
        assert_problem(response, 401, "signature_expired")


def test_a_replay_is_refused_of_a_reading_request_too(acme: Company) -> None:
    made, other = signing_key(acme), signing_key(acme)
    given = signature(made, "GET", PARTIES)
    assert get(made, PARTIES, given).status_code == 200
    refusal(made, given, "signature_replayed")
    assert get(other, PARTIES, signature(other, "GET", PARTIES)).status_code == 200, "another key's nonces are its own"
    assert get(made, PARTIES, signature(made, "GET", PARTIES, nonce="nonce-0002")).status_code == 200


def test_a_refused_request_has_used_its_signature(acme: Company) -> None:
    made = signing_key(acme)
    given = signature(made, "POST", PARTIES, b"{}")
    assert_problem(post(made, b"{}", given), 400, "invalid")
    assert_problem(post(made, b"{}", given), 401, "signature_replayed")


def test_ten_parallel_replays_have_one_effect(new_company: Callable[[], Company]) -> None:
    company = new_company()
    made, body = signing_key(company), dumps({"name": "Once"})
    given = signature(made, "POST", PARTIES, body)
    codes = at_once(10, lambda number: post(made, body, given).status_code)
    assert Counter(codes) == {201: 1, 401: 9}
    with company.scope():
        assert (Party.objects.filter(name="Once").count(), UsedNonce.objects.count()) == (1, 1)


def test_whether_it_signs_is_chosen_when_it_is_made(acme: Company) -> None:
    made, (plain, _) = signing_key(acme), acme.key(*SCOPES)
    for row, other in ((made.row, False), (plain, True)):
        assert_problem(acme.api.send("patch", f"{KEYS}{row.pk}/", {"require_signature": other}), 400)
        assert acme.api.send("patch", f"{KEYS}{row.pk}/", {"require_signature": not other}).status_code == 200
    refusal(made, None, "signature_missing")


def test_a_secret_sealed_by_another_installation_opens_nothing(acme: Company, settings: Any) -> None:
    made = signing_key(acme)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another-secret-key"
    assert get(made, PARTIES, signature(made, "GET", PARTIES)).status_code == 200, "the key before is known"
    settings.SECRET_KEY_FALLBACKS = []
    refusal(made, signature(made, "GET", PARTIES, nonce="nonce-0002"), "signature_invalid")


@pytest.fixture
def server(commits: None) -> Iterator[str]:
    thread = LiveServerThread("127.0.0.1", StaticFilesHandler)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    assert thread.error is None, thread.error
    yield f"http://127.0.0.1:{thread.port}"
    thread.terminate()


def test_the_client_of_the_guide(server: str, new_company: Callable[[], Company]) -> None:
    company = new_company()
    made = signing_key(company)
    [client, _] = re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text(), re.M | re.S)
    assert len([line for line in client.splitlines() if line]) <= 25
    names: dict[str, Any] = {}
    exec(client, names)
    send = names["send"]
    created = send("POST", f"{server}{PARTIES}", made.key, made.signing_secret, {"name": "Müller & Söhne"})
    found = send("GET", f"{server}{PARTIES}?search=m%C3%BCller&limit=1", made.key, made.signing_secret)
    assert [row["id"] for row in found["results"]] == [created["id"]]
    with pytest.raises(HTTPError) as refused:
        send("GET", f"{server}{PARTIES}", made.key, "qms_wrong")
    assert refused.value.code == 401
    refused.value.close()
