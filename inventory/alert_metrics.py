"""What alert rules may watch of the stock."""

from notifications.measuring import Metric, declare

OWN = "organization_id = %(organization)s"

declare(Metric("low_stock", "Reorder rules that are low", f"""
    SELECT count(*) FROM inventory_reorderrule WHERE {OWN} AND is_low AND is_active
"""))
declare(Metric("reorder_tasks_open", "Reorder tasks that nobody has answered", f"""
    SELECT count(*) FROM inventory_reordertask WHERE {OWN} AND status = 'open'
"""))
declare(Metric("counts_unfinished", "Stock counts that are not finished", f"""
    SELECT count(*) FROM inventory_stockcount WHERE {OWN} AND status IN ('open', 'pending')
"""))
declare(Metric("lots_held", "Lots in quarantine, blocked or recalled", f"""
    SELECT count(*) FROM inventory_lot WHERE {OWN} AND status IN ('quarantine', 'blocked', 'recalled')
"""))
