from django.apps import AppConfig

from accounts.database import FUNCTIONS
from accounts.last_admin import KEEP_AN_ADMIN, TRIGGERS


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Company"
    database_functions = (*FUNCTIONS, KEEP_AN_ADMIN)
    database_triggers = TRIGGERS
