from django.apps import AppConfig

from notifications import database_inbound


class NotificationsConfig(AppConfig):
    name = "notifications"
    database_functions = (*database_inbound.FUNCTIONS,)
