"""What a code on returned goods or their papers leads to: an order, and what of it may come back."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Case, F, Max, Q, QuerySet, Sum, When

from core.errors import Invalid
from inventory.models import Lot, ReasonCode, StockMove
from orders.models import Invoice, ReturnAuthorization, ReturnItem, SalesOrder, Shipment, ShipmentParcel
from orders.queries.returns import claimed, goods_left

ZERO = Decimal(0)
MOST = 9  # a digit each


@dataclass(frozen=True, slots=True)
class Meant:
    """`authorization` where the code is that of a return, `lot` where it is on the goods themselves."""

    order: UUID
    title: str
    authorization: UUID | None = None
    lot: UUID | None = None


@dataclass(frozen=True, slots=True)
class SoldRow:
    """Goods that have left by a line: how many, and how many of them are back or asked for. `quantity`: how many may come."""

    key: str
    line: UUID
    variant: UUID
    sku: str
    name: str
    lot: UUID | None
    lot_code: str
    shipped: Decimal
    back: Decimal
    quantity: Decimal
    disposition: str = ""


def meant_by(text: str, orders: QuerySet[SalesOrder]) -> list[Meant]:
    """By number: a return, a sales order, a shipment or its parcel or tracking number, an invoice. Among these orders."""
    key = text.strip().lower()
    if not key:
        return []
    returns = ReturnAuthorization.objects.filter(number_key=key, order__in=orders).values_list("order", "number", "pk")
    if found := [Meant(order, number, authorization) for order, number, authorization in returns]:
        return found
    shipments = Shipment.objects.filter(order__in=orders)
    parcels = ShipmentParcel.objects.filter(unit__sscc=key[-18:], shipment__order__in=orders)
    rows: tuple[QuerySet[Any, Any], ...] = (
        orders.filter(number_key=key).values_list("pk", "number"),
        shipments.filter(number_key=key).values_list("order", "order__number"),
        Invoice.objects.filter(number_key=key, kind=Invoice.Kind.INVOICE, order__in=orders).values_list("order", "order__number"),
        parcels.values_list("shipment__order", "shipment__order__number"),
        shipments.filter(tracking_key=key).values_list("order", "order__number").distinct(),
    )
    return next((hits for one in rows if (hits := [Meant(order, number or "") for order, number in one[:MOST]])), [])


def meant_by_lots(lots: Collection[UUID], orders: QuerySet[SalesOrder]) -> list[Meant]:
    """The orders by which these lots or serial numbers have left, the last first."""
    left = StockMove.objects.filter(lot__in=lots, kind=StockMove.Kind.ISSUE, document_type="sales_order", to_location=None)
    documents: dict[UUID, UUID] = {}
    for document, lot in left.order_by("-seq").values_list("document_id", "lot")[:100]:
        documents.setdefault(document, lot)
    numbers = dict(orders.filter(pk__in=documents).values_list("pk", "number"))
    return [Meant(key, numbers[key] or "", lot=lot) for key, lot in documents.items() if key in numbers][:MOST]


def with_customers(lot: UUID, orders: QuerySet[SalesOrder]) -> list[tuple[SalesOrder, Decimal, datetime]]:
    """The orders by which goods of a lot have left and did not come back: how many, and since when. The last first."""
    gone = Case(When(to_location=None, then=F("quantity")), default=-F("quantity"))
    issues = StockMove.objects.filter(lot=lot, kind=StockMove.Kind.ISSUE, document_type="sales_order").order_by()
    sums = issues.values("document_id").annotate(gone=Sum(gone), at=Max("occurred_at")).filter(gone__gt=0)
    left = {row["document_id"]: (row["gone"], row["at"]) for row in sums.order_by("-at")[:MOST]}
    if not left:
        return []
    back = dict(
        ReturnItem.objects.filter(lot=lot, authorization__order__in=left).order_by().values_list("authorization__order")
        .annotate(sum=Sum("received_quantity")),
    )
    rows = {row.pk: row for row in orders.filter(pk__in=left).select_related("customer__party")}
    return [
        (rows[key], quantity - back.get(key, ZERO), at)
        for key, (quantity, at) in left.items() if key in rows and quantity > back.get(key, ZERO)
    ]


def sold_rows(order: SalesOrder) -> list[SoldRow]:
    left, taken = goods_left(order), claimed(order)
    lots = dict(Lot.objects.filter(pk__in=[lot for _, lot in left if lot]).values_list("pk", "code"))
    goods = sorted((line, lots.get(lot, "") if lot else "", lot) for line, lot in left)
    rows = []
    for item in order.lines.order_by("line"):
        for code, lot in ((code, lot) for line, code, lot in goods if line == item.pk):
            shipped, back = left[item.pk, lot].quantity, taken.get((item.pk, lot), ZERO)
            rows.append(SoldRow(
                f"{item.pk}_{lot or ''}", item.pk, item.variant_id, item.sku, item.name, lot, code, shipped, back, shipped - back,
            ))
    return rows


def asked_rows(authorization: ReturnAuthorization) -> list[SoldRow]:
    """What a return that was asked for is to bring."""
    rows = authorization.lines.select_related("order_item", "lot").order_by("line")
    return [
        SoldRow(
            str(row.pk), row.pk, row.order_item.variant_id, row.order_item.sku, row.order_item.name, row.lot_id,
            row.lot.code if row.lot else "", row.order_item.shipped_quantity, row.order_item.returned_quantity, row.quantity,
            row.disposition,
        )
        for row in rows
    ]


def reasons() -> list[ReasonCode]:
    return list(ReasonCode.objects.filter(kind=ReasonCode.Kind.RECEIPT).order_by("code"))


def reason_meant(text: str) -> tuple[ReasonCode | None, str]:
    """"def does not fit": a reason by its first letters, and a note. Raises Invalid where none or several begin so."""
    word, _, note = text.strip().partition(" ")
    if not word:
        return None, ""
    kind = ReasonCode.objects.filter(kind=ReasonCode.Kind.RECEIPT)
    found = list(kind.filter(code__iexact=word)) or list(kind.filter(Q(code__istartswith=word) | Q(name__istartswith=word)))
    if len(found) != 1:
        named = ", ".join(reason.code for reason in found or reasons())
        raise Invalid(f"{'Several reasons begin' if found else 'No reason begins'} with {word}: {named}.")
    return found[0], note.strip()
