"""One router out of the `routes` tables of the apps' api modules."""

from collections.abc import Mapping
from typing import Any

from rest_framework.routers import Route, SimpleRouter

from core.expanding import register

BULK = Route(
    url=r"^{prefix}/bulk{trailing_slash}$", name="{basename}-bulk", detail=False, initkwargs={}, mapping={"post": "bulk"},
)
# A reference may hold a slash, sent as %2F.
BY_REF = Route(
    url=r"^{prefix}/by-ref/(?P<external_ref>.+){trailing_slash}$", name="{basename}-by-ref", detail=True, initkwargs={},
    mapping={"get": "retrieve_by_ref", "put": "update_by_ref"},
)

VIEWS: dict[str, Any] = {}  # the first resource of each model, by its label


class Router(SimpleRouter):
    def __init__(self, *tables: Mapping[str, Any]) -> None:
        super().__init__()
        for table in tables:
            for prefix, viewset in table.items():
                self.register(prefix, viewset, basename=prefix.replace("/", "-"))
                register(viewset)
                VIEWS.setdefault(viewset.model()._meta.label_lower, viewset)

    def get_routes(self, viewset: Any) -> list[Any]:
        """Before the single rows, whose pattern takes any word for an id."""
        own = [*([BULK] if viewset.takes_bulk() else []), *([BY_REF] if viewset.takes_refs() else [])]
        return [*own, *super().get_routes(viewset)]
