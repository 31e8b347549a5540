from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from core.admin import ReadOnlyTenantAdmin, TenantAdmin, TenantTabularInline
from core.admin_actions import confirmed
from core.admin_forms import changed_columns
from core.errors import DomainError, Forbidden
from notifications.admin.asking import asked, page_of
from notifications.models import NotificationDelivery, Topic, TopicSubscription
from notifications.services.messages import topic_send
from notifications.services.topic_subscriptions import (
    topic_subscription_confirm,
    topic_subscription_create,
    topic_subscription_resend,
    topic_subscription_update,
    vouches,
)

VOUCH = "notifications.confirm_topicsubscription"


class MessageForm(forms.Form):
    subject = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget)
    body = forms.CharField(label="Message", max_length=20_000, widget=UnfoldAdminTextareaWidget)


class CodeForm(forms.Form):
    code = forms.RegexField(
        r"\A[0-9]{6}\Z", label="Code", help_text="The six digits that the number was sent.", strip=True,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )


def subscription_save(request: HttpRequest, row: TopicSubscription, changed: list[str] | None) -> None:
    """Of a form: `changed` names its columns, None stands for a new row. Raises DomainError, which the form says."""
    names = ("topic_id", "channel", "address", "membership_id", "status")
    values = {name: getattr(row, name) for name in names if changed is None or name.removesuffix("_id") in changed}
    before = None if changed is None else TopicSubscription.objects.get(pk=row.pk)
    if vouches(before, values) and not request.user.has_perm(VOUCH):
        raise Forbidden(f"Whoever has the address confirms; saying so for them needs the permission {VOUCH}.")
    if before is None:
        row.pk = topic_subscription_create(**values).pk
    elif values:
        topic_subscription_update(subscription=before, values=values)


class TopicSubscriptionInline(TenantTabularInline):
    model = TopicSubscription


@admin.register(Topic)
class TopicAdmin(TenantAdmin):
    list_display = ["name", "key", "category", "is_mandatory"]
    search_keys = ["name_key", "key"]
    inlines = [TopicSubscriptionInline]
    actions_detail = ["send"]

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        formset.save(commit=False)
        for row in formset.deleted_objects:
            row.delete()
        for row, names in formset.changed_objects:
            subscription_save(request, row, changed_columns(row, names))
        for row in formset.new_objects:
            subscription_save(request, row, None)

    @action(description="Send a message", url_path="send", permissions=["send"])
    def send(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(topic: Topic, values: dict[str, Any]) -> str:
            told = topic_send(topic=topic, **values)
            return f"It goes to {told} subscriber{'' if told == 1 else 's'}."

        return asked(self, request, object_id, MessageForm, "Send a message", do)

    def has_send_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("notifications.send_topic"))


@admin.register(TopicSubscription)
class TopicSubscriptionAdmin(TenantAdmin):
    list_display = ["address", "topic", "channel", "membership", "status"]
    list_select_related = ["membership__user"]
    list_filter = ["status"]
    readonly_fields = ["asked_at", "confirmed_at"]
    actions_detail = ["resend", "enter_code"]

    def save_model(self, request: HttpRequest, obj: TopicSubscription, form: Any, change: bool) -> None:
        subscription_save(request, obj, changed_columns(obj, form.changed_data) if change else None)

    @action(description="Ask again", url_path="resend", permissions=["change"])
    @confirmed("Send another link, or another code, to this address?")
    def resend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if (subscription := self.get_object(request, object_id)) is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        try:
            topic_subscription_resend(subscription=subscription)
            self.message_user(request, f"{subscription.address} is asked again.", messages.SUCCESS)
        except DomainError as refused:
            self.message_user(request, refused.detail, messages.ERROR)
        return HttpResponseRedirect(page_of(self, subscription))

    @action(description="Enter the code", url_path="enter-code", permissions=["change"])
    def enter_code(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(subscription: TopicSubscription, values: dict[str, Any]) -> str:
            topic_subscription_confirm(subscription=subscription, **values)
            return f"{subscription.address} is confirmed."

        return asked(self, request, object_id, CodeForm, "Enter the code", do)


@admin.register(NotificationDelivery)
class NotificationDeliveryAdmin(ReadOnlyTenantAdmin):
    list_display = ["created_at", "subject", "address", "channel", "status", "attempts", "sent_at"]
    list_filter = ["status"]
