"""What the database does itself for the inventory."""

from core.wall_sql import Function, Trigger
from inventory import database_barcodes, database_search


def functions() -> list[Function]:
    return [database_barcodes.CHECK_BARCODE, *database_search.FUNCTIONS]


def triggers() -> list[Trigger]:
    return [*database_barcodes.TRIGGERS, *database_search.triggers()]
