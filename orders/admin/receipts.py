from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action

from core.admin import ReadOnlyTenantAdmin, TenantTabularInline, plainly
from orders.admin.landed_cost_pages import ADD, landable, new_cost
from orders.models import GoodsReceipt, GoodsReceiptItem


class ItemInline(TenantTabularInline):
    model = GoodsReceiptItem
    tab = False
    extra = 0
    can_delete = False

    taken_in = staticmethod(plainly(GoodsReceiptItem, "quantity"))
    rejected = staticmethod(plainly(GoodsReceiptItem, "rejected_quantity"))
    fields = ("variant", "lot", "location", "taken_in", "rejected", "rejected_because", "unit_cost")
    readonly_fields = fields


@admin.register(GoodsReceipt)
class GoodsReceiptAdmin(ReadOnlyTenantAdmin):
    """What came of purchase orders, and what went back."""

    says_when_empty = "Open a purchase order that was sent, and press Receive; or scan its number."
    list_display = ["number", "kind", "order", "warehouse", "delivery_note", "occurred_at"]
    list_filter = ["kind", "warehouse"]
    search_keys = ["number_key"]
    fields = ["number", "kind", "order", "warehouse", "delivery_note", "note", "occurred_at", "currency", "exchange_rate"]
    inlines = [ItemInline]
    actions_detail = ["land"]

    @action(description="Add a landed cost", url_path="landed-cost", permissions=["land"])
    def land(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return new_cost(request, GoodsReceipt.objects.filter(pk=object_id))

    def has_land_permission(self, request: Any, object_id: Any = None) -> bool:
        """Of goods that came, not of those that went back."""
        if object_id is None:
            return bool(request.user.has_perm(ADD))
        return landable(request, GoodsReceipt.objects.filter(pk=object_id)).exists()
