from django.apps import AppConfig

from accounts.database import FUNCTIONS


class AccountsConfig(AppConfig):
    name = "accounts"
    database_functions = FUNCTIONS
