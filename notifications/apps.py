from django.apps import AppConfig

from notifications.database import FUNCTIONS


class NotificationsConfig(AppConfig):
    name = "notifications"
    database_functions = FUNCTIONS
