"""A supplier's bill at another price, and goods that went back."""

from decimal import Decimal

import pytest

from accounts.models import Organization
from accounts.permissions import MANAGER
from orders.services.purchase_goods import Part, purchase_order_send_back
from tests.companies import Company
from tests.orders.buying import Buying
from tests.orders.test_supplier_bills import billed, come, enter, receive, worth


@pytest.mark.parametrize("method", ["fifo", "average"])
@pytest.mark.parametrize("sold_first", [True, False])
def test_what_went_back_is_not_dearer_for_it(method: str, sold_first: bool, acme: Company) -> None:
    """Of ten for two each four go back and three are sold; the bill asks for three each."""
    with acme.scope():
        Organization.objects.update(costing_method=method)
        buys = Buying.create()
        order = come(buys)
        back = [Part(order.lines.get().pk, Decimal(4), buys.goods.shelf.pk)]
        steps = [lambda: buys.goods.issue(3), lambda: purchase_order_send_back(order=order, parts=back)]
        for step in steps if sold_first else reversed(steps):
            step()
        assert worth() == (6, 20)
    url = enter(acme, order, quantity="6", unit_price="3")
    acme.api.send("post", f"{url}submit/")
    assert acme.api_as(MANAGER).send("post", f"{url}approve/").json()["status"] == "approved"
    with acme.scope():
        assert worth() == (9, 26), "three that are here, three that are sold, and four that went back for two each"
        receive(buys, order, 4)  # in their place
    second = enter(acme, order, "RE-2", quantity="4", unit_price="4")
    acme.api.send("post", f"{second}submit/")
    acme.api_as(MANAGER).send("post", f"{second}approve/")
    with acme.scope():
        assert worth() == (9 + 4 * 4, 26 + 4 * 4)
        buys.goods.issue(1)
    for one in (second, url):
        assert acme.api.send("post", f"{one}void/", {"reason": "Wrong price"}).status_code == 200
    assert billed(acme, order) == 0
    with acme.scope():
        assert all(abs(one - two) < Decimal("0.00001") for one, two in zip(worth(), (12, 28), strict=True)), "as without a bill"


def test_goods_that_go_back_after_the_bill_take_what_it_added(acme: Company) -> None:
    with acme.scope():
        buys = Buying.create()
        order = come(buys)
    url = enter(acme, order, quantity="10", unit_price="3")
    acme.api.send("post", f"{url}submit/")
    acme.api_as(MANAGER).send("post", f"{url}approve/")
    with acme.scope():
        purchase_order_send_back(order=order, parts=[Part(order.lines.get().pk, Decimal(4), buys.goods.shelf.pk)])
        assert worth() == (18, 30)
    assert acme.api.send("post", f"{url}void/", {"reason": "Wrong price"}).status_code == 200
    with acme.scope():
        assert worth() == (12, 20)
