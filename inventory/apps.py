from django.apps import AppConfig

from inventory.database_catalog import FUNCTIONS, TRIGGERS


class InventoryConfig(AppConfig):
    name = "inventory"
    database_functions = FUNCTIONS
    database_triggers = TRIGGERS
