"""What the database does itself for the inventory, besides constraints."""

from inventory import database_catalog, database_taxes

FUNCTIONS = (*database_catalog.FUNCTIONS, *database_taxes.FUNCTIONS)
TRIGGERS = (*database_catalog.TRIGGERS, *database_taxes.TRIGGERS)
