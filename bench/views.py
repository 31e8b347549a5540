"""Views called without the rest of a request. Apart from bench.requests, whose imports the cold start counts."""

from collections.abc import Callable
from typing import Any

from django.test import RequestFactory

from accounts.access_tokens import verify
from accounts.principal import MemberEntry
from bench.database import Member
from core.tenancy import organization_scope
from inventory.api.catalog import ProductViewSet


def view_of(member: Member, action: str, path: str, **arguments: Any) -> Callable[[], object]:
    """The view of products and its rendering, in a scope as the floor has one."""
    view: Any = ProductViewSet.as_view({"get": action})
    claim = verify(member.token)
    assert claim
    request: Any = RequestFactory().get(f"/api/v1/{path}")
    with organization_scope(member.organization_id, enter=MemberEntry(claim)) as request.principal:
        pass

    def call() -> object:
        with organization_scope(member.organization_id):
            return view(request, **arguments)

    return call
