"""Goods of a purchase order are scanned one after the other into a draft, which is posted when all are there."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from core.errors import Conflict, Invalid
from inventory.models import Location, ReceiptDraft
from inventory.queries.drafts import ReceiptLine, receipt_lines
from inventory.queries.transfers import usual_entrance
from inventory.services.posting import LotCode
from inventory.services.receiving import (
    Goods,
    receipt_add,
    receipt_check,
    receipt_draft,
    receipt_empty,
    receipt_place,
    receipt_replace,
)
from orders.machines import PURCHASE_ORDERS
from orders.models import GoodsReceipt, PurchaseOrder, PurchaseOrderItem
from orders.services.purchase_expected import document_of, open_quantity
from orders.services.purchase_goods import Delivery, Done, Part, purchase_order_receive, room_of
from orders.services.stepping import allow

ZERO = Decimal(0)
LONGEST_NOTE = 80  # characters of a delivery note's number


@dataclass(frozen=True, slots=True)
class Awaited:
    """An article of an order: its lines together, and those of the draft, one for each lot."""

    lines: list[PurchaseOrderItem]
    entries: list[ReceiptLine]

    @property
    def first(self) -> PurchaseOrderItem:
        return self.lines[0]

    @property
    def tracking(self) -> str:
        return str(self.first.variant.product.tracking)

    @property
    def expected(self) -> Decimal:
        return sum((open_quantity(line) for line in self.lines), ZERO)

    @property
    def laxest(self) -> PurchaseOrderItem:
        """The line of which most may come beyond what is expected; it takes all of that."""
        return max(self.lines, key=_spare)

    @property
    def room(self) -> Decimal:
        """How much may come, with what is tolerated."""
        return self.expected + _spare(self.laxest)

    @property
    def now(self) -> Decimal:
        return sum((entry.quantity for entry in self.entries), ZERO)

    @property
    def is_too_much(self) -> bool:
        return self.now > self.room

    @property
    def rows(self) -> list[ReceiptLine]:
        """One at least, to type into."""
        return self.entries or [self._nothing]

    def row(self, key: str) -> ReceiptLine | None:
        nothing = self._nothing
        return next((entry for entry in self.entries if entry.key == key), nothing if key == nothing.key else None)

    @property
    def _nothing(self) -> ReceiptLine:
        line = self.first
        return ReceiptLine(line.variant_id, line.sku, line.name, self.tracking, "", None, ZERO)


def awaited(order: PurchaseOrder, draft: ReceiptDraft) -> dict[UUID, Awaited]:
    """By article, in the order of the lines."""
    entries: dict[UUID, list[ReceiptLine]] = defaultdict(list)
    for entry in receipt_lines(draft):
        entries[entry.variant].append(entry)
    lines: dict[UUID, list[PurchaseOrderItem]] = defaultdict(list)
    for line in order.lines.select_related("variant__product").order_by("line"):
        lines[line.variant_id].append(line)
    return {variant: Awaited(found, entries[variant]) for variant, found in lines.items()}


def purchase_draft(*, order: PurchaseOrder) -> ReceiptDraft:
    """The person's own of the order, locked; its goods go where the warehouse receives goods, until another place is scanned."""
    draft = receipt_draft(document_of(order))
    if draft.location_id is None and (place := usual_entrance(order.warehouse_id)):
        receipt_place(draft=draft, location=place)
    return draft


def purchase_draft_add(*, order: PurchaseOrder, draft: ReceiptDraft, goods: Goods, step: str) -> None:
    """A step that is sent twice counts once. Raises Conflict for more than may come, and for what is not on the order."""
    if draft.entries.filter(step=step).exists():
        return
    _check(order, draft, goods, ZERO)
    receipt_add(draft=draft, goods=goods, step=step)


def purchase_draft_replace(*, order: PurchaseOrder, draft: ReceiptDraft, row: ReceiptLine, goods: Goods, step: str) -> None:
    """A row becomes what was typed: another quantity, lot or expiry."""
    _check(order, draft, goods, row.quantity)
    if row.quantity:
        receipt_replace(draft=draft, line=row, goods=goods, step=step)
    elif goods.quantity:
        receipt_add(draft=draft, goods=goods, step=step)


def purchase_draft_place(*, order: PurchaseOrder, draft: ReceiptDraft, location: Location) -> None:
    """Raises Conflict for a place in another warehouse."""
    if location.warehouse_id != order.warehouse_id:
        raise Conflict(f"{location} is in another warehouse: {order.number} is for {order.warehouse}.", code="other_warehouse")
    receipt_place(draft=draft, location=location)


def purchase_draft_post(*, order: PurchaseOrder, draft: ReceiptDraft, key: str) -> Done:
    """All of it or nothing. The draft is empty then, and what has not come stays open."""
    found = awaited(order, draft)
    entries = [entry for one in found.values() for entry in one.entries]
    if not entries and (before := GoodsReceipt.objects.filter(order=order, idempotency_key=key).first()):
        return Done(before, order)
    if len(draft.note) > LONGEST_NOTE:
        raise Invalid(f"The number of a delivery note has at most {LONGEST_NOTE} characters.")
    receipt_check(draft=draft, lines=entries)
    parts = [part for one in found.values() for part in _parts(one)]
    done = purchase_order_receive(
        order=order, parts=parts, location=draft.location, delivery=Delivery(draft.note, idempotency_key=key),
    )
    receipt_empty(draft=draft)
    return done


def _check(order: PurchaseOrder, draft: ReceiptDraft, goods: Goods, instead_of: Decimal) -> None:
    allow(PURCHASE_ORDERS, order, "receive")
    one = wanted(order, awaited(order, draft), goods.variant_id)
    total = one.now - instead_of + goods.quantity
    if total > one.room:
        raise Conflict(
            f"Of {one.first.sku} {_plain(one.room)} may come: with these it would be {_plain(total)}.", code="over_receipt",
        )


def wanted(order: PurchaseOrder, found: Mapping[UUID, Awaited], variant_id: UUID, sku: str = "This") -> Awaited:
    if variant_id not in found:
        raise Conflict(f"{sku} is not on {order.number}.", code="not_on_order")
    return found[variant_id]


def _parts(one: Awaited) -> list[Part]:
    """Each line of the order gets what it waits for, the first before the next; what is more goes to one of them."""
    left = {line.pk: open_quantity(line) for line in one.lines}
    parts: list[Part] = []
    for entry in one.entries:
        missing = entry.quantity
        taken: dict[UUID, Decimal] = defaultdict(Decimal)
        for key, there in left.items():
            now = min(missing, there)
            taken[key] += now
            left[key] -= now
            missing -= now
        taken[one.laxest.pk] += missing
        lot = LotCode(entry.lot, entry.expires_on) if entry.lot else None
        parts += [Part(key, quantity, lot=lot) for key, quantity in taken.items() if quantity]
    return parts


def _spare(line: PurchaseOrderItem) -> Decimal:
    return max(room_of(line) - open_quantity(line), ZERO)


def _plain(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}"
