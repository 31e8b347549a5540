from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import action
from unfold.widgets import UnfoldAdminFileFieldWidget

from accounts.admin.objects import object_link, object_name
from accounts.models import Attachment
from accounts.queries.attachments import attachable, object_permission, visible_attachments
from accounts.services.attachments import Upload, attachment_add_version, attachment_make_primary
from core.admin import TenantAdmin
from core.admin_actions import confirmed
from core.admin_forms import TenantModelForm
from core.errors import DomainError
from core.limits import OutsideWarehouses, refuse_object_outside
from core.routing import path_of


class AttachmentForm(TenantModelForm):
    file = forms.FileField(required=False, label="A newer file", widget=UnfoldAdminFileFieldWidget)


@admin.register(Attachment)
class AttachmentAdmin(TenantAdmin):
    """Files are added on the page of the row that they belong to; here they are found, renamed and renewed."""

    form = AttachmentForm
    list_display = ["__str__", "on", "kind", "content_type", "readable_size", "file_version", "updated_at"]
    fields = ["title", "kind", "file", "belongs_to", "content_type", "readable_size", "sha256", "files"]
    readonly_fields = ["belongs_to", "content_type", "readable_size", "sha256", "files"]
    actions_detail = ["make_primary"]

    def get_queryset(self, request: Any) -> models.QuerySet:
        return visible_attachments(request.principal).order_by(*self.ordering)

    @action(description="Show first", url_path="make-primary", permissions=["make_primary"])
    @confirmed("Show this picture before the others of its row?")
    def make_primary(self, request: HttpRequest, object_id: str) -> HttpResponse:
        attachment = self.get_object(request, object_id)
        if attachment is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        if not self.has_change_permission(request, attachment):
            raise PermissionDenied
        try:
            attachment_make_primary(attachment=attachment, permissions=_held(request))
        except DomainError as error:
            self.message_user(request, error.detail, messages.ERROR)
        else:
            self.message_user(request, f"{attachment} is shown first.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:accounts_attachment_change", args=[attachment.pk]))

    def has_make_primary_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("accounts.change_attachment"))

    @admin.display(description="size")
    def readable_size(self, attachment: Attachment) -> str:
        return filesizeformat(attachment.size)

    @admin.display(description="belongs to")
    def belongs_to(self, attachment: Attachment) -> SafeString | str:
        name = object_name(attachment.object_type, attachment.object_id)
        return object_link(attachment.object_type, attachment.object_id, name)

    @admin.display(description="on", ordering="object_type")
    def on(self, attachment: Attachment) -> SafeString | str:
        return object_link(attachment.object_type, attachment.object_id)

    @admin.display(description="versions")
    def files(self, attachment: Attachment) -> SafeString:
        address = path_of("attachments", attachment.pk, "download")
        versions = attachment.versions.order_by("-number")
        return format_html("<ul>{}</ul>", format_html_join(
            "", '<li><a class="text-important" href="{}?version={}">{}</a>, version {}, {}, {}</li>',
            (
                (address, one.number, one.filename, one.number, filesizeformat(one.size), f"{one.created_at:%Y-%m-%d %H:%M}")
                for one in versions
            ),
        ))

    def save_model(self, request: HttpRequest, obj: Attachment, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if file := form.cleaned_data.get("file"):
            upload = Upload(file, file.size, file.name, file.content_type or "")
            attachment_add_version(attachment=obj, upload=upload, permissions=_held(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _may_change_object(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_change_object(request, obj)

    def archive(self, request: HttpRequest, rows: models.QuerySet, *, restore: bool) -> int:
        held = _held(request)
        types = rows.order_by().values_list("object_type", flat=True).distinct()
        allowed = [label for label in types if object_permission("change", label) in held]
        rows = rows.filter(pk__in=[row.pk for row in rows.filter(object_type__in=allowed) if _may_change_object(request, row)])
        return super().archive(request, rows, restore=restore)


def _held(request: HttpRequest) -> frozenset[str]:
    user: Any = request.user
    permissions: frozenset[str] = user.permissions
    return permissions


def _may_change_object(request: Any, attachment: Attachment | None) -> bool:
    if attachment is None:
        return True
    if object_permission("change", attachment.object_type) not in _held(request):
        return False
    try:
        model = attachable()[attachment.object_type]
        refuse_object_outside(request.principal, model, attachment.object_id, "change")
    except OutsideWarehouses:
        return False
    return True
