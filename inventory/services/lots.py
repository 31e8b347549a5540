"""Lots and serial numbers: found or made by their code, held and released."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from uuid_utils.compat import uuid7

from accounts.services.annotations import journal_status
from core.errors import Conflict, Invalid, NotFound
from core.tenancy import active_organization_id
from inventory.events import LotStatusChanged
from inventory.models import Location, Lot, Product, ProductVariant
from inventory.services.levels import levels_follow
from inventory.services.locks import lock_grounds
from inventory.services.posting import Line, LotCode
from notifications.services.events import publish_all

LONGEST_SHELF_LIFE = 36_500  # days: a date has an end

# Goods that come in then last as long as their variant says, from that day in the organization's time zone on, or for ever.
MAKE = """
    INSERT INTO inventory_lot (id, organization_id, variant_id, kind, code, expires_on, best_before, supplier_lot, status)
    SELECT new.id, v.organization_id, v.id, CASE p.tracking WHEN 'serial' THEN 'serial' ELSE 'lot' END, new.code,
           COALESCE(new.expires_on, (%s::timestamptz AT TIME ZONE o.timezone)::date
               + CASE WHEN v.shelf_life_days < %s THEN v.shelf_life_days END),
           new.best_before, new.supplier_lot, 'released'
    FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::date[], %s::date[], %s::text[])
        AS new(id, variant_id, code, expires_on, best_before, supplier_lot)
    JOIN inventory_productvariant AS v ON v.organization_id = %s AND v.id = new.variant_id
    JOIN inventory_product AS p ON p.organization_id = v.organization_id AND p.id = v.product_id AND p.tracking <> 'none'
    JOIN accounts_organization AS o ON o.id = v.organization_id
    ORDER BY new.variant_id, new.code
    ON CONFLICT DO NOTHING
"""

FIND = """
    SELECT l.variant_id, l.code, l.id, l.expires_on
    FROM unnest(%s::uuid[], %s::text[]) AS w(variant_id, code)
    JOIN inventory_lot AS l ON l.organization_id = %s AND l.variant_id = w.variant_id AND l.code = w.code
"""

# No posting is under way: see lock_grounds.
HOLD = """
    UPDATE inventory_stockitem AS s SET is_held = %s
    FROM inventory_location AS l
    WHERE s.organization_id = %s AND s.lot_id = ANY (%s) AND s.is_held <> %s
        AND l.organization_id = s.organization_id AND l.id = s.location_id
    RETURNING s.variant_id, s.warehouse_id, 0::numeric,
        CASE WHEN l.kind <> ALL (%s) THEN 0 WHEN s.is_held THEN s.reserved - s.quantity ELSE s.available END
"""

TOTALS = """
    SELECT l.id, v.sku, COALESCE(sum(s.quantity), 0), COALESCE(sum(s.reserved), 0)
    FROM inventory_lot AS l
    JOIN inventory_productvariant AS v ON v.organization_id = l.organization_id AND v.id = l.variant_id
    LEFT JOIN inventory_stockitem AS s ON s.organization_id = l.organization_id AND s.lot_id = l.id
    WHERE l.organization_id = %s AND l.id = ANY (%s) GROUP BY l.id, v.sku
"""

type Key = tuple[UUID, str]


def lots_resolve(*, lines: Sequence[Line], come_in: datetime | None = None) -> list[Line]:
    """With the ids of lots that are named by code. With `come_in`, when the goods did, those that are new are made.

    Raises Invalid for a code that is not known, Conflict for a known lot with another expiry.
    """
    named = {(line.variant_id, line.lot.code): line.lot for line in lines if line.lot and not line.lot_id}
    if not named:
        return list(lines)
    if come_in:
        _make(named, come_in)
    known = _find(named)
    for key, lot in named.items():
        if key not in known:
            _refuse_untracked(key[0])
            raise Invalid(f"There is no lot {lot.code} of this variant.", code="does_not_exist", fields={"lot": "does not exist"})
        if lot.expires_on and known[key][1] and known[key][1] != lot.expires_on:
            raise Conflict(
                f"Lot {lot.code} expires on {known[key][1]}, not on {lot.expires_on}: look at the label, or correct the lot.",
                code="lot_differs",
            )
    return [
        replace(line, lot_id=known[line.variant_id, line.lot.code][0]) if line.lot and not line.lot_id else line for line in lines
    ]


def _refuse_untracked(variant_id: UUID) -> None:
    found = ProductVariant.objects.filter(pk=variant_id, product__tracking=Product.Tracking.NONE)
    if sku := found.values_list("sku", flat=True).first():
        raise Invalid(f"{sku} is not tracked: leave the lot out.", code="not_tracked", fields={"lot": "not tracked"})


def _make(named: dict[Key, LotCode], come_in: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(MAKE, [
            come_in, LONGEST_SHELF_LIFE, [uuid7() for _ in named], [variant for variant, _ in named], [code for _, code in named],
            [lot.expires_on for lot in named.values()], [lot.best_before for lot in named.values()],
            [lot.supplier_lot for lot in named.values()], active_organization_id(),
        ])


def _find(named: Collection[Key]) -> dict[Key, tuple[UUID, date | None]]:
    with connection.cursor() as cursor:
        cursor.execute(FIND, [[variant for variant, _ in named], [code for _, code in named], active_organization_id()])
        return {(variant, code): (lot_id, expires_on) for variant, code, lot_id, expires_on in cursor.fetchall()}


def lot_kind(*, variant_id: UUID | None) -> Lot.Kind:
    """Of a new lot of the variant. Raises Invalid where the variant is not there, Conflict where it is not tracked."""
    found = ProductVariant.objects.filter(pk=variant_id).values_list("product__tracking", flat=True).first()
    if found is None:
        raise Invalid("There is no such variant.", code="does_not_exist", fields={"variant": "There is no such variant."})
    if found == Product.Tracking.NONE:
        raise Conflict("This product is not tracked: change its tracking to lots or serial numbers first.", code="not_tracked")
    return Lot.Kind.SERIAL if found == Product.Tracking.SERIAL else Lot.Kind.LOT


def lot_refuse_move(*, lot: Lot, variant_id: UUID) -> None:
    """A lot stays with its variant: its moves say so."""
    if lot.variant_id != variant_id:
        raise Invalid("A lot stays with its variant: make another lot.", fields={"variant": "A lot stays with its variant."})


def lot_status_change(*, lot_ids: Collection[UUID], status: str, reason: str) -> list[Lot]:
    """Release, quarantine, block or recall; the stock of the lots is then available or not, everywhere at once.

    What was reserved stays reserved, and cannot be picked. Lots that are so already stay as they are; returns the others.
    """
    if not reason.strip():
        raise Invalid("Say why: others will have to decide by it.", fields={"reason": "required"})
    lock_grounds()
    lots = list(Lot.objects.filter(pk__in=lot_ids).order_by("pk"))
    if len(lots) != len(set(lot_ids)):
        raise NotFound("There is no such lot.")
    changed = [(lot, lot.status) for lot in lots if lot.status != status]
    ids = [lot.pk for lot, _ in changed]
    Lot.objects.filter(pk__in=ids).update(status=status)
    _hold(ids, status != Lot.Status.RELEASED)
    totals = _totals(ids)
    told = []
    for lot, before in changed:
        lot.status = status
        journal_status(object=lot, from_state=before, to_state=status, body=reason)
        sku, on_hand, reserved = totals[lot.pk]
        told.append((LotStatusChanged(
            lot=lot.pk, code=lot.code, variant=lot.variant_id, sku=sku, status=status, previous=before, reason=reason,
            on_hand=on_hand, reserved=reserved,
        ), lot.pk))
    publish_all(told)
    return [lot for lot, _ in changed]


def _hold(ids: Sequence[UUID], is_held: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute(HOLD, [is_held, active_organization_id(), list(ids), is_held, list(Location.AVAILABLE)])
        levels_follow(cursor.fetchall())


def _totals(ids: Sequence[UUID]) -> dict[UUID, tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(TOTALS, [active_organization_id(), list(ids)])
        return {row[0]: row[1:] for row in cursor.fetchall()}
