"""Goods of a purchase order come in, all or some, or go back. The order is locked before any stock."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone
from uuid_utils.compat import uuid7

from accounts.models import Organization
from accounts.queries.rates import DIGITS, Rate, rate_on
from accounts.services.documents import number_next
from core.errors import Conflict, Invalid, NotFound
from core.tenancy import active_organization_id, active_scope
from inventory.models import Location, StockMove
from inventory.queries.prices import UNIT
from inventory.queries.transfers import usual_entrance
from inventory.services.capacity import Overfull
from inventory.services.expected import awaited_tasks_follow
from inventory.services.posting import Line, LotCode, Posted
from inventory.services.stock import Circumstances, Document, moment_of, stock_issue, stock_receive
from orders import events_purchasing as events
from orders.machines import PURCHASE_ORDERS
from orders.models import GoodsReceipt, GoodsReceiptItem, PurchaseOrder, PurchaseOrderItem
from orders.services.purchase_billing import purchase_order_follow_bills
from orders.services.purchase_expected import document_of, expected_changes, open_quantity
from orders.services.purchasing import MOST_LINES, locked
from orders.services.stepping import allow, step, told

DOCUMENT = "goods_receipt"
NUMBERS = "GR-{number:06}"
ZERO = Decimal(0)
Kind, Status = GoodsReceipt.Kind, PurchaseOrder.Status


@dataclass(frozen=True, slots=True)
class Part:
    """Of a line of the order. Without a location, the posting's; a lot by its id, or by the code on its label."""

    line_id: UUID
    quantity: Decimal = ZERO
    location_id: UUID | None = None
    lot_id: UUID | None = None
    lot: LotCode | None = None
    rejected_quantity: Decimal = ZERO
    rejected_because: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What all parts share. `occurred_at` is now unless it is given; a key makes what is sent twice count once."""

    delivery_note: str = ""
    note: str = ""
    occurred_at: datetime | None = None
    idempotency_key: str = ""
    reason_id: UUID | None = None  # of a return: a reason code for issues


@dataclass(frozen=True, slots=True)
class Done:
    receipt: GoodsReceipt
    order: PurchaseOrder
    overfull: Sequence[Overfull] = ()


USUAL = Delivery()


def purchase_order_receive(
    *, order: PurchaseOrder, parts: Sequence[Part] | None = None, location: Location | None = None, delivery: Delivery = USUAL,
) -> Done:
    """All that is left, unless parts are given. What is rejected is noted, and not taken in."""
    row = locked(order)
    if done := _done_before(row, Kind.RECEIPT, delivery.idempotency_key):
        return done
    allow(PURCHASE_ORDERS, row, "receive")
    lines = _lines(row)
    given = [Part(line.pk, left) for line in lines.values() if (left := open_quantity(line)) > 0] if parts is None else parts
    _check(given, lines)
    for key, quantity in _sums(given).items():
        if quantity > (room := room_of(lines[key])):
            line = lines[key]
            raise Conflict(
                f"Of {line.sku} {_plain(line.quantity)} were ordered, and {_plain(max(room, ZERO))} more may come: these are"
                f" {_plain(quantity)}. Reject the rest.", code="over_receipt",
            )
    entrance = location.pk if location else None
    if entrance is None and any(part.location_id is None for part in given if part.quantity):
        usual = usual_entrance(row.warehouse_id)
        entrance = usual.pk if usual else None
    placed = [replace(part, location_id=part.location_id or entrance) if part.quantity else part for part in given]
    _check_places(row, placed, location)
    return _Booking(row, Kind.RECEIPT, delivery, lines).book(placed, stock_receive, "to_location_id")


def purchase_order_send_back(*, order: PurchaseOrder, parts: Sequence[Part], delivery: Delivery = USUAL) -> Done:
    """Goods that were taken in go back to the supplier, from where they lie. What is sent in their place is received again."""
    row = locked(order)
    if done := _done_before(row, Kind.RETURN, delivery.idempotency_key):
        return done
    allow(PURCHASE_ORDERS, row, "send_back")
    lines = _lines(row)
    _check(parts, lines)
    for key, quantity in _sums(parts).items():
        if quantity > (here := lines[key].received_quantity - lines[key].returned_quantity):
            raise Conflict(
                f"Of {lines[key].sku} {_plain(here)} came and did not go back: these are {_plain(quantity)}.",
                code="more_than_came",
            )
    _check_places(row, parts)
    return _Booking(row, Kind.RETURN, delivery, lines).book(parts, stock_issue, "from_location_id")


def room_of(line: PurchaseOrderItem) -> Decimal:
    """How much more may come, with what is tolerated."""
    with localcontext(prec=DIGITS):
        most = line.quantity * (100 + line.over_receipt_percent) / 100
        return most - line.received_quantity + line.returned_quantity


@dataclass(frozen=True, slots=True)
class _Booking:
    order: PurchaseOrder
    kind: str
    delivery: Delivery
    lines: Mapping[UUID, PurchaseOrderItem]

    def book(self, parts: Sequence[Part], post: Callable[..., Posted], side: str) -> Done:
        receipt, rate = self._receipt()
        items = [self._item(receipt, number, part, rate) for number, part in enumerate(parts, 1)]
        moving = [(part, item) for part, item in zip(parts, items, strict=True) if part.quantity]
        posted = Posted([], [])
        self._count(parts)
        coming = expected_changes(self.order, list(self.lines.values()))
        if moving:
            posted = post(coming=coming, lines=[
                Line(
                    item.variant_id, part.quantity, lot_id=part.lot_id, lot=part.lot, document_line_id=item.pk, is_awaited=True,
                    unit_cost=item.unit_cost if self.kind == Kind.RECEIPT else None, **{side: part.location_id},  # type: ignore[arg-type]  # a place
                )
                for part, item in moving
            ], circumstances=Circumstances(
                reason_id=self.delivery.reason_id, note=receipt.note, document=Document(DOCUMENT, receipt.pk),
                occurred_at=self.delivery.occurred_at and receipt.occurred_at,
            ))
        lots = dict(StockMove.objects.filter(pk__in=posted.moves).values_list("pk", "lot_id"))
        for (_, item), move in zip(moving, posted.moves, strict=True):
            item.move_id, item.lot_id = move, lots[move]
        receipt.number = number_next(document_type=DOCUMENT, first=NUMBERS)
        receipt.save(force_insert=True)
        GoodsReceiptItem.objects.bulk_create(items)
        awaited_tasks_follow(document=document_of(self.order))
        self._step(receipt, items)
        return Done(receipt, self.order, posted.overfull)

    def _receipt(self) -> tuple[GoodsReceipt, Rate]:
        own, zone = Organization.objects.values_list("base_currency", "timezone").get(pk=active_organization_id())
        moment = moment_of(self.delivery.occurred_at)
        rate = rate_on(self.order.currency, own, moment.astimezone(ZoneInfo(zone)).date())
        return GoodsReceipt(
            id=uuid7(), kind=self.kind, order=self.order, warehouse_id=self.order.warehouse_id, occurred_at=moment,
            delivery_note=self.delivery.delivery_note, note=self.delivery.note, currency=self.order.currency,
            exchange_rate=rate.value, actor_id=active_scope().origin.actor_id, idempotency_key=self.delivery.idempotency_key,
        ), rate

    def _item(self, receipt: GoodsReceipt, number: int, part: Part, rate: Rate) -> GoodsReceiptItem:
        line = self.lines[part.line_id]
        with localcontext(prec=DIGITS):
            net = (line.unit_price or ZERO) * (100 - line.discount_percent) / 100
            cost = (net * rate.numerator / rate.denominator).quantize(UNIT, ROUND_HALF_UP)
        return GoodsReceiptItem(
            id=uuid7(), receipt=receipt, line=number, order_item=line, variant_id=line.variant_id,
            location_id=part.location_id if part.quantity else None, quantity=part.quantity,
            rejected_quantity=part.rejected_quantity, rejected_because=part.rejected_because, unit_cost=cost,
        )

    def _count(self, parts: Sequence[Part]) -> None:
        column = "received_quantity" if self.kind == Kind.RECEIPT else "returned_quantity"
        for part in parts:
            line = self.lines[part.line_id]
            setattr(line, column, getattr(line, column) + part.quantity)
            line.rejected_quantity += part.rejected_quantity
        touched = [self.lines[key] for key in dict.fromkeys(part.line_id for part in parts)]
        PurchaseOrderItem.objects.bulk_update(touched, [column, "rejected_quantity"])

    def _step(self, receipt: GoodsReceipt, items: Sequence[GoodsReceiptItem]) -> None:
        comes = self.kind == Kind.RECEIPT
        verb, shape = ("receive", events.PurchaseOrderReceived) if comes else ("send_back", events.PurchaseOrderReturned)
        columns: dict[str, Any] = {"received_at": timezone.now()} if comes else {}
        step(PURCHASE_ORDERS, self.order, verb, target=self._target(), note=receipt.number, **columns)
        told(PURCHASE_ORDERS, verb, shape(
            order=self.order.pk, number=self.order.number, supplier=self.order.supplier_id, warehouse=self.order.warehouse_id,
            receipt=receipt.pk, receipt_number=receipt.number, status=self.order.status,
            lines=[
                events.GoodsLine(
                    line=item.order_item_id, variant=item.variant_id, sku=self.lines[item.order_item_id].sku,
                    quantity=item.quantity, rejected=item.rejected_quantity,
                )
                for item in items
            ],
        ), aggregate_id=self.order.pk)
        purchase_order_follow_bills(order=self.order, lines=self.lines.values())

    def _target(self) -> str:
        if self.order.status == Status.CLOSED:
            return Status.CLOSED
        if not any(open_quantity(line) for line in self.lines.values()):
            return Status.RECEIVED
        has_come = any(line.received_quantity for line in self.lines.values())
        return Status.PARTIALLY_RECEIVED if has_come else Status.SENT


def _lines(order: PurchaseOrder) -> dict[UUID, PurchaseOrderItem]:
    return {line.pk: line for line in order.lines.order_by("line")}


def _done_before(order: PurchaseOrder, kind: str, key: str) -> Done | None:
    """The receipt that the key has made already; its twin waited for the order."""
    if not key or (receipt := GoodsReceipt.objects.filter(idempotency_key=key).first()) is None:
        return None
    if receipt.order_id != order.pk or receipt.kind != kind:
        raise Conflict("This idempotency key belongs to another goods receipt.", code="idempotency_key_reused")
    return Done(receipt, order)


def _check(parts: Sequence[Part], lines: Mapping[UUID, PurchaseOrderItem]) -> None:
    if not parts:
        raise Invalid("Say what comes or goes: there is nothing left of this order.", fields={"lines": "empty"})
    if len(parts) > MOST_LINES:
        raise Invalid(f"At most {MOST_LINES} lines.", fields={"lines": "too many"})
    for part in parts:
        if part.line_id not in lines:
            raise NotFound("There is no such line on this purchase order.")
        if part.quantity < 0 or part.rejected_quantity < 0 or not (part.quantity or part.rejected_quantity):
            raise Invalid("A quantity must be above zero.", fields={"quantity": "not positive"})
        if part.rejected_quantity and not part.rejected_because.strip():
            raise Invalid("Say why goods were rejected: the supplier will ask.", fields={"rejected_because": "required"})


def _check_places(order: PurchaseOrder, parts: Sequence[Part], known: Location | None = None) -> None:
    places = {part.location_id for part in parts if part.quantity}
    if known and known.warehouse_id == order.warehouse_id:
        places.discard(known.pk)
    if not places:
        return
    if None in places:
        detail = "Say where the goods go: the warehouse has no place for receiving or storage."
        raise Invalid(detail, fields={"location": "required"})
    if Location.objects.filter(pk__in=places, warehouse_id=order.warehouse_id).count() != len(places):
        detail = "There is no such location in the warehouse of this purchase order."
        raise Invalid(detail, code="does_not_exist", fields={"location": detail})


def _sums(parts: Sequence[Part]) -> dict[UUID, Decimal]:
    found: dict[UUID, Decimal] = defaultdict(Decimal)
    for part in parts:
        found[part.line_id] += part.quantity
    return found


def _plain(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}"
