from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelect2MultipleWidget

from accounts.models import ApiKey, Role, UserRole
from accounts.permissions import known
from accounts.services.roles import api_key_create, api_key_revoke, refuse_beyond, refuse_built_in, refuse_higher_role
from core.admin import TenantAdmin
from core.admin_actions import confirmed
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
