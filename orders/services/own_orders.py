"""Somebody who signs in orders for themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import Q

from accounts.models import Party, User
from core.errors import Conflict, Invalid
from inventory.models import ProductVariant
from inventory.services.locks import lock_posting
from orders.models import Channel, Customer, SalesOrder
from orders.services.sales_orders import NewLine, sales_order_create, sales_order_place


@dataclass(frozen=True, slots=True)
class Asked:
    """An article by its id or its SKU."""

    name: str
    quantity: Decimal


def own_order_place(
    *, user: User, items: Sequence[Asked], channel: str = "", shipping_address: Mapping[str, str] | None = None,
) -> SalesOrder:
    """The customer is made with the first order. Raises Invalid for an article that is not there, Conflict for the channel."""
    order = sales_order_create(
        channel=channel_meant(channel), lines=lines_meant(items), customer=customer_of(user), email=user.email,
        shipping_address=dict(shipping_address or {}),
    )
    return sales_order_place(order=order)


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


def lines_meant(items: Sequence[Asked]) -> list[NewLine]:
    ids = {item.name: key for item in items if (key := _key(item.name))}
    rows = ProductVariant.objects.filter(Q(pk__in=ids.values()) | Q(sku__in=[item.name for item in items]), archived_at=None)
    by_name = {name: row.pk for row in rows for name in (str(row.pk), row.sku)}
    lines = []
    for number, item in enumerate(items):
        found = by_name.get(str(ids.get(item.name, item.name)), by_name.get(item.name))
        if found is None:
            raise Invalid(
                f"There is no article {item.name}.", code="does_not_exist", fields={f"items/{number}": "does not exist"},
            )
        lines.append(NewLine(found, item.quantity))
    return lines


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
