"""A kit that is sold by its components has the price, and these have the goods."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from config.compat_orders import in_old_shape
from core.errors import Conflict, Invalid
from inventory.models import BomLine, Location, ProductVariant, StockItem
from inventory.queries.parts import parts
from inventory.queries.stock_card import stock_of
from notifications.models import OutboxEvent
from orders.models import Invoice
from orders.queries.delivery_notes import goods_of
from orders.services.backorders import backorders_fill_everywhere
from orders.services.fulfilment import sales_order_deliver, sales_order_pack, sales_order_ship
from orders.services.invoices import invoice_delete, invoice_draft_from_order, invoice_issue
from orders.services.payments import Source, payment_record
from orders.services.pick_lists import pick_list_create
from orders.services.returns import Asked, return_refund, return_replace
from orders.services.sales_orders import NewLine, sales_order_cancel, sales_order_change, sales_order_place
from orders.services.shipments import Part, shipment_create, shipment_hand_over, shipment_pack
from orders.services.splitting import Split, sales_order_split
from tests.admin.pages import statements
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.factories.inventory import WarehouseFactory
from tests.inventory.test_quotes import price
from tests.inventory.test_races import at_once
from tests.orders.kits import by_sku, cart, fastening, kit_of, line_of
from tests.orders.selling import Shop
from tests.orders.shop import Shop as WebShop
from tests.orders.test_returns import came, inspected, shipped
from tests.orders.test_sales_orders import refused, sound


def reserved(variant: ProductVariant) -> int:
    return int(StockItem.objects.get(variant=variant).reserved)


def test_a_kit_is_placed_and_sent_by_its_components(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        kit = fastening(shop)
        order = sales_order_place(order=cart(shop, (kit, 3), (shop.goods.bolt, 1)))
        assert (order.net_total, reserved(shop.goods.bolt), reserved(shop.goods.nut)) == (32, 4, 6)
        found = [(line.sku, line.quantity, line.per_kit, line.net_amount) for line in order.lines.order_by("line")]
        assert found == [("KIT", 3, None, 27), ("BOLT", 1, None, 5), ("BOLT", 3, 1, 0), ("NUT", 6, 2, 0)]
        BomLine.objects.filter(assembly=kit).update(quantity=5)
        sales_order_pack(order=order)
        sales_order_ship(order=order)
        order = sales_order_deliver(order=order)
        assert order.status == "delivered"
        assert line_of(order, "KIT").shipped_quantity == 3, "as its components are"
        assert (shop.goods.on_hand(), shop.goods.on_hand(shop.goods.nut)) == (6, 4), "by the bill as it was sold"
        sound()


def test_no_kit_without_all_its_components(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create(stock=5)
        kit = fastening(shop)
        order = cart(shop, (kit, 3))
        assert "1 of the 6 wanted of NUT" in refused("insufficient_stock", sales_order_place, order=order).detail
        assert (reserved(shop.goods.bolt), order.lines.count()) == (0, 1), "nothing is half done"
        with pytest.raises(Invalid, match="whole kits"):
            cart(shop, (kit, "1.5"))
        BomLine.objects.filter(assembly=kit).delete()
        refused("kit_without_components", sales_order_place, order=cart(shop, (kit, 1)))


def test_what_waits_waits_for_whole_kits(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        shop = Shop.create(stock=5, backorders=True)
        kit = fastening(shop)
        order = sales_order_place(order=cart(shop, (kit, 4)))
        assert by_sku(order, "allocated") == {"KIT": (2,), "BOLT": (2,), "NUT": (4,)}, "no bolt for a kit without nuts"
        other = sales_order_place(order=cart(shop, (shop.goods.bolt, 4)))
        assert line_of(other, "BOLT").allocated_quantity == 3
        shop.goods.receive(2)
    assert backorders_fill_everywhere() == 1, "the bolt goes to who needs no nuts"
    with company.scope():
        assert [line_of(one, "BOLT").allocated_quantity for one in (order, other)] == [2, 4]
        shop.goods.receive(2, variant=shop.goods.nut)
    assert backorders_fill_everywhere() == 1
    with company.scope():
        assert by_sku(order, "allocated") == {"KIT": (3,), "BOLT": (3,), "NUT": (6,)}
        made = sales_order_split(order=order)
        assert [by_sku(one, "allocated") for one in (order, made)] == [
            {"KIT": (3,), "BOLT": (3,), "NUT": (6,)}, {"KIT": (0,), "BOLT": (0,), "NUT": (0,)},
        ]
        sound()


def test_kits_in_kits_are_opened_to_the_end(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        stocked = shop.goods.tracked("none", "STOCKED", is_kit=True)
        shop.goods.receive(4, variant=stocked)
        BomLine.objects.create(assembly=stocked, component=shop.goods.bolt, quantity=7)
        outer = kit_of(shop, "OUTER", 20, {fastening(shop): 2, shop.goods.bolt: 1, stocked: 1})
        order = sales_order_place(order=cart(shop, (outer, 2)))
        assert {line.sku: line.quantity for line in order.lines.all()} == {"OUTER": 2, "BOLT": 6, "NUT": 8, "STOCKED": 2}
        shares = {line.sku: line.kit_share for line in order.lines.exclude(kit=None)}
        assert shares == {"BOLT": Decimal("0.375"), "NUT": Decimal("0.5"), "STOCKED": Decimal("0.125")}
        assert by_sku(sales_order_cancel(order=order), "cancelled") == {"OUTER": (2,), "BOLT": (6,), "NUT": (8,), "STOCKED": (2,)}
        sound()


def test_an_order_of_kits_is_amended_and_split(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        kit = fastening(shop)
        order = sales_order_place(order=cart(shop, (kit, 2)))
        line = line_of(order, "KIT").pk
        more = [NewLine(kit.pk, Decimal(4), id=line), NewLine(shop.goods.nut.pk, Decimal(1))]
        order = sales_order_change(order=order, lines=more)
        assert (order.net_total, reserved(shop.goods.bolt), reserved(shop.goods.nut)) == (Decimal("38.5"), 4, 9)
        part = Part(order.lines.get(kit=line, sku="BOLT").pk, Decimal(2))
        shipment_pack(shipment=shipment_create(order=order, parts=[part]))
        fewer = [NewLine(kit.pk, Decimal(1), id=line)]
        assert "2 of KIT" in refused("already_picked", sales_order_change, order=order, lines=fewer).detail
        made = sales_order_split(order=order, lines=[Split(line, Decimal(2))])
        assert (by_sku(order, "allocated")["KIT"], by_sku(made, "allocated")) == ((2,), {"KIT": (2,), "BOLT": (2,), "NUT": (4,)})
        order = sales_order_change(order=order, lines=[NewLine(kit.pk, Decimal(2), id=line)])
        made = sales_order_change(order=made, lines=[NewLine(shop.goods.nut.pk, Decimal(1))])
        assert (order.net_total, made.net_total, made.lines.count()) == (18, Decimal("2.5"), 1)
        assert (reserved(shop.goods.bolt), reserved(shop.goods.nut)) == (2, 5)
        sound()


def test_a_kit_is_shipped_when_all_of_it_is(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        order = sales_order_place(order=cart(shop, (fastening(shop), 2)))
        bolts = shipment_create(order=order, parts=[Part(line_of(order, "BOLT").pk, Decimal(2))])
        shipment_hand_over(shipment=shipment_pack(shipment=bolts))
        assert by_sku(order, "shipped") == {"KIT": (0,), "BOLT": (2,), "NUT": (0,)}
        order.refresh_from_db()
        assert order.fulfilment_status == "partly_shipped"
        nuts = shipment_create(order=order, parts=[Part(line_of(order, "NUT").pk, Decimal(2))])
        shipment_hand_over(shipment=shipment_pack(shipment=nuts))
        assert by_sku(order, "shipped") == {"KIT": (1,), "BOLT": (2,), "NUT": (2,)}
        sales_order_ship(order=sales_order_pack(order=order))
        assert by_sku(order, "shipped")["KIT"] == (2,)
        whole = sales_order_place(order=cart(shop, (ProductVariant.objects.get(sku="KIT"), 2)))
        one = shipment_create(order=whole, parts=[Part(line_of(whole, "KIT").pk, Decimal(1))])
        assert {item.variant.sku: item.quantity for item in one.lines.all()} == {"BOLT": 1, "NUT": 2}, "by the kit's line"
        sound()


def test_a_kit_and_a_part_of_it_come_back_for_their_money(acme: Company) -> None:
    """The bolt costs 2.50 of 7.50: a third of 9.00 is 3.00."""
    with acme.scope():
        shop = Shop.create()
        order = shipped(cart(shop, (fastening(shop), 3)))
        invoice = invoice_issue(invoice=invoice_draft_from_order(order=order))
        assert [(item.sku, item.quantity, item.net_amount) for item in invoice.items.all()] == [("KIT", 3, 27)]
        payment_record(order=order, source=Source(), amount=None)
        whole, bolt = line_of(order, "KIT"), line_of(order, "BOLT")
        one = inspected(came(order, Asked(whole.pk, Decimal(1))), "restock", "restock")
        assert (one.refund_amount, {item.order_item.sku: item.quantity for item in one.lines.all()}) == (9, {"BOLT": 1, "NUT": 2})
        part = inspected(came(order, Asked(bolt.pk, Decimal(1))), "restock")
        assert part.refund_amount == 3
        rest = inspected(came(order), "restock", "restock")
        assert rest.refund_amount == 15, "all of it, to the cent"
        for row in (one, part, rest):
            return_refund(authorization=row, reference="Transfer")
        notes = Invoice.objects.filter(kind="credit_note").order_by("pk")
        assert [note.net_total for note in notes] == [9, 3, 15]
        whole.refresh_from_db()
        assert (whole.returned_quantity, sum(item.quantity for note in notes for item in note.items.all())) == (3, 3)
        sound()


def test_what_is_invoiced_is_the_kit_without_what_came_back(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        order = shipped(cart(shop, (fastening(shop), 2)))
        back = inspected(came(order, Asked(line_of(order, "BOLT").pk, Decimal(1))), "restock")
        draft = invoice_draft_from_order(order=order)
        assert [(item.sku, item.net_amount) for item in draft.items.all()] == [("KIT", 15)]
        replacement = return_replace(authorization=back).replacement
        assert {line.sku for line in replacement.lines.all()} == {"BOLT"}
        invoice_delete(invoice=draft)
        assert invoice_draft_from_order(order=order).net_total == 18, "what was replaced is paid for"
        begun = sales_order_place(order=cart(shop, (ProductVariant.objects.get(sku="KIT"), 1)))
        bolt = line_of(begun, "BOLT").pk
        shipment_hand_over(shipment=shipment_pack(shipment=shipment_create(order=begun, parts=[Part(bolt, Decimal(1))])))
        return_replace(authorization=inspected(came(begun, Asked(bolt, Decimal(1))), "restock"))
        assert invoice_draft_from_order(order=begun, basis="ordered").net_total == 9, "one kit, and no more"
        sound()


def test_what_is_available_is_what_the_components_are_enough_for(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create(stock=7)
        kit = fastening(shop)
        outer = kit_of(shop, "OUTER", 30, {kit: 2})
        elsewhere = WarehouseFactory()
        place = Location.objects.create(warehouse=elsewhere, code="E-1", kind="storage")
        shop.goods.receive(1, to=place)
        shop.goods.receive(3, to=place, variant=shop.goods.nut)
        every = [kit.pk, outer.pk, shop.goods.bolt.pk]
        assert [stock_of(every, warehouses=None)[key].available for key in every] == [4, 1, 8], "3 here and 1 there"
        assert [stock_of(every, warehouses=[elsewhere.pk])[key].available for key in every] == [1, 0, 1]
        sales_order_place(order=cart(shop, (kit, 2)))
        assert [stock_of(every, warehouses=None)[key].available for key in every] == [2, 0, 6]
        assert parts([kit.pk], warehouses=[shop.goods.warehouse.pk])[0]["available"] == 1
    answer = acme.api.get(f"/api/v1/product-variants/{kit.pk}/buildable/", {"warehouse": str(shop.goods.warehouse.pk)}).json()
    assert (answer["quantity"], {one["sku"]: one["enough_for"] for one in answer["components"]}) == (1, {"BOLT": 5, "NUT": 1})


def test_a_kit_has_no_stock_of_its_own(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        kit = fastening(shop)
        for verb in (shop.goods.receive, shop.goods.issue):
            assert "receive, move and adjust these" in refused("sold_by_components", verb, quantity=1, variant=kit).detail
        refused("sold_by_components", shop.goods.adjust, variant=kit, change=1)
        stocked = shop.goods.tracked("none", "STOCKED", is_kit=True)
        shop.goods.receive(1, variant=stocked)
        loose = shop.goods.tracked("none", "LOOSE")
    url = f"/api/v1/product-variants/{stocked.pk}/"
    assert_problem(acme.api.send("patch", url, {"sold_by_components": True}), 409, "kit_in_stock")
    no_kit = acme.api.send("patch", f"/api/v1/product-variants/{loose.pk}/", {"sold_by_components": True})
    assert "say that it is one" in assert_problem(no_kit, 400)["detail"]
    with acme.scope():
        shop.goods.issue(1, variant=stocked)
    assert acme.api.send("patch", url, {"sold_by_components": True}).status_code == 200


def test_kits_and_their_components_are_not_sold_twice(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        shop = Shop.create(stock=8)
        kit = fastening(shop)

    def buy(number: int) -> int:
        with company.scope():
            wanted = (kit, 1) if number % 2 else (shop.goods.nut, 1)
            try:
                sales_order_place(order=cart(shop, wanted))
            except Conflict:
                return 0
            return 2 if number % 2 else 1

    assert sum(at_once(12, buy)) in (7, 8), "a last nut is enough for no kit"
    with company.scope():
        assert reserved(shop.goods.nut) <= 8
        sound()


def test_what_is_read_of_an_order_of_kits(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        kit, bolt = fastening(shop), shop.goods.bolt
        order = sales_order_place(order=cart(shop, (kit, 2), (bolt, 1)))
        pick_list = pick_list_create(orders=[order.pk])
        shipment = shipment_pack(shipment=shipment_create(order=order))
        old = in_old_shape([{
            "id": str(order.pk), "user": None, "email": "", "created_at": None, "updated_at": None, "status": "placed",
            "shipping_address": {},
        }])
        assert [one["sku"] for one in old[0]["items"]] == ["KIT", "BOLT"]
        noted = [("1", "KIT"), ("", "BOLT"), ("", "NUT"), ("2", "BOLT")]
        assert [row[:2] for row in goods_of(shipment)] == noted, "components below their kit"
        told = OutboxEvent.objects.get(type="order.placed").payload["lines"]
        assert [(one["sku"], one["kit"] is not None) for one in told] == [
            ("KIT", False), ("BOLT", True), ("NUT", True), ("BOLT", False),
        ]
    lines = acme.api.get(f"/api/v1/sales-orders/{order.pk}/lines/").json()
    assert [(one["sku"], one["kit"], one["per_kit"], one["net_amount"]) for one in lines] == [
        ("KIT", None, None, "18.000000"), ("BOLT", lines[0]["id"], "1.000000", "0.000000"),
        ("NUT", lines[0]["id"], "2.000000", "0.000000"), ("BOLT", None, None, "5.000000"),
    ]
    for url in (f"/api/v1/pick-lists/{pick_list.pk}/lines/", f"/api/v1/shipments/{shipment.pk}/lines/"):
        found = sorted((one["sku"], one["kit_sku"] or "") for one in acme.api.get(url).json())
        assert found == [("BOLT", ""), ("BOLT", "KIT"), ("NUT", "KIT")]
    page = acme.admin.get(f"/admin/orders/salesorder/{order.pk}/change/")
    assert "Components of kits" in page.content.decode()
    for path in (f"picklist/{pick_list.pk}", f"shipment/{shipment.pk}"):
        assert acme.admin.get(f"/admin/orders/{path}/change/").text.count("2 of KIT") == 2, "beside a bolt and the nuts"


def test_an_order_without_kits_takes_no_more_statements(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        kit = fastening(shop)
        carts = [cart(shop, (shop.goods.bolt, 1)) for _ in range(2)] + [cart(shop, (kit, 1)), cart(shop, (kit, 1), (kit, 1))]
        counts = []
        for one in carts:
            with statements() as sent:
                sales_order_place(order=one)
            counts.append(len(sent))
    assert counts[1:] == [counts[1], counts[1] + 2, counts[1] + 2], "the bills, and the lines of the components"


def test_a_kit_costs_what_its_components_cost(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        order = sales_order_deliver(order=shipped(cart(shop, (fastening(shop), 2))))
        assert order.total == 18
    [found] = acme.api.get("/api/v1/analytics/orders/revenue/", {"group_by": "product"}).json()["results"]
    assert [found["sku"], *(Decimal(found[name]) for name in ("quantity", "revenue", "cost"))] == ["KIT", 2, 18, 15]
    [served] = acme.api.get("/api/v1/analytics/orders/service/").json()["results"]
    assert [served["lines"], *(Decimal(served[name]) for name in ("ordered", "shipped"))] == ["1", 2, 2]


def test_customers_order_kits_by_the_old_path(acme: Company) -> None:
    shop = WebShop(acme)
    with acme.scope():
        kit = shop.goods.tracked("none", "KIT", is_kit=True, sold_by_components=True)
        BomLine.objects.create(assembly=kit, component=shop.goods.bolt, quantity=2)
        price(kit, "4.50")
    order = shop.customer().send("post", "/orders", {"items": [{"sku": kit.sku, "quantity": 2}]}).json()
    assert [(one["sku"], one["quantity"]) for one in order["items"]] == [("KIT", 2)]
    with acme.scope():
        assert reserved(shop.goods.bolt) == 4
