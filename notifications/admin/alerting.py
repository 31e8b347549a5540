from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from core.admin import ReadOnlyTenantAdmin, TenantAdmin
from core.admin_actions import confirmed
from core.admin_forms import TenantModelForm
from notifications.admin.asking import asked
from notifications.measuring import metrics
from notifications.models import Alert, AlertRule
from notifications.services.alert_rules import alert_rules_add_presets
from notifications.services.alerting import alert_acknowledge, alert_silence
from notifications.services.inbox import membership_of

ANSWER = "notifications.acknowledge_alert"


class AlertRuleForm(TenantModelForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "metric" in self.fields:
            named = [(one.key, f"{one.name}{' (of the window)' if one.looks_back else ''}") for one in metrics().values()]
            self.fields["metric"] = forms.ChoiceField(choices=named, widget=UnfoldAdminSelectWidget())


class NoteForm(forms.Form):
    note = forms.CharField(max_length=500, required=False, widget=UnfoldAdminTextInputWidget)


class SilenceForm(NoteForm):
    hours = forms.IntegerField(min_value=1, max_value=720, initial=4, widget=UnfoldAdminIntegerFieldWidget)


@admin.register(AlertRule)
class AlertRuleAdmin(TenantAdmin):
    form = AlertRuleForm
    list_display = ["name", "metric", "comparator", "threshold", "for_minutes", "severity", "topic", "is_active"]
    sortable_by = ["name"]
    actions_list = ["add_presets"]

    @action(description="Add the usual rules", url_path="add-presets", permissions=["add"])
    @confirmed("Add the rules that most organizations want? Rules that have their names stay as they are.")
    def add_presets(self, request: HttpRequest) -> HttpResponse:
        made = alert_rules_add_presets()
        names = ", ".join(rule.name for rule in made)
        self.message_user(request, f"Added: {names}." if made else "All of them are there.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:notifications_alertrule_changelist"))


@admin.register(Alert)
class AlertAdmin(ReadOnlyTenantAdmin):
    says_when_empty = "An alert opens itself when the condition of a rule holds."
    list_display = ["title", "severity", "status", "value", "opened_at", "acknowledged_by", "resolved_at"]
    list_select_related = ["acknowledged_by__user"]
    list_filter = ["status"]
    fields = [
        "title", "rule", "severity", "status", "value", "opened_at", "told_at", "times_told", "acknowledged_at",
        "acknowledged_by", "silenced_until", "note", "resolved_at",
    ]
    actions_detail = ["acknowledge", "silence"]

    @action(description="Acknowledge", url_path="acknowledge", permissions=["answer"])
    def acknowledge(self, request: HttpRequest, object_id: str) -> HttpResponse:
        member = membership_of(cast("UUID", request.user.pk))

        def do(alert: Alert, values: dict[str, Any]) -> str:
            alert_acknowledge(alert=alert, membership_id=member, **values)
            return "It is not told again until it is resolved."

        return asked(self, request, object_id, NoteForm, "Acknowledge", do)

    @action(description="Silence", url_path="silence", permissions=["answer"])
    def silence(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(alert: Alert, values: dict[str, Any]) -> str:
            until = timezone.now() + timedelta(hours=values["hours"])
            alert_silence(alert=alert, until=until, note=values["note"])
            return f"Nothing is told of it until {until:%Y-%m-%d %H:%M} UTC."

        return asked(self, request, object_id, SilenceForm, "Silence", do)

    def has_answer_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm(ANSWER))
