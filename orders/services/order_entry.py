"""Selling by hand: what somebody enters is kept step by step, and becomes an order when all is there."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from core.characters import CONTROL, REFUSAL
from core.errors import Conflict, Invalid
from core.tenancy import active_scope
from inventory.models import ProductVariant
from orders.models import Channel, Customer, OrderEntry, OrderEntryStep, SalesOrder
from orders.queries.order_entry import EntryLine, entered, last_order, variants_by_code, whereto
from orders.services.order_lines import MOST_LINES, NewLine
from orders.services.sales_orders import sales_order_cancel, sales_order_create, sales_order_place

NUMBER = re.compile(r"\d{1,9}(?:[.,]\d{1,6})?")
WITH_QUANTITY = re.compile(rf"(?P<code>.+?)[\s;,]+(?P<quantity>{NUMBER.pattern})")
LONGEST_CODE = 100


@dataclass(frozen=True, slots=True)
class Ordered:
    """So much of a variant, or of a code that nobody knows. `is_current`: it was just read, and is not archived."""

    variant_id: UUID | None
    quantity: Decimal
    code: str = ""
    is_current: bool = False


def order_entry() -> OrderEntry:
    """The person's own, locked, made where there is none."""
    actor = active_scope().origin.actor_id
    if actor is None:
        raise Invalid("What is entered belongs to a person.")
    rows = OrderEntry.objects.select_for_update(of=("self",), no_key=True).select_related("channel", "customer__party")
    if (found := rows.filter(actor_id=actor).first()) is None:
        OrderEntry.objects.get_or_create(actor_id=actor)
        found = rows.get(actor_id=actor)
    entry: OrderEntry = found
    return entry


def order_entry_change(*, entry: OrderEntry, **values: Channel | Customer | None) -> None:
    for name, value in values.items():
        setattr(entry, name, value)
    entry.save(update_fields=list(values))


def order_entry_add(*, entry: OrderEntry, goods: Sequence[Ordered], step: str) -> None:
    """A step that is sent twice counts once."""
    if len(goods) > MOST_LINES:
        raise Invalid(f"At most {MOST_LINES} lines at once.")
    keys = {one.variant_id for one in goods if one.variant_id and one.quantity > 0 and not one.is_current}
    if keys and ProductVariant.objects.filter(pk__in=keys, archived_at=None).count() != len(keys):
        raise Conflict("This article is archived, or gone.", code="archived")
    OrderEntryStep.objects.bulk_create([
        OrderEntryStep(entry=entry, step=step, number=number, variant_id=one.variant_id, code=one.code, quantity=one.quantity)
        for number, one in enumerate(goods)
    ], ignore_conflicts=True)


def order_entry_replace(*, entry: OrderEntry, line: EntryLine, goods: Ordered, step: str) -> None:
    """A line becomes another quantity, or the article that an unknown code was meant for. Of nothing it is gone."""
    gone = Ordered(line.variant, -line.quantity, line.code)
    order_entry_add(entry=entry, goods=[gone, *([goods] if goods.quantity else [])], step=step)


def order_entry_undo(*, entry: OrderEntry, step: str) -> bool:
    """Takes the step back, if it is the last one. Asked twice, it takes back no other. Returns whether it did."""
    is_last = bool(entry.steps.order_by("-pk").values_list("step", flat=True).first() == step)
    if is_last:
        entry.steps.filter(step=step).delete()
    return is_last


def order_entry_repeat(*, entry: OrderEntry, step: str) -> SalesOrder:
    """Adds what the customer ordered last. Raises Invalid where there is no customer, Conflict where there is no order."""
    if entry.customer is None:
        raise Invalid("Say first who buys.")
    if (order := last_order(entry.customer)) is None:
        raise Conflict(f"{entry.customer} has ordered nothing yet.", code="no_last_order")
    lines = order.lines.filter(kit=None).order_by("line").values_list("variant_id", "quantity")
    order_entry_add(entry=entry, goods=[Ordered(variant, quantity) for variant, quantity in lines], step=step)
    return order


def order_entry_place(*, entry: OrderEntry, step: str) -> SalesOrder:
    """A sales order of all lines, placed at the prices of now. The entry is empty then, and its channel stays.

    Raises Invalid where something is missing, and what `sales_order_place` raises.
    """
    if entry.placed_step == step and entry.placed is not None:  # its answer was lost
        return entry.placed
    lines = entered(entry).lines
    if entry.customer is None:
        raise Invalid("Say who buys: type the customer's code or name.")
    if entry.channel is None:
        raise Invalid("Say by which channel the order comes.")
    if not lines:
        raise Invalid("There is nothing to order: scan the goods, or type their codes.")
    if unknown := [line.sku or line.code for line in lines if line.variant is None or line.is_archived]:
        raise Invalid(f"{', '.join(unknown[:5])}: not to be sold. Say what is meant, or take the line out.")
    wanted = [NewLine(line.variant, line.quantity) for line in lines if line.variant]
    order = sales_order_create(
        channel=entry.channel, customer=entry.customer, lines=wanted, is_placed_next=True, **whereto(entry.customer),
    )
    placed = sales_order_place(order=order, is_priced=True)
    placed.customer = entry.customer  # with its name, for who shows it
    entry.steps.all().delete()
    entry.customer, entry.placed, entry.placed_step = None, placed, step
    entry.save(update_fields=["customer", "placed", "placed_step"])
    return placed


def order_entry_reopen(*, entry: OrderEntry, order: SalesOrder, step: str) -> SalesOrder:
    """Cancels the order that was placed last, and puts its lines back where they were entered, unless there are others now."""
    if entry.placed_id != order.pk:
        raise Conflict("This is not the order that you placed last: cancel it on its own page.", code="not_the_last")
    cancelled = sales_order_cancel(order=order, reason="Undone as it was entered")
    if not entry.steps.exists():
        lines = cancelled.lines.filter(kit=None).order_by("line").values_list("variant_id", "quantity")
        order_entry_add(entry=entry, goods=[Ordered(variant, quantity) for variant, quantity in lines], step=step)
        entry.customer = cancelled.customer
    entry.placed = None
    entry.save(update_fields=["customer", "placed"])
    return cancelled


# --- What people type and paste ------------------------------------------------------------------------------
def ordered(pairs: Sequence[tuple[str, Decimal]]) -> list[Ordered]:
    """By SKU or barcode, whose pack counts; what nobody knows stays a code."""
    known = variants_by_code(code for code, _ in pairs)
    found = []
    for code, quantity in pairs:
        variant, pack = known.get(code.lower(), (None, Decimal(1)))
        found.append(Ordered(variant, quantity * pack, "" if variant else code, is_current=variant is not None))
    return found


def pasted(text: str) -> list[tuple[str, Decimal]]:
    """Of each line its code and quantity: of columns the first, and the first number after it; 1 where there is none.

    Lines of a form that nobody filled in, of quantity 0, are left out.
    """
    found = []
    for row in text.splitlines():
        cells = [cell.strip() for cell in row.split("\t") if cell.strip()]
        if cells:
            code, quantity = _columns(cells) if len(cells) > 1 else _words(cells[0])
            if CONTROL.search(code):
                raise Invalid(REFUSAL)
            found += [(code[:LONGEST_CODE], quantity)] if quantity else []
    if not found:
        raise Invalid("There is nothing to paste: a line for each article, its code and how many.")
    return found


def _columns(cells: Sequence[str]) -> tuple[str, Decimal]:
    numbers = [cell for cell in cells[1:] if NUMBER.fullmatch(cell)]
    return (cells[0], _number(numbers[0])) if numbers else (" ".join(cells), Decimal(1))


def _words(text: str) -> tuple[str, Decimal]:
    found = WITH_QUANTITY.fullmatch(text)
    return (found["code"], _number(found["quantity"])) if found else (text, Decimal(1))


def _number(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))
