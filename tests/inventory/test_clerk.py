"""The clerk's pages without a browser: who may do what where, what is refused, and what is done once however often it is sent."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.permissions import MANAGER, VIEWER
from core.errors import Invalid
from inventory.models import (
    Location,
    LogisticUnit,
    ProductBarcode,
    ReasonCode,
    ReceiptDraftEntry,
    StockItem,
    StockMove,
    TrayLine,
    Warehouse,
)
from inventory.queries.barcodes import SOURCES
from inventory.queries.stock_days import stock_days
from inventory.queries.stock_history import Asked, stock_history
from inventory.services.tray import tray_awake, tray_put, tray_put_down, tray_quantity, tray_take_out
from tests.admin.pages import statements, text
from tests.companies import Company
from tests.factories.barcodes import ProductBarcodeFactory
from tests.factories.inventory import SupplierProductFactory, WarehouseFactory
from tests.factories.invoices import InvoiceFactory
from tests.factories.lots import LotFactory
from tests.factories.pick_lists import PickListFactory
from tests.factories.purchasing import PurchaseOrderFactory
from tests.factories.returns import ReturnAuthorizationFactory
from tests.factories.sales import SalesOrderFactory
from tests.factories.shipping import ShipmentFactory
from tests.factories.transfers import LogisticUnitFactory, TransferOrderFactory
from tests.inventory.goods import Goods
from tests.limited import limited_admin

SCAN, CARD, ADJUST, PREVIEW = "/admin/scan/", "/admin/stock/card/", "/admin/stock/adjust/", "/admin/stock/adjust/preview/"
HISTORY, VERIFY, UNDO = "/admin/stock/history/", "/admin/stock/history/verify/", "/admin/stock/undo/"
EAN = "4006381333931"


@pytest.fixture
def goods(acme: Company) -> Goods:
    with acme.scope():
        made = Goods.create()
        made.receive(30)
        made.receive(10, to=made.other_shelf)
        made.receive(4, to=made.quarantine)
    return made


def scan(client: Any, code: str, **more: str) -> Any:
    return client.post(SCAN, {"text": code, "id": uuid4().hex, "by": "scanner", **more})


def said(response: Any) -> str:
    """What is announced."""
    found = re.search(r"data-say[^>]*>(.*?)</", text(response), re.S)
    return " ".join(found.group(1).split()) if found else ""


def item(company: Company, location: Location) -> StockItem:
    with company.scope():
        found: StockItem = StockItem.objects.get(location=location)
    return found


def test_a_scan_is_few_statements_and_says_what_there_is(acme: Company, goods: Goods) -> None:
    client = acme.admin
    scan(client, "BOLT")
    with statements() as asked:
        answer = scan(client, "bolt")
    assert said(answer) == "BOLT: on hand 44, reserved 0, available 40", "what is in quarantine is not available"
    ours = [one for one in asked if "inventory_" in one]
    assert len(ours) == 4, "the code, the variant, its stock, whether a tray is being filled"


def test_what_is_scanned_is_strict_and_what_is_typed_may_be_words(acme: Company, goods: Goods) -> None:
    client = acme.admin
    assert scan(client, "bol").status_code == 404
    assert said(scan(client, "bol", by="hand")).startswith("BOLT")
    for wrong, status in (("", 404), ("\0", 422), ("A\x07B", 422), ("x" * 3_000, 422), ("]d201", 404)):
        assert scan(client, wrong).status_code == status, repr(wrong)
    assert "role=\"alert\"" in text(scan(client, "nobody"))


def test_whatever_a_scan_finds_has_a_card(acme: Company, goods: Goods) -> None:
    client = acme.admin
    with acme.scope():
        code = {
            "barcode": ProductBarcodeFactory(variant=goods.bolt, symbology="ean13", value=EAN, quantity=1).value,
            "sku": "NUT", "location": "A-1", "warehouse": goods.warehouse.code,
            "supplier_sku": SupplierProductFactory(supplier_sku="THEIRS-1").supplier_sku,
            "lot": LotFactory(code="LOT-77").code,
            "logistic_unit": LogisticUnitFactory(location=goods.shelf, parent__location=goods.shelf).sscc,
            "transfer_order": TransferOrderFactory(number="TO-000777").number,
            "purchase_order": PurchaseOrderFactory(number="PO-000777").number,
            "pick_list": PickListFactory(number="PL-000777").number,
            "sales_order": SalesOrderFactory(number="SO-000777").number,
            "shipment": ShipmentFactory(number="SH-000777").number,
            "invoice": InvoiceFactory(number="IN-000777").number,
            "return": ReturnAuthorizationFactory(number="RT-000777").number,
        }
        parent, elsewhere = LogisticUnit.objects.get(sscc=code["logistic_unit"]).parent, WarehouseFactory()
    assert code.keys() == {source.kind for source in SOURCES}
    for kind, text_of_it in code.items():
        answer = scan(client, text_of_it)
        page = answer.headers.get("X-Go")
        assert (kind, answer.status_code) == (kind, 200), text(answer)
        assert said(answer) or client.get(page, follow=True).status_code == 200, kind
    assert f"at A-1 in {goods.warehouse}, on {parent}" in text(scan(client, code["logistic_unit"]))
    assert code["logistic_unit"] in text(client.get(f"/admin/stock/unit/?logistic_unit={parent.pk}"))
    assert f'value="{parent.sscc}"' in text(client.get(f"/admin/labels/?sscc={parent.sscc}"))
    assert scan(limited_admin(acme, elsewhere), code["logistic_unit"]).status_code == 404


def test_a_lot_is_looked_up_with_its_own_article(acme: Company, goods: Goods) -> None:
    """Another article's lot of the same code is never taken for it."""
    with acme.scope():
        milk, cream = goods.tracked(), goods.tracked(sku="CREAM")
        goods.receive_lot(5, milk, "L1")
        lot = goods.receive_lot(6, cream, "L7")
        ProductBarcode.objects.create(variant=milk, symbology="ean13", value=EAN)
    shown = text(scan(acme.admin, f"(01){EAN.zfill(14)}(10)L7"))
    assert "MILK" in shown and str(lot.pk) not in shown


def test_roles_and_warehouses(acme: Company, goods: Goods) -> None:
    with acme.scope():
        north = Warehouse.objects.create(code="N", name="North")
        there = Location.objects.create(warehouse=north, code="N-1")
        goods.receive(5, to=there)
    viewer, limited = acme.admin_as(VIEWER), limited_admin(acme, north)
    card = text(scan(viewer, "BOLT"))
    assert "on hand 49" in card and "Adjust" not in card and "Into the tray" not in card and "History" in card
    here, away = item(acme, goods.shelf), item(acme, there)
    assert viewer.post(ADJUST, {"item": here.pk, "entry": "-1 FOUND"}).status_code == 403
    assert viewer.post("/admin/tray/put/", {"item": here.pk}).status_code == 403
    assert viewer.get("/admin/receive/").status_code == 403
    assert "on hand 5," in said(scan(limited, "BOLT")), "of their own warehouse alone"
    assert scan(limited, "A-1").status_code == 404
    assert limited.get(ADJUST, {"item": here.pk}).status_code == 404
    assert limited.get(ADJUST, {"item": away.pk}).status_code == 200
    assert limited.post("/admin/tray/put/", {"item": here.pk}).status_code == 403
    ledger = text(limited.get(HISTORY, {"variant": goods.bolt.pk}))
    assert "N-1" in ledger and "A-2" not in ledger
    assert acme.admin_as(MANAGER).get("/admin/receive/").status_code == 200


@pytest.mark.parametrize(("entry", "preview"), [
    ("-2 fo", "30 → 28, available 28 · FOUND Found"), ("=17 da it fell", "30 → 17, available 17 · DAMAGED Damaged · it fell"),
    ("+1,5found", "30 → 31.5, available 31.5 · FOUND Found"), ("-2 da", "DAMAGED demands a note"), ("5 fo", "Type -2, +2 or =17"),
    ("-2", "Say why"), ("-2 x", "No reason begins with x"), ("-31 fo", "There is not so much"),
    ("-99999999999999 fo", "Type -2"), ("=1e5 fo", "No reason begins with e5"),
])
def test_an_adjustment_is_read_from_one_line(entry: str, preview: str, acme: Company, goods: Goods) -> None:
    asked = {"item": str(item(acme, goods.shelf).pk), "entry": entry}
    assert preview in " ".join(text(acme.admin.get(PREVIEW, asked)).split()).replace("&#x27;", "'")


def test_an_adjustment_counts_once_and_never_overwrites(acme: Company, goods: Goods) -> None:
    here, client, token = item(acme, goods.shelf), acme.admin, str(uuid4())
    sent = {"item": str(here.pk), "entry": "-2 fo", "expected": "30.000000", "token": token}
    for _ in range(2):
        assert said(client.post(ADJUST, sent)).startswith("30 → 28, FOUND.")
    with acme.scope():
        assert goods.on_hand() == 28
    late = client.post(ADJUST, {**sent, "token": str(uuid4())})
    assert "The balance is 28 by now, not 30" in text(late) and late.headers["HX-Retarget"] == "#card-line"
    assert said(client.post(UNDO, {"key": f"admin:{token}"})).startswith("Undone.")
    assert client.post(UNDO, {"key": f"admin:{token}"}).status_code == 200, "the same once more"
    assert acme.admin_as(MANAGER).post(UNDO, {"key": f"admin:{token}"}).status_code == 422
    with acme.scope():
        assert goods.on_hand() == 30


def test_the_ledger_runs_and_narrows(acme: Company, goods: Goods) -> None:
    with acme.scope():
        goods.move(5, goods.other_shelf)
        goods.adjust(change="-1", reason=goods.found)
    client = acme.admin
    with acme.scope():
        whole, older = stock_history(Asked(goods.bolt.pk))
        place, _ = stock_history(Asked(goods.bolt.pk, location=goods.shelf.pk))
        last = stock_history(Asked(goods.bolt.pk, before=whole[2].seq))[0]
    assert [(int(line.change), int(line.after or 0)) for line in whole] == [(-1, 43), (0, 44), (4, 44), (10, 40), (30, 30)]
    assert [(int(line.change), int(line.after or 0)) for line in place] == [(-1, 24), (-5, 25), (30, 30)] and older is None
    assert [int(line.after or 0) for line in last] == [40, 30], "an older page goes on where the newer one ended"
    with statements() as asked:
        page = text(client.get(HISTORY, {"variant": goods.bolt.pk}))
    assert len([one for one in asked if "inventory_stockmove" in one]) == 4
    assert "It has never been counted." in page and "In all 5 moves" in page and "None of them is unusual." in page
    for words, there, gone in (
        ("loc:a-2", "A-2", "<strong>43"), ("by:admin", "Found", "scope=\"col\">Balance"),
        ("doc:none", "No move.", "Found<"), ("loc:nowhere", "It lay at no location", "-"), ("nonsense", "is no filter", "-"),
    ):
        narrowed = text(client.get(HISTORY, {"variant": goods.bolt.pk, "q": words}))
        assert there in narrowed, words
        assert gone == "-" or gone not in narrowed, words
    assert client.get(HISTORY, {"variant": goods.bolt.pk, "before": "9" * 30}).status_code == 200
    assert client.get(HISTORY, {"variant": "x"}).status_code == 404
    assert said(client.get(VERIFY, {"variant": goods.bolt.pk})).startswith("Right: the balance of 43")


def test_two_warehouses_may_call_their_places_alike(acme: Company, goods: Goods) -> None:
    with acme.scope():
        other = Warehouse.objects.create(code="W2", name="Second")
        twin = Location.objects.create(warehouse=other, code="A-1", kind="storage")
        blank = Location.objects.create(warehouse=other, code="Rack 7", kind="storage")
        goods.receive(7, to=twin)
        goods.receive(9, to=blank)
        item, in_rack = (StockItem.objects.get(location=place).pk for place in (twin, blank))
    client = acme.admin
    asked = text(scan(client, "A-1"))
    assert "W1 A-1" in asked and "W2 A-1" in asked, "which is which"
    of_the_card = text(client.get(HISTORY, {"variant": goods.bolt.pk, "item": item}))
    assert 'value="loc:W2/A-1"' in of_the_card and "<strong>7" in of_the_card and "<strong>30" not in of_the_card
    assert "write loc:W1/A-1 or loc:W2/A-1." in text(client.get(HISTORY, {"variant": goods.bolt.pk, "q": "loc:a-1"}))
    of_the_rack = text(client.get(HISTORY, {"variant": goods.bolt.pk, "item": in_rack}))
    assert "<strong>9" in of_the_rack and "<strong>7" not in of_the_rack and "is no filter" not in of_the_rack


def test_a_bar_for_each_day_ends_with_the_balance_of_the_page(acme: Company, goods: Goods) -> None:
    """Moves count on the day on which they happened, whenever they were posted; of an older page, as it was then."""
    now = timezone.now()
    with acme.scope():
        goods.receive(6, occurred_at=now - timedelta(days=3))
        goods.issue(20, occurred_at=now - timedelta(days=2))
        goods.issue(1, occurred_at=now - timedelta(days=20))
        last = StockMove.objects.latest("seq").seq
        lines, _ = stock_history(Asked(goods.bolt.pk))
        days = stock_days(
            Asked(goods.bolt.pk), first=now.date() - timedelta(4), last=now.date(), balance=lines[0].after or Decimal(0),
        )
    assert [int(day.balance) for day in days] == [-1, 5, -15, -15, 29]
    assert [(int(day.came), int(day.went)) for day in days] == [(0, 0), (6, 0), (0, 20), (0, 0), (44, 0)]
    client = acme.admin
    page = text(client.get(HISTORY, {"variant": goods.bolt.pk}))
    assert page.count("<g>") == 21 and f"at least -15 on {now.date() - timedelta(2)}, last 29." in page
    assert f"{now.date()}: 29, 44 came, 0 went" in page and f"{now.date() - timedelta(1)}: -15, nothing moved" in page
    older = text(client.get(HISTORY, {"variant": goods.bolt.pk, "before": last}))
    assert older.count("<g>") == 14 and f"at least -14 on {now.date() - timedelta(2)}, last 30." in older
    place = text(client.get(HISTORY, {"variant": goods.bolt.pk, "q": "loc:a-2"}))
    assert "at most 10 on" in place and "last 10." in place
    for words in ("by:admin", "doc:none"):
        assert "<figure" not in text(client.get(HISTORY, {"variant": goods.bolt.pk, "q": words})), "moves are missing"


def test_bars_are_of_days_whose_moves_are_all_known(acme: Company, goods: Goods, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inventory.queries.stock_days.LATELY", 2)
    assert "<figure" not in text(acme.admin.get(HISTORY, {"variant": goods.bolt.pk})), "more than that were posted today"


def test_sentences_say_when_it_was_counted_and_what_is_unusual(acme: Company, goods: Goods) -> None:
    with acme.scope():
        goods.adjust(counted="28", reason=ReasonCode.objects.get(kind="adjustment", code="COUNT"))
        goods.receive(2, occurred_at=timezone.now() - timedelta(hours=3))
        goods.issue(1)
    page = text(acme.admin.get(HISTORY, {"variant": goods.bolt.pk}))
    assert f"by {acme.user.name}: -2." in page
    assert "Since then 2 moves: 2 came, 1 went." in page and "1 posted more than an hour late" in page


def test_a_tray_moves_once_and_a_forgotten_one_by_a_key_alone(acme: Company, goods: Goods) -> None:
    client, here, step = acme.admin, item(acme, goods.shelf), uuid4().hex
    assert said(client.post("/admin/tray/put/", {"item": here.pk})) == "BOLT is in the tray. Tray: 1 line"
    client.post("/admin/tray/put/", {"item": here.pk})
    with acme.scope():
        line = TrayLine.objects.get()
    for wrong in ("0", "-1", "x", "NaN", "1e20", "1.1234567"):
        assert client.post(f"/admin/tray/quantity/?line={line.pk}", {"quantity": wrong}).status_code == 422, wrong
    client.post(f"/admin/tray/quantity/?line={line.pk}", {"quantity": "12"})
    assert scan(client, "A-1").status_code == 422, "it lies there already"
    sent = {"text": "A-2", "id": step, "by": "scanner"}
    assert "Moved to A-2: 12 of BOLT." in text(client.post(SCAN, sent))
    assert said(acme.admin.post(SCAN, {**sent, "text": "A-1"})).startswith("Location A-1"), "the tray is empty: one looks"
    with acme.scope():
        assert (goods.on_hand(), goods.on_hand(location=goods.other_shelf)) == (18, 22)
    client.post("/admin/tray/put/", {"item": here.pk})
    with acme.scope():
        TrayLine.objects.update(created_at=timezone.now() - timedelta(hours=2))
    answer = text(scan(client, "A-2"))
    assert "Move the 1 line of your tray here" in answer
    with acme.scope():
        assert goods.on_hand() == 18
    other = acme.admin_as(MANAGER)
    assert "Tray: 0" in text(other.get("/admin/tray/")), "everybody has their own"
    for _ in range(2):
        moved = client.post("/admin/tray/put-down/", {"location": goods.other_shelf.pk, "id": step + "b"})
        assert "Moved to A-2" in text(moved)
    with acme.scope():
        assert (goods.on_hand(), goods.on_hand(location=goods.other_shelf)) == (0, 40)


def test_a_tray_is_its_persons_alone(acme: Company, goods: Goods) -> None:
    other = acme.members[MANAGER].user.pk
    with acme.scope():
        line = tray_put(item_id=StockItem.objects.filter(quantity__gt=0)[0].pk)
    with acme.scope(actor_id=other):
        assert not tray_awake()
        tray_take_out(line_id=line.pk)
        tray_quantity(line_id=line.pk, quantity=Decimal(1))
        with pytest.raises(Invalid, match="The tray is empty"):
            tray_put_down(location=goods.other_shelf, key="k")
    with acme.scope():
        assert TrayLine.objects.get().quantity is None and tray_awake()


def test_what_is_received_is_kept_step_by_step_and_posted_once(acme: Company, goods: Goods) -> None:
    client = acme.admin
    with acme.scope():
        milk = goods.tracked()
        ProductBarcode.objects.create(variant=milk, symbology="ean13", value=EAN, quantity=6)
        Location.objects.create(warehouse=goods.warehouse, code="DOCK", kind="receiving")

    def send(name: str, step: str = "", **fields: str) -> str:
        named = {field.rstrip("_"): value for field, value in fields.items()}
        answer = client.post(f"/admin/receive/{name}/", {"id": step or uuid4().hex, **named})
        assert answer.status_code == 200, text(answer)
        return said(answer)

    once = uuid4().hex
    assert send("scan", once, text=EAN) == "1 line, MILK: 6"
    assert send("scan", once, text=EAN) == "1 line, MILK: 6", "sent twice, it counts once"
    assert send("scan", text=EAN) == "1 line, MILK: 12"
    assert client.post("/admin/receive/post/", {"id": uuid4().hex}).status_code == 422, "without a lot"
    line = f"line/?line={milk.pk}--"
    typing = {"id": uuid4().hex, "entry": "11 L7 2027-02"}
    for _ in range(2):
        assert said(client.post(f"/admin/receive/{line}", typing)) == "1 line, MILK: 11 of lot L7"
    assert send("undo", step_=typing["id"]) == "The last step is taken back. 1 line, MILK: 12"
    assert send("undo", step_=typing["id"]) == "This step is taken back already. 1 line, MILK: 12"
    client.post(f"/admin/receive/{line}", {"id": uuid4().hex, "entry": "11 L7 2027-02"})
    for wrong in ("L7 2027-13", "2027-02-30", "x" * 100, "-1"):
        refused = client.post(f"/admin/receive/line/?line={milk.pk}-L7-2027-02-28", {"id": uuid4().hex, "entry": wrong})
        assert (refused.status_code, wrong) == (422, wrong)
    send("note", note="DN 4711")
    last = uuid4().hex
    for _ in range(2):
        assert send("post", last).startswith("Received 1 line at DOCK.")
    with acme.scope():
        move = StockMove.objects.latest("seq")
        assert (move.quantity, move.lot.code, str(move.lot.expires_on), move.note) == (Decimal(11), "L7", "2027-02-28", "DN 4711")
        assert not ReceiptDraftEntry.objects.exists() and StockMove.objects.filter(variant=milk).count() == 1


def test_labels_of_a_card_a_place_and_a_unit(acme: Company, goods: Goods) -> None:
    client, form = acme.admin, {"layout": "a4-24", "symbol": "auto", "copies": "1", "skip": "0"}
    with acme.scope():
        milk = goods.tracked()
        lot = goods.receive_lot(5, milk, "L7")
        ProductBarcode.objects.create(variant=milk, symbology="ean13", value=EAN)
        of_lot = StockItem.objects.get(lot=lot).pk
    layouts = re.findall(r'<option value="([^"]+)"', text(client.get("/admin/labels/")))
    form["layout"] = layouts[0]
    for query in (f"variant={goods.bolt.pk}", f"variant={milk.pk}&item={of_lot}", f"location={goods.shelf.pk}"):
        answer = client.post(f"/admin/labels/?{query}", form)
        assert answer.headers["Content-Type"] == "application/pdf", text(answer)[-3000:]
    assert "lot L7" in text(client.get(f"/admin/labels/?variant={milk.pk}&item={of_lot}"))
    assert client.post("/admin/labels/", {**form, "sscc": "340123450000000000"}).headers["Content-Type"] == "application/pdf"
    assert "An SSCC has 18 digits" in text(client.post("/admin/labels/", {**form, "sscc": "34"}))
    assert client.get(f"/admin/labels/?variant={uuid4()}").status_code == 404
