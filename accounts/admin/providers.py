from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.admin.roles import held_by
from accounts.models import ExternalIdentity, IdentityProvider
from accounts.services.providers import refuse_group_roles
from core.admin import TenantAdmin


@admin.register(IdentityProvider)
class IdentityProviderAdmin(TenantAdmin):
    """It counts once an operator has approved it."""

    list_display = ["name", "issuer", "audience", "creates_members", "is_active", "approved"]
    readonly_fields = ["approved"]
    sortable_by = ["name"]

    @admin.display(boolean=True, description="approved by an operator")
    def approved(self, provider: IdentityProvider) -> bool:
        return provider.is_approved

    def save_model(self, request: HttpRequest, obj: IdentityProvider, form: Any, change: bool) -> None:
        refuse_group_roles(obj.group_roles, held_by(request))
        super().save_model(request, obj, form, change)


@admin.register(ExternalIdentity)
class ExternalIdentityAdmin(TenantAdmin):
    """Made by the first sign-in."""

    list_display = ["subject", "provider", "membership", "groups_at"]
    list_select_related = ["provider", "membership__user"]
    readonly_fields = ["subject", "provider", "membership", "groups", "groups_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
