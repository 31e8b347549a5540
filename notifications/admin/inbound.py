from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from core.admin import ReadOnlyTenantAdmin, TenantAdmin
from core.admin_actions import confirmed
from core.admin_forms import TenantModelForm
from core.errors import DomainError
from notifications.models import InboundSource, InboundWebhook
from notifications.services.inbound import (
    inbound_webhook_ignore,
    inbound_webhook_reprocess,
    inbound_webhooks_reprocess,
)
from notifications.services.inbound_sources import LONGEST, NewSecret, inbound_source_create, inbound_source_rotate

CHANGE = "notifications.change_inboundwebhook"


class InboundSourceForm(TenantModelForm):
    given_secret = forms.CharField(  # not the column, which is sealed
        label="Secret", required=False, max_length=LONGEST, strip=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text="The sender's, where it makes one. Left empty, we make one, and show it this once.",
    )


class RotationForm(forms.Form):
    secret = forms.CharField(
        required=False, max_length=LONGEST, strip=False, widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text="The sender's new one. Left empty, we make one and show it this once. The old one counts for 24 hours more.",
    )


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget())


@admin.register(InboundSource)
class InboundSourceAdmin(TenantAdmin):
    """A secret that we make is shown once, on the page that answers its making."""

    form = InboundSourceForm
    list_display = ["name", "key", "scheme", "is_active", "rotation_ends_at"]
    readonly_fields = ["rotation_ends_at"]
    sortable_by = ["key"]
    actions_detail = ["rotate_secret"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [*super().get_readonly_fields(request, obj), *(["scheme"] if obj else [])]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [name for name in super().get_fields(request, obj) if name != "given_secret" or obj is None]

    def save_model(self, request: HttpRequest, obj: InboundSource, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        values = dict(form.cleaned_data)
        made = inbound_source_create(secret=values.pop("given_secret"), **values)
        obj.pk, obj.made = made.row.pk, made  # type: ignore[attr-defined]  # for the answer

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self._shown_once(request, obj.made)

    def _shown_once(self, request: HttpRequest, made: NewSecret) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request), "title": made.row.name, "opts": self.opts, "object": made.row,
            "secret": made.secret, "address": request.build_absolute_uri(reverse("inbound", args=[made.row.pk])),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(
            request, "admin/notifications/inboundsource/secret.html", context, headers={"Cache-Control": "no-store"},
        )

    @action(description="Rotate the secret", url_path="rotate-secret", permissions=["change"])
    def rotate_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        source = self.get_object(request, object_id)
        if source is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        form = RotationForm(request.POST if request.method == "POST" else None)
        if form.is_bound and form.is_valid():
            try:
                return self._shown_once(request, inbound_source_rotate(source=source, secret=form.cleaned_data["secret"]))
            except DomainError as refused:
                form.add_error(None, refused.detail)
        return _asked(self, request, source, form, "Rotate the secret")


@admin.register(InboundWebhook)
class InboundWebhookAdmin(ReadOnlyTenantAdmin):
    list_display = ["created_at", "source", "type", "external_id", "status", "attempts", "processed_at", "error"]
    list_filter = ["status", "source"]
    search_keys = ["type"]
    actions = ["reprocess_selected"]
    actions_list = ["reprocess_failed"]
    actions_detail = ["reprocess", "ignore"]

    @admin.action(description="Process the selected failed and ignored ones again", permissions=["reprocess"])
    def reprocess_selected(self, request: HttpRequest, queryset: QuerySet) -> None:
        self._say_how_many(request, queryset)

    @action(description="Process failed ones again", url_path="reprocess-failed", permissions=["reprocess"])
    @confirmed("Process all webhooks again that failed?")
    def reprocess_failed(self, request: HttpRequest) -> HttpResponse:
        self._say_how_many(request, InboundWebhook.objects.filter(status=InboundWebhook.Status.FAILED))
        return HttpResponseRedirect(reverse("admin:notifications_inboundwebhook_changelist"))

    @action(description="Process again", url_path="reprocess", permissions=["reprocess"])
    @confirmed("Process this webhook again?")
    def reprocess(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if (webhook := self.get_object(request, object_id)) is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        try:
            inbound_webhook_reprocess(webhook_id=webhook.pk)
            self.message_user(request, "It will be processed again.", messages.SUCCESS)
        except DomainError as refused:
            self.message_user(request, refused.detail, messages.ERROR)
        return HttpResponseRedirect(reverse("admin:notifications_inboundwebhook_change", args=[webhook.pk]))

    @action(description="Ignore", url_path="ignore", permissions=["reprocess"])
    def ignore(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if (webhook := self.get_object(request, object_id)) is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if form.is_bound and form.is_valid():
            try:
                inbound_webhook_ignore(webhook_id=webhook.pk, reason=form.cleaned_data["reason"])
                return HttpResponseRedirect(reverse("admin:notifications_inboundwebhook_change", args=[webhook.pk]))
            except DomainError as refused:
                form.add_error(None, refused.detail)
        return _asked(self, request, webhook, form, "Ignore this webhook")

    def has_reprocess_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm(CHANGE))

    def _say_how_many(self, request: HttpRequest, webhooks: QuerySet) -> None:
        reprocessed = inbound_webhooks_reprocess(webhooks=webhooks)
        more = " There are more: ask again." if reprocessed.more else ""
        self.message_user(request, f"{reprocessed.done} will be processed again.{more}", messages.SUCCESS)


def _asked(page: Any, request: HttpRequest, row: Any, form: forms.Form, title: str) -> HttpResponse:
    context = {
        **page.admin_site.each_context(request), "title": title, "opts": page.opts, "object": row, "form": form,
        "back": reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_change", args=[row.pk]),
    }
    request.current_app = page.admin_site.name
    return TemplateResponse(request, "admin/notifications/question.html", context)
