from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelect2MultipleWidget

from accounts.models import Role, UserRole
from accounts.permissions import labelled
from accounts.services.roles import everywhere, refuse_beyond, refuse_built_in, refuse_used, refuse_wider_role
from core.admin import TenantAdmin
from core.admin_forms import TenantModelForm
from core.limits import warehouse_model


class PermissionsField(forms.MultipleChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=labelled, widget=UnfoldAdminSelect2MultipleWidget, **kwargs)

    def has_changed(self, initial: Iterable[str] | None, data: Iterable[str] | None) -> bool:
        return set(initial or ()) != set(data or ())


def held_by(request: Any) -> frozenset[str]:
    return everywhere(request.principal)


class WarehousesField(forms.TypedMultipleChoiceField):
    """By name; `warehouses` are those that the reader sees."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(coerce=UUID, widget=UnfoldAdminSelect2MultipleWidget, **kwargs)

    def has_changed(self, initial: Iterable[UUID] | None, data: Iterable[str] | None) -> bool:
        return {str(key) for key in initial or ()} != set(data or ())


def warehouse_choices() -> list[tuple[str, str]]:
    return [(str(warehouse.pk), str(warehouse)) for warehouse in warehouse_model().objects.order_by("code")]


class UserRoleForm(TenantModelForm):
    warehouse_ids = WarehousesField(
        choices=warehouse_choices, required=False, label="Warehouses", help_text="Where the role counts; none: everywhere.",
    )


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

    def delete_model(self, request: HttpRequest, obj: Role) -> None:
        refuse_used(obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for role in queryset:
            refuse_used(refuse_built_in(role))
        super().delete_queryset(request, queryset)


def give(request: Any, given: UserRole) -> None:
    refuse_wider_role(given.role_id, given.warehouse_ids, request.principal)


@admin.register(UserRole)
class UserRoleAdmin(TenantAdmin):
    form = UserRoleForm
    list_display = ["membership", "role", "expires_at", "where"]
    list_filter = ["role"]
    list_select_related = ["membership__user"]

    def save_model(self, request: HttpRequest, obj: UserRole, form: Any, change: bool) -> None:
        give(request, obj)
        super().save_model(request, obj, form, change)

    @admin.display(description="warehouses")
    def where(self, given: UserRole) -> str:
        count = len(given.warehouse_ids)
        return f"{count} warehouse{'s' if count > 1 else ''}" if count else ""
