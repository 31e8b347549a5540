from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelect2MultipleWidget

from accounts.models import Role, UserRole
from accounts.permissions import known
from accounts.services.roles import refuse_beyond, refuse_built_in, refuse_higher_role
from core.admin import TenantAdmin
from core.admin_forms import TenantModelForm


class PermissionsField(forms.MultipleChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=permission_choices, widget=UnfoldAdminSelect2MultipleWidget, **kwargs)

    def has_changed(self, initial: Iterable[str] | None, data: Iterable[str] | None) -> bool:
        return set(initial or ()) != set(data or ())


def permission_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """By app; "accounts.view_party" reads as "view party"."""
    apps: dict[str, list[tuple[str, str]]] = {}
    for code in sorted(known()):
        app, _, verb = code.partition(".")
        apps.setdefault(app, []).append((code, f"{app}: {verb.replace('_', ' ')}"))
    return list(apps.items())


def held_by(request: HttpRequest) -> frozenset[str]:
    user: Any = request.user
    permissions: frozenset[str] = user.permissions
    return permissions


class RoleForm(TenantModelForm):
    permissions = PermissionsField(required=False)


@admin.register(Role)
class RoleAdmin(TenantAdmin):
    """Admin, Manager and Viewer are looked at: the product says what they hold."""

    form = RoleForm
    list_display = ["name", "code", "is_built_in"]
    ordering = ("code",)
    search_keys = ("code",)

    def save_model(self, request: HttpRequest, obj: Role, form: Any, change: bool) -> None:
        refuse_beyond(obj.permissions, held_by(request))
        super().save_model(request, obj, form, change)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and obj.is_built_in)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.is_built_in)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for role in queryset:
            refuse_built_in(role)
        super().delete_queryset(request, queryset)


@admin.register(UserRole)
class UserRoleAdmin(TenantAdmin):
    list_display = ["membership", "role", "expires_at"]
    list_filter = ["role"]
    list_select_related = ["membership__user"]

    def save_model(self, request: HttpRequest, obj: UserRole, form: Any, change: bool) -> None:
        refuse_higher_role(obj.role_id, held_by(request))
        super().save_model(request, obj, form, change)
