from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import Membership, Organization, UserRole
from core.admin import TenantAdmin, TenantTabularInline


@admin.register(Organization)
class OrganizationAdmin(TenantAdmin):
    """The organization one works for: a list of one."""

    list_display = ["name", "legal_name", "base_currency", "timezone", "status"]
    readonly_fields = ["slug", "status"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class UserRoleInline(TenantTabularInline):
    model = UserRole


@admin.register(Membership)
class MembershipAdmin(TenantAdmin):
    """Members join by invitation; here their status and their roles change. People are seen through memberships alone."""

    list_display = ["user", "email", "status", "is_default", "joined_at"]
    list_filter = ["status"]
    list_select_related = ["user"]
    search_keys = ("user__email",)
    readonly_fields = ["user", "email", "is_default", "joined_at", "activity"]
    fields = ["user", "email", "status", "is_default", "joined_at", "activity"]
    inlines = [UserRoleInline]

    @admin.display(description="e-mail address")
    def email(self, membership: Membership) -> str:
        return membership.user.email

    @admin.display(description="activity")
    def activity(self, membership: Membership) -> SafeString:
        trail = reverse("admin:accounts_auditentry_changelist", query={"actor_id": membership.user_id})
        return format_html('<a href="{}">What this person did</a>', trail)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
