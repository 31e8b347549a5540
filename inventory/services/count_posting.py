"""What a count found is posted, after somebody else approved what is over the limit of its reason."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from django.db import connection
from django.utils import timezone

from core.errors import Conflict, Forbidden, Invalid
from core.tenancy import active_organization_id, active_scope
from inventory.events import StockCountApprovalRequested, StockCountDecided, StockCountPosted
from inventory.models import ReasonCode, StockCount, StockCountLine, StockItem, StockMove
from inventory.queries.counts import DOCUMENT, Row, differences, serials_elsewhere
from inventory.services.counts import count_locked, lines_recount, stock_count_zero_rest
from inventory.services.locks import Balance, Place, lock_pools_and_rules
from inventory.services.posting import Line, changes_of, locked
from inventory.services.reserving_elsewhere import Lost, promises_anew, promises_give_way
from inventory.services.stock import Circumstances, Document, post
from notifications.services.events import publish

Status = StockCount.Status

BOOK = """
    UPDATE inventory_stockcountline AS l SET book = b.book
    FROM unnest(%s::uuid[], %s::numeric[]) AS b(id, book)
    WHERE l.organization_id = %s AND l.id = b.id
"""


class Rest(StrEnum):
    """What becomes of the lines that nobody counted."""

    REFUSE = "refuse"
    ZERO = "zero"
    LEAVE = "leave"


def stock_count_post(*, count_id: UUID, rest: Rest = Rest.REFUSE) -> StockCount:
    """Posts the differences; lines over a limit of the reason wait for approval, and the count is pending then.

    Raises Conflict while lines are not counted, unless `rest` says what becomes of them, or above tolerance and counted once.
    """
    count = count_locked(count_id, Status.OPEN)
    locks = _locked(count, also_not_counted=rest == Rest.ZERO)
    if rest == Rest.ZERO:
        stock_count_zero_rest(count_id=count_id)
    left = StockCountLine.objects.filter(count=count, counted=None).count()
    if left and rest == Rest.REFUSE:
        raise Conflict(
            f"{left} lines are not counted: count them, or say whether they are empty or left out.", code="lines_not_counted",
        )
    goods = Goods(differences(count), *locks)
    found = goods.found
    if above := [row for row in found if row["is_above"] and not row["recounts"]]:
        raise Conflict(
            f"{len(above)} lines differ by more than the tolerance: have them counted again.", code="recount_needed",
        )
    over = _over(count.reason, found)
    _post(count, goods, [row for row in found if row["id"] not in over])
    count.requested_by = active_scope().origin.actor_id
    if over:
        count.status = Status.PENDING
        publish(StockCountApprovalRequested(
            count=count.pk, warehouse=count.warehouse_id, reason=count.reason.code, lines=len(over),
        ), aggregate_id=count.pk)
    else:
        count.status, count.posted_at = Status.POSTED, timezone.now()
    count.save(update_fields=["status", "posted_at", "requested_by", "promises_lost"])
    return count


def stock_count_approve(*, count_id: UUID, note: str = "") -> StockCount:
    """Posts what waits, with the moves since then netted once more. Raises Forbidden to who asked for it."""
    count = _decide(count_id, Status.POSTED, note)
    goods = Goods(differences(count), *_locked(count))
    _post(count, goods, goods.found)
    count.save(update_fields=["promises_lost"])
    _tell(count, "approved")
    return count


def stock_count_reject(*, count_id: UUID, note: str) -> StockCount:
    """What waits is to be counted again."""
    if not note.strip():
        raise Invalid("Say why: who counted will want to know.", fields={"note": "required"})
    count = _decide(count_id, Status.OPEN, note)
    lines_recount(count, [row["id"] for row in differences(count)])
    _tell(count, "rejected")
    return count


def _decide(count_id: UUID, status: StockCount.Status, note: str) -> StockCount:
    count = count_locked(count_id, Status.PENDING)
    actor = active_scope().origin.actor_id
    if count.requested_by and count.requested_by == actor:
        raise Forbidden("Somebody else has to look at what you asked for.", code="own_request")
    count.status, count.decided_by, count.decided_at, count.decision_note = status, actor, timezone.now(), note
    count.posted_at = timezone.now() if status == Status.POSTED else None
    count.save(update_fields=["status", "decided_by", "decided_at", "decision_note", "posted_at"])
    return count


def _tell(count: StockCount, decision: str) -> None:
    publish(StockCountDecided(
        count=count.pk, warehouse=count.warehouse_id, decision=decision, note=count.decision_note,
    ), aggregate_id=count.pk)


class Goods(NamedTuple):
    """What differs, of places whose balances are locked; of the variants `whole`, wherever they lie in the warehouse."""

    found: list[Row]
    balances: dict[Place, Balance]
    whole: set[UUID]


def _locked(count: StockCount, *, also_not_counted: bool = False) -> tuple[dict[Place, Balance], set[UUID]]:
    """The balances and what is whole of `Goods`: nobody posts goods of these lines until the end of the transaction."""
    rows = StockCountLine.objects.filter(count=count, book=None)
    if not also_not_counted:
        rows = rows.exclude(counted=None)
    found = list(rows.values_list("variant_id", "location_id", "lot_id", "lot__kind", "counted"))
    places = {Place(*row[:3]) for row in found}
    here = {row[2]: row[0] for row in found if row[3] == "serial" and row[4]}
    elsewhere = serials_elsewhere(count.warehouse_id, list(here))
    places |= {Place(here[lot], location, lot) for lot, location in elsewhere.items()}
    items = StockItem.objects.filter(warehouse=count.warehouse_id, variant__in={place.variant_id for place in places})
    goods = items.values_list("variant_id", "location_id", "lot_id")
    whole = {row[0] for row in goods.filter(reserved__gt=0) if Place(*row) in places}
    if whole:  # what is promised may have to be promised from elsewhere
        places |= {Place(*row) for row in goods.filter(variant__in=whole)}
    return locked(places) if places else {}, whole


def _over(reason: ReasonCode, found: Sequence[Row]) -> set[UUID]:
    """The lines that need approval: each by its quantity, or all that differ by their value together."""
    differing = [row for row in found if row["difference"]]
    value = sum((abs(row["value"]) for row in differing), Decimal(0))
    if reason.approval_over_value is not None and value > reason.approval_over_value:
        return {row["id"] for row in differing}
    most = reason.approval_over_quantity
    return set() if most is None else {row["id"] for row in differing if abs(row["difference"]) > most}


def _post(count: StockCount, goods: Goods, found: Sequence[Row]) -> None:
    lines = _lines(count, [row for row in found if row["difference"]])
    lacking = _lacking(goods, lines)
    with connection.cursor() as cursor:
        cursor.execute(BOOK, [[row["id"] for row in found], [row["book"] for row in found], active_organization_id()])
    document, moves = Document(DOCUMENT, count.pk), []
    if lines:
        lost = _give_way(count, lines, lacking)
        moves = post(kind=StockMove.Kind.ADJUSTMENT, lines=lines, circumstances=Circumstances(
            reason_id=count.reason_id, note=count.note, document=document,
        ), is_counted=True).moves
        promises_anew(lost, document=document)
        count.promises_lost += len(lost)
    publish(StockCountPosted(
        count=count.pk, warehouse=count.warehouse_id, lines=len(found), differing=len(lines),
        value=sum((row["value"] for row in found), Decimal(0)), moves=moves,
    ), aggregate_id=count.pk)


def _give_way(count: StockCount, lines: Sequence[Line], lacking: Mapping[UUID, Decimal]) -> list[Lost]:
    if not lacking:
        return []
    lock_pools_and_rules({(line.variant_id, count.warehouse_id) for line in lines})
    return promises_give_way(lacking)


def _lacking(goods: Goods, lines: Sequence[Line]) -> dict[UUID, Decimal]:
    """By stock item, how much more is promised of it than there would be."""
    found = {}
    for place, change in changes_of(lines).items():
        balance = goods.balances[place]
        left = max(balance.quantity + change, Decimal(0))
        if change < 0 and left < balance.reserved and not balance.may_go_negative:
            if place.variant_id not in goods.whole:
                raise Conflict("Goods that were not found have been promised just now: post again.", code="reservation_changed")
            found[balance.id] = balance.reserved - left
    return found


def _lines(count: StockCount, differing: Sequence[Row]) -> list[Line]:
    """A serial number that lies elsewhere by the books has moved here; other goods came or went."""
    found = [row["lot"] for row in differing if row["tracking"] == "serial" and row["difference"] > 0]
    elsewhere = serials_elsewhere(count.warehouse_id, found) if found else {}
    missing = {(row["lot"], row["location"]) for row in differing if row["difference"] < 0}
    lines = []
    for row in differing:
        before = elsewhere.get(row["lot"]) if row["difference"] > 0 else None
        if before and (row["lot"], before) not in missing:
            _refuse_twice(count, row, before)
            lines.append(Line(
                row["variant"], Decimal(1), before, row["location"], lot_id=row["lot"], document_line_id=row["id"],
                kind=StockMove.Kind.MOVE,
            ))
            continue
        comes = row["difference"] > 0
        lines.append(Line(
            row["variant"], abs(row["difference"]), None if comes else row["location"], row["location"] if comes else None,
            lot_id=row["lot"], document_line_id=row["id"],
        ))
    return lines


def _refuse_twice(count: StockCount, row: Row, before: UUID) -> None:
    if StockCountLine.objects.filter(count=count, lot_id=row["lot"], location_id=before, counted__gt=0).exists():
        raise Conflict(
            f"Serial number {row['lot_code']} of {row['sku']} was counted in two places: have both counted again.",
            code="serial_counted_twice",
        )
