"""Landed costs: made of goods receipts, and changed while they are drafts. Their states: landed_cost_states.py.

The bill that a cost is on is locked first, after its order; then the cost.
"""

from collections.abc import Collection
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.models import Organization
from accounts.services.documents import number_next
from core.errors import Conflict, Invalid, NotFound
from core.tenancy import active_organization_id
from inventory.models import Warehouse
from inventory.queries.closings import today
from orders.machines import LANDED_COSTS
from orders.models import GoodsReceipt, LandedCost, LandedCostReceipt, SupplierBill
from orders.queries.landed_costs import left_to_land
from orders.services.bills import locked as bill_locked
from orders.services.stepping import refusal

DOCUMENT, NUMBERS = "landed_cost", "LC-{number:06}"
MOST_RECEIPTS = 200
ZERO = Decimal(0)


def landed_cost_create(*, warehouse: Warehouse, receipts: Collection[UUID] = (), **values: Any) -> LandedCost:
    """A draft. `values` are columns; on a bill, what is not said is the bill's."""
    row = LandedCost(number=number_next(document_type=DOCUMENT, first=NUMBERS), warehouse=warehouse, **values)
    _complete(row)
    row.save(force_insert=True)
    _write_receipts(row, receipts)
    return row


def landed_cost_change(*, cost: LandedCost, receipts: Collection[UUID] | None = None, **values: Any) -> LandedCost:
    """Of a draft; the receipts, if they are given, replace those before. `values` are columns."""
    row = locked(cost)
    if row.status != LandedCost.Status.DRAFT:
        raise refusal(LANDED_COSTS, row.status, "change")
    if row.bill_id != values.pop("bill_id", row.bill_id):
        detail = "A landed cost keeps its bill: cancel it, and make another one."
        raise Invalid(detail, code="bill_stays", fields={"bill": detail})
    if values:
        for name, value in values.items():
            setattr(row, name, value)
        _complete(row)
        row.save(update_fields=["supplier", "supplier_number", "currency", "amount", "cost_on", *values])
    if receipts is not None:
        row.receipts.all().delete()
        _write_receipts(row, receipts)
    elif "warehouse_id" in values or "warehouse" in values:
        _refuse_elsewhere(row, row.receipts.values_list("receipt_id", flat=True))
    return row


def locked(cost: LandedCost) -> LandedCost:
    """After its bill, so that no two costs take the same of a bill."""
    if cost.bill_id:
        bill_locked(SupplierBill.objects.get(pk=cost.bill_id))
    row: LandedCost | None = LandedCost.objects.select_for_update(of=("self",), no_key=True).filter(pk=cost.pk).first()
    if row is None:
        raise NotFound("There is no such landed cost.")
    return row


def bill_check(cost: LandedCost) -> None:
    """Raises Conflict where its bill does not ask for so much besides goods that came."""
    if cost.bill_id and cost.amount is not None and cost.amount > (left := left_to_land(cost.bill_id, besides=cost.pk)):
        raise Conflict(
            f"Besides goods that came, and what other landed costs hold, the bill asks for {max(left, ZERO).normalize():f}: this"
            f" is {cost.amount.normalize():f}.", code="more_than_billed",
        )


def _complete(cost: LandedCost) -> None:
    """What nobody has said; a bill is locked by it."""
    if cost.bill_id:
        _take_from(cost)
    cost.currency = cost.currency or Organization.objects.values_list("base_currency", flat=True).get(pk=active_organization_id())
    cost.cost_on = cost.cost_on or today()


def _take_from(cost: LandedCost) -> None:
    found = SupplierBill.objects.filter(pk=cost.bill_id).first()
    if found is None:
        detail = "There is no such supplier bill in this organization."
        raise Invalid(detail, code="does_not_exist", fields={"bill": detail})
    bill = bill_locked(found)
    if bill.status == SupplierBill.Status.CANCELLED:
        raise Conflict(f"Bill {bill.supplier_number} is canceled: nothing is to be paid for it.", code="bill_cancelled")
    cost.supplier_number = cost.supplier_number or bill.supplier_number
    for name in ("supplier_id", "currency"):
        if (said := getattr(cost, name)) and said != getattr(bill, name):
            detail = f"Bill {bill.supplier_number} says otherwise: leave it out."
            raise Invalid(detail, code="not_as_on_the_bill", fields={name.removesuffix("_id"): detail})
        setattr(cost, name, getattr(bill, name))
    cost.cost_on = cost.cost_on or bill.billed_on
    if cost.amount is None and (left := left_to_land(bill.pk, besides=cost.pk)) > 0:
        cost.amount = left
    if cost.amount is None:
        raise Conflict(
            f"Bill {bill.supplier_number} asks for goods that came alone, or other landed costs hold the rest.",
            code="nothing_to_land",
        )
    bill_check(cost)


def _write_receipts(cost: LandedCost, receipts: Collection[UUID]) -> None:
    if len(receipts) > MOST_RECEIPTS:
        raise Invalid(f"At most {MOST_RECEIPTS} goods receipts.", fields={"receipts": "too many"})
    _refuse_elsewhere(cost, receipts)
    LandedCostReceipt.objects.bulk_create([LandedCostReceipt(cost=cost, receipt_id=key) for key in receipts])


def _refuse_elsewhere(cost: LandedCost, receipts: Collection[UUID]) -> None:
    here = GoodsReceipt.objects.filter(pk__in=receipts, kind=GoodsReceipt.Kind.RECEIPT, warehouse=cost.warehouse_id)
    if here.count() != len(set(receipts)):
        detail = "There is no such receipt of goods in this warehouse."
        raise Invalid(detail, code="does_not_exist", fields={"receipts": detail})
