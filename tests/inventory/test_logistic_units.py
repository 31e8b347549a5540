"""Parcels and pallets have a number that no other company gives."""

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Organization
from inventory.gs1.digits import is_checked
from inventory.models import LogisticUnit, Warehouse
from tests.companies import Company
from tests.contracts.resources import assert_problem, pointers
from tests.inventory.goods import Goods
from tests.limited import limited_api

UNITS, SCANS = "/api/v1/logistic-units/", "/api/v1/scans/"


def test_gets_the_next_number_or_keeps_its_own(acme: Company) -> None:
    with acme.scope():
        shelf = Goods.create().shelf
    problem = assert_problem(acme.api.send("post", UNITS, {"kind": "pallet"}), 400, "no_gs1_prefix")
    assert pointers(problem) == {"/sscc"}
    with acme.scope():
        Organization.objects.update(gs1_company_prefix="5601234")
    first, second = (acme.api.send("post", UNITS, {"kind": "pallet", "location": str(shelf.pk)}).json() for _ in range(2))
    assert (first["sscc"][:17], second["sscc"][:17]) == ("05601234000000001", "05601234000000002")
    assert is_checked(first["sscc"])
    parcel = acme.api.send("post", UNITS, {"sscc": "006141411234567890", "parent": first["id"]})
    assert (parcel.status_code, parcel.json()["sscc"]) == (201, "006141411234567890")
    assert_problem(acme.api.send("post", UNITS, {"sscc": "006141411234567891"}), 400)
    assert_problem(acme.api.send("patch", f"{UNITS}{first['id']}/", {"parent": parcel.json()["id"]}), 400)
    with acme.scope(), pytest.raises(IntegrityError, match="would be 0, not 1"), transaction.atomic():
        LogisticUnit.objects.filter(pk=parcel.json()["id"]).update(sscc="006141411234567891")


def test_is_found_by_a_scan_of_its_label(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        unit = LogisticUnit.objects.create(sscc="006141411234567890", location=goods.shelf)
    for text in ("006141411234567890", "00006141411234567890", "(00)006141411234567890"):
        [match] = acme.api.send("post", SCANS, {"text": text}).json()["matches"]
        assert (match["kind"], match["id"]) == ("logistic_unit", str(unit.pk))
    with acme.scope():
        shop = Warehouse.objects.create(code="SHOP", name="Shop")
    assert_problem(limited_api(acme, shop.pk).send("post", SCANS, {"text": "006141411234567890"}), 404)


def test_in_the_admin(acme: Company) -> None:
    with acme.scope():
        Organization.objects.update(gs1_company_prefix="5601234")
    form = {"sscc": "", "kind": "parcel", "parent": "", "location": "", "weight": ""}
    assert acme.admin.post("/admin/inventory/logisticunit/add/", form).status_code == 302
    with acme.scope():
        assert LogisticUnit.objects.get().sscc.startswith("05601234")
