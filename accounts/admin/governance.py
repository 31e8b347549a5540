from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelect2MultipleWidget

from accounts.models import DataSubjectRequest, FeatureFlag, Membership, RetentionPolicy
from accounts.services import privacy
from accounts.services.retention import refuse_impossible
from core.admin import TenantAdmin
from core.admin_forms import TenantModelForm
from core.errors import DomainError
from core.retention import data_classes

FULFIL = "accounts.fulfil_datasubjectrequest"


@admin.register(RetentionPolicy)
class RetentionPolicyAdmin(TenantAdmin):
    """One for each class of data: there are no others."""

    list_display = ["label", "keep_days", "action", "legal_hold_until", "purged_at", "purged_rows"]
    readonly_fields = ["label", "purged_at", "purged_rows"]
    fields = ["label", "keep_days", "action", "legal_hold_until", "purged_at", "purged_rows"]
    ordering = ("data_class",)

    @admin.display(description="data")
    def label(self, policy: RetentionPolicy) -> str:
        known = data_classes().get(policy.data_class)
        return known.label if known else policy.data_class

    def save_model(self, request: HttpRequest, obj: RetentionPolicy, form: Any, change: bool) -> None:
        refuse_impossible(data_class=obj.data_class, action=obj.action)
        super().save_model(request, obj, form, change)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(DataSubjectRequest)
class DataSubjectRequestAdmin(TenantAdmin):
    """What a person asks for. An answer shows first what it would do."""

    list_display = ["subject_email", "kind", "status", "due_on", "completed_at"]
    list_filter = ["status", "kind"]
    readonly_fields = ["status", "due_on", "completed_at", "outcome", "result_expires_at"]
    fields = ["kind", "subject_email", "status", "due_on", "completed_at", "outcome", "result_expires_at"]
    actions_detail = ["fulfil", "download"]

    @admin.display(description="report")
    def outcome(self, request: DataSubjectRequest) -> SafeString | str:
        if not request.report:
            return "Not answered yet: Preview and answer shows what would happen."
        lines = ((line["label"], line["rows"], line["outcome"], line["reason"]) for line in request.report)
        return format_html('<ul class="changes">{}</ul>', format_html_join("", "<li><b>{}</b>: {} {}. {}</li>", lines))

    @action(description="Preview and answer", url_path="fulfil", permissions=["fulfil"])
    def fulfil(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row: Any = self.get_object(request, object_id)
        if row is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        back = HttpResponseRedirect(reverse("admin:accounts_datasubjectrequest_change", args=[row.pk]))
        try:
            if request.method != "POST":
                return self._preview(request, row)
            if row.kind == DataSubjectRequest.Kind.ERASE:
                privacy.data_subject_erase(request=row)
            else:
                privacy.data_subject_export(request=row)
            self.message_user(request, "The request is answered.", messages.SUCCESS)
        except DomainError as error:
            self.message_user(request, error.detail, messages.ERROR)
        return back

    @action(description="Download the archive", url_path="download", permissions=["fulfil"])
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row: Any = self.get_object(request, object_id)
        if row is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        try:
            return HttpResponse(privacy.result_open(request=row).read(), "application/zip", headers=privacy.DOWNLOAD)
        except DomainError as error:
            self.message_user(request, error.detail, messages.ERROR)
            return HttpResponseRedirect(reverse("admin:accounts_datasubjectrequest_change", args=[row.pk]))

    def _preview(self, request: HttpRequest, row: DataSubjectRequest) -> HttpResponse:
        is_erasure = row.kind == DataSubjectRequest.Kind.ERASE
        lines = privacy.erasure_preview(email=row.subject_email) if is_erasure else privacy.found(email=row.subject_email)
        context = {
            **self.admin_site.each_context(request), "title": str(row), "opts": self.opts, "object": row, "lines": lines,
            "is_erasure": is_erasure, "is_open": row.status == DataSubjectRequest.Status.OPEN,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/accounts/datasubjectrequest/fulfil.html", context)

    def has_fulfil_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm(FULFIL))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PeopleField(forms.TypedMultipleChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(coerce=UUID, choices=people_choices, widget=UnfoldAdminSelect2MultipleWidget, **kwargs)

    def has_changed(self, initial: Iterable[UUID] | None, data: Iterable[str] | None) -> bool:
        return {str(key) for key in initial or ()} != set(data or ())


def people_choices() -> list[tuple[str, str]]:
    members = Membership.objects.select_related("user").order_by("user__email")
    return [(str(member.user_id), f"{member.user} ({member.user.email})") for member in members]


class FeatureFlagForm(TenantModelForm):
    user_ids = PeopleField(required=False, label="People", help_text="For these people it is on in any case.")


@admin.register(FeatureFlag)
class FeatureFlagAdmin(TenantAdmin):
    form = FeatureFlagForm
    list_display = ["key", "enabled", "rollout_percent", "expires_at", "description"]
    list_filter = ["enabled"]
    search_keys = ("key",)
    in_palette = False
    ordering = ("key",)
