"""A plan by which each warehouse is counted, and the first sheet of it, which waits for somebody."""

from inventory.models import StockCountPlan, Warehouse
from inventory.services.count_plans import stock_count_plans_open

EVERY_DAYS, LINES = 90, 12


def counts_create() -> None:
    for warehouse in Warehouse.objects.order_by("code"):
        StockCountPlan.objects.create(
            warehouse=warehouse, every_days=EVERY_DAYS, lines_at_once=LINES, tolerance_quantity=2, tolerance_percent=5,
        )
    stock_count_plans_open()
