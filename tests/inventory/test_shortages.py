"""Who is refused learns which goods are short, where, and which line of the request is wrong."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.inventory.goods import Goods

STOCK, RESERVE = "/api/v1/stock-items/", "/api/v1/reservations/reserve/"


def demand(goods: Goods, quantity: str) -> dict[str, Any]:
    line = {"variant": str(goods.bolt.pk), "warehouse": str(goods.warehouse.pk), "quantity": quantity}
    return {"demand_type": "job", "demand_id": str(uuid4()), "lines": [line]}


def test_goods_and_places_that_are_short_are_called_as_people_call_them(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(10)
        milk = goods.tracked()
        lot = goods.receive_lot(2, milk, "L-7", expires_on=date(2099, 1, 1))
    api, shelf = acme.api, str(goods.shelf.pk)
    assert api.send("post", RESERVE, demand(goods, "3")).status_code == 201
    too_many = [
        {"variant": str(goods.bolt.pk), "quantity": "8", "from_location": shelf},
        {"variant": str(milk.pk), "lot_code": "L-7", "quantity": "5", "from_location": shelf},
    ]
    problem = assert_problem(api.send("post", f"{STOCK}issue/", {"lines": too_many}), 409, "insufficient_stock")
    assert problem["detail"] == (
        "There is not enough stock: available are only 7 of BOLT at A-1, besides 3 that are reserved, where 8 are needed;"
        " available are only 2 of MILK, lot L-7, at A-1, where 5 are needed."
    )
    assert problem["short"][1] == {
        "variant": str(milk.pk), "location": shelf, "lot": str(lot.pk), "available": "2.000000", "needed": "5.000000",
    }


def test_what_cannot_be_reserved_is_named_too(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(10)
    problem = assert_problem(acme.api.send("post", RESERVE, demand(goods, "12")), 409, "insufficient_stock")
    assert problem["detail"] == "There is not enough stock: 2 of the 12 wanted of BOLT in warehouse W1 cannot be had."
    assert [(line["available"], line["needed"]) for line in problem["short"]] == [("10.000000", "12.000000")]


@pytest.mark.parametrize("quantity", ["0", "-1"])
def test_the_line_whose_quantity_is_not_above_zero_is_pointed_at(quantity: str, acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
    line = {"variant": str(goods.bolt.pk), "to_location": str(goods.shelf.pk)}
    lines = [line | {"quantity": number} for number in ("1", quantity)]
    problem = assert_problem(acme.api.send("post", f"{STOCK}receive/", {"lines": lines}), 400, "invalid")
    assert [(error["pointer"], error["detail"]) for error in problem["errors"]] == [
        ("/lines/1/quantity", "A quantity must be above zero."),
    ]
    with acme.scope():
        assert goods.on_hand() == 0
