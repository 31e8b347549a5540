from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig


class ConfigConfig(AppConfig):
    name = "config"


class AdminConfig(SimpleAdminConfig):
    """Does not import the admin modules at start: `config.urls` does, when the first page is asked for."""

    default_site = "config.admin.QuartermasterSite"
