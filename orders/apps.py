from django.apps import AppConfig

from orders.database import KEEP_ISSUED, TRIGGERS


class OrdersConfig(AppConfig):
    name = "orders"
    database_functions = (KEEP_ISSUED,)
    database_triggers = TRIGGERS
