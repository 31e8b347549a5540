"""Orders to invoice, whose goods have left, and what is asked of their invoices."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from inventory.queries.prices import amounts
from orders.models import Invoice, SalesOrder
from orders.services.invoices import invoice_draft_from_order, invoice_issue
from tests.factories.sales import OrderAdjustmentFactory, SalesOrderFactory, SalesOrderItemFactory


@dataclass(frozen=True)
class Sold:
    quantity: Any = 1
    price: Any = "10"
    rate: Any = 19
    includes_tax: bool = False
    discount: Any = 0


def order_of(
    *lines: Sold, beside: Sequence[tuple[str, Any, Any]] = (), shipped: bool = True, **values: Any,
) -> SalesOrder:
    """`beside`: kind, net amount and tax rate of what is added or taken off."""
    order: SalesOrder = SalesOrderFactory(status="shipped" if shipped else "placed", **values)
    for number, line in enumerate(lines, 1):
        cost = amounts(
            Decimal(line.price), Decimal(line.quantity), Decimal(line.rate), order.currency, includes_tax=line.includes_tax,
            discount=Decimal(line.discount),
        )
        gone = line.quantity if shipped else 0
        SalesOrderItemFactory(
            order=order, line=number, name=f"Goods {number}", quantity=line.quantity, unit_price=line.price,
            discount=line.discount, includes_tax=line.includes_tax, tax_rate=line.rate, net_amount=cost.net,
            tax_amount=cost.tax, allocated_quantity=gone, picked_quantity=gone, shipped_quantity=gone,
        )
    for kind, net, rate in beside:
        cost = amounts(Decimal(net), Decimal(1), Decimal(rate), order.currency)
        OrderAdjustmentFactory(
            order=order, kind=kind, label=kind.capitalize(), net_amount=cost.net, tax_rate=rate, tax_amount=cost.tax,
        )
    sums = [rows.aggregate(net=Sum("net_amount", default=0), tax=Sum("tax_amount", default=0)) for rows in (
        order.lines, order.adjustments,
    )]
    order.net_total, order.tax_total = (sum(one[name] for one in sums) for name in ("net", "tax"))
    order.total = order.net_total + order.tax_total
    order.save()
    return order


def issued(order: SalesOrder, **values: Any) -> Invoice:
    return invoice_issue(invoice=invoice_draft_from_order(order=order, **values))


def invoiced(order: SalesOrder) -> list[Decimal]:
    return list(order.lines.order_by("line").values_list("invoiced_quantity", flat=True))
