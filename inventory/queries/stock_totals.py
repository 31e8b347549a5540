"""Totals of each variant in each warehouse at given instants: those of the last snapshot before, and the entries since.

What happened between two instants is the difference of their totals, so a report costs two rows for each variant and warehouse,
however long its span and whatever was posted in it. An entry counts when it was posted (ADR 33).
"""

from inventory.models import StockMove

# `ends` are numbered from 0. Snapshots of the release before have no totals. COALESCE stands outside of what is compared with
# columns: row security lets no index be used with it there.
ENDS = """
    ends AS MATERIALIZED (
        SELECT e.n::int - 1 AS n, e.until, COALESCE((
            SELECT max(until) FROM inventory_stocksnapshot
            WHERE organization_id = %(organization)s AND until <= e.until AND received IS NOT NULL
        ), '-infinity') AS since
        FROM unnest(%(ends)s::timestamptz[]) WITH ORDINALITY AS e (until, n)
    )
"""
SNAPSHOTS = """
    inventory_stocksnapshot AS s JOIN ends ON ends.since = s.until
        AND s.organization_id = %(organization)s AND s.until = ANY (ARRAY(SELECT since FROM ends)) AND s.received IS NOT NULL
"""
ENTRIES = """
    ends JOIN inventory_valueentry AS e ON e.created_at >= ends.since AND e.created_at < ends.until
        AND e.organization_id = %(organization)s
"""
# The move of an entry is looked up by itself: the planner does not know that few are asked for, and would go through them all.
KIND = """
    LEFT JOIN LATERAL (
        SELECT m.kind FROM inventory_stockmove AS m WHERE m.organization_id = e.organization_id AND m.id = e.move_id OFFSET 0
    ) AS m ON true
"""

FIGURES = ("quantity", "value", "received", "issued", "issued_value", "value_seconds")
_HELD = ("s.quantity", "s.value")
_HELD_SINCE = ("e.quantity", "e.value")
_FLOWN = ("s.received", "s.issued", "s.issued_value", "s.value_seconds + s.value * EXTRACT(epoch FROM ends.until - s.until)")
# A reversed issue takes itself back.
_FLOWN_SINCE = (
    f"CASE WHEN m.kind = '{StockMove.Kind.RECEIPT}' THEN e.quantity ELSE 0 END",
    f"CASE WHEN m.kind = '{StockMove.Kind.ISSUE}' THEN -e.quantity ELSE 0 END",
    f"CASE WHEN m.kind = '{StockMove.Kind.ISSUE}' THEN -e.value ELSE 0 END",
    "e.value * EXTRACT(epoch FROM ends.until - e.created_at)",
)


def totals(chosen_s: str = "true", chosen_e: str = "true", *, flown: bool = True) -> str:
    """`ends` and `total`: a variant, a warehouse, the number of the end, and FIGURES to be added up, without `flown` the first
    two. Takes `organization` and `ends`."""
    width = len(FIGURES) if flown else len(_HELD)
    kept, since = (_HELD + _FLOWN)[:width], (_HELD_SINCE + _FLOWN_SINCE)[:width]
    return f"""
    {ENDS}, total AS (
        SELECT s.variant_id, s.warehouse_id, ends.n, {_named(kept)} FROM {SNAPSHOTS} WHERE {chosen_s}
        UNION ALL
        SELECT e.variant_id, e.warehouse_id, ends.n, {_named(since)} FROM {ENTRIES} {KIND if flown else ""} WHERE {chosen_e}
    )
    """


def _named(figures: tuple[str, ...]) -> str:
    return ", ".join(f"{figure} AS {name}" for name, figure in zip(FIGURES, figures, strict=False))


# Of each variant, warehouse and end: for how long there was nothing, since when it is known, and up to which entry. Needs `ends`.
ABSENCE = f"""
    step AS (
        SELECT s.variant_id, s.warehouse_id, ends.n, ends.until, s.until AS at, s.quantity, s.out_seconds, s.began_at,
               s.last_seq AS seq
        FROM {SNAPSHOTS} WHERE ends.since < ends.until AND {{chosen_s}}
        UNION ALL
        SELECT e.variant_id, e.warehouse_id, ends.n, ends.until, e.created_at, e.quantity, 0, e.created_at, e.seq
        FROM {ENTRIES} WHERE {{chosen_e}}
    ), level AS (
        SELECT s.*, sum(s.quantity) OVER steps AS on_hand, COALESCE(lead(s.at) OVER steps, s.until) AS next
        FROM step AS s WINDOW steps AS (PARTITION BY s.variant_id, s.warehouse_id, s.n ORDER BY s.at, s.seq)
    ), absence AS (
        SELECT s.variant_id, s.warehouse_id, ends.n, s.quantity, s.began_at, s.last_seq, s.out_seconds
        FROM {SNAPSHOTS} WHERE ends.since = ends.until AND {{chosen_s}}
        UNION ALL
        SELECT variant_id, warehouse_id, n, sum(quantity), min(began_at), max(seq),
               sum(out_seconds)
                   + COALESCE(sum(EXTRACT(epoch FROM next - at)) FILTER (WHERE on_hand <= 0 AND next > at), 0)
        FROM level GROUP BY variant_id, warehouse_id, n
    )
"""


def absence(chosen_s: str = "true", chosen_e: str = "true") -> str:
    """`absence`, after `ends` of `totals` or by itself."""
    return ABSENCE.format(chosen_s=chosen_s, chosen_e=chosen_e)
