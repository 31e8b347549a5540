"""Somebody who signs in orders for themselves."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts.models import Party, User
from core.errors import Conflict, Invalid
from inventory.models import ProductVariant
from inventory.services.locks import lock_posting
from orders.models import Channel, Customer, ReturnAuthorization, SalesOrder
from orders.queries.returns import claimed, goods_delivered
from orders.services.kits import kits_opened
from orders.services.promotions import promotion_code_apply
from orders.services.returns import Asked as AskedBack
from orders.services.returns import return_create
from orders.services.sales_orders import NewLine, locked, sales_order_create, sales_order_place

Status = SalesOrder.Status
THERE = (Status.DELIVERED, Status.COMPLETED)


@dataclass(frozen=True, slots=True)
class Asked:
    """An article by its id or its SKU."""

    name: str
    quantity: Decimal


def own_order_place(
    *, user: User, items: Sequence[Asked], channel: str = "", named: str = "items", promotion_codes: Sequence[str] = (),
    **values: Any,
) -> SalesOrder:
    """The customer is made with the first order. `values` are columns; `named` is where the caller reads the items.

    Raises Invalid for an article or a promotion code that is not there, Conflict for the channel and for a code that takes
    nothing off.
    """
    order = sales_order_create(
        channel=channel_meant(channel), lines=lines_meant(items, named), customer=customer_of(user), email=user.email, **values,
    )
    for number, code in enumerate(promotion_codes):
        promotion_code_apply(order=order, code=code, named=f"promotion_codes/{number}")
    return sales_order_place(order=order)


def own_return_ask(*, order: SalesOrder, lines: Sequence[AskedBack] | None = None, note: str = "") -> ReturnAuthorization:
    """All that was delivered and is not back or asked for, unless lines are given. Raises Conflict for what is still coming."""
    row = locked(order)
    if row.status not in THERE:
        lines = _delivered(row, lines)
    return return_create(order=row, lines=lines, note=note)


def _delivered(order: SalesOrder, lines: Sequence[AskedBack] | None) -> Sequence[AskedBack]:
    back = claimed(order)
    free = {key: quantity - back.get(key, Decimal(0)) for key, quantity in goods_delivered(order).items()}
    if lines is None:
        lines = [AskedBack(item, left, lot) for (item, lot), left in free.items() if left > 0]
    elif any(one.order_item_id not in {item for item, _ in free} for one in lines):
        lines = kits_opened("order_item_id", lines, order.lines.in_bulk())
    wanted: dict[UUID, Decimal] = defaultdict(Decimal)
    there: dict[UUID, Decimal] = defaultdict(Decimal)
    for one in lines:
        wanted[one.order_item_id] += one.quantity
    for (item, _), left in free.items():
        there[item] += left
    if not lines or any(quantity > there[item] for item, quantity in wanted.items()):
        raise Conflict("What is not delivered yet cannot go back.", code="not_delivered")
    return lines


def customer_of(user: User) -> Customer:
    lock_posting(f"customer of {user.pk}")  # two first orders at once are of one customer
    found: Customer | None = Customer.objects.filter(user_id=user.pk).first()
    if found is not None:
        return found
    party = Party.objects.create(name=user.name or user.email, kind=Party.Kind.PERSON)
    made: Customer = Customer.objects.create(party=party, code=f"U-{user.pk.hex}", user_id=user.pk)
    return made


def channel_meant(code: str = "") -> Channel:
    """The one of this code; without a code the only one."""
    found: list[Channel] = list(Channel.objects.filter(is_active=True, **({"code": code} if code else {})).order_by("pk")[:2])
    if len(found) == 1:
        return found[0]
    if found:
        raise Conflict("There are several channels: say by its code in which one the order comes.", code="several_channels")
    if code:
        raise Invalid(f"There is no channel {code}.", code="does_not_exist", fields={"channel": "does not exist"})
    raise Conflict("There is no channel yet that takes orders: make one first.", code="no_channel")


def lines_meant(items: Sequence[Asked], named: str = "items") -> list[NewLine]:
    ids = {item.name: key for item in items if (key := _key(item.name))}
    rows = ProductVariant.objects.filter(Q(pk__in=ids.values()) | Q(sku__in=[item.name for item in items]), archived_at=None)
    by_name = {name: row.pk for row in rows for name in (str(row.pk), row.sku)}
    lines = []
    for number, item in enumerate(items):
        found = by_name.get(str(ids.get(item.name, item.name)), by_name.get(item.name))
        if found is None:
            raise Invalid(
                f"There is no article {item.name}.", code="does_not_exist", fields={f"{named}/{number}": "does not exist"},
            )
        lines.append(NewLine(found, item.quantity))
    return lines


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
