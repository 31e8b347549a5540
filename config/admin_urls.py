"""Imported when the first page of the admin is asked for: it brings every admin module."""

from importlib import import_module
from typing import Any

from django.contrib.admin import site

# Not `admin.autodiscover()`: the libraries' own pages show the users of all organizations.
for app in ("accounts", "notifications", "inventory", "orders"):
    import_module(f"{app}.admin")

clerk: Any = import_module("inventory.admin.clerk.urls")
desk: Any = import_module("orders.admin.desk.urls")
inbox: Any = import_module("notifications.admin.inbox")

urlpatterns = [*inbox.urls(site), *clerk.urls(site), *desk.urls(site), *site.urls[0]]
