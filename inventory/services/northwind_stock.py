from decimal import Decimal

from inventory.models import Location
from inventory.northwind_tables import PRODUCTS
from inventory.services.northwind_products import Item
from inventory.services.northwind_run import Run
from inventory.services.opening_stock import opening_stock_follow


def import_opening_stock(run: Run, items: list[Item], location: Location) -> None:
    rows = {item.variant_id: item.row for item in items}
    units = {variant: Decimal(row.get("unitsInStock", int)) for variant, row in rows.items()}
    counts, refused = opening_stock_follow(key="northwind-opening:", note="Northwind import", units=units, location=location)
    for variant in refused:
        reason = f"{units[variant]:f} is less than what has left since"
        run.leave_out(PRODUCTS, rows[variant].line, "unitsInStock", reason)
    run.count("opening stock", counts)
