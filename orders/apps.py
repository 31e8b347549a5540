from django.apps import AppConfig

from orders.database import FOLLOW_COMPONENTS, KEEP_ISSUED, KEEP_KIT_BOUGHT, KEEP_TERMS, TRIGGERS
from orders.database_sales_days import SALES_DAY_FUNCTIONS, SALES_DAY_TRIGGERS


class OrdersConfig(AppConfig):
    name = "orders"
    database_functions = (KEEP_ISSUED, KEEP_TERMS, FOLLOW_COMPONENTS, KEEP_KIT_BOUGHT, *SALES_DAY_FUNCTIONS)
    database_triggers = (*TRIGGERS, *SALES_DAY_TRIGGERS)
    kept_statements = tuple(
        f"orders.services.{module}" for module in ("promising", "shipment_writing", "shipments", "stepping", "stopping")
    )
