from django.contrib import admin

from accounts.models import Impersonation
from core.admin import ReadOnlyTenantAdmin


@admin.register(Impersonation)
class ImpersonationAdmin(ReadOnlyTenantAdmin):
    """When platform staff acted for a member, and why."""

    list_display = ["created_at", "staff", "member", "reason", "expires_at", "ended_at"]
    list_select_related = ["impersonator", "membership__user"]
    ordering = ("-id",)
    in_palette = False
    fields = ("created_at", "staff", "member", "reason", "expires_at", "ended_at")

    @admin.display(description="platform staff")
    def staff(self, impersonation: Impersonation) -> str:
        return str(impersonation.impersonator)

    @admin.display(description="member")
    def member(self, impersonation: Impersonation) -> str:
        return str(impersonation.membership)
