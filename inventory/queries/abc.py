"""Which variants make most of what is issued, at cost: A those of the first 80 %, B those up to 95 %, C the rest."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from inventory.queries.analytics_sources import WHOLE, Goods, Page, Report, flows
from inventory.queries.spans import Span

# The one that crosses a limit is still above it, so that there is an A whatever the shares.
CLASSED = """
    , used AS (
        SELECT s.variant_id, sum(s.issued) AS issued, GREATEST(sum(s.issued_value), 0.000000) AS issued_value FROM flow AS s
        GROUP BY s.variant_id
        HAVING sum(s.quantity) <> 0 OR sum(s.quantity_before) <> 0 OR sum(s.value_seconds) <> 0 OR sum(s.received) <> 0
            OR sum(s.issued) <> 0
    ), summed AS (
        SELECT u.*, sum(u.issued_value) OVER (ORDER BY u.issued_value DESC, u.variant_id) AS so_far,
               sum(u.issued_value) OVER () AS total
        FROM used AS u
        JOIN inventory_productvariant AS v
            ON v.organization_id = %(organization)s AND v.id = u.variant_id AND v.archived_at IS NULL
    ), classed AS (
        SELECT s.*, CASE WHEN s.so_far - s.issued_value < s.total * %(a)s THEN 'A'
                         WHEN s.so_far - s.issued_value < s.total * %(b)s THEN 'B' ELSE 'C' END AS abc_class
        FROM summed AS s
    )
"""
REPORT = f"""
    {CLASSED}, page AS (
        SELECT * FROM classed ORDER BY issued_value DESC, variant_id LIMIT %(limit)s OFFSET %(offset)s
    )
    SELECT c.abc_class, NULL::uuid, count(*)::text, NULL, NULL, NULL::numeric, sum(c.issued_value), max(c.total), NULL::numeric
    FROM classed AS c GROUP BY c.abc_class
    UNION ALL
    SELECT g.abc_class, g.variant_id, v.sku, v.name, v.abc_class, g.issued, g.issued_value, g.total, g.so_far
    FROM page AS g JOIN inventory_productvariant AS v ON v.organization_id = %(organization)s AND v.id = g.variant_id
    ORDER BY 9 NULLS FIRST, 1, 2
"""
CLASSES = ("A", "B", "C")
HUNDRED, HUNDREDTH = Decimal(100), Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Limits:
    """In percent of what was issued."""

    a: Decimal = Decimal(80)
    b: Decimal = Decimal(95)

    def values(self) -> dict[str, Decimal]:
        return {"a": self.a / HUNDRED, "b": self.b / HUNDRED}


USUAL = Limits()


def abc(goods: Goods, span: Span, *, limits: Limits = USUAL, page: Page = WHOLE) -> Report:
    """Variants that were there or moved, with their class by now (`current`) and by this span; `totals` by class."""
    source, values = flows(goods, span)
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {source}{REPORT}", values | limits.values() | {"limit": page.limit, "offset": page.offset})
        found = cursor.fetchall()
    classes = {
        name: {"abc_class": name, "variants": int(count), "issued_value": issued, "share": _share(issued, total)}
        for name, variant, count, _, _, _, issued, total, _ in found if variant is None
    }
    nothing: dict[str, Any] = {"variants": 0, "issued_value": Decimal("0.000000"), "share": None}
    rows = [
        {"variant": variant, "sku": sku, "name": name, "issued": issued, "issued_value": value, "share": _share(value, total),
         "cumulative_share": _share(so_far, total), "abc_class": abc_class, "current": current}
        for abc_class, variant, sku, name, current, issued, value, total, so_far in found if variant is not None
    ]  # fmt: skip
    summary = [classes.get(name, {"abc_class": name, **nothing}) for name in CLASSES]
    return Report(rows, sum(one["variants"] for one in summary), {"classes": summary})


def _share(part: Decimal, whole: Decimal) -> Decimal | None:
    return (part / whole * HUNDRED).quantize(HUNDREDTH) if whole else None
