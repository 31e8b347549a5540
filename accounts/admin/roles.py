from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelect2MultipleWidget

from accounts.models import ApiKey, Role, UserRole
from accounts.permissions import labelled
from accounts.services.roles import (
    api_key_create,
    api_key_revoke,
    everywhere,
    refuse_beyond,
    refuse_built_in,
    refuse_used,
    refuse_wider_role,
)  # fmt: skip
from core.admin import TenantAdmin
from core.admin_actions import confirmed
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


class ApiKeyForm(TenantModelForm):
    scopes = PermissionsField(help_text="What programs with this key may do.")


@admin.register(ApiKey)
class ApiKeyAdmin(TenantAdmin):
    """The key itself is shown once, on the page that answers its creation. Keys are revoked, not deleted."""

    form = ApiKeyForm
    list_display = ["name", "prefix", "expires_at", "revoked_at", "last_used_at"]
    readonly_fields = ["prefix", "revoked_at", "last_used_at"]
    sortable_by = ["name"]
    actions_detail = ["revoke"]

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            refuse_beyond(obj.scopes, held_by(request))
            super().save_model(request, obj, form, change)
            return
        names = ("name", "scopes", "allowed_networks", "expires_at")
        row, key = api_key_create(**{name: form.cleaned_data[name] for name in names}, granter=held_by(request))
        obj.pk, obj.prefix, obj.key = row.pk, row.prefix, key  # type: ignore[attr-defined]  # for the answer

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request), "title": "The new key", "opts": self.opts, "object": obj, "key": obj.key,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/accounts/apikey/created.html", context)

    @action(description="Revoke", url_path="revoke", permissions=["change"])
    @confirmed("Revoke this key? Programs that use it are refused from now on.")
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        key = self.get_object(request, object_id)
        if key is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        api_key_revoke(api_key=key)
        self.message_user(request, f"{key.name} is revoked.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:accounts_apikey_change", args=[key.pk]))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
