from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest

from accounts.models import Membership
from core.admin import ReadOnlyTenantAdmin


class NamesPeople(ReadOnlyTenantAdmin):
    """Who asked and who decided by their names, in the statement that reads the rows."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(  # type: ignore[no-any-return]
            asked_by=_name_of("requested_by"), settled_by=_name_of("decided_by"),
        )

    def requester(self, row: Any) -> str | None:
        found: str | None = row.asked_by
        return found

    def decider(self, row: Any) -> str | None:
        found: str | None = row.settled_by
        return found

    requester.short_description = "requested by"  # type: ignore[attr-defined]  # where Django looks for a heading
    decider.short_description = "decided by"  # type: ignore[attr-defined]


def _name_of(column: str) -> Subquery:
    """Through memberships: the users of other organizations stay unknown."""
    return Subquery(Membership.objects.filter(user=OuterRef(column)).values("user__name")[:1])
