"""What the database does itself for the inventory, besides constraints."""

from core.wall_sql import Function, Trigger
from inventory import (
    database_barcodes,
    database_catalog,
    database_category_items,
    database_costs,
    database_kits,
    database_logistic_units,
    database_places,
    database_search,
    database_taxes,
    database_tracking,
)


def functions() -> list[Function]:
    return [
        *database_catalog.FUNCTIONS, *database_taxes.FUNCTIONS, database_barcodes.CHECK_BARCODE, *database_search.FUNCTIONS,
        database_tracking.KEEP_TRACKING, database_costs.REVALUE_STANDARD, database_logistic_units.CHECK_SSCC,
        *database_places.FUNCTIONS, *database_kits.FUNCTIONS, *database_category_items.FUNCTIONS,
    ]


def triggers() -> list[Trigger]:
    return [
        *database_catalog.TRIGGERS, *database_taxes.TRIGGERS, *database_barcodes.TRIGGERS, *database_search.triggers(),
        *database_tracking.TRIGGERS, *database_costs.TRIGGERS, *database_logistic_units.TRIGGERS,
        *database_places.TRIGGERS, *database_kits.TRIGGERS, *database_category_items.TRIGGERS,
    ]
