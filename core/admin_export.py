"""The button Export of each list of the admin: its rows, as they are filtered, as CSV with the columns of the API."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse

from core.csv_lists import Table, csv_response
from core.paging import RANK, Window
from core.reading import BASE, compile_plan
from core.routing import resources

MOST = 50_000  # rows of an answer; more are written by a job: POST /exports/


class ExportingAdmin(admin.ModelAdmin):
    """For models that have a list in the API; others say that they are not exportable."""

    exportable: ClassVar[bool] = True

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name=f"{self.opts.app_label}_{self.opts.model_name}_export"), *super().get_urls()]

    def export_url(self) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_export") if self.exportable else ""

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        resource = resources().get(self.opts.label_lower)
        if resource is None or not self.has_view_or_change_permission(request):
            raise PermissionDenied
        shown: Any = self.get_changelist_instance(request)
        order = [str(name) for name in shown.queryset.query.order_by if name != RANK]
        sql, values = shown.queryset.order_by().values("pk").query.sql_with_params()
        if self._are_too_many(sql, values):
            text = f"These are more than {MOST:,} rows: choose fewer, or have a job write them (POST /api/v1/exports/)."
            self.message_user(request, text, messages.ERROR)
            back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
            return HttpResponseRedirect(f"{back}?{request.GET.urlencode()}")
        where = f"{BASE}.{self.opts.pk.column} IN ({sql})"
        table = Table(compile_plan(resource.serializer_class), where, values, Window(self.model, order, 1), None)
        return csv_response(table, str(self.opts.verbose_name_plural).replace(" ", "-"))

    def _are_too_many(self, sql: str, values: Any) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM ({sql} LIMIT {MOST + 1}) AS found", values)
            return int(cursor.fetchone()[0]) > MOST
