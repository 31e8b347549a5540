"""A recall: which customers have goods of a lot, through what was made of it, and by which documents they went."""

from decimal import Decimal
from uuid import uuid4

from django.urls import reverse

from inventory.models import Lot, Warehouse
from inventory.services.posting import Line, LotCode
from inventory.services.stock import stock_assemble
from orders.services.return_desk import Back, return_take
from orders.services.sales_orders import sales_order_create
from tests.admin.pages import text
from tests.companies import Company
from tests.limited import limited_admin
from tests.orders.selling import Shop
from tests.orders.test_returns import NewLine, shipped


def test_a_recall_names_who_has_the_goods(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        milk, cheese = (shop.goods.tracked(sku=sku) for sku in ("MILK", "CHEESE"))
        lot, shelf = shop.goods.receive_lot(10, milk, "M1"), shop.goods.shelf.pk
        stock_assemble(
            components=[Line(milk.pk, Decimal(4), from_location_id=shelf, lot_id=lot.pk)],
            kits=[Line(cheese.pk, Decimal(3), to_location_id=shelf, lot=LotCode("C1"))],
        )
        lines = [NewLine(cheese.pk, Decimal(2), unit_price=Decimal(9))]
        order = shipped(sales_order_create(channel=shop.channel, customer=shop.customer, lines=lines))
        made = Lot.objects.get(code="C1")
        return_take(order=order, goods={(order.lines.get().pk, made.pk): Back(Decimal(1), "restock")}, key=uuid4())
        outside = Warehouse.objects.create(code="N", name="North")
    url = reverse("admin:inventory_lot_trace", args=[lot.pk])
    page = acme.admin.get(url)
    [(of, gone)] = page.context["gone"]
    assert (of["code"], gone.title, gone.to, gone.quantity) == ("C1", "SO-000001", str(shop.customer.party), 1)
    link = f'href="{reverse("admin:orders_salesorder_change", args=[order.pk])}"'
    assert text(page).count(link) == 2, "of who has it, and of the move"
    assert "sales_order SO-000001" in text(page) and str(order.pk) not in text(page).replace(link, "")
    assert link in text(acme.admin.get(f"/admin/stock/history/?variant={cheese.pk}"))
    assert "SO-000001" not in text(limited_admin(acme, outside).get(url))
