"""A buyer's pages: the buttons are what is legal next, and nothing else."""

from accounts.permissions import MANAGER, VIEWER
from inventory.models import ReorderTask
from orders.models import PurchaseOrder
from tests.companies import Company
from tests.orders.buying import Buying, limit_purchases, quantities

PAGES = "/admin/orders/purchaseorder/"


def test_from_the_draft_to_the_shelf_in_the_admin(acme: Company) -> None:
    with acme.scope():
        buys = Buying.create()
        buys.sells(buys.goods.bolt, 3)
        limit_purchases(10)
    browser = acme.admin
    line = {"variant": buys.goods.bolt.pk, "quantity": "4", "unit_price": "", "discount_percent": 0, "over_receipt_percent": 0}
    form = {
        "supplier": buys.supplier.pk, "warehouse": buys.goods.warehouse.pk, "currency": "", "expected_on": "",
        "supplier_reference": "", "note": "", "external_ref": "", "lines-TOTAL_FORMS": 1, "lines-INITIAL_FORMS": 0,
        **{f"lines-0-{name}": value for name, value in line.items()},
    }
    page = browser.post(f"{PAGES}add/", form)
    assert page.status_code == 302, page.content.decode()[-3000:]
    with acme.scope():
        order = PurchaseOrder.objects.get()
        row = order.lines.get()
        assert (order.currency, order.net_total, row.unit_price) == ("EUR", 12, 3)
    url = f"{PAGES}{order.pk}/"
    changed = {
        **form, "currency": "EUR", "lines-INITIAL_FORMS": 1, "lines-0-id": row.pk, "lines-0-order": order.pk,
        "lines-0-quantity": "5", "lines-0-unit_price": "3.000000",
    }
    assert browser.post(f"{url}change/", changed).status_code == 302
    with acme.scope():
        assert order.lines.get().price_reason != "Agreed", "nobody has touched the price"
    shown = browser.get(f"{url}change/").content.decode()
    assert all((f"{url}{verb}/" in shown) == (verb in ("submit", "cancel")) for verb in ("submit", "approve", "send", "cancel"))
    assert browser.post(f"{url}submit/").status_code == 302
    assert "Somebody else has to look" in browser.post(f"{url}approve/", follow=True).content.decode()
    manager = acme.admin_as(MANAGER)
    assert b"Why" not in manager.get(f"{url}reject/").content
    assert manager.post(f"{url}reject/", {"reason": "Later"}).status_code == 302
    assert browser.post(f"{url}submit/").status_code == 302
    assert manager.post(f"{url}approve/").status_code == 302
    assert browser.get(f"{url}receive/").status_code == 403, "it is not sent yet"
    assert browser.post(f"{url}send/", {"by": "mail"}).status_code == 302
    asking = browser.get(f"{url}receive/")
    assert asking.status_code == 200 and b'value="5"' in asking.content
    goods = {
        "quantity-1": "3", "rejected-1": "1", "because-1": "", "location": buys.goods.shelf.pk, "delivery_note": "LS-1",
        "note": "",
        "token": asking.context["form"].initial["token"],
    }
    assert b"Say why goods were rejected" in browser.post(f"{url}receive/", goods).content
    for _ in range(2):  # a form that is sent twice
        assert browser.post(f"{url}receive/", {**goods, "because-1": "Rusty"}).status_code == 302
    asking = browser.get(f"{url}send-back/")
    back = {**goods, "quantity-1": "1", "token": asking.context["form"].initial["token"]}
    assert browser.post(f"{url}send-back/", back).status_code == 302
    with acme.scope():
        assert (quantities(order), buys.goods.on_hand()) == ([(5, 3, 1, 1)], 2)
        receipt = order.receipts.first()
    assert browser.get(f"/admin/orders/goodsreceipt/{receipt.pk}/change/").status_code == 200
    assert browser.post(f"{url}close/").status_code == 302
    assert browser.get(f"{url}change/").status_code == 200
    assert acme.admin_as(VIEWER).get(f"{url}close/").status_code == 403


def test_reorder_tasks_by_one_button(acme: Company) -> None:
    with acme.scope():
        buys = Buying.create(min_order_value=1000)
        buys.sells(buys.goods.bolt)
        buys.task()
    browser = acme.admin
    assert b"Buy what reorder tasks ask for" in browser.get(PAGES).content
    assert b"Make drafts" in browser.get(f"{PAGES}from-tasks/").content
    done = browser.post(f"{PAGES}from-tasks/", follow=True).content
    assert b"Made 1 drafts: PO-000001" in done and b"takes an order for" in done
    with acme.scope():
        assert ReorderTask.objects.get().status == "ordered"
    assert b"there is nothing to buy" in browser.post(f"{PAGES}from-tasks/", follow=True).content
