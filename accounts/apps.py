from django.apps import AppConfig

from accounts.database import FUNCTIONS


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Company"
    database_functions = FUNCTIONS
