from core.invariants import Invariant
from orders.queries.sales_days import SUMMED, SUMS, sold

EVER = {"open_since": ["-infinity"], "open_until": ["infinity"], "first": "-infinity", "until": "infinity"}
EXACT = ", ".join(f"round(s.{name}, 16)" for name in SUMS)
KEPT = ", ".join(f"round(d.{name}, 16)" for name in SUMS)

# Of a day of which an order has changed since, reports read the orders.
SALES_DAY_INVARIANTS = [
    Invariant("the sales of a day = what its orders add up to", f"""
        WITH {sold(is_whole=True)}, own AS (
            SELECT timezone FROM accounts_organization WHERE id = %(organization)s
        ), kept AS (
            SELECT d.* FROM orders_salesday AS d JOIN own USING (timezone) WHERE d.organization_id = %(organization)s
        ), summed AS (
            SELECT s.day, s.channel_id, s.warehouse_id, s.currency, s.status, {SUMMED} FROM sold AS s
            WHERE s.day <= (SELECT max(day) FROM kept) GROUP BY 1, 2, 3, 4, 5
        ), changed AS (
            SELECT (c.placed_at AT TIME ZONE own.timezone)::date AS day
            FROM orders_salesdaychange AS c CROSS JOIN own WHERE c.organization_id = %(organization)s
        )
        SELECT format('%%s of %%s in %%s, channel %%s, warehouse %%s: kept (%%s), orders (%%s)', day, status, currency,
                      channel_id, warehouse_id, CASE WHEN d.id IS NOT NULL THEN concat_ws(', ', {KEPT}) END,
                      CASE WHEN s.orders IS NOT NULL THEN concat_ws(', ', {EXACT}) END)
        FROM summed AS s FULL JOIN kept AS d USING (day, channel_id, warehouse_id, currency, status)
        WHERE ({KEPT}) IS DISTINCT FROM ({EXACT}) AND day NOT IN (SELECT day FROM changed)
        ORDER BY 1
    """, EVER),
]
