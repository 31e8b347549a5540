"""Imported when the first page of the admin is asked for: it brings every admin module."""

import accounts.admin
import inventory.admin
import notifications.admin
import orders.admin  # noqa: F401
from django.contrib.admin import site

# Not `admin.autodiscover()`: the libraries' own pages show the users of all organizations.
urlpatterns = site.urls[0]
