"""The paths and shapes of sources 001 and 003."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import Membership, User
from accounts.permissions import VIEWER
from accounts.services.tenancy import membership_add
from tests.accounts.mails import key_in, last_mail
from tests.companies import PASSWORD, Api, Company
from tests.factories.accounts import PersonFactory

SHAPE = ["userId", "name", "email", "age", "createdAt", "updatedAt"]


def person(company: Company, **values: Any) -> User:
    with company.scope():
        return PersonFactory(**values)


def assert_old_error(response: Any, status: int, code: str) -> str:
    assert response.status_code == status, response.content
    body = response.json()
    assert list(body) == ["error", "message", "code", "requestId"]
    assert (body["error"], body["code"], body["requestId"]) == (body["message"], code, response.headers["X-Request-Id"])
    return str(body["error"])


# --- 001: signing up and in -------------------------------------------------------------------------------


@pytest.mark.parametrize("slash", ["", "/"])
def test_registers_and_signs_in_by_the_mailed_link(slash: str, mailing: Any) -> None:
    body = {"email": "New@Client.test", "password": "Str0ng-and-l0ng", "name": "New Client"}
    with mailing():
        response = Api().send("post", f"/signup{slash}", body)
    assert response.status_code == 201, response.content
    assert list(response.json()) == ["message", "userId", "email", "name"]
    assert response.json()["userId"] == str(User.objects.get(email="new@client.test").pk)
    credentials = {"email": body["email"], "password": body["password"]}
    assert Api().send("post", "/signin", credentials).status_code == 401
    key = key_in(last_mail("new@client.test"))
    assert Api().send("post", "/api/v1/auth/verify-email/", {"key": key}).status_code in (200, 204)
    signed_in = Api().send("post", "/signin", credentials)
    assert signed_in.status_code == 200, signed_in.content
    assert Api(f"Bearer {signed_in.json()['token']}").get("/users").json()["count"] == 1


def test_an_address_in_use_is_answered_like_any_other(acme: Company) -> None:
    known = Api().send("post", "/signup", {"email": acme.user.email, "password": "Str0ng-and-l0ng", "name": "Me"})
    assert (known.status_code, list(known.json())) == (201, ["message", "userId", "email", "name"])
    assert known.json()["userId"] != str(acme.user.pk)
    assert User.objects.get(email=acme.user.email).name == acme.user.name


@pytest.mark.parametrize("wrong", [{"email": "x"}, {"password": "short"}, {"extra": 1}])
def test_says_what_is_wrong_with_a_registration(wrong: dict[str, Any], db: None) -> None:
    body = {"email": "new@client.test", "password": "Str0ng-and-l0ng", "name": "New", **wrong}
    response = Api().send("post", "/signup", body)
    assert response.status_code == 400 and response.json()["error"] == response.json()["message"]
    assert not User.objects.filter(email="new@client.test").exists()


def test_nobody_registers_where_sign_up_is_closed(db: None, settings: Any) -> None:
    settings.SIGN_UP_OPEN = False
    body = {"email": "new@client.test", "password": "Str0ng-and-l0ng", "name": "New"}
    assert_old_error(Api().send("post", "/signup", body), 403, "sign_up_closed")


@pytest.mark.parametrize("slash", ["", "/"])
def test_signs_in_and_uses_the_token(slash: str, acme: Company) -> None:
    response = Api().send("post", f"/signin{slash}", {"email": acme.user.email, "password": PASSWORD})
    assert response.status_code == 200, response.content
    assert response.headers["Cache-Control"] == "no-store"
    tokens = response.json()
    assert list(tokens) == ["token", "accessToken", "refreshToken", "tokenType", "expiresIn"]
    assert tokens["token"] == tokens["accessToken"]
    own = Api(f"Bearer {tokens['token']}").get("/users/me").json()
    assert (list(own), own["userId"]) == (SHAPE, str(acme.user.pk))


def test_refuses_a_wrong_password(acme: Company) -> None:
    assert_old_error(Api().send("post", "/signin", {"email": acme.user.email, "password": "wrong"}), 401, "sign_in_refused")
    assert_old_error(Api().send("post", "/signin", {}), 400, "invalid")


# --- 003: users -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_user_is_created_read_updated_and_deleted(slash: str, acme: Company) -> None:
    created = acme.api.send("post", f"/users{slash}", {"name": "Ada", "email": "ada@acme.test", "age": 36})
    assert (created.status_code, list(created.json())) == (201, SHAPE), created.content
    url = f"/users/{created.json()['userId']}{slash}"
    read = acme.api.get(url)
    assert (read.status_code, read.json()) == (200, created.json())
    updated = acme.api.send("put", url, {"age": 37})
    assert (updated.status_code, updated.json()["age"], updated.json()["name"]) == (200, 37, "Ada")
    assert updated.json()["updatedAt"] and updated.json()["createdAt"] == created.json()["createdAt"]
    deleted = acme.api.delete(url)
    assert (deleted.status_code, deleted.json()["message"]) == (200, "User deleted successfully")
    assert_old_error(acme.api.get(url), 404, "not_found")


def test_a_list_has_users_a_count_and_a_token(acme: Company) -> None:
    for number in range(4):
        person(acme, name=f"Person {number}")
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 3}
    while True:
        page = acme.api.get("/users", query).json()
        assert list(page) == ["users", "count", "nextToken"]
        assert page["count"] == len(page["users"]) <= 3
        assert all(list(user) == SHAPE for user in page["users"])
        seen += [user["userId"] for user in page["users"]]
        if page["nextToken"] is None:
            break
        query["nextToken"] = page["nextToken"]
    assert len(seen) == len(set(seen)) == 7
    assert [user["name"] for user in acme.api.get("/users", {"search": "person 2"}).json()["users"]] == ["Person 2"]


@pytest.mark.parametrize(("body", "field"), [
    ({"email": "a@b.test"}, "name"), ({"name": "A"}, "email"), ({"name": "A", "email": "a"}, "email"),
    ({"name": "A", "email": "a@b.test", "age": 151}, "age"), ({"name": "A", "email": "a@b.test", "age": "old"}, "age"),
])  # fmt: skip
def test_creating_says_which_field_is_wrong(body: dict[str, Any], field: str, acme: Company) -> None:
    assert assert_old_error(acme.api.send("post", "/users", body), 400, "invalid").startswith(f"{field}: ")


def test_an_update_needs_a_field_and_a_row(acme: Company, bolt: Company) -> None:
    url = f"/users/{person(acme).pk}"
    assert "at least one field" in assert_old_error(acme.api.send("put", url, {}), 400, "empty")
    for missing in (uuid4(), bolt.user.pk, "no-such"):
        assert_old_error(acme.api.send("put", f"/users/{missing}", {"name": "x"}), 404, "not_found")
        assert_old_error(acme.api.delete(f"/users/{missing}"), 404, "not_found")


def test_an_address_is_corrected_and_proved_again(acme: Company, bolt: Company, mailing: Any) -> None:
    user = person(acme)
    with mailing():
        assert acme.api.send("put", f"/users/{user.pk}", {"email": "Right@Acme.test"}).json()["email"] == "right@acme.test"
    assert User.objects.get(pk=user.pk).email_verified_at is None
    assert key_in(last_mail("right@acme.test"))
    assert_old_error(acme.api.send("put", f"/users/{user.pk}", {"email": bolt.user.email}), 409, "known_elsewhere")
    with acme.scope():
        membership_add(user=bolt.user, roles=[VIEWER])
    assert_old_error(acme.api.send("put", f"/users/{bolt.user.pk}", {"email": "x@acme.test"}), 409, "not_alone")
    assert User.objects.get(pk=bolt.user.pk).email == bolt.user.email


def test_the_last_admin_stays(acme: Company) -> None:
    assert_old_error(acme.api.delete(f"/users/{acme.user.pk}"), 409, "last_admin")
    with acme.scope():
        assert Membership.objects.get(user=acme.user).status == "active"


def test_one_reads_and_changes_oneself(acme: Company) -> None:
    api = acme.api_as(VIEWER)
    assert api.send("put", "/users/me", {"name": "Me", "age": 30}).json()["age"] == 30
    assert api.get("/users/me/").json()["name"] == "Me"
    assert_old_error(api.send("put", "/users/me", {"email": "x@y.test"}), 400, "address_unproved")
    assert_old_error(api.send("put", "/users/me", {}), 400, "empty")


def test_needs_a_permission(acme: Company) -> None:
    assert acme.api_as(VIEWER).get("/users").status_code == 200
    for method, url in (("post", "/users"), ("put", f"/users/{acme.user.pk}"), ("delete", f"/users/{acme.user.pk}")):
        assert_old_error(acme.api_as(VIEWER).send(method, url, {"name": "x"}), 403, "permission_denied")
    assert_old_error(acme.api_by_key().get("/users/me"), 403, "permission_denied")


def test_needs_a_sign_in(db: None) -> None:
    for method, url in (("get", "/users"), ("post", "/users"), ("get", "/users/me"), ("delete", f"/users/{uuid4()}")):
        response = Api().send(method, url)
        assert_old_error(response, 401, "not_authenticated")
        assert "WWW-Authenticate" in response.headers


def test_takes_no_other_method(acme: Company) -> None:
    assert_old_error(acme.api.send("patch", "/users", {}), 405, "method_not_allowed")


def test_another_site_may_ask_only_if_it_is_listed(client: Client, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
    asked = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "PUT"}
    for path in ("/users", "/users/me", "/signup", "/signin/"):
        assert client.options(path, headers=asked).headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert "Access-Control-Allow-Origin" not in client.options("/admin/", headers=asked).headers
