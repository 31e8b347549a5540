"""Who waits for goods gets them as they come, in the order of the orders, and nothing is promised twice."""

from collections.abc import Callable
from decimal import Decimal

from accounts.models import JournalEntry
from core.errors import Conflict
from inventory.models import Reservation, StockItem
from inventory.services.count_posting import Rest, stock_count_post
from inventory.services.reservations import stock_release
from notifications.registry import handlers
from orders.models import SalesOrder
from orders.services.backorders import backorders_fill_everywhere
from orders.services.fulfilment import sales_order_pack
from orders.services.sales_orders import sales_order_cancel, sales_order_hold, sales_order_place
from tests.companies import Company
from tests.inventory.counting import opened, record
from tests.inventory.test_races import at_once
from tests.notifications.at_work import quiet, run_all
from tests.notifications.test_relaying import relay_all
from tests.orders.selling import Shop, quantities
from tests.orders.test_sales_orders import refused, sound


def allocated(company: Company, *orders: SalesOrder) -> list[list[int]]:
    with company.scope():
        sound()
        return [[int(line.allocated_quantity) for line in order.lines.order_by("line")] for order in orders]


def test_first_come_first_served(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        shop = Shop.create(backorders=True)
        whole = sales_order_place(order=shop.cart(bolts=10, nuts=10))
        first, second, third = (sales_order_place(order=shop.cart(bolts=n, nuts=n)) for n in (4, 3, 2))
        sales_order_hold(order=second)
        last = sales_order_place(order=shop.cart(bolts=5))
    assert backorders_fill_everywhere() == 0, "there is nothing"
    with company.scope():
        shop.goods.receive(6)
    assert backorders_fill_everywhere() == 2
    assert allocated(company, first, second, third, last) == [[4, 0], [2, 0], [0, 0], [0]], "who is held keeps their place"
    with company.scope():
        sales_order_cancel(order=whole)
    assert backorders_fill_everywhere() == 4, "what is canceled is for those who wait"
    assert allocated(company, first, second, third, last) == [[4, 4], [3, 3], [2, 2], [5]]
    assert backorders_fill_everywhere() == 0
    with company.scope():
        assert not Reservation.objects.filter(status="active", stock_item=None).exists()
        late = sales_order_place(order=shop.cart(bolts=3))
        stock_release(reservations=Reservation.objects.filter(demand_id=first.pk, status="active").values_list("pk", flat=True))
    assert backorders_fill_everywhere() == 1
    with company.scope():
        [line] = late.lines.all()
        assert line.allocated_quantity == 3


def test_nothing_is_promised_twice(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        shop = Shop.create(backorders=True)
        sales_order_place(order=shop.cart(bolts=10, nuts=10))
        waiting = [sales_order_place(order=shop.cart(bolts=3, nuts=1)) for _ in range(4)]

    def act(number: int) -> str:
        if number % 3 == 0:
            with company.scope():
                shop.goods.receive(4)
        elif number % 3 == 1:
            try:
                with company.scope():
                    sales_order_place(order=shop.cart(bolts=2))
            except Conflict as conflict:
                return conflict.code
        else:
            backorders_fill_everywhere()
        return "done"

    assert at_once(9, act) == ["done"] * 9
    backorders_fill_everywhere()
    with company.scope():
        sound()
        bolts = StockItem.objects.get(variant=shop.goods.bolt)
        assert (bolts.quantity, bolts.reserved) == (22, 22), "all that came is promised"
        whole = sum((line.allocated_quantity for order in waiting for line in order.lines.filter(sku="BOLT")), Decimal(0))
        assert whole >= 6, "and those who waited got what the newcomers did not"


def test_goods_that_a_count_did_not_find(new_company: Callable[[], Company]) -> None:
    acme = new_company()
    relay_all()  # what others have left
    with acme.scope():
        shop = Shop.create()
        order = sales_order_place(order=shop.cart(bolts=8))
        count = opened(shop.goods, location_id=shop.goods.shelf.pk)
        record(count, shop.goods, 5)
        stock_count_post(count_id=count.pk, rest=Rest.LEAVE)
    quiet()
    relay_all(*handlers())
    run_all()
    with acme.scope():
        assert quantities(order) == [(8, 5, 0)], "three wait for goods"
        note = JournalEntry.objects.get(object_id=order.pk, kind="note").body
        assert note == "A count did not find what was promised. 3 of BOLT: 3 waiting for goods."
        refused("not_allocated", sales_order_pack, order=order)
        sound()
