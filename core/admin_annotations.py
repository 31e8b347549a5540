"""Tags and notes of a row, on its page."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from core.changelist_filters import TagFilter
from core.errors import DomainError


class AnnotatedAdmin(admin.ModelAdmin):
    admin_site: Any  # knows tags and notes, which core does not

    @property
    def annotated(self) -> bool:
        return bool(getattr(self.model, "annotated", False))

    def get_urls(self) -> list[URLPattern]:
        if not self.annotated:
            return super().get_urls()
        view = self.admin_site.admin_view(self.annotate_view)
        return [path("<path:object_id>/annotate/", view, name=self._annotate_name()), *super().get_urls()]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [*super().get_list_filter(request), *([TagFilter] if self.annotated else [])]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        row = kwargs.get("obj")
        if row is not None and self.annotated and not context.get("is_popup"):
            context["annotations"] = self.admin_site.annotations(request, row)
            context["annotate_url"] = reverse(f"admin:{self._annotate_name()}", args=[row.pk])
        return super().render_change_form(request, context, *args, **kwargs)

    def annotate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        if request.method == "POST":
            try:
                with transaction.atomic():
                    self.message_user(request, self.admin_site.annotate(request, row), messages.SUCCESS)
            except DomainError as error:
                self.message_user(request, error.detail, messages.ERROR)
            except IntegrityError:
                self.message_user(request, "One of these tags is there no longer: choose again.", messages.ERROR)
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])
        return HttpResponseRedirect(f"{back}#annotations")

    def _annotate_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_annotate"
