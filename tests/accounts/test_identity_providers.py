"""Members whom somebody else signs in, and those who forge that."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import jwt
import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from accounts import external
from accounts.models import ExternalIdentity, Membership, Role, User, UserRole
from accounts.permissions import ADMIN, MANAGER, VIEWER
from core.tenancy import organization_scope
from tests.accounts.issuers import AUDIENCE, Issuer, new_key, provider_of, public_pem, running_issuer
from tests.companies import Api, Company
from tests.contracts.resources import assert_problem

EVERY = pytest.mark.django_db(databases=["default", "worker"])  # commands look for the organization as the worker
ME, PROVIDERS = "/api/v1/me/", "/api/v1/identity-providers/"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with running_issuer() as running:
        yield running


def me(token: str, **headers: str) -> Any:
    return Api(f"Bearer {token}", **headers).get(ME)


# --- Who gets in ------------------------------------------------------------------------------------------


def test_the_first_sign_in_makes_a_member(issuer: Issuer, acme: Company) -> None:
    provider_of(acme, issuer, group_roles={"clerks": MANAGER})
    own = me(issuer.token(email="Lena@Example.com", email_verified=True, **{"cognito:groups": ["clerks", "dancers"]})).json()
    assert (own["email"], own["name"], own["roles"]) == ("lena@example.com", "lena", [MANAGER])
    assert own["organization"]["slug"] == "acme"
    again = me(issuer.token()).json()
    assert again["id"] == own["id"]
    with acme.scope():
        assert ExternalIdentity.objects.get(subject="subject-1").membership.user.has_usable_password() is False


def test_without_leave_nobody_becomes_a_member(issuer: Issuer, acme: Company) -> None:
    provider_of(acme, issuer, creates_members=False)
    problem = assert_problem(me(issuer.token()), 401, "no_member")
    assert "invite" in problem["detail"]
    assert me(issuer.token(email=acme.user.email, email_verified=True)).json()["id"] == str(acme.user.pk)


def test_an_address_that_nobody_checked_links_to_nobody(issuer: Issuer, acme: Company) -> None:
    provider_of(acme, issuer)
    own = me(issuer.token(email=acme.user.email)).json()
    assert own["id"] != str(acme.user.pk)
    assert own["email"].endswith("@external.invalid")


def test_a_provider_does_not_speak_for_people_of_other_organizations(issuer: Issuer, acme: Company, bolt: Company) -> None:
    provider_of(acme, issuer)
    own = me(issuer.token(email=bolt.user.email, email_verified=True)).json()
    assert own["id"] != str(bolt.user.pk)
    refusal = me(issuer.token(), Organization="bolt")
    assert "acme" in assert_problem(refusal, 401)["detail"]


def test_a_suspended_member_stays_out(issuer: Issuer, acme: Company) -> None:
    provider_of(acme, issuer)
    user_id = me(issuer.token()).json()["id"]
    with acme.scope():
        Membership.objects.filter(user=user_id).update(status=Membership.Status.SUSPENDED)
    assert_problem(me(issuer.token()), 401)


def test_the_token_of_another_issuer_shape_works_too(issuer: Issuer, acme: Company) -> None:
    """RFC 9068: an audience, and a type in the header."""
    provider_of(acme, issuer)
    claims: dict[str, Any] = {"token_use": None, "client_id": None, "scope": None, "aud": [AUDIENCE, "other"]}
    assert me(issuer.token(typ="at+jwt", **claims)).status_code == 200


def test_many_first_requests_make_one_member(new_company: Callable[[], Company], issuer: Issuer) -> None:
    company = new_company()
    provider_of(company, issuer)
    token, start = issuer.token(), Barrier(6)

    def ask(_: int) -> int:
        start.wait(timeout=60)
        try:
            return int(me(token).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(ask, range(6))) == [200] * 6
    with company.scope():
        assert ExternalIdentity.objects.count() == 1
    assert issuer.questions == 1


# --- Roles ------------------------------------------------------------------------------------------------


def test_roles_follow_the_groups_and_leave_the_others_alone(issuer: Issuer, acme: Company) -> None:
    provider_of(acme, issuer, group_roles={"clerks": MANAGER, "guests": VIEWER})
    now = int(time.time())
    user_id = me(issuer.token(iat=now - 10, **{"cognito:groups": ["clerks"]})).json()["id"]
    with acme.scope():
        own = Role.objects.create(code="packer", name="Packer", permissions=["inventory.view_product"])
        UserRole.objects.create(membership=Membership.objects.get(user=user_id), role=own)
    assert me(issuer.token(iat=now, **{"cognito:groups": ["guests"]})).json()["roles"] == ["packer", VIEWER]
    older = me(issuer.token(iat=now - 5, **{"cognito:groups": ["clerks"]})).json()
    assert older["roles"] == ["packer", VIEWER], "an older token brings nothing back"
    assert me(issuer.token(iat=now + 1, **{"cognito:groups": []})).json()["roles"] == ["packer"]


def test_nobody_maps_a_group_to_a_role_above_their_own(acme: Company) -> None:
    body = {"name": "P", "issuer": "https://id.example.test", "audience": "a", "group_roles": {"all": ADMIN}}
    problem = assert_problem(acme.api.send("post", PROVIDERS, {**body, "group_roles": {"all": "no-such"}}), 400)
    assert problem["errors"][0]["pointer"] == "/group_roles"
    assert acme.api.send("post", PROVIDERS, body).status_code == 201
    keys = ("accounts.add_identityprovider", "accounts.view_identityprovider")
    assert_problem(acme.api_by_key(*keys).send("post", PROVIDERS, {**body, "audience": "b"}), 403)


# --- Who decides that a provider counts -------------------------------------------------------------------


@EVERY
def test_a_provider_counts_once_an_operator_has_approved_it(issuer: Issuer, acme: Company) -> None:
    provider = provider_of(acme, issuer, approved=False)
    assert_problem(me(issuer.token()), 401, "not_authenticated")
    call_command("approve_identity_provider", organization="acme", issuer=issuer.url)
    assert me(issuer.token()).status_code == 200
    row = f"{PROVIDERS}{provider.pk}/"
    assert acme.api.send("patch", row, {"jwks_url": "https://elsewhere.example.test/keys"}).status_code == 200
    assert_problem(me(issuer.token()), 401, "not_authenticated")
    assert acme.api.send("patch", row, {"approved_for": "x"}).status_code == 400
    assert acme.api.send("patch", row, {"jwks_url": ""}).status_code == 200
    assert me(issuer.token()).status_code == 200
    assert acme.api.send("patch", row, {"is_active": False}).status_code == 200
    assert_problem(me(issuer.token()), 401, "not_authenticated")
    call_command("approve_identity_provider", organization="acme", issuer=issuer.url, withdraw=True)
    with acme.scope():
        provider.refresh_from_db()
    assert not provider.is_approved


@EVERY
def test_an_issuer_and_audience_belong_to_one_organization(issuer: Issuer, acme: Company, bolt: Company) -> None:
    provider_of(acme, issuer)
    provider_of(bolt, issuer, approved=False)
    with pytest.raises(CommandError, match="Another organization"):
        call_command("approve_identity_provider", organization="bolt", issuer=issuer.url)
    assert me(issuer.token()).json()["organization"]["slug"] == "acme"


@EVERY
def test_the_command_says_what_is_there(acme: Company) -> None:
    with pytest.raises(CommandError, match="it has: none"):
        call_command("approve_identity_provider", organization="acme", issuer="https://nobody.example.test")


@pytest.mark.parametrize("url", [
    "ftp://x.test", "https://", "https://a@b.test/", "https://x.test/?q=1", "x", "javascript:alert(1)",
])  # fmt: skip
def test_refuses_strange_addresses(url: str, acme: Company) -> None:
    assert_problem(acme.api.send("post", PROVIDERS, {"name": "P", "issuer": url, "audience": "a"}), 400)


# --- Forgeries --------------------------------------------------------------------------------------------

FORGERIES: dict[str, tuple[Callable[[Issuer], str], str]] = {
    "no algorithm": (lambda i: jwt.encode(i.claims(), "", algorithm="none", headers={"kid": "key-1"}), "not_authenticated"),
    "another key under its name": (lambda i: i.token(key=new_key()), "token_refused"),
    "a key that is not published": (lambda i: i.token(kid="key-9", key=new_key()), "unknown_key"),
    "another audience": (lambda i: i.token(client_id="client-2"), "not_authenticated"),
    "another audience beside": (lambda i: i.token(aud="client-2"), "not_authenticated"),
    "another pool": (lambda i: i.token(iss=f"{i.url}-2"), "not_authenticated"),
    "expired": (lambda i: i.token(iat=1_600_000_000, exp=1_600_003_600), "token_expired"),
    "never expiring": (lambda i: i.token(exp=None), "token_refused"),
    "not yet valid": (lambda i: i.token(nbf=int(time.time()) + 3600), "token_refused"),
    "an id token": (lambda i: i.token(token_use="id", client_id=None, aud=AUDIENCE), "no_access_token"),
    "an id token of another shape": (
        lambda i: i.token(token_use=None, client_id=None, aud=AUDIENCE, nonce="n"), "no_access_token",
    ),
    "no subject": (lambda i: i.token(sub=None), "not_authenticated"),
    "no key named": (lambda i: jwt.encode(i.claims(), i.keys["key-1"], algorithm="RS256"), "not_authenticated"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES)
def test_refuses_a_forgery(name: str, issuer: Issuer, acme: Company) -> None:
    provider_of(acme, issuer)
    forge, code = FORGERIES[name]
    before = User.objects.count()
    assert_problem(me(forge(issuer)), 401, code)
    assert User.objects.count() == before, "nobody is made of it"


def test_refuses_the_public_key_as_a_shared_secret(issuer: Issuer, acme: Company) -> None:
    provider_of(acme, issuer)
    # By hand: the library would not sign with a public key.
    unsigned = jwt.encode(issuer.claims(), "x" * 32, algorithm="HS256", headers={"kid": "key-1"}).rpartition(".")[0]
    signature = jwt.get_algorithm_by_name("HS256").sign(unsigned.encode(), public_pem(issuer.keys["key-1"]))
    forged = f"{unsigned}.{jwt.utils.base64url_encode(signature).decode()}"
    assert_problem(me(forged), 401, "not_authenticated")


def test_a_changed_claim_breaks_the_signature(issuer: Issuer, acme: Company) -> None:
    provider_of(acme, issuer)
    header, _, signature = issuer.token().split(".")
    _, claims, _ = issuer.token(sub="subject-2").split(".")
    assert_problem(me(f"{header}.{claims}.{signature}"), 401, "token_refused")


# --- Keys -------------------------------------------------------------------------------------------------


def test_keys_rotate_without_a_restart(issuer: Issuer, acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    provider_of(acme, issuer)
    assert me(issuer.token()).status_code == 200
    issuer.keys["key-2"] = new_key()
    monkeypatch.setattr(external, "PAUSE", 0)
    assert me(issuer.token(kid="key-2")).status_code == 200
    assert me(issuer.token(kid="key-2")).status_code == 200
    assert issuer.questions == 2


def test_unknown_keys_are_asked_for_once_not_each_time(issuer: Issuer, acme: Company) -> None:
    provider_of(acme, issuer)
    assert me(issuer.token()).status_code == 200
    for number in range(20):
        assert_problem(me(issuer.token(kid=f"made-up-{number}", key=issuer.keys["key-1"])), 401, "unknown_key")
    assert issuer.questions == 1


def test_old_keys_serve_while_the_provider_is_away(issuer: Issuer, acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    provider_of(acme, issuer)
    assert me(issuer.token()).status_code == 200
    issuer.is_down = True
    monkeypatch.setattr(external, "PAUSE", 0)
    monkeypatch.setattr(external, "FRESH", 0)
    assert me(issuer.token()).status_code == 200
    assert issuer.questions == 2


def test_says_when_nobody_can_check(issuer: Issuer, acme: Company) -> None:
    provider_of(acme, issuer)
    issuer.is_down = True
    response = me(issuer.token())
    assert_problem(response, 503, "provider_unavailable")
    assert response.headers["Retry-After"] == "30"


@pytest.mark.parametrize("nonsense", [b"[]", b"null", b'"keys"', b'{"keys": 1}', b'{"keys": [1]}', b"[" * 50_000 + b"]" * 50_000])
def test_what_is_no_set_of_keys_is_no_fault_of_ours(nonsense: bytes, issuer: Issuer, acme: Company) -> None:
    provider_of(acme, issuer)
    issuer.nonsense = nonsense
    assert_problem(me(issuer.token()), 503, "provider_unavailable")


def test_keys_that_take_too_long_are_not_waited_for(issuer: Issuer, acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    provider_of(acme, issuer)
    monkeypatch.setattr(external, "time", SlowClock())
    assert_problem(me(issuer.token()), 503, "provider_unavailable")


class SlowClock:
    """A minute passes whenever somebody looks at it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        self.now += 60
        return self.now


def test_a_stranger_leaves_no_trace(issuer: Issuer, acme: Company) -> None:
    assert_problem(me(issuer.token()), 401, "not_authenticated")
    assert issuer.questions == 0, "nobody here has named this issuer"
    with organization_scope(acme.organization.pk):
        assert not ExternalIdentity.objects.exists()
