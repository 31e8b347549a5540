from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action

from accounts.admin.roles import PermissionsField, held_by
from accounts.models import ApiKey
from accounts.services.keys import NewKey, api_key_create, api_key_revoke, api_key_rotate
from accounts.services.roles import refuse_beyond
from core.admin import TenantAdmin
from core.admin_actions import confirmed
from core.admin_forms import TenantModelForm
from core.errors import DomainError


class ApiKeyForm(TenantModelForm):
    scopes = PermissionsField(help_text="What programs with this key may do.")


@admin.register(ApiKey)
class ApiKeyAdmin(TenantAdmin):
    """The key itself is shown once, on the page that answers its creation. Keys are revoked, not deleted."""

    form = ApiKeyForm
    list_display = ["name", "prefix", "require_signature", "expires_at", "revoked_at", "last_used_at"]
    readonly_fields = ["prefix", "rotated_from", "revoked_at", "last_used_at"]
    sortable_by = ["name"]
    actions_detail = ["rotate", "revoke"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [*super().get_readonly_fields(request, obj), *(["require_signature"] if obj else [])]

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            refuse_beyond(obj.scopes, held_by(request))
            super().save_model(request, obj, form, change)
            return
        names = ("name", "scopes", "allowed_networks", "rate_per_minute", "require_signature", "expires_at")
        made = api_key_create(**{name: form.cleaned_data[name] for name in names}, granter=held_by(request))
        obj.pk, obj.prefix, obj.made = made.row.pk, made.row.prefix, made  # type: ignore[attr-defined]  # for the answer

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self._shown_once(request, obj.made)

    def _shown_once(self, request: HttpRequest, made: NewKey) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request), "title": "The new key", "opts": self.opts, "object": made.row,
            "key": made.key, "signing_secret": made.signing_secret,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/accounts/apikey/created.html", context)

    @action(description="Rotate", url_path="rotate", permissions=["rotate"])
    @confirmed("Make a successor with the same rights? The old key works for another 24 hours.")
    def rotate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        key = self.get_object(request, object_id)
        if key is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        try:
            return self._shown_once(request, api_key_rotate(api_key=key, granter=held_by(request)))
        except DomainError as refused:
            self.message_user(request, refused.detail, messages.ERROR)
            return HttpResponseRedirect(reverse("admin:accounts_apikey_change", args=[key.pk]))

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

    def has_rotate_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_add_permission(request) and self.has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
