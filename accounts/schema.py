"""How a request proves who makes it, for the OpenAPI description."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension


class SignIn(OpenApiAuthenticationExtension):
    """Registers itself by being imported."""

    target_class = "accounts.authentication.PrincipalAuthentication"
    name = ["bearer", "apiKey", "session"]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return [
            {
                "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                "description": "An access token of `/api/v1/auth/token/`.",
            },
            {"type": "apiKey", "in": "header", "name": "Authorization", "description": "`Api-Key <key>`"},
            {
                "type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME,
                "description": "The session of the admin; unsafe methods need the CSRF token too.",
            },
        ]  # fmt: skip
