"""Whether goods and money add up, reckoned anew from all rows of the active organization."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

from django.db.models import F, Sum

from core.invariants import broken
from inventory.models import Reservation, StockItem, StockMove
from orders.models import Invoice, Payment, ReturnAuthorization, SalesOrder, SalesOrderItem
from orders.services.invoices import invoice_draft_from_order


def assert_books() -> None:
    assert {invariant.name: rows for invariant, rows in broken() if rows} == {}
    assert_goods()
    assert_money()


def assert_goods() -> None:
    """What came, less what was shipped, and with what came back, is there; no more of it is promised than there is."""
    assert not StockItem.objects.filter(quantity__lt=F("reserved")).exists()
    came = _by("variant_id", StockMove.objects.filter(kind="receipt", document_id=None), "quantity")
    there = _by("variant_id", StockItem.objects.all(), "quantity")
    gone = _by("variant_id", SalesOrderItem.objects.all(), F("shipped_quantity") - F("returned_quantity"))
    assert {key: came[key] - gone[key] for key in came} == {key: there[key] for key in came}
    held = _by("demand_line_id", Reservation.objects.filter(
        demand_type="sales_order", status="active", stock_item__isnull=False,
    ), F("quantity") - F("picked_quantity"))
    wrong = [
        (line.order_id, line.allocated_quantity, line.shipped_quantity, held[line.pk])
        for line in SalesOrderItem.objects.filter(sold_by_components=False)
        if line.allocated_quantity != line.shipped_quantity + held[line.pk]
    ]
    assert wrong == [], "allocated is shipped or held"


def assert_money() -> None:
    """Nobody pays more than an order cost when it was paid, or gets back more than they paid; bills come to what orders cost."""
    taken = _by("order_id", Payment.objects.filter(status="succeeded", kind="capture"), "amount")
    back = _by("order_id", Payment.objects.filter(status="succeeded", kind="refund"), "amount")
    assert [key for key in back if back[key] > taken[key]] == []
    refunds = _by("order_id", ReturnAuthorization.objects.all(), "refund_amount")
    goods = _by("order_id", SalesOrderItem.objects.all(), F("net_amount") + F("tax_amount"))
    assert [key for key in refunds if refunds[key] > goods[key]] == []
    billed = _by("order_id", Invoice.objects.filter(kind="invoice"), "total")
    credited = _by("order_id", Invoice.objects.filter(kind="credit_note"), "total")
    lines = SalesOrderItem.objects.filter(kit=None)
    part = set(lines.exclude(invoiced_quantity=F("quantity")).values_list("order_id", flat=True))
    for order in SalesOrder.objects.filter(pk__in=billed.keys() - credited.keys() - part):
        if billed[order.pk] != order.total:  # what is charged besides has changed since
            billed[order.pk] += invoice_draft_from_order(order=order, basis="ordered").total
        assert billed[order.pk] == order.total, f"{order.number}: billed {billed[order.pk]} of {order.total}"


def _by(key: str, rows: Any, amount: Any) -> dict[Any, Decimal]:
    sums: dict[Any, Decimal] = defaultdict(Decimal)
    sums.update(rows.order_by().values_list(key).annotate(sum=Sum(amount)))
    return sums
