"""Customers send goods back: asked for, approved, received, inspected, and then refunded or replaced.

The order is locked first, then its return, then the stock.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Case, F, Value, When
from django.utils import timezone

from accounts.services.documents import number_next
from core.errors import Conflict, Invalid, NotFound
from core.fields import QuantityField
from inventory.models import Location, ReasonCode
from inventory.services.posting import Line
from inventory.services.stock import Circumstances, Document, stock_move, stock_receive
from notifications.services.events import publish
from orders import events_returns as events
from orders.machines import RETURNS
from orders.models import ReturnAuthorization, ReturnItem, SalesOrder, SalesOrderItem
from orders.queries.returns import NOTHING, Left, claimed, goods_left, refund_of
from orders.services.kits import kits_opened
from orders.services.payment_settling import locked_order, sales_order_paid_follow
from orders.services.return_settling import return_credit_drop, return_settle
from orders.services.sales_orders import NewLine, locked, sales_order_create, sales_order_place
from orders.services.stepping import allow, step, told, told_all

DOCUMENT = "return"
NUMBERS = "RMA-{number:06}"
MOST_LINES = 1_000
ZERO = Decimal(0)
Disposition, Kind, Status = ReturnItem.Disposition, Location.Kind, ReturnAuthorization.Status
# Where goods lie until somebody has looked at them, and where they go then: the first of these kinds that there is.
ENTRANCES = (Kind.QUARANTINE, Kind.RECEIVING)
PLACES: Mapping[str, str] = {
    Disposition.RESTOCK: Kind.STORAGE, Disposition.QUARANTINE: Kind.QUARANTINE, Disposition.SCRAP: Kind.SCRAP,
}

type Goods = tuple[UUID, UUID | None]  # a line of the order, and a lot


@dataclass(frozen=True, slots=True)
class Asked:
    """Of a line of the order. Which lot or serial number it is, is said where there was more than one.

    `disposition`: what is to become of it, where that is known already.
    """

    order_item_id: UUID
    quantity: Decimal
    lot_id: UUID | None = None
    note: str = ""
    disposition: str = ""


@dataclass(frozen=True, slots=True)
class Came:
    """With a `disposition` it was looked at as it came, and goes where it belongs at once."""

    line_id: UUID
    quantity: Decimal
    disposition: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What becomes of a line, and where it goes unless to the first place for that."""

    line_id: UUID
    disposition: str
    location_id: UUID | None = None


class Opened:
    """A return that is locked, as its order is. What it needs is read once; its lines are changed as their rows are."""

    def __init__(self, row: ReturnAuthorization) -> None:
        self.row = row

    @cached_property
    def items(self) -> list[ReturnItem]:
        return list(self.row.lines.select_related("order_item", "location").order_by("line"))

    @cached_property
    def left(self) -> Mapping[Goods, Left]:
        return goods_left(self.row.order)


def return_create(
    *, order: SalesOrder, lines: Sequence[Asked] | None = None, reason_id: UUID | None = None, note: str = "",
    key: UUID | None = None,
) -> ReturnAuthorization:
    """All that has left and did not come back, unless lines are given. Raises Conflict for more than that.

    `key`: the id that it shall have; who asks again with it is given the same return.
    """
    return return_begin(order=order, lines=lines, reason_id=reason_id, note=note, key=key).row


def return_begin(
    *, order: SalesOrder, lines: Sequence[Asked] | None, reason_id: UUID | None, note: str, key: UUID | None,
) -> Opened:
    """`return_create`, for who goes on with it."""
    sold = locked(order)
    before: ReturnAuthorization | None = ReturnAuthorization.objects.filter(pk=key, order=sold).first() if key else None
    if before is not None:
        before.order = sold
        return Opened(before)
    _check_reason(reason_id, note)
    left, taken = goods_left(sold), claimed(sold)
    free = {goods: one.quantity - taken.get(goods, ZERO) for goods, one in left.items()}
    items = {line.pk: line for line in sold.lines.order_by("line")}
    if lines is None:
        lines = [Asked(item, left, lot) for (item, lot), left in free.items() if left > 0]
    named = _named(kits_opened("order_item_id", lines, items), items, free)
    row: ReturnAuthorization = ReturnAuthorization.objects.create(
        **({"pk": key} if key else {}), number=number_next(document_type=DOCUMENT, first=NUMBERS), order=sold,
        customer_id=sold.customer_id, warehouse_id=sold.warehouse_id, reason_id=reason_id, note=note,
    )
    made = ReturnItem.objects.bulk_create([
        ReturnItem(
            authorization=row, line=number, order_item=items[one.order_item_id], lot_id=lot, quantity=one.quantity, note=one.note,
            disposition=one.disposition,
        )
        for number, (one, lot) in enumerate(named, 1)
    ])
    publish(events.ReturnRequested(**_parts(row), lines=[_told(item) for item in made]), aggregate_id=row.pk)
    opened = Opened(row)
    opened.items, opened.left = made, left
    return opened


def return_open(authorization: ReturnAuthorization) -> Opened:
    """Raises NotFound."""
    return Opened(_locked(authorization))


def return_approve(*, authorization: ReturnAuthorization) -> ReturnAuthorization:
    row = _locked(authorization)
    told(RETURNS, "approve", _approve(row), aggregate_id=row.pk)
    return row


def _approve(row: ReturnAuthorization, *, is_here: bool = False) -> events.ReturnApproved:
    """`is_here`: the goods came before anybody asked. Answers what is to be told, as all verbs below do."""
    step(RETURNS, row, "approve")
    return events.ReturnApproved(**_parts(row), is_here=is_here)


def return_reject(*, authorization: ReturnAuthorization, reason: str = "") -> ReturnAuthorization:
    row = _locked(authorization)
    step(RETURNS, row, "reject", note=reason)
    told(RETURNS, "reject", events.ReturnRejected(**_parts(row), reason=reason), aggregate_id=row.pk)
    return row


def return_receive(
    *, authorization: ReturnAuthorization, lines: Sequence[Came] | None = None, location: Location | None = None,
) -> ReturnAuthorization:
    """All that did not come yet, unless lines are given, at what it cost as it left. A line comes once: what is missing of it
    does not come by this return.
    """
    opened = return_open(authorization)
    told(RETURNS, "receive", _receive(opened, lines, location), aggregate_id=opened.row.pk)
    return opened.row


def _receive(opened: Opened, lines: Sequence[Came] | None, location: Location | None = None) -> events.ReturnReceived:
    row, items = opened.row, {item.pk: item for item in opened.items}
    allow(RETURNS, row, "receive")
    if lines is None:
        lines = [Came(item.pk, item.quantity) for item in items.values() if not item.received_quantity]
    _check_came(lines, items)
    places = {
        one: _place(row, location, (PLACES[one],) if one else ENTRANCES) for one in sorted({one.disposition for one in lines})
    }
    posted = stock_receive(
        lines=[
            Line(
                item.order_item.variant_id, one.quantity, to_location_id=places[one.disposition].pk, lot_id=item.lot_id,
                document_line_id=item.pk, unit_cost=opened.left.get((item.order_item_id, item.lot_id), NOTHING).unit_cost,
            )
            for one in lines for item in [items[one.line_id]]
        ],
        circumstances=Circumstances(reason_id=row.reason_id, note=row.note, document=Document(DOCUMENT, row.pk)),
    )
    for one, move in zip(lines, posted.moves, strict=True):
        item = items[one.line_id]
        item.received_quantity, item.location, item.move_id = one.quantity, places[one.disposition], move
        item.disposition = one.disposition or item.disposition
    _count_returned([(items[one.line_id].order_item_id, one.quantity) for one in lines])
    ReturnItem.objects.bulk_update([items[one.line_id] for one in lines], [
        "received_quantity", "location", "move", "disposition",
    ])
    step(RETURNS, row, "receive", received_at=timezone.now())
    return events.ReturnReceived(**_parts(row), lines=_all_told(opened.items))


def return_inspect(*, authorization: ReturnAuthorization, lines: Sequence[Seen] | None = None) -> ReturnAuthorization:
    """All that came goes where it belongs, and what it had cost the customer is known. Without lines, as they say themselves."""
    opened = return_open(authorization)
    told(RETURNS, "inspect", _inspect(opened, lines), aggregate_id=opened.row.pk)
    return opened.row


def _inspect(opened: Opened, lines: Sequence[Seen] | None = None) -> events.ReturnInspected:
    row, items = opened.row, {item.pk: item for item in opened.items if item.received_quantity}
    allow(RETURNS, row, "inspect")
    seen = [Seen(item.pk, item.disposition) for item in items.values()] if lines is None else lines
    if sorted(one.line_id for one in seen) != sorted(items):
        raise Invalid("Say of each line that came, once, what becomes of it.", fields={"lines": "not those that came"})
    if any(one.disposition not in PLACES for one in seen):
        raise Invalid("Say of each line: restock, quarantine or scrap.", fields={"disposition": "required"})
    moving, changed = [], []
    for one in seen:
        item = items[one.line_id]
        here: Any = item.location  # it came, so it lies somewhere
        kind = PLACES[one.disposition]
        given = Location(pk=one.location_id) if one.location_id else None
        place = here if given is None and here.kind == kind else _place(row, given, (kind,))
        if place.pk != here.pk:
            moving.append(Line(
                item.order_item.variant_id, item.received_quantity, here.pk, place.pk, lot_id=item.lot_id,
                document_line_id=item.pk,
            ))
        if (item.disposition, here.pk) != (one.disposition, place.pk):
            item.disposition, item.location = one.disposition, place
            changed.append(item)
    if moving:
        stock_move(lines=moving, circumstances=Circumstances(note=row.note, document=Document(DOCUMENT, row.pk)))
    ReturnItem.objects.bulk_update(changed, ["disposition", "location"])
    amount = refund_of(row, items.values())
    step(RETURNS, row, "inspect", inspected_at=timezone.now(), refund_amount=amount)
    return events.ReturnInspected(
        **_parts(row), lines=_all_told(items.values()), currency=row.order.currency, refund_amount=amount,
    )


def return_finish(opened: Opened, lines: Sequence[Came]) -> None:
    """Goods that lie here, and of which it is known what becomes of them: approved if need be, received and inspected."""
    happened: list[tuple[str, object]] = []
    if opened.row.status == Status.REQUESTED:
        happened.append(("approve", _approve(opened.row, is_here=True)))
    happened.append(("receive", _receive(opened, lines)))
    happened.append(("inspect", _inspect(opened, [Seen(one.line_id, one.disposition) for one in lines])))
    told_all(RETURNS, happened, aggregate_id=opened.row.pk)


def return_refund(*, authorization: ReturnAuthorization, reference: str = "") -> ReturnAuthorization:
    """The customer has the money again, by this reference."""
    row = _locked(authorization)
    allow(RETURNS, row, "refund")
    found = return_settle(authorization=row, reference=reference or row.refund_reference)
    step(RETURNS, row, "refund", note=found, refund_reference=found)
    sales_order_paid_follow(order=locked_order(row.order_id))
    told(RETURNS, "refund", events.ReturnRefunded(
        **_parts(row), currency=row.order.currency, refund_amount=row.refund_amount, reference=found,
    ), aggregate_id=row.pk)
    return row


def return_replace(*, authorization: ReturnAuthorization) -> ReturnAuthorization:
    """The same goods by an order of their own, at no charge. Raises Conflict where they are short and may not wait."""
    opened = return_open(authorization)
    row = opened.row
    allow(RETURNS, row, "replace")
    return_credit_drop(authorization=row)
    sold, wanted = row.order, defaultdict[UUID, Decimal](Decimal)
    for item in opened.items:
        wanted[item.order_item.variant_id] += item.received_quantity
    made = sales_order_create(
        channel=sold.channel, customer=sold.customer, warehouse_id=row.warehouse_id, currency=sold.currency, email=sold.email,
        shipping_address=sold.shipping_address, billing_address=sold.billing_address, note=f"Replaces goods of {sold.number}",
        lines=[NewLine(variant, quantity, unit_price=ZERO) for variant, quantity in wanted.items() if quantity],
    )
    made = sales_order_place(order=made)
    step(RETURNS, row, "replace", note=made.number or "", replacement_id=made.pk)
    told(RETURNS, "replace", events.ReturnReplaced(**_parts(row), replacement=made.pk), aggregate_id=row.pk)
    return row


def return_close(*, authorization: ReturnAuthorization, reason: str = "") -> ReturnAuthorization:
    row = _locked(authorization)
    step(RETURNS, row, "close", note=reason)
    told(RETURNS, "close", events.ReturnClosed(**_parts(row)), aggregate_id=row.pk)
    return row


def _named(
    lines: Sequence[Asked], items: Mapping[UUID, SalesOrderItem], free: Mapping[Goods, Decimal],
) -> list[tuple[Asked, UUID | None]]:
    """The lines with their lots. Raises Invalid or Conflict."""
    if not 0 < len(lines) <= MOST_LINES:
        detail = f"Say what goes back: there are {len(lines)} lines, and 1 to {MOST_LINES} are taken."
        raise Invalid(detail, fields={"lines": "how many"})
    named, wanted = [], defaultdict[Goods, Decimal](Decimal)
    for one in lines:
        if one.order_item_id not in items:
            raise NotFound("There is no such line on this sales order.")
        if one.quantity <= 0:
            raise Invalid("A quantity must be above zero.", fields={"quantity": "not positive"})
        lot = one.lot_id
        lots = {lot for item, lot in free if item == one.order_item_id}
        if lot is None and len(lots) == 1:
            [lot] = lots
        sku = items[one.order_item_id].sku
        if lot not in lots and lots:
            raise Invalid(f"Say which of the lots or serial numbers of {sku} that were shipped.", fields={"lot": "not shipped"})
        wanted[one.order_item_id, lot] += one.quantity
        if wanted[one.order_item_id, lot] > (left := free.get((one.order_item_id, lot), ZERO)):
            raise Conflict(
                f"Of {sku} {left.normalize():f} were shipped and are not back or asked for yet: these are more.",
                code="more_than_shipped",
            )
        named.append((one, lot))
    return named


def _check_reason(reason_id: UUID | None, note: str) -> None:
    if reason_id is None:
        return
    reason = ReasonCode.objects.filter(pk=reason_id, kind=ReasonCode.Kind.RECEIPT).first()
    if reason is None:
        raise Invalid("There is no such reason code of kind receipt.", fields={"reason": "does not exist"})
    if reason.requires_note and not note.strip():
        raise Invalid(f"The reason {reason.code} demands a note.", fields={"note": "required"})


def _check_came(lines: Sequence[Came], items: Mapping[UUID, ReturnItem]) -> None:
    if not lines or len({one.line_id for one in lines}) != len(lines):
        raise Invalid("Say once of each line what came: all of it may have come already.", fields={"lines": "empty or twice"})
    for one in lines:
        if (item := items.get(one.line_id)) is None:
            raise NotFound("There is no such line on this return.")
        if item.received_quantity:
            raise Conflict(f"Line {item.line} has come already.", code="received_already")
        if not 0 < one.quantity <= item.quantity:
            detail = f"Of line {item.line} {item.quantity.normalize():f} were asked for: take in more than 0, and no more."
            raise Invalid(detail, fields={"quantity": "not what was asked"})


def _place(row: ReturnAuthorization, given: Location | None, kinds: Sequence[str]) -> Location:
    rows = Location.objects.filter(warehouse_id=row.warehouse_id)
    if given is not None:
        found: Location | None = rows.filter(pk=given.pk, kind__in=kinds).first()
        if found is None:
            raise Invalid(
                f"There is no such location of kind {' or '.join(kinds)} in the warehouse of this return.", code="does_not_exist",
                fields={"location": "does not exist"},
            )
        return found
    by_kind: dict[str, Location] = {place.kind: place for place in rows.filter(kind__in=kinds).order_by("-pick_sequence", "-pk")}
    for kind in kinds:
        if kind in by_kind:
            return by_kind[kind]
    raise Conflict(f"The warehouse has no location of kind {' or '.join(kinds)}: make one first.", code="no_location")


def _count_returned(came: Sequence[tuple[UUID, Decimal]]) -> None:
    more = defaultdict[UUID, Decimal](Decimal)
    for line, quantity in came:
        more[line] += quantity
    whens = [When(pk=line, then=Value(quantity)) for line, quantity in more.items()]
    by_line = Case(*whens, output_field=QuantityField())
    SalesOrderItem.objects.filter(pk__in=more).update(returned_quantity=F("returned_quantity") + by_line)


def _parts(row: ReturnAuthorization) -> dict[str, Any]:
    return {
        "authorization": row.pk, "number": row.number, "order": row.order_id, "order_number": row.order.number,
        "warehouse": row.warehouse_id,
    }


def _told(item: ReturnItem) -> events.ReturnLine:
    return events.ReturnLine(
        line=item.pk, order_line=item.order_item_id, sku=item.order_item.sku, quantity=item.quantity,
        received=item.received_quantity, disposition=item.disposition,
    )


def _all_told(items: Any) -> list[events.ReturnLine]:
    return [_told(item) for item in items]


def _locked(authorization: ReturnAuthorization) -> ReturnAuthorization:
    order = locked(SalesOrder(pk=authorization.order_id))
    row: ReturnAuthorization | None = ReturnAuthorization.objects.select_for_update(no_key=True).filter(
        pk=authorization.pk,
    ).first()
    if row is None:
        raise NotFound("There is no such return.")
    row.order = order
    return row
