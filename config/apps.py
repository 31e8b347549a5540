from allauth.mfa.apps import MFAConfig
from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig


class ConfigConfig(AppConfig):
    name = "config"


class AdminConfig(SimpleAdminConfig):
    """Does not import the admin modules at start: `config.urls` does, when the first page is asked for."""

    default_site = "config.admin.QuartermasterSite"


class SecondFactorsConfig(MFAConfig):  # type: ignore[misc]  # untyped
    """The library's tables alone. Its `ready` brings the adapters, for pages of its own that are not shown here."""

    def ready(self) -> None:
        pass
