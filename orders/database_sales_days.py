"""The database notes of which days an order has changed, whatever changed it: reports read such a day anew until it is summed
again. See ADR 69."""

from datetime import timedelta

from core.wall_sql import Function, Trigger

RECENT = timedelta(hours=2)  # an order that was placed since is in no sum, and so notes nothing

OLDER = f"placed_at < now() - interval '{RECENT.total_seconds():.0f} seconds'"
# Once for a transaction, whose number makes its row its own: nobody waits for anybody.
NOTE = """
    INSERT INTO orders_salesdaychange (id, organization_id, placed_at, transaction)
    SELECT uuid7(), o.organization_id, o.placed_at, pg_current_xact_id()::text::bigint
"""

OF_ORDER = Function("note_sales_day_of_order()", "trigger", f"""
BEGIN
    IF OLD.{OLDER} OR NEW.{OLDER} THEN
        {NOTE}
        FROM (VALUES (OLD.organization_id, OLD.placed_at), (NEW.organization_id, NEW.placed_at)) AS o (organization_id, placed_at)
        WHERE o.{OLDER} ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END
""")
OF_PART = Function("note_sales_day_of_part()", "trigger", f"""
BEGIN
    {NOTE}
    FROM orders_salesorder AS o
    WHERE o.organization_id = COALESCE(NEW.organization_id, OLD.organization_id) AND o.id IN (OLD.order_id, NEW.order_id)
        AND o.{OLDER}
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
""")
# The cost of what was shipped.
OF_VALUE = Function("note_sales_day_of_value()", "trigger", f"""
BEGIN
    {NOTE}
    FROM inventory_stockmove AS m
    JOIN orders_salesorder AS o ON o.organization_id = m.organization_id AND o.id = m.document_id
    WHERE m.organization_id = NEW.organization_id AND m.id = NEW.move_id AND m.document_type = 'sales_order' AND o.{OLDER}
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
""")
SALES_DAY_FUNCTIONS = (OF_ORDER, OF_PART, OF_VALUE)
SALES_DAY_TRIGGERS = (
    Trigger(
        "orders_salesorder", "note_sales_day",
        "AFTER INSERT OR DELETE OR UPDATE OF channel_id, warehouse_id, status, currency, total, placed_at",
        "note_sales_day_of_order()",
    ),
    Trigger(
        "orders_salesorderitem", "note_sales_day",
        "AFTER INSERT OR DELETE OR UPDATE OF quantity, net_amount, shipped_quantity, returned_quantity, cancelled_quantity,"
        " order_id",
        "note_sales_day_of_part()",
    ),
    Trigger(
        "orders_orderadjustment", "note_sales_day", "AFTER INSERT OR DELETE OR UPDATE OF net_amount, order_id",
        "note_sales_day_of_part()",
    ),
    Trigger("inventory_valueentry", "note_sales_day", "AFTER INSERT", "note_sales_day_of_value()"),
)
