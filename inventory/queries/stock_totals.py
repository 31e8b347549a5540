"""Totals of each variant in each warehouse at given instants: those of the last snapshot before, and the entries since.

What happened between two instants is the difference of their totals, so a report costs a row for each variant, warehouse and
instant, whatever was posted between them. Instants after the same snapshot are a run: its rows are read once, and so is each
entry. An entry counts when it was posted (ADR 33).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from core.tenancy import active_organization_id

# Snapshots of the release before have no totals.
LAST = """
    SELECT (
        SELECT max(s.until) FROM inventory_stocksnapshot AS s
        WHERE s.organization_id = %s AND s.until <= e.until AND s.received IS NOT NULL
    ) FROM unnest(%s::timestamptz[]) WITH ORDINALITY AS e (until, n) ORDER BY e.n
"""
NEVER, NOTHING = "-infinity", Decimal("0.000000")

FIGURES = ("quantity", "value", "received", "issued", "issued_value", "value_seconds")
HELD = 2  # the first of them, for which no move is looked at

type Total = dict[str, Decimal]


@dataclass(frozen=True, slots=True)
class Reading:
    """Of totals at `ends`, numbered from 0. `begins` are those that begin a run: what is read for another one comes on top of the
    one before it."""

    ends: Sequence[datetime]
    begins: frozenset[int]
    values: dict[str, Any]

    def summed(self, read: dict[int, Total], names: Sequence[str]) -> list[Total]:
        """The totals at each end, of what was read of one group."""
        found: list[Total] = []
        for number, end in enumerate(self.ends):
            now = read.get(number) or dict.fromkeys(names, NOTHING)
            if number not in self.begins:
                before = found[-1]
                now = {name: before[name] + now[name] for name in names}
                if "value_seconds" in now:
                    now["value_seconds"] += before["value"] * seconds(self.ends[number - 1], end)
            found.append(now)
        return found


def seconds(first: datetime, last: datetime) -> Decimal:
    return Decimal((last - first).total_seconds())


def reading(ends: Sequence[datetime], *, apart: bool = False) -> Reading:
    """One statement. With `apart` each end is a run of its own."""
    with connection.cursor() as cursor:
        cursor.execute(LAST, [active_organization_id(), list(ends)])
        sinces = [since for (since,) in cursor.fetchall()]
    numbers = range(len(ends))
    begins = [number for number in numbers if apart or number == 0 or sinces[number] != sinces[number - 1]]
    lasts = [number - 1 for number in begins[1:]] + [numbers[-1]]
    known = [number for number in begins if sinces[number]]
    exact = [number for number in known if sinces[number] == ends[number]]
    runs = [range(begin + (begin in exact), last + 1) for begin, last in zip(begins, lasts, strict=True)]
    unsure = [run for run in runs if run]
    values: dict[str, Any] = {"organization": active_organization_id()}
    values |= _spans("kept", [(number, sinces[number], ends[number]) for number in known])
    values |= _spans("exact", [(number, sinces[number], ends[number]) for number in exact])
    values |= _spans("read", [(n, sinces[n] if n in begins else ends[n - 1], ends[n]) for n in numbers])
    values |= _spans("step", [(run[0], sinces[run[0]], ends[run[-1]]) for run in unsure])
    values |= _spans("mark", [(number, ends[number], ends[number]) for run in unsure for number in run])
    values["mark_run"] = [run[0] for run in unsure for _ in run]
    return Reading(ends, frozenset(begins), values)


def _spans(of: str, spans: Sequence[tuple[int, datetime | None, datetime]]) -> dict[str, Any]:
    sinces = [NEVER if since is None else str(since) for _, since, _ in spans]
    return {f"{of}_n": [n for n, _, _ in spans], f"{of}_since": sinces, f"{of}_until": [until for _, _, until in spans]}


SPANS = "unnest(%({of}_n)s::int[], %({of}_since)s::timestamptz[], %({of}_until)s::timestamptz[]) AS r (n, since, until)"
SNAPSHOTS = SPANS + """
    JOIN inventory_stocksnapshot AS s ON s.until = r.since
        AND s.organization_id = %(organization)s AND s.until = ANY (%({of}_since)s::timestamptz[]) AND s.received IS NOT NULL
"""
ENTRIES = SPANS + """
    JOIN inventory_valueentry AS e ON e.created_at >= r.since AND e.created_at < r.until AND e.organization_id = %(organization)s
"""
# The move of an entry is looked up by itself: the planner does not know that few are asked for, and would go through them all.
KIND = """
    LEFT JOIN LATERAL (
        SELECT m.kind FROM inventory_stockmove AS m WHERE m.organization_id = e.organization_id AND m.id = e.move_id OFFSET 0
    ) AS m ON true
"""
KEPT = (
    "s.quantity", "s.value", "s.received", "s.issued", "s.issued_value",
    "s.value_seconds + s.value * EXTRACT(epoch FROM r.until - s.until)",
)  # fmt: skip
# A reversed issue takes itself back.
SINCE = (
    "e.quantity", "e.value",
    "CASE WHEN m.kind = 'receipt' THEN e.quantity ELSE 0 END",
    "CASE WHEN m.kind = 'issue' THEN -e.quantity ELSE 0 END",
    "CASE WHEN m.kind = 'issue' THEN -e.value ELSE 0 END",
    "e.value * EXTRACT(epoch FROM r.until - e.created_at)",
)  # fmt: skip


def totals(chosen_s: str = "true", chosen_e: str = "true", *, figures: Sequence[str] = FIGURES) -> str:
    """`total`: variant, warehouse, number of the end `n`, and the first of FIGURES, to be added up; with a reading's values."""
    width = len(figures)
    return f"""
    total AS (
        SELECT s.variant_id, s.warehouse_id, r.n, {_named(KEPT[:width])} FROM {SNAPSHOTS.format(of="kept")} WHERE {chosen_s}
        UNION ALL
        SELECT e.variant_id, e.warehouse_id, r.n, {_named(SINCE[:width])}
        FROM {ENTRIES.format(of="read")} {KIND if width > HELD else ""} WHERE {chosen_e}
    )
    """


def _named(figures: Sequence[str]) -> str:
    return ", ".join(f"{figure} AS {name}" for name, figure in zip(FIGURES, figures, strict=False))


# A mark stands at each end of a run, before what was posted at that very instant. Where nothing was posted in a run, all is as
# the snapshot left it.
ABSENCE = f"""
    entry AS MATERIALIZED (
        SELECT e.variant_id, e.warehouse_id, r.n AS run, e.created_at AS at, e.quantity, e.seq
        FROM {ENTRIES.format(of="step")} WHERE {{chosen_e}}
    ), left_so AS MATERIALIZED (
        SELECT s.variant_id, s.warehouse_id, r.n AS run, s.until AS at, s.quantity, s.out_seconds, s.began_at, s.last_seq AS seq,
               (s.variant_id, s.warehouse_id, r.n) IN (SELECT variant_id, warehouse_id, run FROM entry OFFSET 0) AS is_moved
        FROM {SNAPSHOTS.format(of="step")} WHERE {{chosen_s}}
    ), mark AS (
        SELECT * FROM unnest(%(mark_n)s::int[], %(mark_run)s::int[], %(mark_until)s::timestamptz[]) AS k (n, run, at)
    ), step AS (
        SELECT variant_id, warehouse_id, run, NULL::int AS n, at, 0 AS rank, quantity, out_seconds, began_at, seq
        FROM left_so WHERE is_moved
        UNION ALL
        SELECT variant_id, warehouse_id, run, NULL, at, 2, quantity, 0, at, seq FROM entry
    ), marked AS (
        SELECT * FROM step
        UNION ALL
        SELECT b.variant_id, b.warehouse_id, b.run, mark.n, mark.at, 1, 0, 0, NULL, NULL
        FROM (SELECT variant_id, warehouse_id, run, min(at) AS at FROM step GROUP BY variant_id, warehouse_id, run) AS b
        JOIN mark ON mark.run = b.run AND mark.at > b.at
    ), level AS (
        SELECT m.*, sum(m.quantity) OVER steps AS on_hand, lag(m.at) OVER steps AS before
        FROM marked AS m WINDOW steps AS (PARTITION BY m.variant_id, m.warehouse_id, m.run ORDER BY m.at, m.rank, m.seq)
    ), spell AS (
        SELECT l.variant_id, l.warehouse_id, l.n, l.on_hand, min(l.began_at) OVER steps AS began_at,
               max(l.seq) OVER steps AS last_seq,
               sum(l.out_seconds + CASE WHEN l.on_hand - l.quantity <= 0 AND l.before IS NOT NULL
                                        THEN EXTRACT(epoch FROM l.at - l.before) ELSE 0 END) OVER steps AS out_seconds
        FROM level AS l WINDOW steps AS (PARTITION BY l.variant_id, l.warehouse_id, l.run ORDER BY l.at, l.rank, l.seq)
    ), absence AS (
        SELECT s.variant_id, s.warehouse_id, r.n, s.quantity, s.began_at, s.last_seq, s.out_seconds
        FROM {SNAPSHOTS.format(of="exact")} WHERE {{chosen_s}}
        UNION ALL
        SELECT s.variant_id, s.warehouse_id, mark.n, s.quantity, s.began_at, s.seq,
               s.out_seconds + CASE WHEN s.quantity <= 0 THEN EXTRACT(epoch FROM mark.at - s.at) ELSE 0 END
        FROM left_so AS s JOIN mark ON mark.run = s.run WHERE NOT s.is_moved
        UNION ALL
        SELECT variant_id, warehouse_id, n, on_hand, began_at, last_seq, out_seconds FROM spell WHERE n IS NOT NULL
    )
"""


def absence(chosen_s: str = "true", chosen_e: str = "true") -> str:
    """`absence`: of each variant, warehouse and end `n` for how long there was nothing, since when it is known, and up to which
    entry; with a reading's values."""
    return ABSENCE.format(chosen_s=chosen_s, chosen_e=chosen_e)
