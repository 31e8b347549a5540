from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest

from core.admin import ReadOnlyTenantAdmin, TenantAdmin
from core.admin_forms import TenantModelForm
from core.errors import Invalid
from notifications.admin import dead_letters
from notifications.models import EventDelivery, EventSubscription, OutboxEvent
from notifications.registry import subscribables
from notifications.services.replaying import subscription_delete
from notifications.subscriptions import MOST, chosen_target


@admin.register(OutboxEvent)
class OutboxEventAdmin(ReadOnlyTenantAdmin):
    list_display = ["occurred_at", "type", "aggregate_type", "aggregate_id", "position", "relayed_at", "correlation_id"]
    search_keys = ["type"]


class EventSubscriptionForm(TenantModelForm):
    task = forms.ChoiceField(required=False, help_text="One that the code declares a target of subscriptions.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "task" in self.fields:  # not where it is only looked at
            known = sorted({*subscribables(), *filter(None, [self.instance.task])})
            self.fields["task"].choices = [("", "---------"), *((name, name) for name in known)]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        try:
            target = chosen_target({name: cleaned.get(name) for name in ("endpoint", "topic", "task")})
        except Invalid as error:
            raise forms.ValidationError(error.detail) from error
        if self.instance._state.adding and EventSubscription.objects.count() >= MOST:
            raise forms.ValidationError(f"An organization has at most {MOST} subscriptions: delete one first.")
        self.instance.target_kind = target["target_kind"]
        self.instance.problem = ""
        return cleaned


@admin.register(EventSubscription)
class EventSubscriptionAdmin(TenantAdmin):
    """Which events go where: to an endpoint, a topic or a task."""

    form = EventSubscriptionForm
    list_display = ["name", "target_kind", "endpoint", "topic", "task", "enabled", "problem"]
    list_filter = ["enabled"]
    search_keys = ["name"]
    in_palette = False
    fields = ["name", "bus", "pattern", "endpoint", "topic", "task", "enabled", "problem"]
    readonly_fields = ["problem"]

    def save_model(self, request: HttpRequest, obj: EventSubscription, form: Any, change: bool) -> None:
        if change:
            obj.save(update_fields=[*form.written_fields(), "target_kind", "problem"])
        else:
            obj.save()

    def delete_model(self, request: HttpRequest, obj: EventSubscription) -> None:
        subscription_delete(subscription_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for pk in queryset.values_list("pk", flat=True):
            subscription_delete(subscription_id=pk)
        messages.info(request, "Their deliveries went with them.")


@admin.register(EventDelivery)
class EventDeliveryAdmin(ReadOnlyTenantAdmin):
    """What is replayed or discarded is found on the page of dead letters."""

    list_display = ["created_at", "event", "subscription", "status", "attempts", "next_attempt_at", "finished_at", "last_error"]
    list_filter = ["status", "subscription"]

    def get_urls(self) -> list[Any]:
        return [*dead_letters.urls(self.admin_site), *super().get_urls()]
