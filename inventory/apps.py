from django.apps import AppConfig

from inventory.standard_costs import REVALUE_STANDARD, TRIGGERS


class InventoryConfig(AppConfig):
    name = "inventory"
    database_functions = (REVALUE_STANDARD,)
    database_triggers = TRIGGERS
