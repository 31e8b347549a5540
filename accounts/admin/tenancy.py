from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.models import Membership, Organization, UserRole
from accounts.services.tenancy import refuse_unprotected
from core.admin import TenantAdmin, TenantTabularInline


@admin.register(Organization)
class OrganizationAdmin(TenantAdmin):
    """The organization one works for: a list of one."""

    list_display = ["name", "legal_name", "base_currency", "timezone", "status"]
    readonly_fields = ["slug", "status"]

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        refuse_unprotected(required=form.cleaned_data.get("require_mfa", False), principal=request.principal)
        super().save_model(request, obj, form, change)

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
    readonly_fields = ["user", "email", "is_default", "joined_at"]
    fields = ["user", "email", "status", "is_default", "joined_at"]
    inlines = [UserRoleInline]

    @admin.display(description="e-mail address")
    def email(self, membership: Membership) -> str:
        return membership.user.email

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
