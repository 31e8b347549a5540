"""What is low is ordered by keyboard alone: task 8 of the clerk."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import Party
from inventory.models import (
    Product,
    ProductVariant,
    ReorderRule,
    ReorderTask,
    Supplier,
    SupplierProduct,
    UnitOfMeasure,
    Warehouse,
)
from inventory.services.levels import levels_refresh
from inventory.services.reorder_tasks import TaskOrder
from inventory.services.replenishment import reorder_check
from orders.models import PurchaseOrder, PurchaseOrderItem
from orders.services.purchase_batches import purchase_orders_buy, purchase_orders_undo
from orders.services.purchase_states import purchase_order_send, purchase_order_submit
from tests.admin.pages import statements
from tests.browser.conftest import screenshot
from tests.browser.signing import sign_in
from tests.browser.test_accessibility import faults
from tests.browser.wedge import Clerk
from tests.companies import Company
from tests.inventory.goods import Goods

REORDER = "/admin/reorder/"


def sold(supplier: Supplier, variant: object, price: object = 2, **values: object) -> None:
    SupplierProduct.objects.create(
        supplier=supplier, variant=variant, supplier_sku=f"{supplier.code}-{variant}"[:64], last_price=Decimal(str(price)),
        **values,
    )


@pytest.fixture
def company(page: Page, new_company: Callable[[], Company]) -> Company:
    company = new_company()
    with company.scope():
        goods = Goods.create()
        supplier = Supplier.objects.create(
            party=Party.objects.create(name="Bolts & Co"), code="S1", lead_time_days=4, min_order_value=Decimal(100),
        )
        other = Supplier.objects.create(party=Party.objects.create(name="Nuts Ltd"), code="S2")
        for variant in (goods.bolt, goods.nut):
            sold(supplier, variant, "2.5", pack_size=6, is_preferred=True)
            goods.rule(variant=variant)
        sold(other, goods.nut)
        goods.rule(variant=goods.tracked(sku="OIL"))
        assert reorder_check() == 3
    sign_in(page, company)
    return company


def test_what_is_low_is_ordered_by_keyboard(page: Page, company: Company) -> None:
    page.goto(REORDER)
    expect(page.get_by_label("Order OIL")).to_be_disabled()  # nobody sells it
    expect(page.get_by_label("Quantity of BOLT")).to_be_focused()
    page.keyboard.type("24")
    page.keyboard.press("Enter")
    page.keyboard.press("v")
    page.keyboard.press("ArrowDown")
    screenshot(page, "reorder")
    assert faults(page) == []
    page.keyboard.press("Control+Enter")
    expect(page.locator("main")).to_contain_text("2 orders, 2 lines.")
    expect(page.locator("main")).to_contain_text("In all 60")
    expect(page.locator("main")).to_contain_text("takes an order for is 100")
    screenshot(page, "reorder-preview")
    expect(page.get_by_role("button", name="Order them")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("Ordered: 2 lines, as drafts PO-000001 (60 EUR), PO-000002 (12 EUR).")
    with company.scope():
        found = ReorderTask.objects.order_by("variant__sku").values_list("status", "ordered_quantity", "supplier__code")
        assert list(found) == [("ordered", 24, "S1"), ("ordered", 6, "S2"), ("open", None, None)]
    page.get_by_role("button", name="Undo the last order").press("Enter")
    expect(page.locator("main")).to_contain_text("their tasks are open again")
    with company.scope():
        assert set(PurchaseOrder.objects.values_list("status", flat=True)) == {"cancelled"}
    expect(page.get_by_label("Quantity of BOLT")).to_be_focused()
    page.keyboard.press("s")
    expect(page.locator("main")).to_contain_text("Snoozed until")
    expect(page.get_by_label("Quantity of BOLT")).to_have_count(0)


def test_ten_lines_of_three_suppliers_are_four_actions(page: Page, company: Company) -> None:
    with company.scope():
        suppliers = [Supplier.objects.create(party=Party.objects.create(name=f"Sup {n}"), code=f"T{n}") for n in range(3)]
        warehouse = Warehouse.objects.get()
        ReorderRule.objects.update(is_active=False)
        ReorderTask.objects.update(status="dismissed", closed_at=timezone.now())
        for number in range(10):
            product = Product.objects.create(name=f"Ware {number}", base_unit=UnitOfMeasure.objects.get(code="C62"))
            variant = ProductVariant.objects.create(product=product, sku=f"WARE-{number}", name=f"Ware {number}")
            sold(suppliers[number % 3], variant, is_preferred=True, pack_size=4)
            ReorderRule.objects.create(variant=variant, warehouse=warehouse, min_quantity=5)
        levels_refresh(list(ReorderRule.objects.values_list("pk", flat=True)))
        assert reorder_check() == 10
        with transaction.atomic():  # the first one makes the sequence of numbers
            keys = list(ReorderTask.objects.filter(status="open").values_list("pk", flat=True))
            made = purchase_orders_buy(choices=[TaskOrder(key) for key in keys])
            purchase_orders_undo(orders=[order.pk for order in made])
        assert len(made) == 3
        with statements() as sent:
            made = purchase_orders_buy(choices=[TaskOrder(key) for key in keys])
        assert len(sent) <= 20, "\n".join(one[:80] for one in sent)
        purchase_orders_undo(orders=[order.pk for order in made])
    page.goto("/admin/")
    page.wait_for_load_state("networkidle")
    clerk = Clerk(page)
    clerk.begin()
    clerk.key("g")
    page.wait_for_timeout(200)  # a person's pace: what comes sooner is a scan
    clerk.key("r")
    expect(page.get_by_label("Quantity of WARE-0")).to_be_focused()
    expect(page.get_by_label("Quantity of WARE-0")).to_have_value("8")
    clerk.key("Control+Enter")
    expect(page.locator("main")).to_contain_text("3 orders, 10 lines.")
    expect(page.get_by_role("button", name="Order them")).to_be_focused()
    clerk.key("Enter")
    expect(page.locator("main")).to_contain_text("Ordered: 10 lines")
    assert clerk.actions == 4, "task 8"
    with company.scope():
        drafts = PurchaseOrder.objects.filter(status="draft")
        assert drafts.count() == 3
        assert PurchaseOrderItem.objects.filter(order__in=drafts, reorder_task__status="ordered").count() == 10
        [first, *_] = drafts.order_by("number")
        purchase_order_send(order=purchase_order_submit(order=first), by="other")
    page.get_by_role("button", name="Undo the last order").press("Enter")
    expect(page.locator("main")).to_contain_text(f"{first.number} is sent: cancel what can be canceled one by one.")
    with company.scope():
        assert PurchaseOrder.objects.filter(status="draft").count() == 2, "all of a batch, or nothing"


def test_what_is_no_quantity_is_said_beside_it(page: Page, company: Company) -> None:
    page.goto(REORDER)
    page.get_by_label("Quantity of NUT").fill("many")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_label("Quantity of NUT")).to_be_focused()
    expect(page.get_by_label("Quantity of NUT")).to_have_value("many")
    expect(page.get_by_role("alert")).to_contain_text("number")
