from django.apps import AppConfig

from orders.database import FOLLOW_COMPONENTS, KEEP_ISSUED, KEEP_TERMS, TRIGGERS


class OrdersConfig(AppConfig):
    name = "orders"
    database_functions = (KEEP_ISSUED, KEEP_TERMS, FOLLOW_COMPONENTS)
    database_triggers = TRIGGERS
    kept_statements = tuple(
        f"orders.services.{module}" for module in ("promising", "shipment_writing", "shipments", "stepping", "stopping")
    )
