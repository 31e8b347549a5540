from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin.roles import UserRoleForm, give
from accounts.models import Membership, Organization, UserRole
from core.admin import TenantAdmin, TenantTabularInline


@admin.register(Organization)
class OrganizationAdmin(TenantAdmin):
    """The organization one works for: a list of one."""

    list_display = ["name", "legal_name", "base_currency", "timezone", "status"]
    readonly_fields = ["slug", "status"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """How much an organization may ask is for platform staff to say."""
        staff = getattr(request.user, "is_superuser", False)
        return [*super().get_readonly_fields(request, obj), *([] if staff else ["rate_per_minute"])]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class UserRoleInline(TenantTabularInline):
    model = UserRole
    form = UserRoleForm


@admin.register(Membership)
class MembershipAdmin(TenantAdmin):
    """Members join by invitation; here their status and their roles change. People are seen through memberships alone."""

    list_display = ["user", "picture", "email", "status", "is_default", "joined_at"]
    list_filter = ["status"]
    list_select_related = ["user"]
    search_keys = ("user__email",)
    readonly_fields = ["user", "email", "is_default", "joined_at"]
    fields = ["user", "email", "status", "is_default", "joined_at"]
    inlines = [UserRoleInline]

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        for row in formset.save(commit=False):
            give(request, row)
        super().save_formset(request, form, formset, change)

    @admin.display(description="picture")
    def picture(self, membership: Membership) -> SafeString | str:
        if not membership.user.avatar:
            return ""
        return format_html('<img class="member-picture" src="{}" alt="">', reverse("avatar", args=[membership.user_id]))

    @admin.display(description="e-mail address")
    def email(self, membership: Membership) -> str:
        return membership.user.email

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
