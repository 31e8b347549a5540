"""Archiving in place of deleting, for models that can be archived."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, models, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from core.constraints import violated
from core.models import ArchivableModel

SHOWN_NAMES = 20


class ArchivingAdmin(admin.ModelAdmin):
    """Who may delete may archive and restore; both say what they will do before they do it."""

    @property
    def archivable(self) -> bool:
        return issubclass(self.model, ArchivableModel)

    def refuse_outside(self, request: HttpRequest, rows: models.QuerySet, verb: str) -> None:
        """Where the base knows who may write which rows."""

    def archive(self, request: HttpRequest, rows: models.QuerySet, *, restore: bool) -> int:
        """Where a model calls a service instead. Answers how many rows changed."""
        wanted = rows.filter(archived_at__isnull=not restore)
        return wanted.order_by().update(archived_at=None if restore else timezone.now())

    @admin.action(description="Archive selected %(verbose_name_plural)s", permissions=["delete"])
    def archive_selected(self, request: HttpRequest, queryset: models.QuerySet) -> HttpResponse | None:
        return self._confirmed(request, queryset, "archive_selected", restore=False)

    @admin.action(description="Restore selected %(verbose_name_plural)s", permissions=["delete"])
    def restore_selected(self, request: HttpRequest, queryset: models.QuerySet) -> HttpResponse | None:
        return self._confirmed(request, queryset, "restore_selected", restore=True)

    def get_actions(self, request: HttpRequest, *args: Any) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request, *args)
        if self.archivable and actions.pop("delete_selected", None):
            actions |= {name: self.get_action(name) for name in ("archive_selected", "restore_selected")}
        return actions

    def get_urls(self) -> list[URLPattern]:
        if not self.archivable:
            return super().get_urls()
        name = f"{self.opts.app_label}_{self.opts.model_name}_restore"
        view = self.admin_site.admin_view(self.restore_view)
        return [path("<path:object_id>/restore/", view, name=name), *super().get_urls()]

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        if not self.archivable:
            return super().delete_view(request, object_id, extra_context)
        return self._archive_view(request, object_id, restore=False)

    def restore_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._archive_view(request, object_id, restore=True)

    def _archive_view(self, request: HttpRequest, object_id: str, *, restore: bool) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        if not self.has_delete_permission(request, row):
            raise PermissionDenied
        rows = self.get_queryset(request).filter(pk=row.pk)
        return self._confirmed(request, rows, "", restore=restore) or HttpResponseRedirect(self._list_url())

    def _confirmed(self, request: HttpRequest, rows: models.QuerySet, action: str, *, restore: bool) -> HttpResponse | None:
        if request.method == "POST" and request.POST.get("post"):
            try:
                with transaction.atomic():
                    self.refuse_outside(request, rows, "delete")
                    changed = self.archive(request, rows, restore=restore)
            except IntegrityError as error:
                if (refused := violated(error)) is None:
                    raise
                self.message_user(request, refused.detail, messages.ERROR)
                return None
            kind = self.opts.verbose_name if changed == 1 else self.opts.verbose_name_plural
            self.message_user(request, f"{changed} {kind} {'restored' if restore else 'archived'}.", messages.SUCCESS)
            return None
        wanted = rows.filter(archived_at__isnull=not restore)
        shown = list(wanted[: SHOWN_NAMES + 1])
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "restore": restore, "action": action,
            "title": f"{'Restore' if restore else 'Archive'} {self.opts.verbose_name_plural}",
            "rows": shown[:SHOWN_NAMES], "more": len(shown) > SHOWN_NAMES, "back": self._list_url(),
            "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "select_across": request.POST.get("select_across", "0"),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/archive_confirmation.html", context)

    def _list_url(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
