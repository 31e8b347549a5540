from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from unfold.decorators import action

from core.admin import TenantAdmin
from core.limits import reach, within
from inventory.admin import count_pages, count_sheet
from inventory.admin.people import NamesPeople
from inventory.admin.value_pages import page
from inventory.models import StockCount, StockCountPlan


@admin.register(StockCountPlan)
class StockCountPlanAdmin(TenantAdmin):
    """Each night a count is opened of what is due."""

    list_display = ["warehouse", "abc_class", "every_days", "lines_at_once", "is_blind", "is_active"]
    list_filter = ["warehouse"]


@admin.register(StockCount)
class StockCountAdmin(NamesPeople):
    """The sheet is for who counts, the variance for who posts; the pages' own scripts and answers stand beside."""

    list_display = ["created_at", "kind", "warehouse", "location", "category", "abc_class", "is_blind", "status", "posted_at"]
    list_filter = ["status", "warehouse"]
    fields = [
        "kind", "status", "warehouse", "location", "category", "abc_class", "plan", "is_blind", "tolerance_quantity",
        "tolerance_percent", "reason", "note", "created_at", "requester", "decider", "decided_at", "decision_note", "posted_at",
        "promises_lost",
    ]
    actions_list = ["start"]
    actions_detail = ["sheet", "variance", "print_sheet", "decide", "cancel"]

    def get_urls(self) -> list[Any]:
        own = [
            path("<uuid:pk>/record/", page(self.admin_site, count_sheet.record), name="inventory_stockcount_record"),
            path("<uuid:pk>/scan/", page(self.admin_site, count_sheet.scan), name="inventory_stockcount_scan"),
        ]
        return [*own, *super().get_urls()]

    @action(description="Start a count", url_path="start", permissions=["start"])
    def start(self, request: HttpRequest) -> HttpResponse:
        return count_pages.start(self, request)

    @action(description="Count", url_path="sheet", permissions=["record"])
    def sheet(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return count_sheet.sheet_page(self, request, found(request, object_id, count_sheet.RECORD))

    @action(description="Variance", url_path="variance", permissions=["post"])
    def variance(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return count_pages.variance_page(self, request, found(request, object_id, count_pages.POST))

    @action(description="Print the sheet", url_path="print", permissions=["view"])
    def print_sheet(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return count_pages.print_page(self, request, found(request, object_id, count_pages.VIEW))

    @action(description="Look and decide", url_path="decide", permissions=["decide"])
    def decide(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return count_pages.decide_page(self, request, found(request, object_id, count_pages.APPROVE))

    @action(description="Cancel", url_path="cancel", permissions=["cancel"])
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return count_pages.cancel_page(self, request, found(request, object_id, count_pages.CANCEL))

    def has_start_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm(count_pages.START))

    def has_record_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self._may(request, count_sheet.RECORD, object_id, StockCount.Status.OPEN)

    def has_post_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self._may(request, count_pages.POST, object_id)

    def has_decide_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self._may(request, count_pages.APPROVE, object_id, StockCount.Status.PENDING)

    def has_cancel_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self._may(request, count_pages.CANCEL, object_id, *StockCount.UNFINISHED)

    def _may(self, request: Any, permission: str, object_id: Any, *statuses: str) -> bool:
        may = bool(request.user.has_perm(permission))
        if not may or object_id is None:
            return may
        rows = StockCount.objects.filter(within(StockCount, reach(request.principal, permission)), pk=object_id)
        return bool((rows.filter(status__in=statuses) if statuses else rows).exists())


def found(request: Any, object_id: str, permission: str) -> StockCount:
    """Raises Http404 where the permission does not count."""
    try:
        key = UUID(object_id)
    except ValueError as error:
        raise Http404 from error
    return count_sheet.count_or_404(request, key, permission)
