"""Which permission a request needs."""

from typing import Any

from rest_framework.permissions import BasePermission

from core.problems import MissingPermission

VERBS = {
    "GET": "view", "HEAD": "view", "OPTIONS": "view", "POST": "add", "PUT": "change", "PATCH": "change", "DELETE": "delete",
}


class SignedIn(BasePermission):
    """Any person or program of the organization."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return request._request.principal is not None


class HasPermission(BasePermission):
    """The permission of the view's action, else the one of the method and the model, e.g. inventory.add_product."""

    def has_permission(self, request: Any, view: Any) -> bool:
        principal = request._request.principal
        if principal is None:
            return False
        needed = required_permission(view, request.method)
        if view.action == "bulk":  # each operation demands its own; here one of them is enough
            needed = next(filter(principal.permissions.__contains__, _writing(view.model())), needed)
        if needed in principal.permissions:
            return True
        raise MissingPermission(needed)


def required_permission(view: Any, method: str) -> str:
    return view.permission or permission_of(view.model(), VERBS.get(method, "view"))


def permission_of(model: Any, verb: str) -> str:
    return f"{model._meta.app_label}.{verb}_{model._meta.model_name}"


def _writing(model: Any) -> list[str]:
    return [permission_of(model, verb) for verb in ("add", "change", "delete")]


def demand(request: Any, permission: str) -> None:
    """Raises MissingPermission; for what a request does besides its method's verb."""
    if permission not in request._request.principal.permissions:
        raise MissingPermission(permission)
