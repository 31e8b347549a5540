"""One router out of the `routes` tables of the apps' api modules."""

from collections.abc import Mapping
from typing import Any

from rest_framework.routers import SimpleRouter

VIEWS: dict[str, Any] = {}  # the first resource of each model, by its label


class Router(SimpleRouter):
    def __init__(self, *tables: Mapping[str, Any]) -> None:
        super().__init__()
        for table in tables:
            for prefix, viewset in table.items():
                self.register(prefix, viewset, basename=prefix)
                VIEWS.setdefault(viewset.model()._meta.label_lower, viewset)
