from django.apps import AppConfig


class InventoryConfig(AppConfig):
    name = "inventory"
    database_functions = "inventory.database.functions"
    database_triggers = "inventory.database.triggers"
    kept_statements = (
        "inventory.queries.attribute_owners", "inventory.queries.attributes",
        *(
            f"inventory.services.{module}"
            for module in ("candidates", "grounds", "levels", "locks", "posting", "reservations", "valuation")
        ),
    )
