"""Reports and minimums of many goods: the planner guesses how many rows a result has, and must not compare each row with
each. Measured at a million, such a statement did not come to its end (bench/README.md)."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from accounts.models import Party
from inventory.models import DemandForecast, Product, ProductVariant, ReorderRule, Supplier, SupplierProduct
from inventory.queries.analytics_sources import Goods
from inventory.queries.spans import DAY, WEEK, Days
from inventory.queries.stockouts import stock_outs, stock_outs_over_time
from inventory.services.minimums import minimums_compute
from inventory.services.posting import Line
from inventory.services.stock import stock_issue, stock_receive
from tests.companies import Company
from tests.inventory.goods import Goods as Shop

MANY = 200
TABLES = (
    "inventory_product", "inventory_productvariant", "inventory_reorderrule", "inventory_demandforecast",
    "inventory_supplierproduct", "inventory_valueentry", "inventory_stocksnapshot", "inventory_stockmove",
)


@pytest.fixture
def company(new_company: Callable[[], Company]) -> Company:
    """A rule, a forecast and a supplier for each of many goods, which came today, and of which half have left since."""
    company = new_company()
    with company.scope():
        shop, now = Shop.create(), timezone.now()
        unit = shop.bolt.product.base_unit
        products = Product.objects.bulk_create([Product(name=f"Part {n}", base_unit=unit) for n in range(MANY)])
        variants = ProductVariant.objects.bulk_create([
            ProductVariant(product=product, sku=f"PART-{number}", standard_cost=1) for number, product in enumerate(products)
        ])
        rule = {"warehouse": shop.warehouse, "method": "forecast", "min_quantity": 1, "service_level": 95}
        ReorderRule.objects.bulk_create([ReorderRule(variant=one, **rule) for one in variants])
        week: dict[str, Any] = {"period_start": now.date(), "method": "average", "low": 0, "high": 99, "error": 1, "weeks": 8}
        DemandForecast.objects.bulk_create([
            DemandForecast(variant=one, warehouse=shop.warehouse, quantity=7, method_errors={}, computed_at=now, **week)
            for one in variants
        ])
        supplier = Supplier.objects.create(party=Party.objects.create(name="All of it"), code="ALL")
        SupplierProduct.objects.bulk_create([
            SupplierProduct(supplier=supplier, variant=one, supplier_sku=one.sku, is_preferred=True) for one in variants
        ])
        stock_receive(lines=[Line(one.pk, Decimal(2), to_location_id=shop.shelf.pk, unit_cost=Decimal(1)) for one in variants])
        stock_issue(lines=[Line(one.pk, Decimal(2), from_location_id=shop.shelf.pk) for one in variants[::2]])
    with connections["owner"].cursor() as owner:
        owner.execute(f"ANALYZE {', '.join(TABLES)}")
    return company


type Plan = dict[str, Any]


def plans(work: Callable[[], object]) -> list[Plan]:
    """Of its larger statements, as they were carried out."""
    found: list[Plan] = []

    def look(execute: Any, sql: str, values: Any, many: bool, context: Any) -> Any:
        if "WITH" in sql:
            with transaction.atomic():
                cursor = context["cursor"].cursor
                cursor.execute("SET LOCAL enable_seqscan = off")  # as if there were millions
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", values)
                found.append(cursor.fetchone()[0][0]["Plan"])
                transaction.set_rollback(True)
        return execute(sql, values, many, context)

    with connection.execute_wrapper(look):
        work()
    assert found
    return found


def nodes(plan: Plan) -> Iterator[Plan]:
    yield plan
    for one in plan.get("Plans", ()):
        yield from nodes(one)


def results(plan: Plan) -> list[str]:
    """What the statement itself has found, and reads there."""
    return [one["CTE Name"] for one in nodes(plan) if one["Node Type"] == "CTE Scan"]


def passed_over(plan: Plan) -> int:
    """How many rows of results were compared with those of others, and were not those that were looked for. Rows of tables do not
    count: how these are read depends on the rows of others too.
    """
    by = ("Rows Removed by Filter", "Rows Removed by Join Filter")
    compared = [one for one in nodes(plan) if one["Node Type"] == "CTE Scan" or len(results(one)) > 1]
    return int(sum(one.get(name, 0) * one["Actual Loops"] for one in compared for name in by))


def joined_results(plan: Plan) -> list[str]:
    joins = [one for one in nodes(plan) if one["Node Type"] in ("Nested Loop", "Hash Join", "Merge Join")]
    return [" with ".join(found) for one in joins if len(found := results(one)) > 1]


def test_minimums_take_along_what_they_found(company: Company) -> None:
    with company.scope():
        [plan] = plans(minimums_compute)
        assert joined_results(plan) == []
        assert passed_over(plan) < 10 * MANY
        assert not ReorderRule.objects.filter(min_quantity=1).exists(), "minimums were computed"


def test_stock_outs_compare_no_row_with_each_other(company: Company) -> None:
    with company.scope():
        zone, now = ZoneInfo("UTC"), timezone.now()
        month, weeks = Days(period=DAY).span(zone, now), Days(period=WEEK).span(zone, now)
        assert len(stock_outs(Goods(), month).rows) == MANY
        for work in (
            lambda: stock_outs(Goods(), month), lambda: stock_outs_over_time(Goods(), month),
            lambda: stock_outs_over_time(Goods(), weeks),
        ):
            assert max(passed_over(plan) for plan in plans(work)) < MANY * MANY / 4
