"""Purchase orders: made, and changed while they are drafts. Their states: purchase_states.py; their goods: purchase_goods.py.

The order is locked before any reorder task or stock.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any
from uuid import UUID

from accounts.queries.rates import DIGITS
from accounts.services.documents import number_next
from core.errors import Conflict, Invalid, NotFound
from inventory.models import PriceList, ProductVariant, Supplier, SupplierProduct, Warehouse
from inventory.queries import prices
from inventory.queries.kits import no_stock_of
from orders.models import PurchaseOrder, PurchaseOrderItem
from orders.services.purchase_expected import DOCUMENT, expected_follow
from orders.services.purchase_tasks import tasks_check, tasks_follow

NUMBERS = "PO-{number:06}"
MOST_LINES = 1_000
ZERO = Decimal(0)
AGREED = "Agreed"  # why a line costs what somebody said
# What may change once it is no draft, until it is over.
LATER = {"expected_on", "supplier_reference", "note", "external_ref", "custom_fields"}
Status = PurchaseOrder.Status


@dataclass(frozen=True, slots=True)
class PurchaseLine:
    """Without a price, what the supplier's price lists say, or what the supplier asked last."""

    variant_id: UUID
    quantity: Decimal
    unit_price: Decimal | None = None
    discount_percent: Decimal = ZERO
    over_receipt_percent: Decimal = ZERO
    reorder_task_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """By variant: what it is, and as what the order's supplier sells it."""

    variants: Mapping[UUID, ProductVariant]
    offered: Mapping[UUID, SupplierProduct]


def purchase_order_create(
    *, supplier: Supplier, warehouse: Warehouse, lines: Sequence[PurchaseLine] = (), **values: Any,
) -> PurchaseOrder:
    """A draft. `values` are columns."""
    parties_check(supplier, warehouse)
    currency = values.pop("currency", "") or supplier.currency
    order: PurchaseOrder = PurchaseOrder.objects.create(
        number=number_next(document_type=DOCUMENT, first=NUMBERS), supplier=supplier, warehouse=warehouse,
        currency=currency, **values,
    )
    lines_write(order, lines)
    return order


def purchase_order_change(*, order: PurchaseOrder, lines: Sequence[PurchaseLine] | None = None, **values: Any) -> PurchaseOrder:
    """`values` are columns; the lines, if they are given, replace those before. Raises Conflict for what stays as it is."""
    row = locked(order)
    if "currency" in values and not values["currency"]:
        del values["currency"]
    changed = {name: value for name, value in values.items() if value != getattr(row, name)}
    _refuse_late(row, {*changed, *(() if lines is None else ("lines",))})
    for name, value in changed.items():
        setattr(row, name, value)
    if changed.keys() & {"supplier_id", "warehouse_id"}:
        ends = Supplier.objects.filter(pk=row.supplier_id).first(), Warehouse.objects.filter(pk=row.warehouse_id).first()
        if all(ends):  # else the foreign key says which is not there
            parties_check(*ends)
    if changed:
        row.save(update_fields=list(changed))
        row = locked(row)
    if "expected_on" in changed and row.status not in PurchaseOrder.OVER:
        expected_follow(row)
    if lines is None and changed.keys() & {"supplier_id", "warehouse_id", "currency"}:
        lines = [_again(line) for line in row.lines.order_by("line")]
    if lines is not None:
        lines_write(row, lines)
    return row


def lines_write(order: PurchaseOrder, lines: Sequence[PurchaseLine]) -> None:
    """In the place of those before, priced. The totals follow, and so do the reorder tasks that they come from."""
    if len(lines) > MOST_LINES:
        raise Invalid(f"At most {MOST_LINES} lines.", fields={"lines": "too many"})
    wanted = {line.reorder_task_id: line for line in lines if line.reorder_task_id}
    tasks_check(order, [(line.reorder_task_id, line.variant_id) for line in lines if line.reorder_task_id])
    before = dict(order.lines.exclude(reorder_task=None).values_list("reorder_task_id", "quantity"))
    expected_follow(order, [])
    order.lines.all().delete()
    made = lines_priced(order, lines) if lines else []
    PurchaseOrderItem.objects.bulk_create(made)
    totals_follow(order, made)
    order.save(update_fields=["net_total", "tax_total", "total"])
    tasks_follow(order, before=before, after={task: line.quantity for task, line in wanted.items() if task})
    expected_follow(order, made)


def locked(order: PurchaseOrder) -> PurchaseOrder:
    row: PurchaseOrder | None = PurchaseOrder.objects.select_for_update(of=("self",), no_key=True).select_related(
        "supplier", "warehouse",
    ).filter(pk=order.pk).first()
    if row is None:
        raise NotFound("There is no such purchase order.")
    return row


def _refuse_late(order: PurchaseOrder, changed: Collection[str]) -> None:
    over = order.status in PurchaseOrder.OVER
    if changed and order.status != Status.DRAFT and (over or set(changed) - LATER):
        state = order.get_status_display().lower()
        way = "Make another order." if over else "Revise it first, or make another order."
        raise Conflict(f"Purchase order {order.number} is {state}: what is bought stays as it is. {way}", code="wrong_status")


def parties_check(supplier: Supplier, warehouse: Warehouse) -> None:
    if supplier.archived_at or supplier.status != Supplier.Status.ACTIVE:
        detail = f"Nothing is bought from {supplier.code}: the supplier is {'archived' if supplier.archived_at else 'blocked'}."
        raise Invalid(detail, fields={"supplier": detail})
    if warehouse.archived_at or warehouse.kind == Warehouse.Kind.TRANSIT:
        detail = f"Nothing is bought for {warehouse.code}: it is {'archived' if warehouse.archived_at else 'for transit'}."
        raise Invalid(detail, fields={"warehouse": detail})


def _again(line: PurchaseOrderItem) -> PurchaseLine:
    """The same line, to be priced anew unless its price was agreed."""
    return PurchaseLine(
        line.variant_id, line.quantity, line.unit_price if line.price_reason == AGREED else None, line.discount_percent,
        line.over_receipt_percent, line.reorder_task_id,
    )


def totals_follow(order: PurchaseOrder, lines: Sequence[PurchaseOrderItem]) -> None:
    """In memory alone."""
    order.net_total, order.tax_total = sum((one.net_amount for one in lines), ZERO), sum((one.tax_amount for one in lines), ZERO)
    order.total = order.net_total + order.tax_total


def lines_priced(order: PurchaseOrder, lines: Sequence[PurchaseLine], known: Known | None = None) -> list[PurchaseOrderItem]:
    """Not saved. `known` is for who has looked already."""
    known = known or _known(order, {line.variant_id for line in lines})
    _refuse_not_bought(lines, known)
    question = prices.Question(kind=PriceList.Kind.PURCHASE, party_id=order.supplier.party_id, currency=order.currency)
    quote = prices.prices_of(question, [prices.Wanted(line.variant_id, line.quantity) for line in lines])
    return [
        _item(order, number, line, cost, known)
        for number, (line, cost) in enumerate(zip(lines, quote.costs, strict=True), 1)
    ]


def _refuse_not_bought(lines: Sequence[PurchaseLine], known: Known) -> None:
    archived, kits = {}, {}
    for number, line in enumerate(lines):
        variant = known.variants.get(line.variant_id)
        if variant and variant.archived_at:
            archived[f"lines/{number}/variant"] = f"{variant.sku} is archived: restore it, or buy another."
        elif variant and variant.sold_by_components:
            kits[f"lines/{number}/variant"] = no_stock_of(variant.sku)
    for code, wrong in (("archived", archived), ("sold_by_components", kits)):
        if wrong:
            raise Invalid(next(iter(wrong.values())), code=code, fields=wrong)


def _known(order: PurchaseOrder, keys: Collection[UUID]) -> Known:
    rows = SupplierProduct.objects.filter(supplier=order.supplier_id, variant__in=keys).order_by("is_preferred", "-pk")
    return Known(ProductVariant.objects.select_related("product").in_bulk(keys), {row.variant_id: row for row in rows})


def _item(order: PurchaseOrder, number: int, line: PurchaseLine, cost: prices.Cost, known: Known) -> PurchaseOrderItem:
    variant = known.variants[line.variant_id]
    rate = cost.goods.rate or ZERO
    price = _net_price(cost, rate) if line.unit_price is None else line.unit_price
    with localcontext(prec=DIGITS):
        off = (price or ZERO) * line.quantity * line.discount_percent / 100
        amounts = prices.amounts(price or ZERO, line.quantity, rate, order.currency, discount=off)
    return PurchaseOrderItem(
        order=order, line=number, variant=variant, supplier_product=known.offered.get(variant.pk),
        reorder_task_id=line.reorder_task_id,
        sku=variant.sku, name=variant.name or variant.product.name, quantity=line.quantity, unit_price=price,
        discount_percent=line.discount_percent, tax_rate=rate, net_amount=amounts.net or ZERO, tax_amount=amounts.tax or ZERO,
        price_reason=(cost.why if line.unit_price is None else AGREED)[:300], over_receipt_percent=line.over_receipt_percent,
    )


def _net_price(cost: prices.Cost, rate: Decimal) -> Decimal | None:
    """None where nobody has said a price: it is asked for before the order is submitted."""
    if cost.unit_price is None or cost.offer is None or not cost.offer.includes_tax:
        return cost.unit_price
    with localcontext(prec=DIGITS):
        return (cost.unit_price * 100 / (100 + rate)).quantize(prices.UNIT, ROUND_HALF_UP)
