from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.models import Membership
from core.admin import ReadOnlyTenantAdmin, TenantAdmin
from core.admin_actions import confirmed
from core.admin_forms import TenantModelForm, changed_columns
from notifications.adapters import adapters
from notifications.models import ExternalCacheEntry, ExternalSource, ExternalSubject, Watch, WatchHit
from notifications.queries.external import health_of
from notifications.services.external_sources import (
    LONGEST_CREDENTIAL,
    external_source_create,
    external_source_set_credential,
    external_source_update,
    external_subjects_check,
)
from notifications.services.watching import watch_check

STATES = {"closed": "Answers", "open": "Failing: circuit open", "half_open": "Failing: to be probed"}


def adapter_choices() -> list[tuple[str, str]]:
    return [(one.name, one.label) for one in adapters().values()]


class ExternalSourceForm(TenantModelForm):
    adapter = forms.ChoiceField(
        choices=adapter_choices, widget=UnfoldAdminSelectWidget(), help_text="How its answers are read.",
    )
    given_credential = forms.CharField(  # not the column, which is sealed
        label="Credential", required=False, max_length=LONGEST_CREDENTIAL, strip=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text="The value of the header, such as Bearer abc123. It is never shown; left empty, it stays as it is.",
    )


@admin.register(ExternalSource)
class ExternalSourceAdmin(TenantAdmin):
    form = ExternalSourceForm
    fields = [
        "name", "adapter", "base_url", "kinds", "credential_header", "given_credential", "timeout", "max_per_minute",
        "default_ttl", "stale_seconds", "is_active", "state",
    ]
    list_display = ["name", "adapter", "base_url", "state", "is_active"]
    list_per_page = 20  # a state is a look-up of its own, and an organization has a handful of sources
    readonly_fields = ["state"]
    search_keys = ["name_key"]

    @admin.display(description="state")
    def state(self, source: ExternalSource) -> str:
        health = health_of(source.pk)
        shown = "Failing" if health.failure_count and health.circuit_state == "closed" else STATES[health.circuit_state]
        return f"{shown}. {health.last_error}".strip() if health.failure_count else shown

    def save_model(self, request: HttpRequest, obj: ExternalSource, form: Any, change: bool) -> None:
        values = dict(form.cleaned_data)
        credential = values.pop("given_credential")
        if not change:
            obj.pk = external_source_create(credential=credential, **values).pk
            return
        if changed := changed_columns(obj, [name for name in form.changed_data if name in values]):
            external_source_update(source=obj, values={name: values[name] for name in changed})
        if credential:
            external_source_set_credential(source=obj, credential=credential)


@admin.register(ExternalSubject)
class ExternalSubjectAdmin(TenantAdmin):
    list_display = ["label", "source", "kind", "external_id"]
    list_filter = ["source"]
    search_keys = ["label_key"]

    def save_model(self, request: HttpRequest, obj: ExternalSubject, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        external_subjects_check(ids=[obj.pk])


@admin.register(ExternalCacheEntry)
class ExternalCacheEntryAdmin(ReadOnlyTenantAdmin):
    list_display = ["source", "cache_key", "found", "fetched_at", "expires_at", "last_error"]


@admin.register(Watch)
class WatchAdmin(TenantAdmin):
    list_display = ["name", "membership", "subject", "condition", "threshold", "last_value", "last_checked_at", "last_error"]
    readonly_fields = ["last_found", "last_value", "last_checked_at", "last_error"]
    actions_detail = ["check_now"]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        own = Membership.objects.filter(user=request.user.pk).first()
        return {**({"membership": own.pk} if own else {}), **super().get_changeform_initial_data(request)}

    @action(description="Check now", url_path="check", permissions=["change"])
    @confirmed("Ask the source now, and mail what has happened?")
    def check_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        watch: Any = self.get_object(request, object_id)
        if watch is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        watch_check(watch=watch)
        self.message_user(request, "It is being checked. What was found is among the watch hits in a moment.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:notifications_watch_change", args=[watch.pk]))


@admin.register(WatchHit)
class WatchHitAdmin(ReadOnlyTenantAdmin):
    list_display = ["found_at", "watch", "before", "after", "digested_at"]
    list_filter = ["watch"]
