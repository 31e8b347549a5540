from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from core.admin import ReadOnlyTenantAdmin
from core.errors import DomainError
from inventory.models import Reservation
from inventory.services.reservations import stock_release

RELEASE = "inventory.release_stock"


@admin.register(Reservation)
class ReservationAdmin(ReadOnlyTenantAdmin):
    """What is promised to whom. Orders reserve and pick; here one gives goods back that nobody will fetch."""

    list_display = [
        "variant", "warehouse", "lot", "quantity", "picked_quantity", "demand_type", "demand_id", "expires_at", "status",
    ]
    list_filter = ["status", "warehouse"]
    actions = ["release"]

    @admin.action(description="Release the selected reservations", permissions=["release"])
    def release(self, request: HttpRequest, queryset: QuerySet) -> None:
        self.refuse_outside(request, queryset, "change", RELEASE)
        try:
            done = stock_release(reservations=list(queryset.values_list("pk", flat=True)))
        except DomainError as error:
            self.message_user(request, error.detail, messages.WARNING)
        else:
            self.message_user(request, f"{len(done)} released.", messages.SUCCESS)

    def has_release_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm(RELEASE))
