from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.timesince import timesince
from unfold.decorators import action

from core.admin import ReadOnlyTenantAdmin, TenantAdmin
from core.admin_actions import confirmed
from core.errors import DomainError
from notifications.models import DeliveryAttempt, WebhookEndpoint
from notifications.queries.webhooks import Line, line_to
from notifications.services.webhooks import (
    NewSecret,
    webhook_endpoint_create,
    webhook_endpoint_delete,
    webhook_endpoint_disable,
    webhook_endpoint_enable,
    webhook_endpoint_replay,
    webhook_endpoint_rotate,
    webhook_health_forget,
)
from notifications.webhooks import webhook_try

LATEST = 20
WORDS = {
    "healthy": "Healthy", "failing": "Failing", "circuit_open": "Failing: circuit open", "probing": "Failing: to be probed",
    "disabled": "Disabled",
}


def in_words(line: Line) -> str:
    since = f" for {timesince(line.failing_since)}" if line.failing_since and not line.disabled_at else ""
    why = f": {line.disabled_reason}" if line.disabled_at else ""
    return f"{WORDS[line.state]}{since}{why}"


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(TenantAdmin):
    """The secret is shown once, on the page that answers the creation or the rotation."""

    list_display = ["name", "url", "purpose", "state", "max_per_second"]
    list_per_page = 20  # a state is a look-up of its own, and an organization has a handful of endpoints
    readonly_fields = ["state", "previous_secret_until", "latest_attempts"]
    sortable_by = ["name"]
    actions_detail = ["test", "rotate", "enable", "disable", "replay"]

    @admin.display(description="state")
    def state(self, endpoint: WebhookEndpoint) -> str:
        line = line_to(endpoint.pk)
        return in_words(line) if line else ""

    @admin.display(description="latest attempts")
    def latest_attempts(self, endpoint: WebhookEndpoint) -> str:
        found = DeliveryAttempt.objects.filter(delivery__subscription__endpoint=endpoint).order_by("-id")[:LATEST]
        return format_html_join("", "{}<br>", [(_attempt_line(attempt),) for attempt in found]) or "None yet."

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fields = super().get_fields(request, obj)
        return fields if request.user.has_perm("notifications.view_deliveryattempt") else [
            name for name in fields if name != "latest_attempts"
        ]

    def save_model(self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            if {"url", "max_per_second"} & set(form.changed_data):
                webhook_health_forget(endpoint_ids=[obj.pk])
            return
        names = ("name", "url", "max_attempts", "max_per_second", "purpose")
        made = webhook_endpoint_create(**{name: form.cleaned_data[name] for name in names})
        obj.pk, obj.made = made.row.pk, made  # type: ignore[attr-defined]  # for the answer

    def delete_model(self, request: HttpRequest, obj: WebhookEndpoint) -> None:
        webhook_endpoint_delete(endpoint=obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for endpoint in queryset:
            webhook_endpoint_delete(endpoint=endpoint)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self._shown_once(request, obj.made)

    def _shown_once(self, request: HttpRequest, made: NewSecret) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request), "title": "The secret", "opts": self.opts, "object": made.row,
            "secret": made.secret,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/notifications/webhookendpoint/secret.html", context)

    @action(description="Send a test event", url_path="test", permissions=["change"])
    @confirmed("Send an event webhook.test to it now?")
    def test(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._done(request, object_id, self._test)

    @action(description="Rotate the secret", url_path="rotate", permissions=["change"])
    @confirmed("Make a new secret? The present one signs beside it for another 24 hours.")
    def rotate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        endpoint = self.get_object(request, object_id)
        if endpoint is None:
            return self._missing(request, object_id)
        return self._shown_once(request, webhook_endpoint_rotate(endpoint=endpoint))

    @action(description="Enable", url_path="enable", permissions=["change"])
    @confirmed("Send events to it again? Those that became dead letters wait for a replay.")
    def enable(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._done(request, object_id, self._enable)

    @action(description="Disable", url_path="disable", permissions=["change"])
    @confirmed("Send it nothing any more? Events for it become dead letters, which can be replayed.")
    def disable(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._done(request, object_id, self._disable)

    @action(description="Replay dead letters", url_path="replay", permissions=["replay"])
    @confirmed("Send again what could not be delivered, up to 1,000 events of each subscription?")
    def replay(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._done(request, object_id, self._replay)

    def has_replay_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("notifications.replay_eventdelivery"))

    def _replay(self, request: HttpRequest, endpoint: WebhookEndpoint) -> None:
        found = [one for _, one in webhook_endpoint_replay(endpoint=endpoint, statuses=["dead"])]
        more = " There are more: once again." if any(one.more for one in found) else ""
        self.message_user(request, f"{sum(one.replayed for one in found)} events are sent again.{more}", messages.SUCCESS)

    def _test(self, request: HttpRequest, endpoint: WebhookEndpoint) -> None:
        _, tried = webhook_try(endpoint.pk)
        answered = f"{tried.error or f'It answered {tried.status_code}.'} ({tried.duration_ms} ms) {tried.excerpt[:200]}"
        self.message_user(request, answered, messages.SUCCESS if tried.is_taken else messages.ERROR)

    def _enable(self, request: HttpRequest, endpoint: WebhookEndpoint) -> None:
        webhook_endpoint_enable(endpoint=endpoint)
        self.message_user(request, f"{endpoint.name} is enabled.", messages.SUCCESS)

    def _disable(self, request: HttpRequest, endpoint: WebhookEndpoint) -> None:
        webhook_endpoint_disable(endpoint_id=endpoint.pk, reason="Somebody disabled it.")
        self.message_user(request, f"{endpoint.name} is disabled.", messages.SUCCESS)

    def _done(self, request: HttpRequest, object_id: str, do: Any) -> HttpResponse:
        endpoint = self.get_object(request, object_id)
        if endpoint is None:
            return self._missing(request, object_id)
        try:
            do(request, endpoint)
        except DomainError as refused:
            self.message_user(request, refused.detail, messages.ERROR)
        return HttpResponseRedirect(reverse("admin:notifications_webhookendpoint_change", args=[endpoint.pk]))

    def _missing(self, request: HttpRequest, object_id: str) -> HttpResponse:
        missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return missing


@admin.register(DeliveryAttempt)
class DeliveryAttemptAdmin(ReadOnlyTenantAdmin):
    list_display = ["created_at", "delivery", "number", "status_code", "error", "duration_ms"]


def _attempt_line(attempt: DeliveryAttempt) -> str:
    address = reverse("admin:notifications_deliveryattempt_change", args=[attempt.pk])
    said = attempt.error or f"{attempt.status_code}"
    return format_html(
        '<a href="{}">{}</a> attempt {}: {} ({} ms)',
        address, f"{attempt.created_at:%Y-%m-%d %H:%M:%S}", attempt.number, said, attempt.duration_ms,
    )
