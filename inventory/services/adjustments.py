"""Adjustments over the limit of their reason wait until somebody else has looked."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from uuid import UUID

from django.utils import timezone

from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.tenancy import active_scope
from inventory.events import AdjustmentDecided, AdjustmentRequested
from inventory.models import (
    Location,
    ReasonCode,
    StockAdjustment,
    StockAdjustmentLine,
    StockItem,
    StockMove,
)
from inventory.queries.stock import reason_of
from inventory.queries.valuation import unit_costs
from inventory.services.lots import lots_resolve
from inventory.services.posting import Line, Posted, refuse_twice
from inventory.services.stock import Adjustment, Circumstances, Document, adjustment_line, moment_of, posted_before, stock_adjust
from notifications.services.events import publish

DOCUMENT = "stock_adjustment"
Status = StockAdjustment.Status


def adjustment_post(*, adjustments: Sequence[Adjustment], circumstances: Circumstances) -> Posted | StockAdjustment:
    """Posts at once, or asks for approval what is over a limit of its reason. For one warehouse then."""
    reason = reason_of(circumstances.reason_id) if circumstances.reason_id else None
    if reason is None or (reason.approval_over_quantity is None and reason.approval_over_value is None):
        return stock_adjust(adjustments=adjustments, circumstances=circumstances)
    key, asked_lines = circumstances.idempotency_key, [adjustment_line(one) for one in adjustments]
    if done := posted_before(kind=StockMove.Kind.ADJUSTMENT, key=key, lines=asked_lines):
        return done
    if asked := _asked_before(key, adjustments):
        return asked
    lines = lots_resolve(lines=asked_lines, come_in=timezone.now())
    refuse_twice(lines)
    seen = _seen(lines)
    differences = [_difference(one, have) for one, have in zip(adjustments, seen, strict=True)]
    if not is_over_limit(reason, lines, differences):
        return stock_adjust(adjustments=adjustments, circumstances=circumstances)
    return _ask(reason, circumstances, adjustments, lines, seen)


def adjustment_approve(*, adjustment_id: UUID, note: str = "") -> Posted:
    """Posts it against the balances of this moment. Raises Forbidden to who asked for it."""
    adjustment = _decide(adjustment_id, Status.APPROVED, note)
    lines = list(adjustment.lines.order_by("line"))
    posted = stock_adjust(
        adjustments=[
            Adjustment(line.variant_id, line.location_id, change=line.change, counted=line.counted, lot_id=line.lot_id)
            for line in lines
        ],
        circumstances=Circumstances(
            reason_id=adjustment.reason_id, note=adjustment.note, document=Document(DOCUMENT, adjustment.pk),
            occurred_at=adjustment.occurred_at,
        ),
    )
    _tell(adjustment, posted.moves)
    return posted


def adjustment_reject(*, adjustment_id: UUID, note: str) -> StockAdjustment:
    if not note.strip():
        raise Invalid("Say why: who asked will want to know.", fields={"note": "required"})
    adjustment = _decide(adjustment_id, Status.REJECTED, note)
    _tell(adjustment, [])
    return adjustment


def _asked_before(key: str, adjustments: Sequence[Adjustment]) -> StockAdjustment | None:
    row: StockAdjustment | None = StockAdjustment.objects.filter(idempotency_key=key).exclude(idempotency_key="").first()
    if row is None:
        return None
    lines = row.lines.order_by("line").values_list("variant_id", "location_id", "change", "counted")
    if list(lines) != [(one.variant_id, one.location_id, one.change, one.counted) for one in adjustments]:
        raise Conflict("This idempotency key belongs to another adjustment.", code="idempotency_key_reused")
    return row


def _seen(lines: Sequence[Line]) -> list[Decimal]:
    """The balances now, unlocked: what is posted later looks again."""
    rows = StockItem.objects.filter(variant__in={line.variant_id for line in lines})
    have = {(row[0], row[1], row[2]): row[3] for row in rows.values_list("variant_id", "location_id", "lot_id", "quantity")}
    return [
        have.get((line.variant_id, line.to_location_id or line.from_location_id, line.lot_id), Decimal(0)) for line in lines
    ]


def _difference(adjustment: Adjustment, have: Decimal) -> Decimal:
    return abs(adjustment.counted - have if adjustment.counted is not None else adjustment.change or Decimal(0))


def is_over_limit(reason: ReasonCode, lines: Sequence[Line], differences: Sequence[Decimal]) -> bool:
    """Whether an adjustment of the lines by so much needs somebody's approval."""
    most = reason.approval_over_quantity
    if most is not None and any(difference > most for difference in differences):
        return True
    if reason.approval_over_value is None:
        return False
    places = [(line.variant_id, line.to_location_id or line.from_location_id) for line in lines]
    costs = unit_costs(places)
    pairs = zip(places, differences, strict=True)
    value = sum((difference * costs.get(place, Decimal(0)) for place, difference in pairs), Decimal(0))
    return bool(value > reason.approval_over_value)


def _ask(
    reason: ReasonCode, circumstances: Circumstances, adjustments: Sequence[Adjustment], lines: Sequence[Line],
    seen: Sequence[Decimal],
) -> StockAdjustment:
    if reason.requires_note and not circumstances.note.strip():
        raise Invalid(f"The reason {reason.code} demands a note.", fields={"note": "required"})
    adjustment: StockAdjustment = StockAdjustment.objects.create(
        warehouse_id=_warehouse({one.location_id for one in adjustments}), reason=reason, note=circumstances.note,
        occurred_at=circumstances.occurred_at and moment_of(circumstances.occurred_at),
        idempotency_key=circumstances.idempotency_key,
        requested_by=active_scope().origin.actor_id,
    )
    StockAdjustmentLine.objects.bulk_create([
        StockAdjustmentLine(
            adjustment=adjustment, line=number, variant_id=one.variant_id, location_id=one.location_id, lot_id=line.lot_id,
            change=one.change, counted=one.counted, seen=have,
        )
        for number, (one, line, have) in enumerate(zip(adjustments, lines, seen, strict=True))
    ])
    publish(AdjustmentRequested(
        adjustment=adjustment.pk, warehouse=adjustment.warehouse_id, reason=reason.code, note=adjustment.note, lines=len(lines),
    ), aggregate_id=adjustment.pk)
    return adjustment


def _warehouse(locations: Collection[UUID]) -> UUID:
    found = set(Location.objects.filter(pk__in=locations).values_list("warehouse_id", flat=True))
    if not found:
        raise Invalid("There is no such location in this organization.", fields={"location": "does not exist"})
    if len(found) > 1:
        raise Conflict("This needs approval, in several warehouses: send it for each of them.", code="several_warehouses")
    warehouse: UUID = found.pop()
    return warehouse


def _decide(adjustment_id: UUID, status: StockAdjustment.Status, note: str) -> StockAdjustment:
    row: StockAdjustment | None = StockAdjustment.objects.select_for_update(no_key=True).filter(pk=adjustment_id).first()
    if row is None:
        raise NotFound("There is no such adjustment.")
    if row.status != Status.PENDING:
        raise Conflict(f"This adjustment is {row.status} already.", code="decided")
    if row.requested_by and row.requested_by == active_scope().origin.actor_id:
        raise Forbidden("Somebody else has to look at what you asked for.", code="own_request")
    row.status, row.decided_by, row.decided_at, row.decision_note = status, active_scope().origin.actor_id, timezone.now(), note
    row.save(update_fields=["status", "decided_by", "decided_at", "decision_note"])
    return row


def _tell(adjustment: StockAdjustment, moves: list[UUID]) -> None:
    publish(AdjustmentDecided(
        adjustment=adjustment.pk, warehouse=adjustment.warehouse_id, status=adjustment.status, note=adjustment.decision_note,
        moves=moves,
    ), aggregate_id=adjustment.pk)
