"""A kit that is sold by its components is not bought, moved or counted, and nobody learns so only as goods come."""

import json
import multiprocessing
from collections.abc import Callable
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import IntegrityError

from core.constraints import violated
from core.errors import Conflict, Invalid
from inventory.models import BomLine, ProductVariant, ReasonCode, ReorderRule, StockAdjustment, SupplierProduct
from inventory.services.adjustments import adjustment_post, adjustment_reject
from inventory.services.counts import stock_count_cancel
from inventory.services.receiving import Goods as Scanned
from inventory.services.receiving import receipt_add, receipt_draft
from inventory.services.replenishment import reorder_check
from inventory.services.stock import Adjustment, Circumstances
from inventory.services.transfers import transfer_order_cancel
from orders.services.purchase_states import purchase_order_cancel
from tests.companies import Company
from tests.contracts.resources import assert_problem, pointers
from tests.factories.inventory import SupplierProductFactory
from tests.inventory.counting import opened, record
from tests.inventory.test_races import at_once, somebody_waits
from tests.inventory.transfers import Two
from tests.notifications.processes import eventually
from tests.orders.buying import Buying
from tests.orders.kits import cart, fastening
from tests.orders.selling import Shop
from tests.orders.test_returns import shipped
from tests.orders.test_sales_orders import refused, sound

WHAT_TO_DO = "buy, move and count these"


def switch(variant: ProductVariant) -> Any:
    return ProductVariant.objects.filter(pk=variant.pk).update(sold_by_components=True)


def asked(buying: Buying, two: Two, variant: ProductVariant) -> dict[str, dict[str, Any]]:
    """By address, what names it besides a bolt."""
    lines = [{"variant": str(one.pk), "quantity": "1"} for one in (buying.goods.bolt, variant)]
    warehouse, key = str(buying.goods.warehouse.pk), str(variant.pk)
    return {
        "purchase-orders/": {"supplier": str(buying.supplier.pk), "warehouse": warehouse, "lines": lines},
        "transfer-orders/": {"source": warehouse, "destination": str(two.shop.pk), "lines": lines},
        "reorder-rules/": {"variant": key, "warehouse": warehouse, "min_quantity": "1"},
        "supplier-products/": {"variant": key, "supplier": str(buying.supplier.pk), "supplier_sku": "THEIRS"},
    }


def test_no_document_promises_stock_of_it(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        kit, two, buying = fastening(shop), Two.create(shop.goods), Buying.create(shop.goods)
        count = opened(shop.goods)
        bodies = asked(buying, two, kit)
    for url, body in bodies.items():
        problem = assert_problem(acme.api.send("post", f"/api/v1/{url}", body), 400, "sold_by_components")
        assert problem["detail"].startswith("KIT is sold") and WHAT_TO_DO in problem["detail"]
        assert pointers(problem) == {"/lines/1/variant" if url == "purchase-orders/" else "/variant"}, url
    for url in ("reorder-rules/", "supplier-products/"):
        rows = [{**bodies[url], "variant": str(shop.goods.nut.pk)}, bodies[url]]
        answer = acme.api.send("post", f"/api/v1/{url}bulk/", {"mode": "partial", "rows": rows}).json()
        assert [row["status"] for row in answer["results"]] == [201, 400], answer
    counted = {"lines": [{"variant": str(kit.pk), "location": str(shop.goods.shelf.pk), "counted": "1"}]}
    problem = assert_problem(acme.api.send("post", f"/api/v1/stock-counts/{count.pk}/record/", counted), 400)
    assert problem["code"] == "sold_by_components"
    forms = {
        "inventory/reorderrule": {
            **bodies["reorder-rules/"], "basis": "available", "is_active": "on", "method": "fixed", "service_level": 95,
        },
        "inventory/transferorder": {**bodies["transfer-orders/"], **in_form(kit)},
        "orders/purchaseorder": {
            **bodies["purchase-orders/"], **in_form(kit), "lines-0-discount_percent": 0, "lines-0-over_receipt_percent": 0,
        },
    }
    for path, form in forms.items():
        page = acme.admin.post(f"/admin/{path}/add/", form)
        assert page.status_code == 200 and WHAT_TO_DO in page.text, path
    with acme.scope():
        scanned = Scanned(kit.pk, Decimal(1))
        assert WHAT_TO_DO in refused("sold_by_components", receipt_add, draft=receipt_draft(), goods=scanned, step="1").detail
        ReasonCode.objects.filter(pk=shop.goods.found.pk).update(approval_over_quantity=1)
        with pytest.raises(IntegrityError) as refusal:
            adjust(shop, kit)
        found = violated(refusal.value)
        assert found and (found.code, found.fields) == ("sold_by_components", ("variant",))


def in_form(variant: ProductVariant) -> dict[str, Any]:
    return {"lines-TOTAL_FORMS": 1, "lines-INITIAL_FORMS": 0, "lines-0-variant": variant.pk, "lines-0-quantity": "4"}


def adjust(shop: Shop, variant: ProductVariant) -> Any:
    return adjustment_post(
        adjustments=[Adjustment(variant.pk, shop.goods.shelf.pk, change=Decimal(5))],
        circumstances=Circumstances(reason_id=shop.goods.found.pk),
    )


def test_what_is_in_the_way_is_said(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        two, buying = Two.create(shop.goods), Buying.create(shop.goods)
        kit = shop.goods.tracked("none", "BOX", is_kit=True)
        BomLine.objects.create(assembly=kit, component=shop.goods.bolt, quantity=2)
        ReasonCode.objects.filter(pk=shop.goods.found.pk).update(approval_over_quantity=1)
        transfer, count, adjustment = two.order((kit, 1)), opened(shop.goods), adjust(shop, kit)
        record(count, shop.goods, 0, kit)
        item, bought = SupplierProductFactory(supplier=buying.supplier, variant=kit), buying.order((kit, 1))
        task = buying.task(kit)
    url = f"/api/v1/product-variants/{kit.pk}/"

    def said() -> str:
        return str(assert_problem(acme.api.send("patch", url, {"sold_by_components": True}), 409, "kit_in_use")["detail"])

    every = said()
    for words in (
        f"transfer order {transfer.number}", "an unfinished stock count in W1", "an adjustment that waits for approval in W1",
        "an active reorder rule in W1", "an unfinished reorder task in W1", "an item of supplier ACME",
    ):
        assert words in every
    with acme.scope():
        transfer_order_cancel(order=transfer)
        stock_count_cancel(count_id=count.pk)
        StockAdjustment.objects.update(requested_by=uuid4())
        adjustment_reject(adjustment_id=adjustment.pk, note="A kit.")
        SupplierProduct.objects.filter(pk=item.pk).update(variant=shop.goods.bolt)
        ReorderRule.objects.filter(variant=kit).update(is_active=False)
        type(task).objects.filter(pk=task.pk).update(status="done")
    assert f"purchase order {bought.number}" in said()
    with acme.scope():
        purchase_order_cancel(order=bought)
    assert acme.api.send("patch", url, {"sold_by_components": True}).status_code == 200
    with acme.scope(), pytest.raises(IntegrityError, match=WHAT_TO_DO):
        ReorderRule.objects.filter(variant=kit).update(is_active=True)
    with acme.scope():
        sound()


@pytest.mark.parametrize("is_first", [True, False])
def test_who_comes_second_learns_of_the_first(is_first: bool, new_company: Callable[[], Company]) -> None:
    """Somebody buys it while somebody else decides that it is sold by its components."""
    company = new_company()
    with company.scope():
        shop = Shop.create()
        buying, kit = Buying.create(shop.goods), shop.goods.tracked("none", "BOX", is_kit=True)
        buying.sells(shop.goods.bolt)
    has_the_first = multiprocessing.get_context("fork").Event()
    verbs = [lambda: switch(kit), lambda: buying.order((kit, 1))]

    def run(number: int) -> str:
        if number:
            assert has_the_first.wait(60)
        with company.scope():
            try:
                verbs[is_first == (number == 0)]()
            except (IntegrityError, Invalid, Conflict) as error:
                return str(error)
            if not number:
                has_the_first.set()
                eventually(somebody_waits)
        return "done"

    first, second = sorted(at_once(2, run), key=lambda said: said != "done")
    assert first == "done" and ("In the way: purchase order" if is_first else WHAT_TO_DO) in second, second


@pytest.mark.django_db(databases=["default", "worker"])  # a command finds an organization as the worker
def test_a_file_names_it_and_the_rest_goes_in(acme: Company, tmp_path: Path) -> None:
    with acme.scope():
        kit = fastening(Shop.create())
        ProductVariant.objects.filter(pk=kit.pk).update(external_ref="part:kit")
    parts = [
        {"partId": key, "name": key.title(), "supplier": "Pads", "reorderThreshold": 3} for key in ("kit", "pad")
    ]
    for name, rows in (("parts", parts), ("stock", [{"partId": key, "quantity": 7} for key in ("kit", "pad")])):
        (tmp_path / f"{name}.json").write_text("\n".join(map(json.dumps, rows)))
    said = StringIO()
    with pytest.raises(SystemExit):
        call_command(
            "import_parts", organization=acme.organization.slug, stdout=said, parts=[tmp_path / "parts.json"],
            stock=[tmp_path / "stock.json"],
        )
    left_out = [line for line in said.getvalue().splitlines() if WHAT_TO_DO in line]
    assert [line.split()[3].rstrip(":") for line in left_out] == ["supplier", "quantity", "reorderThreshold"], said.getvalue()
    with acme.scope():
        assert [rule.variant.name for rule in ReorderRule.objects.all()] == ["Pad"]


def test_a_kit_is_never_out(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        kit = fastening(shop)
        shop.goods.rule(minimum=9)
        order = cart(shop, (kit, 2))
        shipped(order)
        reorder_check()
    found = acme.api.get("/api/v1/analytics/inventory/").json()
    assert (found["out_of_stock"], found["low"], found["open_reorder_tasks"]) == (0, 1, 1), "the bolts are low"
    assert {one["sku"]: Decimal(one["issued"]) for one in found["top_movers"]} == {"NUT": 4, "BOLT": 2}
