"""Hands the middleware's principal to DRF."""

from typing import Any

from rest_framework.authentication import SessionAuthentication

from core.problems import CHALLENGE


class PrincipalAuthentication(SessionAuthentication):
    """A request by cookie must also pass the CSRF check."""

    def authenticate(self, request: Any) -> tuple[Any, Any] | None:
        principal = getattr(request._request, "principal", None)
        if principal is None:
            return None
        if principal.by_cookie:
            self.enforce_csrf(request)
        return principal.user, principal

    def authenticate_header(self, request: Any) -> str:
        return CHALLENGE
