from django.apps import AppConfig

from inventory.tracking import KEEP_TRACKING, TRIGGERS


class InventoryConfig(AppConfig):
    name = "inventory"
    database_functions = (KEEP_TRACKING,)
    database_triggers = TRIGGERS
