"""X-Change-Reason lands in the audit entry of each write of each resource."""

from typing import Any

import pytest

from accounts.models import AuditEntry
from core.models import AuditedModel
from tests.companies import Api, Company
from tests.contracts.resources import Resource, assert_problem, each_resource_with, stranger
from tests.contracts.test_every_resource import freed_body
from tests.factories.accounts import PartyFactory
from tests.inventory.goods import Goods

WHY = "counted again, über alles"
HEADERS = {"X-Change-Reason": WHY.encode().decode("latin-1")}  # as a server hands UTF-8 to WSGI


def reasons_since(company: Company, last: int) -> set[str]:
    with company.scope():
        return set(AuditEntry.objects.filter(pk__gt=last).values_list("reason", flat=True))


def last_entry(company: Company) -> Any:
    with company.scope():
        PartyFactory()
        return AuditEntry.objects.latest("id").pk


def writes(resource: Resource) -> list[str]:
    if not issubclass(resource.model, AuditedModel):
        return []
    own = [method for method in ("post", "put", "patch", "delete") if resource.takes(method)]
    in_bulk = hasattr(resource.viewset, "bulk") and resource.viewset.takes_bulk() and "create" in resource.viewset.bulk_operations
    return [*own, *(["bulk"] if in_bulk else []),
            *(["by-ref"] if resource.viewset.takes_refs() else [])]  # fmt: skip


def changed(resource: Resource, company: Company, row: Any) -> dict[str, Any]:
    """A body that differs from the row in a text, a flag or an amount."""
    other = resource.make(company)[0]
    with company.scope():
        body, another = resource.body(row), resource.body(other)
        resource.remove(other)
    unique = {name for name in body if resource.is_unique(resource.column(name).name)}
    # A reference may have to stay, and a person's address is changed in another way.
    texts = [name for name in another if not name.endswith("_id") and name not in ("external_ref", "email")]
    texts.sort(key=lambda name: resource.column(name).is_relation)
    for name, value in ((name, another[name]) for name in texts):
        if value != body[name] and (name in unique or isinstance(value, str)):
            return {**body, name: value}
    name = next(
        name for name in body if isinstance(body[name], bool | int) or resource.model._meta.get_field(name).choices
    )  # fmt: skip
    if isinstance(body[name], int) and not isinstance(body[name], bool):
        return {**body, name: body[name] + 1}
    return {**body, name: stranger(resource.model._meta.get_field(name), body[name])}


@each_resource_with(method=writes)
def test_lands_in_the_audit(resource: Resource, method: str, acme: Company) -> None:
    body = freed_body(resource, acme) if method in ("post", "bulk", "by-ref") else {}
    row = None if body else resource.make(acme)[0]
    if method in ("put", "patch"):
        body = changed(resource, acme, row) if resource.prefix != "organizations" else {"name": "Acme and Sons", "legal_name": ""}
    last = last_entry(acme)
    if method == "bulk":
        response = acme.api.send("post", f"{resource.url}bulk/", {"rows": [body]}, headers=HEADERS)
    elif method == "by-ref":
        ref = body.pop("external_ref")
        response = acme.api.send("put", f"{resource.url}by-ref/{ref}/", body, headers=HEADERS)
    else:
        url = resource.url if row is None else resource.row_url(row)
        response = acme.api.send("patch" if method == "put" and "legal_name" in body else method, url, body, headers=HEADERS)
    assert response.status_code < 300, response.content
    assert reasons_since(acme, last) == {WHY}


@pytest.mark.parametrize(("header", "reason"), [
    ("x" * 500, "x" * 500), ("50% off", "50% off"), ("UTF-8''na%C3%AFve%20caf%C3%A9", "naïve café"), ("", ""),
    ("é".encode().decode("latin-1") * 500, "é" * 500),
])  # fmt: skip
def test_is_kept_as_it_was_meant(header: str, reason: str, acme: Company) -> None:
    last = last_entry(acme)
    response = acme.api.send("post", "/api/v1/parties/", {"name": "x"}, headers={"X-Change-Reason": header})
    assert response.status_code == 201
    assert reasons_since(acme, last) == {reason}


@pytest.mark.parametrize("header", ["x" * 501, "UTF-8''a%00b", "UTF-8''%ff", "\xe9", "UTF-8''a%0Ab"])
def test_is_never_cut_or_guessed(header: str, acme: Company) -> None:
    last = last_entry(acme)
    for api in (acme.api, Api()):
        response = api.send("post", "/api/v1/parties/", {"name": "x"}, headers={"X-Change-Reason": header})
        problem = assert_problem(response, 400, "invalid_header")
        assert problem["errors"][0]["header"] == "X-Change-Reason"
    assert reasons_since(acme, last) == set()


def test_a_reason_code_that_demands_a_note_gets_one(acme: Company) -> None:
    """X-Change-Reason is no substitute: the note belongs to the ledger."""
    with acme.scope():
        goods = Goods.create()
    line = {"variant": str(goods.bolt.pk), "location": str(goods.shelf.pk), "change": "1"}
    body = {"reason": str(goods.damaged.pk), "lines": [line]}
    address = "/api/v1/stock-items/adjust/"
    assert_problem(acme.api.send("post", address, body, headers=HEADERS), 400)
    assert acme.api.send("post", address, {**body, "note": "fell down"}, headers=HEADERS).status_code == 201
