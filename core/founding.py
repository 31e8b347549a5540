"""What a new organization gets from each app before anybody works in it.

An app says so in `<app>/founding.py`, as a function `furnish()`, which runs in the scope of the new organization.
So accounts, which founds it, need not know the apps above.
"""

from importlib import import_module
from importlib.util import find_spec

from django.apps import apps


def furnish() -> None:
    for config in apps.get_app_configs():
        if config.name != "core" and find_spec(name := f"{config.name}.founding"):
            import_module(name).furnish()
