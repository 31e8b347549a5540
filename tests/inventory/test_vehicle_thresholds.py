"""A threshold for a vehicle model looks at the same pieces as the one for all; one task stands for them."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from core.errors import Invalid
from core.invariants import broken
from inventory.models import Fitment, ReorderRule, ReorderTask, VehicleModel
from inventory.queries.dashboard import overview
from inventory.queries.replenishment import reminder
from inventory.services.replenishment import reorder_check, reorder_rules_settle
from notifications.models import OutboxEvent
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.inventory.goods import Goods
from tests.inventory.test_races import at_once


def vehicle(goods: Goods, year: int = 2010) -> VehicleModel:
    """One that the bolt fits."""
    found = VehicleModel.objects.create(make="HONDA", model="CIVIC", year=year)
    Fitment.objects.create(variant=goods.bolt, vehicle_model=found)
    return found


@pytest.mark.parametrize(("stock", "low"), [(8, True), (9, False)])
def test_equality_counts_for_a_vehicle_as_well(stock: int, low: bool, acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(stock)
        goods.rule(minimum=3)
        goods.rule(minimum=8, vehicle_model=vehicle(goods))
        assert reorder_check() == int(low)
        assert not [rows for _, rows in broken() if rows]


def test_one_task_stands_for_all_rules_of_the_goods(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(2)
        civic, newer = vehicle(goods), vehicle(goods, 2012)
        goods.rule(minimum=3)
        rule = goods.rule(minimum=8, vehicle_model=civic, max_quantity=20)
        goods.rule(minimum=5, vehicle_model=newer)
        assert (reorder_check(), reorder_check()) == (1, 0)
        task = ReorderTask.objects.get()
        assert (task.rule, task.suggested_quantity, task.explanation["vehicle_model"]) == (rule, 18, str(civic.pk))
        assert overview().low == 1, "the same goods"
        event = OutboxEvent.objects.get(type="stock.low")
        assert event.payload["vehicle_model"] == str(civic.pk)
        assert "for HONDA CIVIC 2010" in reminder(checked_at=task.created_at)[1]
        goods.receive(6)
        assert ReorderTask.objects.get().status == "open", "eight is not above eight"
        goods.receive(1)
        assert ReorderTask.objects.get().status == "done"
        assert set(ReorderRule.objects.values_list("level", flat=True)) == {9}, "every rule follows"


def test_a_rule_needs_a_part_that_fits(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        civic = vehicle(goods)
        rule = goods.rule(minimum=3, vehicle_model=civic)
        misfit = ReorderRule.objects.create(
            variant=goods.nut, warehouse=goods.warehouse, min_quantity=Decimal(1), vehicle_model=civic,
        )
        with pytest.raises(Invalid, match="NUT does not fit HONDA CIVIC 2010"):
            reorder_rules_settle(rules=[rule.pk, misfit.pk])
        misfit.delete()
        Fitment.objects.all().delete()
        assert reorder_check() == 0, "it fits no longer"
        assert overview().low == 0
    assert acme.api.get("/api/v1/low-stock/").json()["results"] == []


def test_through_the_api(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        civic = vehicle(goods)
    body = {"variant": goods.bolt.pk, "warehouse": goods.warehouse.pk, "min_quantity": "5"}
    rules = "/api/v1/reorder-rules/"
    assert acme.api.send("post", rules, body).status_code == 201
    made = acme.api.send("post", rules, {**body, "min_quantity": "9", "vehicle_model": civic.pk})
    assert (made.status_code, made.json()["vehicle_model"], made.json()["is_low"]) == (201, str(civic.pk), True)
    for twice in (body, {**body, "vehicle_model": civic.pk}):
        assert_problem(acme.api.send("post", rules, twice), 400, "unique")
    misfit = assert_problem(acme.api.send("post", rules, {**body, "variant": goods.nut.pk, "vehicle_model": civic.pk}), 400)
    assert misfit["code"] == "does_not_fit" and misfit["errors"][0]["pointer"] == "/vehicle_model"
    assert len(acme.api.get("/api/v1/low-stock/", {"vehicle_model": civic.pk}).json()["results"]) == 1
    acme.api.send("post", "/api/v1/reorder-tasks/check/")
    [task] = acme.api.get("/api/v1/reorder-tasks/").json()["results"]
    assert (task["vehicle_model"], task["threshold"]) == (str(civic.pk), "9.000000")
    page = acme.admin.post("/admin/inventory/reorderrule/add/", {
        **body, "variant": goods.nut.pk, "vehicle_model": civic.pk, "basis": "available", "is_active": "on",
        "method": "fixed", "service_level": 95,
    })  # fmt: skip
    assert page.status_code == 200 and "does not fit" in page.text


def test_checks_at_once_make_one_task(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        goods = Goods.create()
        for year in (2010, 2011, 2012):
            goods.rule(minimum=year - 2005, vehicle_model=vehicle(goods, year))

    def check(number: int) -> Any:
        with company.scope():
            ReorderRule.objects.filter(vehicle_model__year=2010 + number).update(min_quantity=Decimal(20 + number))
            return reorder_check()

    assert sum(at_once(3, check)) == 1
    with company.scope():
        assert ReorderTask.objects.count() == 1
