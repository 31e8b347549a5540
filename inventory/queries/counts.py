"""What is to be counted, and what a count found while goods kept moving.

A line is compared with what the books say of the moment at which it was counted: the balance of now without the moves after
it. A move that is booked as it happens comes after if its number is above `snapshot_seq`, which was read while the balance
was locked. One that is booked late says itself when it happened. A reversal, and the posting of another count, correct what
the books said before: they are no moves of goods.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count

from core.paging import Page, Window
from core.tenancy import active_organization_id
from inventory.models import StockCount, StockCountLine
from inventory.queries.catalog import BRANCH
from inventory.queries.valuation import POOL_JOIN, UNIT_COST

DOCUMENT = "stock_count"
ORDER = ["line"]
# A posting says that it happens now a moment before it has its locks; what is older was booked late.
AT_ONCE = "interval '5 seconds'"

# Of a location, it and all below it. Parameters: organization, location.
BELOW = BRANCH.replace("inventory_category", "inventory_location")

# Goods of one place: s is the balance, l what is counted.
SAME_PLACE = """{0}.organization_id = {1}.organization_id AND {0}.variant_id = {1}.variant_id
    AND {0}.location_id = {1}.location_id AND COALESCE({0}.lot_id, {0}.variant_id) = COALESCE({1}.lot_id, {1}.variant_id)"""

# Since the line l was counted: how many moves of its goods came after, their sum, and how many were adjustments.
SINCE = f"""
    SELECT count(*) FILTER (WHERE a.is_after) AS moves, COALESCE(sum(a.change) FILTER (WHERE a.is_after), 0) AS net,
           count(*) FILTER (WHERE a.is_after AND a.kind = 'adjustment') AS adjustments
    FROM (
        SELECT m.kind, CASE WHEN m.to_location_id = l.location_id THEN m.quantity ELSE -m.quantity END AS change,
               m.document_type <> '{DOCUMENT}' AND COALESCE(r.seq, m.seq) > l.snapshot_seq AND (
                   COALESCE(r.occurred_at, m.occurred_at) > l.counted_at
                   OR COALESCE(r.occurred_at, m.occurred_at) >= COALESCE(r.created_at, m.created_at) - {AT_ONCE}
               ) AS is_after
        FROM inventory_stockmove AS m
        LEFT JOIN inventory_stockmove AS r ON r.organization_id = m.organization_id AND r.id = m.reverses_id
        WHERE m.organization_id = l.organization_id AND m.variant_id = l.variant_id AND m.seq > l.snapshot_seq
            AND COALESCE(m.lot_id, m.variant_id) = COALESCE(l.lot_id, l.variant_id)
            AND l.location_id IN (m.from_location_id, m.to_location_id)
    ) AS a
"""

# A line is above tolerance if it is above one of the two that are given.
LINES = f"""
    SELECT f.*, f.counted - f.book AS difference, round((f.counted - f.book) * f.unit_cost, 6) AS value, COALESCE(
               abs(f.counted - f.book) > f.tolerance_quantity
               OR abs(f.counted - f.book) * 100 > f.tolerance_percent * abs(f.book), false) AS is_above
    FROM (
        SELECT l.id, l.line, l.organization_id, l.variant_id AS variant, v.sku, v.name, p.tracking, u.code AS unit,
               l.location_id AS location, place.code AS location_code, l.lot_id AS lot, lot.code AS lot_code, lot.expires_on,
               l.is_found, l.counted, l.counted_at, l.counted_by, l.recounts, l.counted_before, l.book IS NOT NULL AS is_posted,
               COALESCE(l.book, COALESCE(s.quantity, 0) - COALESCE(since.net, 0)) AS book, {UNIT_COST} AS unit_cost,
               COALESCE(since.moves, 0) AS moves_since, COALESCE(since.net, 0) AS moved_since,
               COALESCE(since.adjustments, 0) AS adjustments_since, c.tolerance_quantity, c.tolerance_percent
        FROM inventory_stockcountline AS l
        JOIN inventory_stockcount AS c ON c.organization_id = l.organization_id AND c.id = l.count_id
        JOIN inventory_productvariant AS v ON v.organization_id = l.organization_id AND v.id = l.variant_id
        JOIN inventory_product AS p ON p.organization_id = v.organization_id AND p.id = v.product_id
        JOIN inventory_unitofmeasure AS u ON u.organization_id = p.organization_id AND u.id = p.base_unit_id
        JOIN inventory_location AS place ON place.organization_id = l.organization_id AND place.id = l.location_id
        LEFT JOIN inventory_lot AS lot ON lot.organization_id = l.organization_id AND lot.id = l.lot_id
        {POOL_JOIN} c.warehouse_id
        LEFT JOIN inventory_stockitem AS s ON {SAME_PLACE.format("s", "l")}
        LEFT JOIN LATERAL ({SINCE}) AS since ON l.counted IS NOT NULL AND l.book IS NULL
        WHERE l.organization_id = %(organization)s AND l.count_id = %(count)s
    ) AS f
"""

PAGE = f"""
    SELECT * FROM ({LINES}) AS f WHERE {{choice}} AND {{beyond}} ORDER BY {{order}} LIMIT %(size)s
"""
# Who counts blind finds serial numbers by scanning them, not on a list.
CHOICES = {
    "all": "true", "left": "f.counted IS NULL", "counted": "f.counted IS NOT NULL", "differing": "f.difference <> 0",
    "above": "f.is_above",
}
UNSEEN = " AND NOT (f.tracking = 'serial' AND f.counted IS NULL)"
# What tells of the books.
SECRET = ("book", "difference", "value", "is_above", "moves_since", "moved_since", "adjustments_since")
INNER = ("organization_id", "tolerance_quantity", "tolerance_percent", "unit_cost")  # what no list shows

TOTALS = f"""
    SELECT count(*) AS lines, count(f.counted) AS counted, count(*) FILTER (WHERE f.difference <> 0) AS differing,
           count(*) FILTER (WHERE f.is_above) AS above, count(*) FILTER (WHERE f.is_above AND f.recounts = 0) AS to_recount,
           COALESCE(sum(f.value), 0) AS value, COALESCE(sum(abs(f.value)), 0) AS absolute_value
    FROM ({LINES}) AS f
"""
# Where serial numbers are to be looked for, and how many were found.
SERIALS = """
    SELECT l.variant_id AS variant, v.sku, v.name, l.location_id AS location, place.code AS location_code,
           count(*) FILTER (WHERE l.counted > 0) AS found
    FROM inventory_stockcountline AS l
    JOIN inventory_productvariant AS v ON v.organization_id = l.organization_id AND v.id = l.variant_id
    JOIN inventory_product AS p ON p.organization_id = v.organization_id AND p.id = v.product_id AND p.tracking = 'serial'
    JOIN inventory_location AS place ON place.organization_id = l.organization_id AND place.id = l.location_id
    WHERE l.organization_id = %(organization)s AND l.count_id = %(count)s
    GROUP BY l.variant_id, v.sku, v.name, l.location_id, place.code ORDER BY min(l.line), v.sku LIMIT %(size)s
"""
MOST_SERIALS = 500

# Where a serial number that was found lies by the books, if that is elsewhere in the warehouse.
ELSEWHERE = """
    SELECT s.lot_id, s.location_id FROM inventory_stockitem AS s
    WHERE s.organization_id = %s AND s.warehouse_id = %s AND s.lot_id = ANY (%s) AND s.is_serial AND s.quantity > 0
"""

type Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Totals:
    """`to_recount` are above tolerance and were counted once; values are at standard cost, or where there is none
    at what such goods cost there last."""

    lines: int
    counted: int
    differing: int
    above: int
    to_recount: int
    value: Decimal
    absolute_value: Decimal


def lines_window(size: int, cursor: str | None) -> Window:
    """Raises BadCursor."""
    return Window(StockCountLine, ORDER, size, cursor)


def sheet(count: StockCount, window: Window, choice: str = "all") -> Page[Row]:
    """For who counts: of a blind count without what is booked."""
    page = _page(count, window, CHOICES[choice] + (UNSEEN if count.is_blind else ""))
    for row in page.rows:
        _keep_secret(count, row)
    return page


def sheet_line(count: StockCount, line_id: UUID) -> Row:
    [row] = _rows(f"SELECT * FROM ({LINES}) AS f WHERE f.id = %(line)s", count, line=line_id)
    _keep_secret(count, row)
    return row


def serials_to_find(count: StockCount) -> list[Row]:
    """The first 500 articles and places."""
    return _rows(SERIALS, count, size=MOST_SERIALS)


def _keep_secret(count: StockCount, row: Row) -> None:
    for name in SECRET if count.is_blind else SECRET[1:]:
        row.pop(name, None)


def variance(count: StockCount, window: Window, choice: str = "differing") -> Page[Row]:
    """For who posts."""
    return _page(count, window, CHOICES[choice])


def _page(count: StockCount, window: Window, choice: str) -> Page[Row]:
    beyond, position, order = window.sql("f")
    named = {f"at_{number}": value for number, value in enumerate(position)}
    for name in named:
        beyond = beyond.replace("%s", f"%({name})s", 1)
    sql = PAGE.format(choice=choice, beyond=beyond or "true", order=order)
    rows = _rows(sql, count, size=window.size + 1, **named)
    for row in rows:
        for name in INNER:
            row.pop(name)
    return window.page(rows, lambda row: (row["line"], row["id"]))


def differences(count: StockCount, lines: Sequence[UUID] | None = None) -> list[Row]:
    """Every line that is counted and not posted, in the order of the sheet; of `lines` alone, if they are given."""
    chosen = "f.counted IS NOT NULL AND NOT f.is_posted AND (%(lines)s::uuid[] IS NULL OR f.id = ANY (%(lines)s::uuid[]))"
    return _rows(
        f"SELECT * FROM ({LINES}) AS f WHERE {chosen} ORDER BY f.line, f.id", count, lines=None if lines is None else list(lines),
    )


def totals(count: StockCount) -> Totals:
    [row] = _rows(TOTALS, count)
    return Totals(**row)


def progress(count: StockCount) -> tuple[int, int]:
    """How many lines are counted, of how many."""
    lines = StockCountLine.objects.filter(count=count)
    found = lines.aggregate(counted=Count("counted"), lines=Count("pk"))
    return found["counted"], found["lines"]


def serials_elsewhere(warehouse_id: UUID, lots: Sequence[UUID]) -> Mapping[UUID, UUID]:
    """By lot, its location."""
    with connection.cursor() as cursor:
        cursor.execute(ELSEWHERE, [active_organization_id(), warehouse_id, list(lots)])
        return dict(cursor.fetchall())


def _rows(sql: str, count: StockCount, **values: Any) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"organization": active_organization_id(), "count": count.pk, **values})
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
