from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"
    database_functions = "notifications.database.functions"
    database_triggers = "notifications.events.triggers"
    kept_statements = ("notifications.services.events",)
