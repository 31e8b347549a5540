"""What the inventory tells. The changes of its objects are told by the database."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

import inventory.events_replenishment
import inventory.events_units  # noqa: F401  # which declare more of them
from inventory.models import (
    BomLine,
    LogisticUnit,
    PriceList,
    PriceListItem,
    Product,
    ProductAttributeValue,
    ProductBarcode,
    ProductRelation,
    ProductVariant,
    StockItem,
    TransferOrder,
)
from notifications.event_types import SOME_ID, SOME_TIME, event_type
from notifications.object_events import object_events

object_events(Product, example={"name": "Brake pad set, front", "status": "active"})
object_events(ProductVariant, name="product_variant", example={"sku": "BR-1001", "name": "Brake pad set, front"})
object_events(ProductAttributeValue, name="product_attribute_value", example={"value_number": 128.0})
object_events(BomLine, name="bom_line", example={"quantity": 2.0})
object_events(ProductRelation, name="product_relation", example={"kind": "supersedes"})
object_events(ProductBarcode, name="product_barcode", example={"symbology": "ean13", "value": "5601234567892", "quantity": 1.0})
object_events(StockItem, name="stock_item", also=("available",), example={"quantity": 12.0, "reserved": 2.0, "available": 10.0})
object_events(LogisticUnit, name="logistic_unit", example={"sscc": "056012340000000016", "kind": "pallet", "weight": 412.5})
object_events(TransferOrder, name="transfer_order", example={"number": "TO-000042", "status": "shipped"})
object_events(PriceList, name="price_list", example={"code": "RETAIL", "name": "Retail", "kind": "sale", "currency": "EUR"})
object_events(PriceListItem, name="price_list_item", example={"min_quantity": 10.0, "price": 9.95})


@dataclass(frozen=True, kw_only=True, slots=True)
class StockLine:
    """The balance of a variant at a location, as the posting left it."""

    stock_item: UUID
    variant: UUID
    sku: str
    warehouse: UUID
    location: UUID
    lot: Annotated[UUID | None, "Of goods that are tracked."]
    change: Annotated[Decimal, "What the posting added; less than 0 where goods left."]
    on_hand: Decimal
    reserved: Decimal
    available: Decimal


@event_type("stock.posted", aggregate="stock_posting", example={
    "kind": "issue", "moves": [SOME_ID], "lines": [{
        "stock_item": SOME_ID, "variant": SOME_ID, "sku": "BR-1001", "warehouse": SOME_ID, "location": SOME_ID,
        "lot": None, "change": -2.0, "on_hand": 12.0, "reserved": 2.0, "available": 10.0,
    }],
})  # fmt: skip
class StockPosted:
    """Goods came, left, moved or were counted: all lines of one posting, or none."""

    kind: Annotated[str, "receipt, issue, adjustment, move, assembly or reversal."]
    moves: Annotated[list[UUID], "The entries of the ledger, in the order of the posting's lines."]
    lines: Annotated[list[StockLine], "The balances that it touched. Each one's own order is that of stock_item.updated."]


@event_type("lot.status_changed", aggregate="lot", example={
    "lot": SOME_ID, "code": "L-2026-11", "variant": SOME_ID, "sku": "BR-1001", "status": "recalled", "previous": "released",
    "reason": "Supplier's notice 4711", "on_hand": 12.0, "reserved": 2.0,
})  # fmt: skip
class LotStatusChanged:
    """A lot, or a piece with a serial number, was released or held: what is held is on hand, and not available."""

    lot: UUID
    code: str
    variant: UUID
    sku: str
    status: Annotated[str, "From now on: released, quarantine, blocked or recalled."]
    previous: str
    reason: str
    on_hand: Annotated[Decimal, "How much of it there is, in all places."]
    reserved: Annotated[Decimal, "How much of that is promised to somebody, and cannot be picked now if the lot is held."]


@event_type("stock.reserved", aggregate="demand", example={
    "demand_type": "sales_order", "demand": SOME_ID, "expires_at": None, "reservations": [SOME_ID], "lines": [{
        "stock_item": SOME_ID, "variant": SOME_ID, "sku": "BR-1001", "warehouse": SOME_ID, "location": SOME_ID,
        "lot": None, "change": 0.0, "on_hand": 12.0, "reserved": 4.0, "available": 8.0,
    }],
})  # fmt: skip
class StockReserved:
    """Stock was promised to a demand."""

    demand_type: Annotated[str, "What it is for, such as sales_order."]
    demand: UUID
    expires_at: datetime | None
    reservations: Annotated[list[UUID], "In the order of the lines; those without a stock item wait for goods."]
    lines: Annotated[list[StockLine], "The balances that hold it; `change` is 0, because nothing moved."]


@event_type("stock.reservation_ended", aggregate="reservation", example={
    "reservation": SOME_ID, "demand_type": "sales_order", "demand": SOME_ID, "demand_line": None, "variant": SOME_ID,
    "warehouse": SOME_ID, "status": "expired", "quantity": 3.0, "picked": 1.0,
})  # fmt: skip
class ReservationEnded:
    """What was promised and not picked is free again."""

    reservation: UUID
    demand_type: str
    demand: UUID
    demand_line: UUID | None
    variant: UUID
    warehouse: UUID
    status: Annotated[Literal["released", "expired"], "Given up by somebody, or by time."]
    quantity: Annotated[Decimal, "How much was promised."]
    picked: Annotated[Decimal, "How much of that was picked before."]


@dataclass(frozen=True, kw_only=True, slots=True)
class LostLine:
    """Goods of a demand."""

    demand_line: UUID | None
    variant: UUID
    sku: str
    warehouse: UUID
    quantity: Annotated[Decimal, "How much was promised and is not there."]
    waits: Annotated[Decimal, "How much of that waits for goods; the rest is promised from other places."]


@event_type("stock.promise_lost", aggregate="demand", example={
    "demand_type": "sales_order", "demand": SOME_ID, "document_type": "stock_count", "document": SOME_ID, "lines": [{
        "demand_line": SOME_ID, "variant": SOME_ID, "sku": "BR-1001", "warehouse": SOME_ID, "quantity": 3.0, "waits": 1.0,
    }],
})  # fmt: skip
class PromiseLost:
    """A count did not find goods that were promised: they are promised from elsewhere, or wait for goods."""

    demand_type: Annotated[str, "What they are for, such as sales_order."]
    demand: UUID
    document_type: Annotated[str, "What has shown it: stock_count."]
    document: UUID
    lines: list[LostLine]


@event_type("stock_adjustment.requested", aggregate="stock_adjustment", example={
    "adjustment": SOME_ID, "warehouse": SOME_ID, "reason": "LOST", "note": "Missing after the count", "lines": 2,
})  # fmt: skip
class AdjustmentRequested:
    """An adjustment over the limit of its reason waits for approval."""

    adjustment: UUID
    warehouse: UUID
    reason: Annotated[str, "The code of the reason."]
    note: str
    lines: int


@event_type("stock_adjustment.decided", aggregate="stock_adjustment", example={
    "adjustment": SOME_ID, "warehouse": SOME_ID, "status": "approved", "note": "", "moves": [SOME_ID],
})  # fmt: skip
class AdjustmentDecided:
    """Somebody approved or rejected an adjustment; what is approved is posted."""

    adjustment: UUID
    warehouse: UUID
    status: Annotated[str, "approved or rejected."]
    note: Annotated[str, "Of who decided."]
    moves: Annotated[list[UUID], "The entries of the ledger."]


@event_type("stock_count.opened", aggregate="stock_count", example={
    "count": SOME_ID, "warehouse": SOME_ID, "kind": "cycle", "location": SOME_ID, "lines": 12,
})  # fmt: skip
class StockCountOpened:
    """Somebody, or a plan, wants stock to be counted."""

    count: UUID
    warehouse: UUID
    kind: Annotated[str, "full or cycle: all of what is selected, or what is due."]
    location: Annotated[UUID | None, "Where, with all below it; null for the whole warehouse."]
    lines: Annotated[int, "How many balances are on the sheet."]


@event_type("stock_count.approval_requested", aggregate="stock_count", example={
    "count": SOME_ID, "warehouse": SOME_ID, "reason": "COUNT", "lines": 2,
})  # fmt: skip
class StockCountApprovalRequested:
    """Lines of a count are over a limit of its reason, and wait for approval; the others are posted."""

    count: UUID
    warehouse: UUID
    reason: Annotated[str, "The code of the reason."]
    lines: Annotated[int, "How many lines wait."]


@event_type("stock_count.decided", aggregate="stock_count", example={
    "count": SOME_ID, "warehouse": SOME_ID, "decision": "rejected", "note": "Look behind the pallet.",
})  # fmt: skip
class StockCountDecided:
    """Somebody approved or rejected what waited; what is rejected is counted again."""

    count: UUID
    warehouse: UUID
    decision: Annotated[str, "approved or rejected; what is approved is posted, see stock_count.posted."]
    note: Annotated[str, "Of who decided."]


@event_type("stock_count.posted", aggregate="stock_count", example={
    "count": SOME_ID, "warehouse": SOME_ID, "lines": 12, "differing": 1, "value": -5.0, "moves": [SOME_ID],
})  # fmt: skip
class StockCountPosted:
    """Lines of a count were compared with the books, and what differed is posted."""

    count: UUID
    warehouse: UUID
    lines: Annotated[int, "How many lines were counted."]
    differing: int
    value: Annotated[Decimal, "Of the differences, at standard cost; less than 0 where goods are missing."]
    moves: Annotated[list[UUID], "The entries of the ledger, which name their line in document_line_id."]


@event_type("stock.closing_changed", aggregate="organization", example={
    "closed_through": "2026-10-31", "previous": "2026-09-30", "note": "",
})  # fmt: skip
class ClosingChanged:
    """A period of the stock was closed, or opened again."""

    closed_through: Annotated[date | None, "The last day on which nothing can be posted; null if every day is open."]
    previous: date | None
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferLineMoved:
    """Goods of a line of a transfer order."""

    line: UUID
    variant: UUID
    lot: Annotated[UUID | None, "If the goods are of one that was asked for, or that came."]
    quantity: Decimal


@event_type("transfer_order.shipped", aggregate="transfer_order", example={
    "transfer_order": SOME_ID, "number": "TO-000042", "source": SOME_ID, "destination": SOME_ID, "status": "shipped",
    "lines": [{"line": SOME_ID, "variant": SOME_ID, "lot": None, "quantity": 12.0}],
})  # fmt: skip
class TransferOrderShipped:
    """Goods left for another warehouse, and are in transit."""

    transfer_order: UUID
    number: str
    source: Annotated[UUID, "The warehouse that they left."]
    destination: Annotated[UUID, "The warehouse that they go to."]
    status: Annotated[str, "From now on: partly_shipped or shipped."]
    lines: Annotated[list[TransferLineMoved], "What left now."]


@event_type("transfer_order.received", aggregate="transfer_order", example={
    "transfer_order": SOME_ID, "number": "TO-000042", "source": SOME_ID, "destination": SOME_ID, "status": "completed",
    "lines": [{"line": SOME_ID, "variant": SOME_ID, "lot": None, "quantity": 12.0}],
})  # fmt: skip
class TransferOrderReceived:
    """Goods came out of transit into their warehouse."""

    transfer_order: UUID
    number: str
    source: UUID
    destination: UUID
    status: Annotated[str, "From now on: partly_shipped, shipped or completed."]
    lines: Annotated[list[TransferLineMoved], "What came now."]


@event_type("transfer_order.closed", aggregate="transfer_order", example={
    "transfer_order": SOME_ID, "number": "TO-000042", "source": SOME_ID, "destination": SOME_ID, "status": "completed",
    "received": 11.0, "lost": 1.0, "cancelled": 0.0,
})  # fmt: skip
class TransferOrderClosed:
    """Nothing more will be shipped or received."""

    transfer_order: UUID
    number: str
    source: UUID
    destination: UUID
    status: Annotated[str, "completed, or cancelled if nothing was ever shipped."]
    received: Annotated[Decimal, "Of all lines together."]
    lost: Annotated[Decimal, "What was shipped and did not arrive."]
    cancelled: Annotated[Decimal, "What was ordered and not shipped."]


@event_type("stock.low", aggregate="reorder_rule", example={
    "task": SOME_ID, "rule": SOME_ID, "variant": SOME_ID, "sku": "BR-1001", "name": "Brake pad set, front", "vehicle_model": None,
    "warehouse": SOME_ID, "warehouse_code": "PORTO", "supplier": None, "basis": "available", "level": 3.0, "threshold": 4.0,
    "suggested_quantity": 12.0, "source_warehouse": None,
})  # fmt: skip
class StockLow:
    """The reorder check found the stock of a variant in a warehouse at or under its threshold, and made a task of it."""

    task: Annotated[UUID, "The reorder task."]
    rule: UUID
    variant: UUID
    sku: str
    name: str
    vehicle_model: Annotated[UUID | None, "Whose threshold it is, if the rule is for one vehicle model."]
    warehouse: UUID
    warehouse_code: str
    supplier: Annotated[UUID | None, "From whom to order, if the rule or the variant says so."]
    basis: Annotated[Literal["on_hand", "available", "projected"], "The stock that the rule looks at."]
    level: Annotated[Decimal, "How much of it there is."]
    threshold: Annotated[Decimal, "The rule's minimum."]
    suggested_quantity: Annotated[Decimal, "How much to order."]
    source_warehouse: Annotated[UUID | None, "From where to fetch it, in the place of buying."]


@event_type("reorder.tasks_created", aggregate="organization", example={"tasks": 3, "checked_at": SOME_TIME})
class ReorderTasksCreated:
    """A reorder check found something: one event for each check, however much is low. See stock.low."""

    tasks: Annotated[int, "How many tasks it made."]
    checked_at: Annotated[datetime, "The tasks' created_at."]
