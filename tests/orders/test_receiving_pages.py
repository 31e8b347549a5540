"""Goods of a purchase order are scanned into a draft: strict about what they are, and never more than may come."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from accounts.permissions import MANAGER, VIEWER
from inventory.models import Location, ProductBarcode, ReceiptDraft, ReceiptDraftEntry, StockMove, Warehouse
from inventory.services.receiving import Goods as Wanted
from orders.models import GoodsReceipt, PurchaseOrder
from orders.services.purchase_receiving import purchase_draft, purchase_draft_add, purchase_draft_post
from tests.admin.pages import statements, text
from tests.companies import Company
from tests.limited import limited_admin
from tests.orders.buying import Buying, quantities

EAN, LOT, OTHER = "4006381333931", "]d201040063813339311727123110L7", "]d201040063813339311728123110L8"

type Send = Callable[..., Any]


@pytest.fixture
def buying(acme: Company) -> Buying:
    with acme.scope():
        made = Buying.create()
        milk = made.goods.tracked()
        ProductBarcode.objects.create(variant=milk, symbology="ean13", value=EAN)
        made.sent((milk, 10), (made.goods.bolt, 4), (made.goods.bolt, 6), over=10)
        made.sent((made.goods.nut, 5))
    return made


@pytest.fixture
def order(acme: Company, buying: Buying) -> PurchaseOrder:
    with acme.scope():
        found: PurchaseOrder = PurchaseOrder.objects.get(number="PO-000001")
    return found


@pytest.fixture
def send(acme: Company, order: PurchaseOrder) -> Send:
    client = acme.admin

    def sending(name: str, once: str = "", **fields: Any) -> Any:
        return client.post(f"/admin/receive/{order.pk}/{name}", {"id": once or uuid4().hex, "by": "scanner", **fields})

    return sending


def said(response: Any) -> str:
    found = re.search(r"data-say[^>]*>(.*?)</", text(response), re.S)
    return " ".join(found.group(1).split()) if found else ""


def test_what_is_scanned_is_strict_and_counts_once(acme: Company, buying: Buying, order: PurchaseOrder, send: Send) -> None:
    """Lots are rows of their own; a step that is sent twice counts once; the last one is taken back."""
    once = uuid4().hex
    for _ in range(2):
        assert said(send("scan/", once, text=LOT)).startswith("MILK: 1 of lot L7, 1 of 10 expected.")
    assert said(send("scan/", text=OTHER)).startswith("MILK: 1 of lot L8, 2 of 10 expected.")
    assert "NUT is not on PO-000001. PO-000002 is to bring it" in said(send("scan/", text="NUT"))
    assert send("scan/", text="Q-999").status_code == 404
    with acme.scope():
        milk = ProductBarcode.objects.get().variant_id
        away = Location.objects.create(warehouse=Warehouse.objects.create(code="N", name="North"), code="N-1")
    assert "N-1 is in another warehouse" in said(send("scan/", text="N-1"))
    assert "to <strong>A-2</strong>" in text(send("scan/", text="A-2"))
    assert send("scan/", text="PO-000002").headers["X-Go"].startswith("/admin/receive/")
    typed = f"line/?line={milk}-L7-2027-12-31"
    for wrong in ("x" * 100, "-1", "2027-13"):
        assert send(typed, entry=wrong).status_code == 422, wrong
    refused = send(typed, entry="11")
    assert (refused.status_code, said(refused)) == (409, "Of MILK 11 may come: with these it would be 12.")
    assert said(send(typed, once := uuid4().hex, entry="+")).startswith("MILK: 9 of lot L7, 10 of 10 expected.")
    assert said(send("undo/", step=once)).startswith("The last step is taken back.")
    assert send(typed.replace("L7", "L9"), entry="1").status_code == 422, "there is no such row"
    assert said(send("scan/", text="milk", by="hand")).startswith("MILK: 1, 3 of 10 expected.")
    assert send("post/").status_code == 422, "one of them has no lot"
    with acme.scope():
        assert not StockMove.objects.exists() and away.pk
        assert ReceiptDraft.objects.get().location.code == "A-2"


def test_all_of_it_is_posted_once_and_what_is_tolerated_with_it(acme: Company, order: PurchaseOrder, send: Send) -> None:
    """Two lines of an article are filled one after the other; what is more goes to the one of which most may be more."""
    for number in range(5):
        send("scan/", text=f"]d2010400638133393117271231302\x1d10LOT{number}")
    with acme.scope():
        order.lines.filter(line=3).update(over_receipt_percent=20)
        bolt = order.lines.get(line=2).variant_id
    assert said(send(f"line/?line={bolt}--", entry="11")).startswith("BOLT: 11, 11 of 10 expected.")
    assert send(f"line/?line={bolt}--", entry="12").status_code == 409
    send("note/", note="DN 4711")
    once = uuid4().hex
    for _ in range(2):
        answer = send("post/", once)
        assert text(answer).count("/admin/labels/?variant=") == 7 and "&amp;item=" in text(answer)
        assert said(answer).startswith("Received 7 lines at A-1 by GR-000001."), "sent twice, its answer was lost"
    with acme.scope():
        assert quantities(order) == [(10, 10, 0, 0), (4, 4, 0, 0), (6, 7, 0, 0)]
        receipt = GoodsReceipt.objects.get()
        assert (receipt.delivery_note, receipt.lines.count()) == ("DN 4711", 7)
        assert not ReceiptDraftEntry.objects.exists()
    assert send("post/").status_code == 422, "there is nothing more"


def test_posting_five_lines_of_goods_that_came_before_is_25_statements(acme: Company, buying: Buying) -> None:
    with acme.scope():
        wares = [buying.goods.tracked(sku=f"WARE-{number}") for number in range(5)]
        order = buying.sent(*((ware, 10) for ware in wares))
        for lot in ("P1", "P2"):
            draft = purchase_draft(order=order)
            for ware in wares:
                purchase_draft_add(order=order, draft=draft, goods=Wanted(ware.pk, Decimal(3), lot), step=uuid4().hex)
            draft = purchase_draft(order=order)
            with statements() as asked:
                purchase_draft_post(order=order, draft=draft, key=lot)
    assert len(asked) <= 25, asked


def test_who_may_not_receive_looks_and_everybody_has_a_draft_of_their_own(
    acme: Company, buying: Buying, order: PurchaseOrder, send: Send,
) -> None:
    address = f"/admin/receive/{order.pk}/"
    with acme.scope():
        north = Warehouse.objects.create(code="N", name="North")
        draft = buying.order((buying.goods.bolt, 1))
    send("scan/", text=LOT)
    assert "<td>L7</td>" in text(acme.admin.get(address)) and "<td>L7</td>" not in text(acme.admin_as(MANAGER).get(address))
    viewer, limited = acme.admin_as(VIEWER), limited_admin(acme, north)
    assert "nothing of it is to be received here now" in text(viewer.get(address))
    assert viewer.post(f"{address}scan/", {"text": LOT, "id": "1"}).status_code == 403
    assert limited.get(address).status_code == 404 and limited.post(f"{address}post/", {"id": "1"}).status_code == 404
    assert "is draft: nothing of it" in text(acme.admin.get(f"/admin/receive/{draft.pk}/"))
    assert acme.admin.post(f"/admin/receive/{draft.pk}/scan/", {"text": "BOLT", "id": "1"}).status_code == 409
    assert acme.admin.get(f"/admin/receive/{uuid4()}/").status_code == 404
    listed = acme.admin.get(f"/admin/orders/purchaseorder/{order.pk}/scan-in/")
    assert listed.headers["Location"] == address


def test_an_article_leads_to_the_order_that_is_to_bring_it(acme: Company, buying: Buying, order: PurchaseOrder) -> None:
    """One order: there; several: a question, whose last answer is none of them; none: the page without an order."""
    client = acme.admin
    with acme.scope():
        milk = ProductBarcode.objects.get().variant_id
        salt = buying.goods.tracked("none", "SALT")
        second = buying.sent((buying.goods.nut, 7))
        buying.order((buying.goods.nut, 9))  # which nobody has sent

    def receive(**fields: Any) -> Any:
        return client.post("/admin/receive/", {"id": uuid4().hex, **fields})

    answer = receive(text=LOT, chosen=milk)
    assert answer.headers["Location"] == f"/admin/receive/{order.pk}/"
    assert "<td>L7</td>" in text(client.get(answer.headers["Location"]))
    asked = text(receive(variant=buying.goods.nut.pk))
    assert asked.count('name="document"') == 3 and "PO-000002" in asked and str(second.pk) in asked
    assert receive(variant=buying.goods.nut.pk, document=second.pk).headers["Location"] == f"/admin/receive/{second.pk}/"
    assert receive(variant=buying.goods.nut.pk, document="none").headers["Location"] == "/admin/receive/"
    assert receive(variant=salt.pk).headers["Location"] == "/admin/receive/"
    assert "NUT" in text(client.get("/admin/receive/")) and "SALT" in text(client.get("/admin/receive/"))
    on_the_way = client.post("/admin/receive/scan/", {"id": "1", "text": "PO-000001"})
    assert on_the_way.headers["X-Go"] == f"/admin/receive/{order.pk}/"
