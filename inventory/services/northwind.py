"""The import of a Northwind export: a second run of the same files changes nothing."""

from pathlib import Path

from accounts.models import Organization
from core.tenancy import active_organization_id
from inventory.models import ReasonCode
from inventory.northwind_tables import EMPLOYEES
from inventory.services.basics import OPENING, main_location, reasons_create
from inventory.services.locks import lock_posting
from inventory.services.northwind_partners import import_partners
from inventory.services.northwind_products import import_products, import_rules
from inventory.services.northwind_run import Run
from inventory.services.northwind_stock import import_opening_stock
from inventory.services.units import PIECE, units_create

CURRENCY = "USD"


def northwind_read(*, folder: Path) -> Run:
    """Raises UnreadableTable; rows that cannot be read are in the run's `problems`."""
    return Run(folder)


def northwind_import(*, run: Run) -> None:
    """Into the active organization, within the caller's transaction. The files win over what was changed here,
    but only in the columns that they fill."""
    lock_posting("northwind import")
    units_create([PIECE])
    reasons_create([(ReasonCode.Kind.ADJUSTMENT, OPENING)])
    location = main_location()
    import_partners(run)
    items = import_products(run, location)
    import_opening_stock(run, items, location)
    import_rules(run, items, location)


def remarks(run: Run) -> list[str]:
    """What a reader of the report must know."""
    said = [
        f"Of the {len(run.rows(EMPLOYEES))} employees orders keep the seller's name: people are invited, not imported."
        " Units on order wait for purchase orders.",
        "Orders are documents of the past, and post no stock: the files' stock is what was left after them.",
        "Northwind knows no cost: unitPrice became the standard cost of the variants.",
    ]
    currency = Organization.objects.values_list("base_currency", flat=True).get(pk=active_organization_id())
    if currency != CURRENCY:
        said.append(f"Its prices are {CURRENCY}, taken as {currency} here, which is the organization's currency.")
    return said
