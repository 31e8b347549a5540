"""The OpenAPI description of what the base classes do, so that no resource repeats it."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter


class Schema(AutoSchema):
    def get_override_parameters(self) -> list[Any]:
        known = getattr(self.view, "known_parameters", None)  # importing core.api here would be a circle
        if known is None or self.view.action != "list":
            return []
        return [OpenApiParameter(name, str) for name in known()]
