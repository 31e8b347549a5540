"""The files of a row, on its page."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from core.errors import DomainError
from core.routing import path_of


class AttachingAdmin(admin.ModelAdmin):
    """Who sees the row and attachments sees its files; who may change the row as well adds some."""

    admin_site: Any  # knows the attachments, which core does not

    @property
    def attachable(self) -> bool:
        return bool(self.admin_site.takes_attachments(self.model))

    def get_urls(self) -> list[URLPattern]:
        if not self.attachable:
            return super().get_urls()
        view = self.admin_site.admin_view(self.attach_view)
        return [path("<path:object_id>/attach/", view, name=self._attach_name()), *super().get_urls()]

    def attachments_context(self, request: HttpRequest, object_id: str | None) -> dict[str, Any]:
        if object_id is None or not self.attachable or IS_POPUP_VAR in request.GET:
            return {}
        try:
            pk = self.opts.pk.to_python(unquote(object_id))
        except ValidationError:
            return {}
        may_add = request.user.has_perm("accounts.add_attachment") and self.has_change_permission(request)
        return {
            "attachments_at": path_of("attachments"),
            "attachments": self.admin_site.attachments(request, self.model, pk),
            "attach_url": reverse(f"admin:{self._attach_name()}", args=[object_id]) if may_add else "",
        }

    def attach_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[object_id])
        if request.method == "POST":
            self._attach(request, row)
        return HttpResponseRedirect(f"{back}#attachments")

    def _attach(self, request: HttpRequest, row: Any) -> None:
        if (file := request.FILES.get("file")) is None:
            self.message_user(request, "Choose a file first.", messages.ERROR)
            return
        try:
            with transaction.atomic():
                self.admin_site.attach(request, row, file, request.POST.get("title", "")[:200].replace("\0", ""))
        except DomainError as error:
            self.message_user(request, error.detail, messages.ERROR)
        else:
            self.message_user(request, f"{file.name} is attached.", messages.SUCCESS)

    def _attach_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_attach"
