"""Any list as a file that a job writes: what the list itself would give to whoever asked."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
from django.test import Client
from django.utils import timezone

from accounts.permissions import ADMIN, VIEWER
from accounts.services.people import person_leave
from accounts.standing import standing
from core.exporting import exported, pieces
from core.routing import lists
from notifications.exports import exports_purge
from notifications.models import Job
from tests.companies import Api, Company, signed_in
from tests.contracts.resources import RESOURCES, Resource, assert_problem, each_resource, pointers
from tests.factories.inventory import ProductFactory, WarehouseFactory
from tests.limited import limited_member
from tests.notifications.at_work import run_all

type NewCompany = Callable[[], Company]
EXPORTS = "/api/v1/exports/"


def begin(api: Api, **asked: Any) -> dict[str, Any]:
    response = api.send("post", EXPORTS, asked)
    assert response.status_code == 202, response.content
    assert response.headers["Location"].endswith(f"{EXPORTS}{response.json()['id']}/")
    found: dict[str, Any] = response.json()
    return found


def content(response: Any) -> bytes:
    assert response.status_code == 200, response.content
    return b"".join(response.streaming_content)


def test_each_list_can_be_exported() -> None:
    assert lists().keys() == {resource.prefix for resource in RESOURCES}


@each_resource()
def test_a_file_is_the_list_of_who_asks(resource: Resource, acme: Company) -> None:
    resource.make(acme)
    shown = content(acme.api.get(resource.url, headers={"Accept": "text/csv"}))
    with acme.scope():
        table = exported(resource.prefix, "", standing())
        assert b"".join(piece for piece, _ in pieces(table, "csv")) == shown


def test_a_job_writes_it_with_the_filters_of_the_list(new_company: NewCompany) -> None:
    acme = new_company()
    with acme.scope():
        for name in ("Bolt", "Nut", "=cmd"):
            ProductFactory(name=name, external_ref=f"E-{name}")
        ProductFactory(name="Another")
    query = "external_ref__in=E-Bolt,E-Nut,E-=cmd&sort=-name&fields=name,custom_fields"
    asked = begin(acme.api, resource="products", query=query)
    assert (asked["status"], asked["file"], asked["rows"]) == ("queued", None, None)
    assert_problem(acme.api.get(f"{EXPORTS}{asked['id']}/file/"), 409, "not_ready")
    lines = begin(acme.api, resource="products", query=query, format="jsonl")
    run_all()
    done = acme.api.get(f"{EXPORTS}{asked['id']}/").json()
    file = acme.api.get(done["file"])
    assert file.headers["Content-Disposition"] == 'attachment; filename="products.csv"'
    assert content(file).decode().split() == ["name,custom_fields", "Nut,{}", "Bolt,{}", "'=cmd,{}"]
    assert (done["status"], done["rows"]) == ("succeeded", 3) and done["expires_at"]
    rows = content(acme.api.get(f"{EXPORTS}{lines['id']}/file/")).splitlines()
    assert [orjson.loads(row) for row in rows] == [{"name": name, "custom_fields": {}} for name in ("Nut", "Bolt", "=cmd")]


def test_what_the_list_would_refuse_is_refused_at_once(acme: Company) -> None:
    def refused(status: int = 400, **asked: Any) -> dict[str, Any]:
        return assert_problem(acme.api.send("post", EXPORTS, asked), status)

    assert "products" in refused(resource="no-such")["detail"]
    assert refused(resource="products", query="nme=1")["errors"][0]["parameter"] == "nme"
    assert refused(resource="products", query="cursor=x")["errors"][0]["parameter"] == "cursor"
    assert pointers(refused(resource="products", format="pdf")) == {"/format"}
    needed = acme.api_by_key().send("post", EXPORTS, {"resource": "products"})
    assert assert_problem(needed, 403)["missing_permission"] == "inventory.view_product"
    with acme.scope():
        assert not Job.objects.filter(task="notifications.tasks.export").exists()


def test_it_is_the_askers_own(new_company: NewCompany) -> None:
    acme, bolt = new_company(), new_company()
    asked = begin(acme.api_as(VIEWER), resource="warehouses")
    key = acme.api_by_key("inventory.view_warehouse")
    by_key = begin(key, resource="warehouses")
    run_all()
    for url in (f"{EXPORTS}{asked['id']}/", f"{EXPORTS}{asked['id']}/file/"):
        assert acme.api_as(VIEWER).get(url).status_code == 200
        for other in (acme.api_as(ADMIN), key, bolt.api):
            assert_problem(other.get(url), 404)
    assert key.get(f"{EXPORTS}{by_key['id']}/").json()["status"] == "succeeded"
    assert_problem(acme.api_as(VIEWER).get(f"{EXPORTS}{by_key['id']}/file/"), 404)
    for client in (Api(), Client()):
        assert client.get(f"{EXPORTS}{asked['id']}/file/").status_code == 401


def test_what_counts_are_the_permissions_as_it_is_written(new_company: NewCompany) -> None:
    company = new_company()
    with company.scope():
        ours, _ = WarehouseFactory(code="OURS"), WarehouseFactory(code="THEIRS")
    member, leaver = limited_member(company, ours), limited_member(company, roles=(VIEWER,))
    api, gone = (Api(f"Bearer {signed_in(user).access_token}") for user in (member, leaver))
    limited, left = (begin(one, resource="warehouses", query="fields=code") for one in (api, gone))
    with company.scope():
        person_leave(user=leaver)
    run_all()
    assert content(api.get(f"{EXPORTS}{limited['id']}/file/")) == b"code\r\nOURS\r\n"
    with company.scope():
        job = Job.objects.get(pk=left["id"])
        assert (job.status, job.error) == ("failed", "Whoever asked for this is not active here any more.")


def test_a_file_is_gone_after_a_day(new_company: NewCompany) -> None:
    acme = new_company()
    asked = begin(acme.api, resource="warehouses")
    run_all()
    assert exports_purge() == 0
    with acme.scope():
        Job.objects.filter(pk=asked["id"]).update(finished_at=timezone.now() - timedelta(days=1, seconds=1))
    assert_problem(acme.api.get(f"{EXPORTS}{asked['id']}/file/"), 404, "gone")
