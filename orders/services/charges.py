"""What a shipping method adds to an order and promotions take off: adjustments that follow the lines when these are priced."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from core.errors import Invalid
from orders.models import InvoiceItem, OrderAdjustment, SalesOrder, SalesOrderItem, ShippingMethod
from orders.queries.shipping_options import options_of
from orders.services.discount_shares import PROMOTION
from orders.services.invoice_amounts import NOTHING, ZERO, Amount
from orders.services.promotion_amounts import Grant, by_rate
from orders.services.promotion_uses import promotions_follow

SHIPPING = "shipping_method"
MONEY = ("kind", "label", "net_amount", "tax_amount")
Kind = OrderAdjustment.Kind

type Amounts = list[tuple[Decimal, Decimal]]


@dataclass(frozen=True, slots=True)
class Charge:
    kind: str
    label: str
    net: Decimal
    tax: Decimal
    tax_rate: Decimal
    source_type: str
    source_id: UUID

    @property
    def key(self) -> tuple[object, ...]:
        return self.source_type, self.source_id, self.tax_rate


def charges_write(
    order: SalesOrder, lines: Sequence[SalesOrderItem], *, is_placed: bool = False,
) -> tuple[Amounts, Amounts]:
    """Net and tax before and after. Of an order that is placed, a method that has no charge gets none: another order paid it.

    Raises Invalid where the method does not carry the order.
    """
    if order.shipping_method_id is None and not getattr(order, "has_charges", True):
        return [], []
    rows = {_key(row): row for row in order.adjustments.exclude(source_type="").order_by("pk")}
    before = [(row.net_amount, row.tax_amount) for row in rows.values()]
    is_sent = bool(lines) and (not is_placed or _pays_shipping(rows))
    charges = _shipping(order, lines, is_placed=is_placed) if is_sent else []
    shipping = Amount(charges[0].net, charges[0].tax) if charges else NOTHING
    for grant in promotions_follow(order, lines, shipping):
        charges = [*(_carried(one, grant) for one in charges), *_promotion(grant)]
    _store(order, rows, charges)
    return before, [(one.net, one.tax) for one in charges]


def _pays_shipping(rows: dict[tuple[object, ...], OrderAdjustment]) -> bool:
    return any(row.source_type == SHIPPING for row in rows.values())


def _shipping(order: SalesOrder, lines: Sequence[SalesOrderItem], *, is_placed: bool) -> list[Charge]:
    if order.shipping_method_id is None:
        return []
    methods = list(ShippingMethod.objects.filter(pk=order.shipping_method_id))
    if not methods:
        detail = "There is no such shipping method in this organization."
        raise Invalid(detail, code="does_not_exist", fields={"shipping_method": detail})
    [option] = options_of(order, lines, methods)
    why = option.why if option.method.is_active or is_placed else f"{option.method.name} is not offered any more."
    if option.net is None or why:
        raise Invalid(f"{why} Choose another way to send it.", code="shipping_unavailable", fields={"shipping_method": why})
    return [Charge(
        Kind.SHIPPING, option.method.name, option.net, option.tax, option.tax_rate, SHIPPING, option.method.pk,
    )]


def _carried(charge: Charge, grant: Grant) -> Charge:
    """What is sent for nothing still says how: its charge is 0."""
    if charge.source_type != SHIPPING or grant.shipping == NOTHING:
        return charge
    return replace(charge, label=f"{charge.label}: {grant.promotion.name}"[:200], net=ZERO, tax=ZERO)


def _promotion(grant: Grant) -> list[Charge]:
    return [
        Charge(Kind.DISCOUNT, grant.promotion.name, -part.net, -part.tax, rate, PROMOTION, grant.promotion.pk)
        for rate, part in by_rate(grant).items()
    ]


def _key(row: OrderAdjustment) -> tuple[object, ...]:
    return row.source_type, row.source_id, row.tax_rate


def _store(order: SalesOrder, rows: dict[tuple[object, ...], OrderAdjustment], charges: Sequence[Charge]) -> None:
    adjustments_store(order, rows, [
        (one.key, OrderAdjustment(
            order=order, kind=one.kind, label=one.label, net_amount=one.net, tax_amount=one.tax, tax_rate=one.tax_rate,
            source_type=one.source_type, source_id=one.source_id,
        )) for one in charges
    ])


def adjustments_store(
    order: SalesOrder, rows: dict[tuple[object, ...], OrderAdjustment],
    wanted: Sequence[tuple[tuple[object, ...], OrderAdjustment]],
) -> None:
    """A row that stays keeps its id, by which invoices know it; one that is on an invoice stays, and is 0."""
    made, changed = [], []
    for key, one in wanted:
        row = rows.pop(key, None)
        if row is None:
            made.append(one)
        elif any(getattr(row, name) != getattr(one, name) for name in MONEY):
            for name in MONEY:
                setattr(row, name, getattr(one, name))
            changed.append(row)
    if rows:
        invoiced = set(InvoiceItem.objects.filter(adjustment__in=rows.values()).values_list("adjustment_id", flat=True))
        order.adjustments.filter(pk__in=[row.pk for row in rows.values() if row.pk not in invoiced]).delete()
        for row in rows.values():
            if row.pk in invoiced:
                row.net_amount = row.tax_amount = ZERO
                changed.append(row)
    if changed:
        OrderAdjustment.objects.bulk_update(changed, MONEY)
    OrderAdjustment.objects.bulk_create(made)
