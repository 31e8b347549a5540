from typing import Any
from uuid import uuid4

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action

from core.admin import ReadOnlyTenantAdmin
from inventory.admin import landed_cost_page, value_pages
from inventory.models import CostLayer, StockSnapshot, ValueEntry
from inventory.services.landed_costs import MOST_RECEIPTS


@admin.register(CostLayer)
class CostLayerAdmin(ReadOnlyTenantAdmin):
    """What goods that are in stock cost. The report and its reasons stand under the same permission as its entries."""

    list_display = ["variant", "warehouse", "kind", "remaining", "value", "unit_cost", "landed_cost", "received_at", "is_open"]
    list_filter = ["is_open", "warehouse"]
    actions_list = ["report", "landed"]
    actions_detail = ["why"]

    def get_urls(self) -> list[Any]:
        return [*value_pages.urls(self.admin_site), *landed_cost_page.urls(self.admin_site), *super().get_urls()]

    @action(description="Inventory value", url_path="open-report", permissions=["report"])
    def report(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:inventory_value"))

    @action(description="Add landed cost", url_path="open-landed-cost", permissions=["landed"])
    def landed(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:inventory_landed_cost"))

    @action(description="Why this value", url_path="open-why", permissions=["report"])
    def why(self, request: HttpRequest, object_id: str) -> HttpResponse:
        layer = self.get_object(request, object_id)
        if layer is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        return HttpResponseRedirect(value_pages.why_url(layer.variant_id, layer.warehouse_id))

    def has_report_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm(value_pages.SEE))

    def has_landed_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm(landed_cost_page.ADD))


@admin.register(ValueEntry)
class ValueEntryAdmin(ReadOnlyTenantAdmin):
    """The ledger of values, newest first. Landed cost is added to the receipts that are chosen here."""

    list_display = ["created_at", "kind", "variant", "warehouse", "move", "quantity", "value", "note", "occurred_at"]
    list_filter = ["warehouse", "kind"]
    actions = ["add_landed_cost"]

    @admin.action(description="Add landed cost to the receipts of the selected entries", permissions=["landed"])
    def add_landed_cost(self, request: Any, queryset: QuerySet) -> HttpResponse | None:
        moves = set(queryset.filter(kind="cost", quantity__gt=0).exclude(move=None).values_list("move_id", flat=True))
        if not moves or len(moves) > MOST_RECEIPTS:
            self.message_user(request, f"Choose 1 to {MOST_RECEIPTS} entries of receipts.", messages.WARNING)
            return None
        token = f"landed-{uuid4()}"
        request.session[token] = sorted(map(str, moves))
        return HttpResponseRedirect(f"{reverse('admin:inventory_landed_cost')}?chosen={token}")

    def has_landed_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm(landed_cost_page.ADD))


@admin.register(StockSnapshot)
class StockSnapshotAdmin(ReadOnlyTenantAdmin):
    list_display = ["day", "variant", "warehouse", "quantity", "value"]
    list_filter = ["warehouse"]
