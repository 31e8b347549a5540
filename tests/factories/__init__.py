"""A row of each model, made inside the scope of an organization; each factory fills what the API filters by."""

from importlib import import_module
from pkgutil import iter_modules

from django.db.models import Model
from factory.django import DjangoModelFactory

BY_MODEL: dict[type[Model], type[DjangoModelFactory]] = {
    found._meta.model: found
    for module in iter_modules(__path__)
    for found in vars(import_module(f"{__name__}.{module.name}")).values()
    if isinstance(found, type) and issubclass(found, DjangoModelFactory) and found is not DjangoModelFactory
}
