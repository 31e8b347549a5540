"""Counting: what is to be counted is written on a sheet, and each line knows of which moment its number is.

Who records locks the sheet so that it is not posted meanwhile (others record on), then the stock items, as a posting does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.utils import timezone
from uuid_utils.compat import uuid7

from core.errors import Conflict, Invalid, NotFound
from core.tenancy import active_organization_id, active_scope
from inventory.events import StockCountOpened
from inventory.models import Location, Product, ReasonCode, StockCount, StockCountLine, Warehouse
from inventory.queries.catalog import BRANCH
from inventory.queries.counts import BELOW, SAME_PLACE, differences
from inventory.queries.kits import no_stock_of
from inventory.services.basics import reasons_create
from inventory.services.locks import Place
from inventory.services.lots import lots_resolve
from inventory.services.posting import Line, LotCode, locked
from inventory.services.stock import moment_of
from notifications.services.events import publish

REASON = (ReasonCode.Kind.ADJUSTMENT, "COUNT")
Status = StockCount.Status

# With `days`, what is due: not counted for so long, and not on a sheet that somebody works on; the longest first.
OPEN = f"""
    INSERT INTO inventory_stockcountline (
        id, organization_id, count_id, line, variant_id, location_id, lot_id, is_found, recounts
    )
    SELECT uuid7(), w.organization_id, %(count)s, row_number() OVER (ORDER BY w.pick_sequence, w.place, w.sku, w.lot, w.id),
           w.variant_id, w.location_id, w.lot_id, false, 0
    FROM (
        SELECT s.id, s.organization_id, s.variant_id, s.location_id, s.lot_id, place.pick_sequence, place.code AS place, v.sku,
               lot.code AS lot
        FROM inventory_stockitem AS s
        JOIN inventory_location AS place ON place.organization_id = s.organization_id AND place.id = s.location_id
        JOIN inventory_productvariant AS v ON v.organization_id = s.organization_id AND v.id = s.variant_id
        JOIN inventory_product AS p ON p.organization_id = v.organization_id AND p.id = v.product_id
        LEFT JOIN inventory_lot AS lot ON lot.organization_id = s.organization_id AND lot.id = s.lot_id
        LEFT JOIN LATERAL (
            SELECT max(l.counted_at) FILTER (WHERE l.book IS NOT NULL) AS at,
                   bool_or(l.book IS NULL AND c.status IN ('open', 'pending')) AS is_open
            FROM inventory_stockcountline AS l
            JOIN inventory_stockcount AS c ON c.organization_id = l.organization_id AND c.id = l.count_id
            WHERE {SAME_PLACE.format("l", "s")}
        ) AS last ON %(days)s::int IS NOT NULL
        WHERE s.organization_id = %(organization)s AND s.warehouse_id = %(warehouse)s AND s.quantity <> 0
            AND (%(location)s::uuid IS NULL OR s.location_id IN ({BELOW.replace("%s", "%(organization)s", 1)
                .replace("%s", "%(location)s", 1)}))
            AND (%(category)s::uuid IS NULL OR p.category_id IN ({BRANCH.replace("%s", "%(organization)s", 1)
                .replace("%s", "%(category)s", 1)}))
            AND (%(abc_class)s = '' OR v.abc_class = %(abc_class)s)
            AND (%(days)s::int IS NULL OR COALESCE(last.at < now() - make_interval(days => %(days)s::int), true)
                AND last.is_open IS NOT TRUE)
        ORDER BY last.at NULLS FIRST, s.id LIMIT %(limit)s
    ) AS w
"""

# Others may record at the same time; who posts, approves or cancels waits.
SHARE = "SELECT status, warehouse_id, location_id FROM inventory_stockcount WHERE organization_id = %s AND id = %s FOR SHARE"

# Read after the stock items are locked: a later move of these goods has a higher number.
SNAPSHOT = """
    SELECT COALESCE(max(seq), 0) FROM inventory_stockmove
    WHERE organization_id = %s AND (%s::timestamptz IS NULL OR created_at <= %s::timestamptz)
"""

CHECK = f"""
    SELECT w.number, v.sku, v.sold_by_components, p.tracking, lot.variant_id = v.id,
           place.warehouse_id = %(warehouse)s AND (%(location)s::uuid IS NULL OR place.id IN (
               {BELOW.replace("%s", "%(organization)s", 1).replace("%s", "%(location)s", 1)}))
    FROM unnest(%(numbers)s::int[], %(variants)s::uuid[], %(locations)s::uuid[], %(lots)s::uuid[])
        AS w(number, variant_id, location_id, lot_id)
    LEFT JOIN inventory_productvariant AS v ON v.organization_id = %(organization)s AND v.id = w.variant_id
    LEFT JOIN inventory_product AS p ON p.organization_id = v.organization_id AND p.id = v.product_id
    LEFT JOIN inventory_lot AS lot ON lot.organization_id = %(organization)s AND lot.id = w.lot_id
    LEFT JOIN inventory_location AS place ON place.organization_id = %(organization)s AND place.id = w.location_id
    ORDER BY w.number
"""

RECORD = """
    INSERT INTO inventory_stockcountline AS l (
        id, organization_id, count_id, line, variant_id, location_id, lot_id, is_found, counted, counted_at, counted_by,
        snapshot_seq, recounts
    )
    SELECT new.id, %(organization)s, %(count)s, new.number + (
               SELECT COALESCE(max(line), 0) FROM inventory_stockcountline
               WHERE organization_id = %(organization)s AND count_id = %(count)s),
           new.variant_id, new.location_id, new.lot_id, true, new.counted, %(at)s, %(by)s, %(seq)s, 0
    FROM unnest(%(ids)s::uuid[], %(variants)s::uuid[], %(locations)s::uuid[], %(lots)s::uuid[], %(counted)s::numeric[])
        WITH ORDINALITY AS new(id, variant_id, location_id, lot_id, counted, number)
    ON CONFLICT (organization_id, count_id, variant_id, location_id, lot_id) DO UPDATE
        SET counted = excluded.counted, counted_at = excluded.counted_at, counted_by = excluded.counted_by,
            snapshot_seq = excluded.snapshot_seq
        WHERE l.book IS NULL
    RETURNING l.variant_id, l.location_id, l.lot_id, l.id, l.line, l.is_found, l.counted
"""
RECOUNT = """
    UPDATE inventory_stockcountline
    SET counted_before = counted, counted = NULL, counted_at = NULL, counted_by = NULL, snapshot_seq = NULL,
        recounts = recounts + 1
    WHERE organization_id = %s AND count_id = %s AND id = ANY (%s) AND counted IS NOT NULL AND book IS NULL
"""


@dataclass(frozen=True, slots=True)
class Selection:
    """What to count. With `days`, what nobody counted for so long; at most `limit` places then, the longest first."""

    warehouse_id: UUID
    location_id: UUID | None = None
    category_id: UUID | None = None
    abc_class: str = ""
    days: int | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """How a count goes. Without a reason it is COUNT, whose limits then say what needs approval."""

    kind: StockCount.Kind = StockCount.Kind.FULL
    is_blind: bool = True
    tolerance_quantity: Decimal | None = None
    tolerance_percent: Decimal | None = None
    reason_id: UUID | None = None
    note: str = ""


USUAL = Terms()


@dataclass(frozen=True, slots=True)
class Counted:
    """A line of the sheet by its id, or the goods themselves. Without a location they lie where the count is."""

    counted: Decimal
    line_id: UUID | None = None
    variant_id: UUID | None = None
    location_id: UUID | None = None
    lot_id: UUID | None = None
    lot: LotCode | None = None


class Recorded(NamedTuple):
    variant_id: UUID
    location_id: UUID
    lot_id: UUID | None
    id: UUID
    line: int
    is_found: bool
    counted: Decimal


class Sheet(NamedTuple):
    """What a record needs of its count."""

    status: str
    warehouse_id: UUID
    location_id: UUID | None


def stock_count_open(*, selection: Selection, terms: Terms = USUAL, plan_id: UUID | None = None) -> StockCount:
    """With a line for each balance that is not zero, in the order of a walk through the warehouse.

    Raises Conflict where a category, a class or what is due selects nothing. An empty place may be counted: there may be
    something after all.
    """
    _check_selection(selection)
    _check_terms(terms)
    count: StockCount = StockCount.objects.create(
        warehouse_id=selection.warehouse_id, location_id=selection.location_id, category_id=selection.category_id,
        abc_class=selection.abc_class, plan_id=plan_id, kind=terms.kind, is_blind=terms.is_blind,
        tolerance_quantity=terms.tolerance_quantity, tolerance_percent=terms.tolerance_percent, note=terms.note,
        reason_id=terms.reason_id or _usual_reason(), requested_by=active_scope().origin.actor_id,
    )
    with connection.cursor() as cursor:
        cursor.execute(OPEN, {
            "organization": active_organization_id(), "count": count.pk, "warehouse": selection.warehouse_id,
            "location": selection.location_id, "category": selection.category_id, "abc_class": selection.abc_class,
            "days": selection.days, "limit": selection.limit,
        })
        lines = cursor.rowcount
    if not lines and (selection.category_id or selection.abc_class or selection.days is not None):
        raise Conflict("There is nothing to count: no stock is selected by this.", code="nothing_to_count")
    publish(StockCountOpened(
        count=count.pk, warehouse=count.warehouse_id, kind=count.kind, location=count.location_id, lines=lines,
    ), aggregate_id=count.pk)
    return count


def _check_selection(selection: Selection) -> None:
    kind = Warehouse.objects.filter(pk=selection.warehouse_id).values_list("kind", flat=True).first()
    if kind is None:
        raise Invalid("There is no such warehouse.", code="does_not_exist", fields={"warehouse": "does not exist"})
    if kind == Warehouse.Kind.TRANSIT:
        detail = "Nobody counts goods in transit: receive them by their transfer order, or close it."
        raise Conflict(detail, code="in_transit")
    if selection.location_id and not Location.objects.filter(
        pk=selection.location_id, warehouse_id=selection.warehouse_id,
    ).exists():
        raise Invalid(
            "There is no such location in this warehouse.", code="does_not_exist", fields={"location": "does not exist"},
        )


def _check_terms(terms: Terms) -> None:
    for name in ("tolerance_quantity", "tolerance_percent"):
        if (value := getattr(terms, name)) is not None and value < 0:
            raise Invalid("A tolerance is not below zero.", fields={name: "negative"})
    if terms.reason_id is None:
        return
    reason = ReasonCode.objects.filter(pk=terms.reason_id, kind=ReasonCode.Kind.ADJUSTMENT).first()
    if reason is None:
        raise Invalid("There is no such reason for an adjustment.", code="does_not_exist", fields={"reason": "does not exist"})
    if reason.requires_note and not terms.note.strip():
        raise Invalid(f"The reason {reason.code} demands a note.", fields={"note": "required"})


def _usual_reason() -> UUID:
    reasons_create([REASON])
    found: UUID = ReasonCode.objects.values_list("pk", flat=True).get(kind=REASON[0], code=REASON[1])
    return found


def stock_count_record(
    *, count_id: UUID, lines: Sequence[Counted], counted_at: datetime | None = None,
) -> list[Recorded]:
    """What somebody counted, now or at `counted_at`; goods that are not on the sheet are added to it.

    A line that was counted before is counted anew. In the order of the lines.
    """
    if not lines:
        raise Invalid("Give at least one line.", fields={"lines": "empty"})
    given = counted_at and moment_of(counted_at)
    sheet = _shared(count_id)
    places = _places(count_id, sheet, lines)
    locked(set(places))
    with connection.cursor() as cursor:
        cursor.execute(SNAPSHOT, [active_organization_id(), given, given])
        [seq] = cursor.fetchone()
        cursor.execute(RECORD, {
            "organization": active_organization_id(), "count": count_id, "at": given or timezone.now(),
            "by": active_scope().origin.actor_id, "seq": seq, "ids": [uuid7() for _ in places],
            "counted": [line.counted for line in lines], **_columns(places),
        })
        recorded = {Place(*row[:3]): Recorded(*row) for row in cursor.fetchall()}
    if len(recorded) < len(places):
        raise Conflict("Some of these lines are posted already: count them anew in another count.", code="line_posted")
    return [recorded[place] for place in places]


def _shared(count_id: UUID) -> Sheet:
    with connection.cursor() as cursor:
        cursor.execute(SHARE, [active_organization_id(), count_id])
        row = cursor.fetchone()
    if row is None:
        raise NotFound("There is no such count.")
    sheet = Sheet(*row)
    refuse_unless(sheet.status, Status.OPEN)
    return sheet


def refuse_unless(status: str, *wanted: str) -> None:
    if status not in wanted:
        raise Conflict(f"This count is {status}.", code="count_is_not_open")


def _columns(places: Sequence[Place]) -> dict[str, list[Any]]:
    return {
        "variants": [place.variant_id for place in places], "locations": [place.location_id for place in places],
        "lots": [place.lot_id for place in places],
    }


def _places(count_id: UUID, sheet: Sheet, lines: Sequence[Counted]) -> list[Place]:
    """Where each line's goods lie. Raises Invalid or Conflict for what cannot be counted here."""
    named = [line.line_id for line in lines if line.line_id]
    rows = StockCountLine.objects.filter(count_id=count_id, pk__in=named).values_list("pk", "variant_id", "location_id", "lot_id")
    known = {row[0]: Place(*row[1:]) for row in rows}
    asked = [_asked(line, known, sheet) for line in lines]
    resolved = lots_resolve(lines=asked, come_in=timezone.now())
    places = [Place(one.variant_id, one.to_location_id, one.lot_id) for one in resolved if one.to_location_id]
    if len(set(places)) < len(places):
        raise Invalid("The same goods stand here twice: say once how many there are.", fields={"lines": "twice"})
    _check_places(sheet, places, [line.counted for line in lines])
    return places


def _asked(line: Counted, known: dict[UUID, Place], sheet: Sheet) -> Line:
    if line.counted < 0:
        raise Invalid("Nobody counts less than nothing.", fields={"counted": "negative"})
    if (line.line_id is None) == (line.variant_id is None):
        raise Invalid("Give either the line or the variant.", fields={"line": "one of the two"})
    if line.line_id:
        if (place := known.get(line.line_id)) is None:
            raise Invalid("There is no such line in this count.", code="does_not_exist", fields={"line": "does not exist"})
        return Line(place.variant_id, line.counted, to_location_id=place.location_id, lot_id=place.lot_id)
    location_id = line.location_id or sheet.location_id
    if location_id is None or line.variant_id is None:
        raise Invalid("Say where it lies.", fields={"location": "required"})
    return Line(line.variant_id, line.counted, to_location_id=location_id, lot_id=line.lot_id, lot=line.lot)


def _check_places(sheet: Sheet, places: Sequence[Place], counted: Sequence[Decimal]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(CHECK, {
            "organization": active_organization_id(), "warehouse": sheet.warehouse_id, "location": sheet.location_id,
            "numbers": list(range(len(places))), **_columns(places),
        })
        for number, sku, is_no_stock, tracking, is_its_lot, is_inside in cursor.fetchall():
            if is_no_stock:
                raise Invalid(no_stock_of(sku), code="sold_by_components", fields={"variant": no_stock_of(sku)})
            _check_goods(sku, tracking, places[number].lot_id, is_its_lot, counted[number])
            if not is_inside:
                raise Conflict("This location is not one of those that are counted here.", code="outside_count")


def _check_goods(sku: str | None, tracking: str, lot_id: UUID | None, is_its_lot: bool | None, counted: Decimal) -> None:
    if sku is None:
        raise Invalid("There is no such variant.", code="does_not_exist", fields={"variant": "does not exist"})
    if tracking == Product.Tracking.NONE:
        if lot_id:
            raise Invalid(f"{sku} is not tracked: leave the lot out.", code="not_tracked", fields={"lot": "not tracked"})
    elif lot_id is None:
        what = "serial number" if tracking == Product.Tracking.SERIAL else "lot"
        raise Invalid(f"{sku} is tracked by {what}: say which.", code="lot_required", fields={"lot": "required"})
    elif not is_its_lot:
        raise Invalid(f"There is no such lot of {sku}.", code="does_not_exist", fields={"lot": "does not exist"})
    if tracking == Product.Tracking.SERIAL and counted not in (0, 1):
        raise Invalid(f"A serial number of {sku} is one piece: it is there, or it is not.", fields={"counted": "not one"})


def stock_count_zero_rest(*, count_id: UUID) -> int:
    """Nobody found what is left on the sheet: it is counted as zero, now. Returns how many lines that were."""
    _shared(count_id)
    left = StockCountLine.objects.filter(count_id=count_id, counted=None, book=None).values_list("pk", flat=True)
    lines = [Counted(Decimal(0), line_id=pk) for pk in left]
    return len(stock_count_record(count_id=count_id, lines=lines)) if lines else 0


def count_locked(count_id: UUID, *wanted: str) -> StockCount:
    """Alone: nobody records meanwhile. Raises Conflict unless its status is one of those that are wanted."""
    count: StockCount | None = StockCount.objects.select_for_update(no_key=True).filter(pk=count_id).first()
    if count is None:
        raise NotFound("There is no such count.")
    refuse_unless(count.status, *wanted)
    return count


def stock_count_recount(*, count_id: UUID, lines: Sequence[UUID] | None = None) -> int:
    """These lines are to be counted again; without `lines`, those above tolerance that were counted once."""
    count = count_locked(count_id, Status.OPEN)
    if lines is None:
        lines = [row["id"] for row in differences(count) if row["is_above"] and not row["recounts"]]
    return lines_recount(count, lines)


def lines_recount(count: StockCount, lines: Sequence[UUID]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(RECOUNT, [active_organization_id(), count.pk, list(lines)])
        return int(cursor.rowcount)


def stock_count_cancel(*, count_id: UUID) -> StockCount:
    """Nothing of it is posted. Raises Conflict if a part was posted before."""
    count = count_locked(count_id, *StockCount.UNFINISHED)
    if StockCountLine.objects.filter(count=count).exclude(book=None).exists():
        raise Conflict("Some lines of this count are posted already: post it, and leave out the rest.", code="partly_posted")
    count.status = Status.CANCELLED
    count.save(update_fields=["status"])
    return count
