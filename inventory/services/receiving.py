"""Receiving step by step: a draft that is kept step by step, and posted when all is there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from core.errors import Conflict, Invalid
from core.tenancy import active_scope
from inventory.models import Location, ProductVariant, ReceiptDraft, ReceiptDraftEntry
from inventory.queries.drafts import ReceiptLine, receipt_lines
from inventory.queries.kits import no_stock_of
from inventory.services.posting import Line, LotCode, Posted
from inventory.services.stock import Circumstances, Document, posted_before, stock_receive


@dataclass(frozen=True, slots=True)
class Goods:
    """What a scan or somebody's typing says of a line."""

    variant_id: UUID
    quantity: Decimal
    lot: str = ""
    expires_on: date | None = None


def receipt_draft(document: Document | None = None) -> ReceiptDraft:
    """The person's own, of the document, or of none; locked, made where there is none."""
    actor = active_scope().origin.actor_id
    if actor is None:
        raise Invalid("A draft belongs to a person.")
    draft: ReceiptDraft
    drafts = ReceiptDraft.objects.select_related("location__warehouse").select_for_update(no_key=True, of=("self",))
    draft, _ = drafts.get_or_create(
        actor_id=actor, document_id=document and document.id, defaults={"document_type": document.type if document else ""},
    )
    return draft


def receipt_add(*, draft: ReceiptDraft, goods: Goods, step: str) -> None:
    """A step that is sent twice counts once."""
    _write(draft, step, [goods])


def receipt_replace(*, draft: ReceiptDraft, line: ReceiptLine, goods: Goods, step: str) -> None:
    """A line becomes what was typed: another quantity, lot or expiry."""
    if goods.quantity < 0:
        raise Invalid("Nobody receives less than nothing.")
    gone = Goods(line.variant, -line.quantity, line.lot, line.expires_on)
    _write(draft, step, [gone, *([goods] if goods.quantity else [])])


def receipt_undo(*, draft: ReceiptDraft, step: str) -> bool:
    """Takes the step back, if it is the last one. Asked twice, it takes back no other. Returns whether it did."""
    entries = ReceiptDraftEntry.objects.filter(draft=draft)
    is_last = bool(entries.order_by("-pk").values_list("step", flat=True).first() == step)
    if is_last:
        entries.filter(step=step).delete()
    return is_last


def receipt_place(*, draft: ReceiptDraft, location: Location) -> None:
    draft.location = location
    draft.save(update_fields=["location"])


def receipt_note(*, draft: ReceiptDraft, note: str) -> None:
    draft.note = note
    draft.save(update_fields=["note"])


def receipt_post(*, draft: ReceiptDraft, key: str) -> Posted:
    """Of no document: all lines or none, each with its lot. The draft is empty then."""
    if done := posted_before(kind="receipt", key=key):
        return done
    lines = receipt_lines(draft)
    receipt_check(draft=draft, lines=lines)
    posted = stock_receive(
        lines=[
            Line(
                line.variant, line.quantity, to_location_id=draft.location_id,
                lot=LotCode(line.lot, line.expires_on) if line.lot else None,
            )
            for line in lines
        ],
        circumstances=Circumstances(note=draft.note, idempotency_key=key),
    )
    receipt_empty(draft=draft)
    return posted


def receipt_check(*, draft: ReceiptDraft, lines: Sequence[ReceiptLine]) -> None:
    """Raises Invalid for what cannot be posted as it stands."""
    if not lines:
        raise Invalid("There is nothing to receive: scan the goods first.")
    if draft.location_id is None:
        raise Invalid("Scan the location where they go.")
    if lacking := [line.sku for line in lines if line.lacks_lot]:
        raise Invalid(f"{', '.join(lacking)}: type the quantity and the lot, such as 12 L77.")


def receipt_empty(*, draft: ReceiptDraft) -> None:
    ReceiptDraftEntry.objects.filter(draft=draft).delete()
    if draft.note:
        receipt_note(draft=draft, note="")


def _write(draft: ReceiptDraft, step: str, entries: Sequence[Goods]) -> None:
    known = ProductVariant.objects.filter(pk__in={entry.variant_id for entry in entries}, archived_at=None)
    is_kit = dict(known.values_list("sku", "sold_by_components"))
    if len(is_kit) != len({entry.variant_id for entry in entries}):
        raise Conflict("This article is archived, or gone.", code="archived")
    if kits := [sku for sku, by_components in is_kit.items() if by_components]:
        raise Conflict(no_stock_of(kits[0]), code="sold_by_components")
    ReceiptDraftEntry.objects.bulk_create([
        ReceiptDraftEntry(
            draft=draft, step=step, number=number, variant_id=entry.variant_id, lot=entry.lot, expires_on=entry.expires_on,
            quantity=entry.quantity,
        )
        for number, entry in enumerate(entries)
    ], ignore_conflicts=True)
