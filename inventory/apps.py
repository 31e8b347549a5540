from django.apps import AppConfig


class InventoryConfig(AppConfig):
    name = "inventory"
    database_functions = "inventory.database.functions"
    database_triggers = "inventory.database.triggers"
